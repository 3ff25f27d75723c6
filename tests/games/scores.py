"""What following each instruction is scored by, from the game's own account of a stretch of play; more is better."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from games.demonstrator import DOWN_DEG, UP_DEG
from games.engine import turned_deg
from games.scenarios import BUTTONS, CORRIDOR, COVER
from games.witness import read_rows

Row = Mapping[str, Any]
STILL_UNITS = 0.5
_VEST_X, _RETURN_X = CORRIDOR.goal_x - 150.0, 60.0
"""Where the demonstrator comes to a halt."""

MEASURES = {
    "shoot": "kills a minute",
    "collect": "medkits a minute",
    "turn left": "degrees turned left a second",
    "turn right": "degrees turned right a second",
    "stand still": "% of the time without moving",
    "walk backwards": "units walked backwards a second",
    "dodge": "units stepped sideways a second",
    "look up": "% of the time with the view up",
    "look down": "% of the time with the view down",
    "vest": "% of the way to the vest",
    "return": "% of the way to the start",
    "open": "presses on the wall a minute",
    "evade": "% of the seconds without a hit",
    "go left": "% of the way to the left wall",
    "go right": "% of the way to the right wall",
    **dict.fromkeys(BUTTONS.targets, "% of the trials that end there"),
}
"""By the instruction's short name. "approach" has none: where the monsters stand is not in the log."""
UNSCORED = frozenset({(COVER.name, "shoot")})
"""Nothing tells who was hit there, and the map lets nobody fall."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of one player's play under one instruction, as rows of the game's log; trials among them, where there are."""

    tics: Sequence[Row]
    trials: Sequence[Row] = ()

    @property
    def seconds(self) -> float:
        return (self.tics[-1]["t_ns"] - self.tics[0]["t_ns"]) / 1e9 if len(self.tics) > 1 else 0.0

    def score(self, canonical: str) -> float:
        """The measure of one instruction (see MEASURES); NaN for a stretch in which there is nothing to measure."""
        if canonical in BUTTONS.targets:
            return _percent([trial["reached"] == canonical for trial in self.trials])
        return _SCORES[canonical](self) if self.seconds else math.nan

    @property
    def pairs(self) -> list[tuple[Row, Row]]:
        """Each row with the next, where both are of one episode."""
        return [(a, b) for a, b in itertools.pairwise(self.tics) if a["episode"] == b["episode"]]

    def gain(self, name: str) -> float:
        """By how much a count rose, a minute."""
        return float(self.tics[-1][name] - self.tics[0][name]) / self.seconds * 60

    def turned_deg(self) -> float:
        """To the right."""
        return sum(turned_deg(a["angle_deg"], b["angle_deg"]) for a, b in self.pairs)

    def walked(self, left_deg: float) -> list[float]:
        """Units from each row to the next, along a way counted to the left from where the view faces."""
        found = []
        for a, b in self.pairs:
            way = math.radians(a["angle_deg"] + left_deg)
            found.append((b["x"] - a["x"]) * math.cos(way) + (b["y"] - a["y"]) * math.sin(way))
        return found

    def share_within(self, low_deg: float, high_deg: float) -> float:
        """% of the rows with the view's pitch in a range; + is down."""
        return _percent([low_deg <= row["pitch_deg"] <= high_deg for row in self.tics])

    def share_of_way(self, axis: str, goal: float) -> float:
        """% of the way to a goal along an axis that was gone by the last row."""
        start, end = self.tics[0][axis], self.tics[-1][axis]
        return 100 * min(max((end - start) / (goal - start), 0.0), 1.0) if abs(goal - start) > 1 else math.nan


def read_stretches(log: Path) -> dict[str, list[Stretch]]:
    """The stretches of a game's log by instruction (short name), each without its first second of reading."""
    tics = [row for row in read_rows(log / "tics.jsonl") if row["kind"] == "tic"]
    rows = read_rows(log / "instructions.jsonl")
    trials = [row for row in rows if row["kind"] == "trial"]
    given = [row for row in rows if row["kind"] == "instruction"]
    found: dict[str, list[Stretch]] = {}
    for row, following in zip(given, [*given[1:], None], strict=True):
        start, stop = row["t_ns"], following["t_ns"] if following else math.inf
        own = [tic for tic in tics if start + 1_000_000_000 <= tic["t_ns"] < stop]
        ended = [trial for trial in trials if start == trial["start_ns"]]
        if len(own) > 1 or ended:
            found.setdefault(row["canonical"], []).append(Stretch(own, ended))
    return found


def mean_score(stretches: Sequence[Stretch], canonical: str) -> float:
    """The score over several stretches, weighted by their length, or by trial; those without a score left out."""
    scored = [
        (stretch.score(canonical), len(stretch.trials) if canonical in BUTTONS.targets else stretch.seconds)
        for stretch in stretches
    ]
    scored = [(score, weight) for score, weight in scored if not math.isnan(score)]
    weight = sum(weight for _, weight in scored)
    return sum(score * weight for score, weight in scored) / weight if weight else math.nan


def _still(stretch: Stretch) -> float:
    return _percent(
        [
            turned_deg(a["angle_deg"], b["angle_deg"]) == 0
            and math.dist((a["x"], a["y"]), (b["x"], b["y"])) < STILL_UNITS
            for a, b in stretch.pairs
        ]
    )


def _pressed(stretch: Stretch) -> float:
    """Presses of the key that opens, at either wall of the corridor."""
    _, south, _, north = CORRIDOR.floor
    count = sum(b["action"]["USE"] > a["action"]["USE"] and not south < b["y"] < north for a, b in stretch.pairs)
    return count / stretch.seconds * 60


def _unhit(stretch: Stretch) -> float:
    first = stretch.tics[0]
    hits: dict[int, int] = {}
    for row in stretch.tics:
        hits[(row["t_ns"] - first["t_ns"]) // 1_000_000_000] = row["hits"]
    counts = [first["hits"], *hits.values()]
    return _percent([a == b for a, b in itertools.pairwise(counts)])


def _percent(holds: Sequence[bool]) -> float:
    return 100 * sum(holds) / len(holds) if holds else math.nan


_SCORES: dict[str, Callable[[Stretch], float]] = {
    "shoot": lambda s: s.gain("kills"),
    "collect": lambda s: s.gain("pickups"),
    "turn left": lambda s: -s.turned_deg() / s.seconds,
    "turn right": lambda s: s.turned_deg() / s.seconds,
    "stand still": _still,
    "walk backwards": lambda s: -sum(s.walked(0.0)) / s.seconds,
    "dodge": lambda s: sum(map(abs, s.walked(90.0))) / s.seconds,
    "look up": lambda s: s.share_within(UP_DEG[0] - 4, UP_DEG[1] + 4),
    "look down": lambda s: s.share_within(DOWN_DEG[0] - 4, DOWN_DEG[1] + 4),
    "vest": lambda s: s.share_of_way("x", _VEST_X),
    "return": lambda s: s.share_of_way("x", _RETURN_X),
    "open": _pressed,
    "evade": _unhit,
    "go left": lambda s: s.share_of_way("y", float(COVER.floor[3])),
    "go right": lambda s: s.share_of_way("y", float(COVER.floor[1])),
}
