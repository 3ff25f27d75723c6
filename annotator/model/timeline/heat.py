"""Where the inputs in force disagree with what an IDM expects, for a lane of the timeline. Qt-free.

What disagreement means stands in `db.recording.surprise`. The IDM's probabilities are kept, so that after a correction only
what it is about is worked out anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotator.model.timeline.axis import Positions
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.lanes import KeyLane, MotionLane
from db.clock import Int64
from db.recording.actions import Bools, Floats
from db.recording.expectation import Expectation
from db.recording.stretches import stretches_of
from db.recording.surprise import Scale, key_surprise, mean_around, motion_surprise

HIGH = 0.99
"""A disagreement from which on a stretch is gone to: 1 is what 99 of 100 ticks of usual play stay below, and counts too."""
TOLD = 1.0
"""Nats from which on a key is named: the IDM is at least 63% sure of something else."""
APART_S = 1.0
"""Stretches closer than this are one place to go to."""


@dataclass(frozen=True)
class Doubt:
    """One key or mouse axis at one tick."""

    code: int | None
    """None for the mouse."""
    axis: int
    """Of the mouse: 0 across, 1 down."""
    recorded: float
    """Of a key 1 where it was recorded as down, else 0; of the mouse the recorded device counts."""
    expected: float
    """Of a key the opposite; of the mouse the counts that the IDM expects."""
    sure: float
    """How sure the IDM is that it was not as recorded, in [0, 1]."""


@dataclass(frozen=True, eq=False)
class HeatLane:
    """The disagreement at T ticks over N frames, with mip levels for painting."""

    ticks: Int64
    """(T,) the first frame of each, ascending from 0."""
    frame_count: int
    level: Floats
    """(T,) at least 0; NaN where the inputs are not known or the IDM has said nothing."""

    def at(self, frame: int) -> int:
        """The tick in which a frame lies."""
        return int(np.searchsorted(self.ticks, frame, "right")) - 1

    def columns(self, edges: Positions) -> Floats:
        """(W,) the greatest over the ticks that each of W columns with ascending `edges` (W + 1,) touches; NaN for none."""
        first = self._tick(np.floor(edges[:-1]))
        last = np.maximum(self._tick(np.ceil(edges[1:]) - 1), first)
        level = int(np.log2(max(int((last - first + 1).max(initial=1)), 1)))
        most = self._levels[level]
        first, last = first >> level, last >> level
        middle = np.minimum(first + 1, last)  # a column spans at most three blocks of its level
        found = np.maximum(np.maximum(most[first], most[middle]), most[last])
        return np.where(found < 0, np.nan, found).astype(np.float32)

    def _tick(self, frames: Positions) -> Int64:
        within = np.clip(frames, 0, self.frame_count - 1)
        return np.searchsorted(self.ticks, within, "right").astype(np.int64) - 1

    @cached_property
    def _levels(self) -> list[Floats]:
        """Level k holds the greatest of every block of 2**k ticks; below 0 where there is none."""
        levels = [np.where(np.isnan(self.level), -1, self.level).astype(np.float32)]
        while len(levels[-1]) > 1:
            most = levels[-1]
            most = np.append(most, most[-1]) if len(most) % 2 else most
            levels.append(np.maximum(most[::2], most[1::2]))
        return levels


class Heat:
    """The disagreement of one session's inputs with one IDM. `advance` until it says that nothing is left to do."""

    def __init__(self, said: Expectation, inputs: Inputs) -> None:
        """said: of the session that the inputs are of."""
        self.said, self._inputs = said, inputs
        self._stops = np.append(said.ticks[1:], len(inputs.clock))
        count, width = len(said), len(said.codes)
        self._keys = np.zeros((count, width), np.float32)
        self._mouse = np.zeros((count, 2), np.float32)
        self._motion = np.zeros((count, 2), np.float32)
        self._active = np.zeros((count, width), np.bool_)
        self._known = np.zeros(count, np.bool_)
        self._known_frames: Bools | None = None
        self._lanes: list[KeyLane | MotionLane | None] = [None] * (width + 2)
        self._scale = said.scale
        self.lane = HeatLane(said.ticks, len(inputs.clock), np.full(count, np.nan, np.float32))
        self.peaks: Int64 = np.zeros(0, np.int64)
        """Ascending frames: of each place with a HIGH disagreement the one that surprises most."""

    @property
    def is_measured(self) -> bool:
        """Whether 1 is measured on play that the IDM did not learn from; else the session's own 99th percentile is."""
        return self.said.scale is not None

    @property
    def is_current(self) -> bool:
        """Whether the lane is of the inputs as they are now."""
        return self._known_frames is self._inputs.raw.known and self._next_stale() is None

    def advance(self) -> bool:
        """Works one key or axis out anew that has changed, and the lane after the last one; False when all is done."""
        if self._known_frames is not self._inputs.raw.known:
            self._known_frames = self._inputs.raw.known
            self._known = np.logical_and.reduceat(self._known_frames, self.said.ticks)
            self._lanes = [None] * len(self._lanes)
        column = self._next_stale()
        if column is None:
            return False
        self._lanes[column] = lane = self._lane(column)
        if isinstance(lane, KeyLane):
            self._judge_key(column, lane)
        else:
            self._judge_motion(column - len(self.said.codes), lane)
        if self._next_stale() is not None:
            return True
        self._settle()
        return False

    def doubts(self, tick: int) -> list[Doubt]:
        """What disagrees at a tick, the surest first."""
        if not self._counted[tick]:
            return []
        found = []
        for column, code in enumerate(self.said.codes):
            nats, active = float(self._keys[tick, column]), float(self._active[tick, column])
            if nats >= TOLD:
                found.append(Doubt(code, 0, active, 1 - active, 1 - float(np.exp(-nats))))
        for axis, (shares, values) in enumerate(
            ((self.said.dx, self.said.dx_values), (self.said.dy, self.said.dy_values))
        ):
            nats = float(self._mouse[tick, axis])
            if nats >= TOLD:
                expected = float(shares[tick].astype(np.float64) @ values)
                found.append(Doubt(None, axis, float(self._motion[tick, axis]), expected, 1 - float(np.exp(-nats))))
        return sorted(found, key=lambda doubt: -doubt.sure)

    # Inside

    @property
    def _counted(self) -> Bools:
        return self._known & self.said.said

    def _lane(self, column: int) -> KeyLane | MotionLane:
        """The lane in force of a column: the keys, then dx and dy."""
        codes = self.said.codes
        if column < len(codes):
            return self._inputs.key(codes[column])
        return self._inputs.dx if column == len(codes) else self._inputs.dy

    def _next_stale(self) -> int | None:
        return next((i for i, lane in enumerate(self._lanes) if lane is not self._lane(i)), None)

    def _judge_key(self, column: int, lane: KeyLane) -> None:
        held = np.searchsorted(lane.start, self._stops, "left") > np.searchsorted(lane.stop, self._stops, "left")
        pressed = lane.start[lane.pressed]
        tapped = np.searchsorted(pressed, self._stops, "left") > np.searchsorted(pressed, self.said.ticks, "left")
        active = self._active[:, column] = held | tapped
        probability = self.said.probability[:, column : column + 1]
        self._keys[:, column] = key_surprise(probability, active[:, None], self._known, self.said.said)[:, 0]

    def _judge_motion(self, axis: int, lane: MotionLane) -> None:
        said = self.said
        counts = self._motion[:, axis] = np.add.reduceat(lane.values, said.ticks)
        shares, edges = (said.dx, said.dx_edges) if axis == 0 else (said.dy, said.dy_edges)
        self._mouse[:, axis] = motion_surprise(shares, edges.tolist(), counts, self._known, said.said)

    def _settle(self) -> None:
        said, counted = self.said, self._counted
        surprise = (self._keys.sum(axis=1) + self._mouse.sum(axis=1)).astype(np.float32)
        mean = mean_around(surprise, said.edges_ns, counted)
        self._scale = self._scale or Scale.of(
            [mean]
        )  # of the inputs as they first were: corrections make it no smaller
        level = self._scale.disagreement(mean) if self._scale else mean
        self.lane = HeatLane(said.ticks, len(self._inputs.clock), level)
        self.peaks = self._peaks(level, surprise)

    def _peaks(self, level: Floats, surprise: Floats) -> Int64:
        edges_ns, places = self.said.edges_ns, list[tuple[int, int]]()
        for start, stop in stretches_of(np.nan_to_num(level) >= HIGH):
            if places and edges_ns[start] - edges_ns[places[-1][1]] < APART_S * 1e9:
                places[-1] = (places[-1][0], stop)
            else:
                places.append((start, stop))
        most = [start + int(np.argmax(surprise[start:stop])) for start, stop in places]
        return self.said.ticks[np.array(most, np.int64)]
