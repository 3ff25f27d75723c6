"""What a dataset would hold, counted without freezing it: for a person who is still choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from db.errors import BadArgument
from db.recording.keys import label
from db.specs import ClipSpec
from db.store import Store
from trainer.data.balance import (
    Tally,
    hours_by_game,
    hours_by_player,
    hours_by_split,
    presses_by_split,
    shares_down,
    warn,
)
from trainer.data.choice import Choice, chosen_videos
from trainer.data.dataset import gather, nothing_fits, split_items, unit_of
from trainer.data.manifest import SPLITS, Split, SplitBy
from trainer.data.tallies import tally_of


@dataclass(frozen=True)
class KeyBalance:
    """How much of one key there is."""

    code: int
    name: str
    share: float
    """Of the time, all splits together, for which it is down."""
    presses: dict[Split, int]


@dataclass(frozen=True)
class Preview:
    """Counts of what people did; what a model would impute is counted apart."""

    sessions: int
    splits: dict[Split, int]
    """Sessions of each; all are 0 while nothing can be split."""
    hours: dict[Split, float]
    """All under train while nothing can be split."""
    games: dict[str, float]
    """Hours by game."""
    players: dict[str, float]
    """Hours by player."""
    told_share: float
    """Of the time, the share for which an instruction is in force."""
    keys: tuple[KeyBalance, ...]
    """The most pressed first."""
    videos: int
    """Sessions without inputs, whose actions an IDM could impute."""
    video_hours: float
    warnings: tuple[str, ...]
    problem: str = ""
    """Why this cannot be frozen; empty where it can."""

    def facts(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def preview(
    store: Store,
    choice: Choice,
    *,
    clip: ClipSpec,
    held_out_share: float = 0.2,
    by: SplitBy = "group",
    seed: int = 0,
) -> Preview:
    """What `freeze` with the same options would hold. What keeps it from being frozen is told in `problem`, not raised."""
    warnings: list[str] = []
    tallies = gather(store, choice, warnings, lambda summary: tally_of(store, summary, clip, choice))
    problem, is_split = "" if tallies else nothing_fits(choice), False
    if tallies:
        try:
            splits = split_items([t.item for t in tallies], held_out_share, by, seed)
            tallies = [t.put(splits[unit_of(t.item, by)]) for t in tallies]
            is_split = True
        except BadArgument as error:
            problem = str(error)
    learnt = {t.item.session_id for t in tallies}
    videos = [summary for summary in chosen_videos(store, choice) if summary.id not in learnt]
    seconds = sum(t.seconds for t in tallies)
    return Preview(
        sessions=len(tallies),
        splits={split: is_split * sum(t.split == split for t in tallies) for split in SPLITS},
        hours=hours_by_split(tallies),
        games=hours_by_game(tallies),
        players=hours_by_player(tallies),
        told_share=round(sum(t.told_s for t in tallies) / seconds, 4) if seconds else 0.0,
        keys=_keys(tallies),
        videos=len(videos),
        video_hours=round(sum(summary.duration_s for summary in videos) / 3600, 4),
        warnings=(*warnings, *(warn(tallies, clip.rate_hz) if is_split else ())),
        problem=problem,
    )


def _keys(tallies: Sequence[Tally]) -> tuple[KeyBalance, ...]:
    shares, presses = shares_down(tallies), presses_by_split(tallies)
    found = [
        KeyBalance(code, label(code), share, {split: presses[split][code] for split in SPLITS})
        for code, share in shares.items()
    ]
    return tuple(sorted(found, key=lambda key: (-sum(key.presses.values()), key.code)))
