"""The timeline's signal lanes as sorted arrays: who held which key when, and how the mouse moved.

Built once per session from the raw facts; the views only search and sum, so that tens of thousands of events cost no
more to paint than a few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotator.model.timeline.axis import Positions, positions
from db.clock import FrameClock, Int64
from db.recording.actions import InputFacts, resolve
from db.recording.events import EventKind, Gap, Origin, outside
from db.recording.keys import is_button

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class KeyLane:
    """The holds of one key or button: `[start[h], stop[h])` in positions, ascending and disjoint; `pressed` (H,) is
    False for a hold that was found already down."""

    code: int
    start: Positions
    stop: Positions
    pressed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.start)

    def visible(self, left: float, right: float) -> slice:
        """The holds that touch `[left, right)`."""
        return slice(int(np.searchsorted(self.stop, left, "right")), int(np.searchsorted(self.start, right, "left")))

    def is_held(self, position: float) -> bool:
        at = int(np.searchsorted(self.start, position, "right")) - 1
        return at >= 0 and position < self.stop[at]

    def touches(self, frame: int) -> bool:
        """Whether it is held right before a frame, or there."""
        at = int(np.searchsorted(self.stop, frame, "left"))
        return at < len(self) and bool(self.start[at] <= frame)

    def is_active(self, frame: int) -> bool:
        """Whether it is held at the end of a frame, or pressed in it."""
        last = int(np.searchsorted(self.start, frame + 1, "left")) - 1
        if last < 0:
            return False
        if self.stop[last] >= frame + 1:
            return True
        first = int(np.searchsorted(self.start, frame, "left"))
        return bool(self.pressed[first : last + 1].any())

    def equals(self, other: KeyLane) -> bool:
        names = ("start", "stop", "pressed")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def coverage(self, edges: Positions) -> Floats:
        """(W,) in [0, 1]: the held part of each of W columns with ascending `edges` (W + 1,).

        A column that any hold touches counts at least 0.35, so that a tap stays visible at every zoom.
        """
        if not len(self):
            return np.zeros(len(edges) - 1, np.float32)
        held = np.interp(edges, self._knots[0], self._knots[1], left=0.0)
        part = np.diff(held) / np.maximum(np.diff(edges), 1e-12)
        touched = np.searchsorted(self.start, edges[1:], "left") > np.searchsorted(self.stop, edges[:-1], "right")
        return np.where(touched, np.clip(part, 0.35, 1.0), 0.0).astype(np.float32)

    @cached_property
    def _knots(self) -> tuple[Positions, Positions]:
        """The total held up to each start and stop, a piecewise linear function of the position."""
        at = np.stack([self.start, self.stop], axis=1).reshape(-1)
        total = np.cumsum(self.stop - self.start)
        held = np.stack([np.concatenate([[0.0], total[:-1]]), total], axis=1).reshape(-1)
        return at, held


@dataclass(frozen=True, eq=False)
class MotionLane:
    """One axis of the summed raw mouse motion per frame, (N,) float32 device counts, with mip levels for painting."""

    values: Floats

    def replaced(self, frames: slice, values: Floats) -> MotionLane:
        """With other values there; itself where they are the same."""
        if np.array_equal(self.values[frames], values):
            return self
        changed = self.values.copy()
        changed[frames] = values
        return MotionLane(changed)

    @cached_property
    def peak(self) -> float:
        """The 99.5th percentile of the magnitude where there is motion, at least 1: what fills the lane's height."""
        moving = np.abs(self.values[self.values != 0])
        return max(float(np.percentile(moving, 99.5)) if len(moving) else 1.0, 1.0)

    @cached_property
    def levels(self) -> list[tuple[Floats, Floats]]:
        """Level k holds the least and the greatest value of every block of 2**k frames."""
        levels = [(self.values, self.values)]
        while len(levels[-1][0]) > 1:
            low, high = levels[-1]
            if len(low) % 2:
                low, high = np.append(low, low[-1]), np.append(high, high[-1])
            levels.append((np.minimum(low[::2], low[1::2]), np.maximum(high[::2], high[1::2])))
        return levels

    def envelope(self, edges: Positions) -> tuple[Floats, Floats]:
        """The least and greatest value, (W,) each, over the frames that each of W columns touches."""
        first = np.clip(np.floor(edges[:-1]).astype(np.int64), 0, len(self.values) - 1)
        last = np.clip(np.ceil(edges[1:]).astype(np.int64) - 1, first, len(self.values) - 1)
        level = int(np.log2(max(int((last - first + 1).max(initial=1)), 1)))
        low, high = self.levels[level]
        first, last = first >> level, last >> level
        middle = np.minimum(first + 1, last)  # a column spans at most three blocks of its level
        least = np.minimum(np.minimum(low[first], low[middle]), low[last])
        most = np.maximum(np.maximum(high[first], high[middle]), high[last])
        return least, most


@dataclass(frozen=True, eq=False)
class Lanes:
    """All signal lanes of a session of N frames."""

    keys: tuple[KeyLane, ...]
    """Keys first, then buttons, each ordered by how long they were held, longest first."""
    dx: MotionLane
    dy: MotionLane
    scroll: Floats
    """(N, 2) summed notches, right and up."""
    known: Bools
    """(N,) False where a frame touches a gap."""
    gaps: Positions
    """(G, 2) stretches in which inputs were not recorded."""

    @cached_property
    def press_frames(self) -> Int64:
        """Ascending frames in which any key or button was pressed, each once."""
        return press_frames(self.keys, len(self.known))

    def active(self, frame: int) -> list[int]:
        """Codes held at the end of a frame or pressed in it, in the order of the lanes."""
        return [lane.code for lane in self.keys if lane.is_active(frame)]

    def motion(self, frame: int) -> tuple[float, float]:
        """Summed raw motion of a frame in device counts, right and down."""
        return float(self.dx.values[frame]), float(self.dy.values[frame])


def build(facts: InputFacts, clock: FrameClock) -> Lanes:
    """The lanes of a session. Holds follow the rules of `db.recording.actions.resolve`, at full time resolution."""
    codes = np.unique(facts.events["code"][facts.events["kind"] == EventKind.KEY]).tolist()
    motion, scroll, known = moved(facts, clock.edges_ns)
    return Lanes(
        keys=in_order(key_lane(code, hold_times(code, facts, clock), clock) for code in codes),
        dx=MotionLane(np.ascontiguousarray(motion[:, 0])),
        dy=MotionLane(np.ascontiguousarray(motion[:, 1])),
        scroll=scroll,
        known=known,
        gaps=gap_positions(facts.gaps, clock),
    )


def moved(facts: InputFacts, edges_ns: Int64) -> tuple[Floats, Floats, Bools]:
    """The motion and scrolling, (N, 2) each, of the frames between edges (N + 1,), and whether they are known, (N,)."""
    track = resolve(facts, edges_ns, codes=())
    return track.motion, track.scroll, track.known


def in_order(lanes: Iterable[KeyLane]) -> tuple[KeyLane, ...]:
    """Keys first, then buttons, each by how long they were held; none that never was."""
    held = [lane for lane in lanes if len(lane)]
    held.sort(key=lambda lane: (is_button(lane.code), -float((lane.stop - lane.start).sum()), lane.code))
    return tuple(held)


def press_frames(lanes: Sequence[KeyLane], frame_count: int) -> Int64:
    """Ascending frames in which any of the keys was pressed, each once."""
    pressed = np.zeros(frame_count, np.bool_)
    for lane in lanes:
        pressed[np.minimum(lane.start[lane.pressed].astype(np.int64), frame_count - 1)] = True
    return np.flatnonzero(pressed)


def gap_positions(gaps: Sequence[Gap], clock: FrameClock) -> Positions:
    """(G, 2)"""
    stretches = np.array([(gap.start_ns, gap.stop_ns) for gap in gaps], np.int64).reshape(-1)
    return positions(stretches, clock.edges_ns).reshape(-1, 2)


HoldTimes = tuple[Int64, Int64, NDArray[np.bool_]]
"""When a key went down and up, (H,) ns each, and whether it was pressed then, not found down already."""


def key_lane(code: int, times: HoldTimes, clock: FrameClock) -> KeyLane:
    starts, stops, pressed = times
    start = positions(starts, clock.edges_ns)
    stop = np.maximum(positions(stops, clock.edges_ns), np.nextafter(start, np.inf))  # none is empty
    return KeyLane(code, start, stop, pressed)


def hold_times(code: int, facts: InputFacts, clock: FrameClock) -> HoldTimes:
    """The holds of one key or button. Reads only its own events, so that facts which hold no others do as well.

    What was found down for no time at all is no hold. Holds may begin before the first frame and last over the stop.
    """
    events = facts.events
    own = (events["kind"] == EventKind.KEY) & (events["code"] == code)
    t_ns, down, pressed = events["t_ns"][own], events["value"][own] != 0, events["origin"][own] == Origin.DEVICE
    t_ns, down, pressed = _closed_at_gaps(t_ns, down, pressed, facts.gaps)
    changed = np.flatnonzero(np.diff(np.concatenate([[False], down]).astype(np.int8)))
    t_ns, pressed = t_ns[changed], pressed[changed]
    starts, stops = t_ns[::2], t_ns[1::2]
    if len(stops) < len(starts):
        stops = np.append(stops, clock.t_stop_ns)
    kept = (starts < clock.t_stop_ns) & (stops > clock.t_ns[0]) & (pressed[::2] | (stops > starts))
    return starts[kept], stops[kept], (pressed[::2] & (starts >= clock.t_ns[0]))[kept]


def _closed_at_gaps(
    t_ns: Int64, down: NDArray[np.bool_], pressed: NDArray[np.bool_], gaps: Sequence[Gap]
) -> tuple[Int64, NDArray[np.bool_], NDArray[np.bool_]]:
    """The events outside of gaps, with a release at the start of every gap."""
    if not gaps:
        return t_ns, down, pressed
    keep = outside(t_ns, gaps)
    closings = np.array([gap.start_ns for gap in gaps], np.int64)
    t_ns = np.concatenate([closings, t_ns[keep]])
    none = np.zeros(len(closings), np.bool_)
    order = np.argsort(t_ns, kind="stable")  # a closing stands before an event at the same instant
    return t_ns[order], np.concatenate([none, down[keep]])[order], np.concatenate([none, pressed[keep]])[order]
