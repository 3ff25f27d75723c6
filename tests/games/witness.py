"""Compare input events with the game's own account of them, tic by tic: what is missing, what is invented, how late.

The events may be the injector's ledger or a recording of the same play: all that is needed is when each key or button
changed, and how far the mouse moved.
"""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from games.engine import BINDINGS, LOOK, LOOK_DEG_PER_PX, TIC_NS, TURN, TURN_DEG_PER_PX, turned_deg

# The next tic shows an event; a loaded machine may delay a tic or two.
LATEST_NS = 6 * TIC_NS


@dataclass(frozen=True, slots=True)
class Change:
    """A key or button (evdev code) went down (1) or up (0) at ``t_ns``."""

    t_ns: int
    code: int
    value: int


@dataclass(frozen=True, slots=True)
class Motion:
    """The mouse moved by (dx, dy) pixels at ``t_ns``: +x to the right, +y down."""

    t_ns: int
    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Account:
    """What came of comparing. Offsets are from an event to the reading of the first tic that shows it, in ns: one for each
    press and release, and one for each motion that comes after some tics of stillness, where it is plain which tic shows it.

    ``moved_px`` and ``turned_px`` are (x, y): the events' summed motion, and the view's summed turning divided by the
    degrees per pixel. ``reported_px`` is the same from ``get_last_action``, which keeps only the last part of motion that
    the game read in parts within one tic. ``unread_tics`` is how many tics the log's writer came too late for; what is shorter
    than such a gap cannot be witnessed. The y of ``turned_px`` is nan where the scenario has no vertical look.
    """

    changes: int
    missing: tuple[Change, ...]
    invented: tuple[Change, ...]
    offsets_ns: tuple[int, ...] = field(repr=False)
    motions: int
    motion_offsets_ns: tuple[int, ...] = field(repr=False)
    moved_px: tuple[int, int]
    turned_px: tuple[float, float]
    reported_px: tuple[float, float]
    unread_tics: int

    @property
    def exact(self) -> bool:
        """Nothing missing, nothing invented, and the view turned by all of the motion (to a hundredth of a pixel)."""
        pairs = zip(self.moved_px, self.turned_px, strict=True)
        still = all(np.isnan(turned) or abs(moved - turned) < 0.01 for moved, turned in pairs)
        return not self.missing and not self.invented and still


def percentile_ms(offsets_ns: Sequence[int], percentile: float) -> float:
    """A percentile of some offsets, in ms; nan without any."""
    return float(np.percentile(offsets_ns, percentile)) / 1e6 if offsets_ns else float("nan")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def compare(changes: Iterable[Change], motions: Iterable[Motion], tics: Sequence[Mapping[str, Any]]) -> Account:
    """Hold the events against the rows of a tic log (rows of other kinds are passed over).

    All of the events must lie within the log, and the log must hold one episode, or only
    episodes between which nothing was held: a game forgets held keys when an episode begins.
    """
    tics = [row for row in tics if row["kind"] == "tic"]
    by_code: dict[int, list[Change]] = {code: [] for code in BINDINGS}
    for change in sorted(changes, key=lambda change: change.t_ns):
        by_code[change.code].append(change)
    missing: list[Change] = []
    invented: list[Change] = []
    offsets_ns: list[int] = []
    for code, expected in by_code.items():
        shown = _shown(tics, code)
        _match(expected, shown, missing, invented, offsets_ns)
    motions = sorted(motions, key=lambda motion: motion.t_ns)
    return Account(
        changes=sum(len(expected) for expected in by_code.values()),
        missing=tuple(missing),
        invented=tuple(invented),
        offsets_ns=tuple(offsets_ns),
        motions=len(motions),
        motion_offsets_ns=tuple(_onset_offsets_ns(motions, tics)),
        moved_px=(sum(motion.dx for motion in motions), sum(motion.dy for motion in motions)),
        turned_px=_turned_px(tics),
        reported_px=(_reported(tics, TURN.name) / TURN_DEG_PER_PX, _reported(tics, LOOK.name) / LOOK_DEG_PER_PX),
        unread_tics=sum(b["episode_tic"] - a["episode_tic"] - 1 for a, b in _neighbours(tics)),
    )


def changes_of(injections: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The presses and releases among the rows of an injection log."""
    return [Change(row["t_ns"], row["code"], row["value"]) for row in injections if row["kind"] != "motion"]


def motions_of(injections: Iterable[Mapping[str, Any]]) -> list[Motion]:
    """The motions among the rows of an injection log."""
    return [Motion(row["t_ns"], row["dx"], row["dy"]) for row in injections if row["kind"] == "motion"]


def _shown(tics: Sequence[Mapping[str, Any]], code: int) -> list[Change]:
    """The changes of one key's button in the tic log; it begins up."""
    name = BINDINGS[code][2].name
    shown, value = [], 0
    for row in tics:
        if int(row["action"][name]) != value:
            value = int(row["action"][name])
            shown.append(Change(row["t_ns"], code, value))
    return shown


def _match(
    expected: Sequence[Change],
    shown: Sequence[Change],
    missing: list[Change],
    invented: list[Change],
    offsets_ns: list[int],
) -> None:
    """Pair each event with the next change of the same value that follows it closely enough."""
    at = 0
    for change in expected:
        while at < len(shown) and shown[at].t_ns < change.t_ns:
            invented.append(shown[at])
            at += 1
        found = at < len(shown) and shown[at].value == change.value and shown[at].t_ns - change.t_ns <= LATEST_NS
        if found:
            offsets_ns.append(shown[at].t_ns - change.t_ns)
            at += 1
        else:
            missing.append(change)
    invented.extend(shown[at:])


def _onset_offsets_ns(motions: Sequence[Motion], tics: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """For each motion after at least 3 tics without one: how long until a tic shows motion."""
    moving_ns = [row["t_ns"] for row in tics if row["action"][TURN.name] or row["action"].get(LOOK.name)]
    quiet_since_ns = 0
    for motion in motions:
        shown_ns = next(iter(moving_ns[bisect.bisect_left(moving_ns, motion.t_ns) :]), None)
        if motion.t_ns - quiet_since_ns > 3 * TIC_NS and motion.dx and shown_ns is not None:
            yield shown_ns - motion.t_ns
        quiet_since_ns = motion.t_ns


def _turned_px(tics: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """How far the view turned within episodes, in pixels of mouse motion."""
    pairs = list(_neighbours(tics))
    right_deg = sum(turned_deg(a["angle_deg"], b["angle_deg"]) for a, b in pairs)
    if not tics or LOOK.name not in tics[0]["action"]:
        return right_deg / TURN_DEG_PER_PX, float("nan")
    down_deg = sum(turned_deg(-a["pitch_deg"], -b["pitch_deg"]) for a, b in pairs)
    return right_deg / TURN_DEG_PER_PX, down_deg / LOOK_DEG_PER_PX


def _neighbours(tics: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each row with the one after it, where both are of one episode."""
    return ((a, b) for a, b in itertools.pairwise(tics) if a["episode"] == b["episode"])


def _reported(tics: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(sum(row["action"].get(name, 0.0) for row in tics))
