"""What there is to learn in a choice of sessions: hours, keys and games by split, and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.clock import Int64
from db.recording.actions import ActionTrack, Bools
from db.recording.keys import label
from db.specs import ActionSpace, Spec
from trainer.data.manifest import SPLITS, Item, KeyCount, Split

RARE_PRESSES = 10
"""A key pressed less often than this is kept, with a warning."""
LEAST_MINUTES = 3
DOMINANT_SHARE = 0.8
"""Of the time, from which one game of several is said to dominate."""
RATE_RATIO = 1.25
"""Between the fastest and the slowest recording, from which rates are said to differ."""
SLOW_SHARE = 0.9
"""Of the rate that the model sees, what a recording should reach."""


class Tally(Spec):
    """What is counted of one session: small enough to be kept for every session of a library."""

    item: Item
    seconds: float
    """What can be learnt; so are the counts."""
    told_s: float
    """Of that, with an instruction in force."""
    presses: dict[int, int]
    """How often each key was pressed."""
    ticks_down: dict[int, int]
    """The ticks for which each key is down, where there are any."""
    seen: tuple[int, ...]
    """The keys that are down anywhere, also where nothing is learnt; ascending."""
    rate_hz: float
    """Frames a second that were recorded."""

    @property
    def split(self) -> Split:
        return self.item.split

    def put(self, split: Split) -> Tally:
        """The same in this split."""
        return self.model_copy(update={"item": self.item.model_copy(update={"split": split})})


@dataclass(frozen=True, eq=False)
class Described:
    """A session's values, its actions at the ticks, and which of them (T,) can be learnt from."""

    item: Item
    ticks: Int64
    """(T,) frame indices."""
    track: ActionTrack
    learnable: Bools
    rate_hz: float

    @property
    def used(self) -> set[int]:
        """The keys that are down anywhere in what can be learnt."""
        pressed = self.track.active[self.learnable].any(axis=0)
        return set(np.asarray(self.track.codes, np.int64)[pressed].tolist())

    def tally(self) -> Tally:
        active = self.track.active
        presses = self.track.presses[self.learnable].sum(axis=0, dtype=np.int64).tolist()
        down = active[self.learnable].sum(axis=0).tolist()
        seen = np.asarray(self.track.codes, np.int64)[active.any(axis=0)].tolist()
        codes = self.track.codes
        lengths_ns = np.diff(self.track.edges_ns)
        told = np.zeros(len(self.ticks), np.bool_)
        for stretch in self.item.instructions:
            told |= (self.ticks >= stretch.start) & (self.ticks < stretch.stop)
        return Tally(
            item=self.item,
            seconds=float(lengths_ns[self.learnable].sum()) / 1e9,
            told_s=float(lengths_ns[self.learnable & told].sum()) / 1e9,
            presses={code: count for code, count in zip(codes, presses, strict=True) if count},
            ticks_down={code: count for code, count in zip(codes, down, strict=True) if count},
            seen=tuple(seen),
            rate_hz=self.rate_hz,
        )


def hours_by_split(tallies: Sequence[Tally]) -> dict[Split, float]:
    return {split: round(sum(t.seconds for t in tallies if t.split == split) / 3600, 4) for split in SPLITS}


def hours_by_game(tallies: Sequence[Tally]) -> dict[str, float]:
    """Ordered by name."""
    return _hours_by([(t.item.game, t.seconds) for t in tallies])


def hours_by_player(tallies: Sequence[Tally]) -> dict[str, float]:
    """Ordered by name."""
    return _hours_by([(t.item.player, t.seconds) for t in tallies])


def _hours_by(parts: Sequence[tuple[str, float]]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for name, seconds in parts:
        total[name] += seconds
    return {name: round(total[name] / 3600, 4) for name in sorted(total)}


def presses_by_split(tallies: Sequence[Tally]) -> dict[Split, Counter[int]]:
    """How often each key was pressed in what can be learnt."""
    presses: dict[Split, Counter[int]] = defaultdict(Counter)
    for t in tallies:
        presses[t.split].update(t.presses)
    return presses


def shares_down(tallies: Sequence[Tally]) -> dict[int, float]:
    """The share of the ticks that can be learnt for which each key is down, of the keys that are."""
    ticks = sum(t.item.learnable_ticks for t in tallies)
    down: Counter[int] = Counter()
    for t in tallies:
        down.update(t.ticks_down)
    return {code: round(down[code] / max(ticks, 1), 5) for code in sorted(down)}


def count_keys(tallies: Sequence[Tally], space: ActionSpace) -> tuple[KeyCount, ...]:
    """The keys of the action space, in its order."""
    shares = shares_down([t for t in tallies if t.split == "train"])
    presses = presses_by_split(tallies)
    return tuple(
        KeyCount(
            code=code,
            train_share=shares.get(code, 0.0),
            train_presses=presses["train"][code],
            held_out_presses=presses["held-out"][code],
        )
        for code in space.codes
    )


def warn(tallies: Sequence[Tally], clip_rate_hz: float) -> list[str]:
    """What a person should know before anything is trained on this, a sentence each."""
    return [*_warn_of_keys(tallies), *_warn_of_splits(tallies), *_warn_of_rates(tallies, clip_rate_hz)]


def _warn_of_keys(tallies: Sequence[Tally]) -> list[str]:
    presses = presses_by_split(tallies)
    used: dict[Split, set[int]] = {split: set() for split in SPLITS}
    for t in tallies:
        used[t.split] |= t.ticks_down.keys()
    found = [
        f"{label(code)} was pressed only {presses['train'][code]} times in the training split; it is kept."
        for code in sorted(used["train"])
        if presses["train"][code] < RARE_PRESSES
    ]
    everywhere = {code for t in tallies for code in t.seen}
    found += [
        f"{label(code)} is never pressed in the training split; no model will press it."
        for code in sorted(everywhere - used["train"])
    ]
    unseen: tuple[tuple[Split, str], ...] = (
        ("held-out", "how well it is learnt cannot be said"),
        ("calibration", "it is tuned blindly"),
    )
    for split, what in unseen:
        missing = sorted(used["train"] - used[split]) if any(t.split == split for t in tallies) else []
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            found.append(f"{', '.join(map(label, missing))} {verb} never pressed in the {split} split; {what}.")
    return found


def _warn_of_splits(tallies: Sequence[Tally]) -> list[str]:
    found = []
    if not any(t.split == "calibration" for t in tallies):
        found.append(
            "There are fewer than four groups, so thresholds are tuned on the training split; record more groups."
        )
    silent = sum(not t.item.instructions for t in tallies)
    if silent:
        found.append(f"{silent} of {len(tallies)} sessions have no instruction; a policy learns them without text.")
    minutes = sum(t.seconds for t in tallies if t.split == "train") / 60
    if minutes < LEAST_MINUTES:
        found.append(f"Only {minutes:.1f} minutes are left to train on; 5 and more are advisable.")
    games = hours_by_game(tallies)
    total, most = sum(games.values()), max(games, key=lambda game: games[game], default="")
    if len(games) > 1 and games[most] > DOMINANT_SHARE * total:
        found.append(f"{most} is {games[most] / total:.0%} of the time; what is learnt is mostly that game.")
    return found


def _warn_of_rates(tallies: Sequence[Tally], clip_rate_hz: float) -> list[str]:
    rates = sorted(t.rate_hz for t in tallies)
    found = []
    if rates and rates[-1] > RATE_RATIO * rates[0]:
        found.append(
            f"The recordings' rates differ, from {rates[0]:.1f} to {rates[-1]:.1f} frames a second; "
            f"the models see {clip_rate_hz:g}."
        )
    slow = sum(rate < SLOW_SHARE * clip_rate_hz for rate in rates)
    if slow:
        what = "1 session has" if slow == 1 else f"{slow} sessions have"
        found.append(f"{what} fewer than the {clip_rate_hz:g} frames a second that the models see.")
    return found
