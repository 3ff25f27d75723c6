"""What is counted in a session once, at its stop: how evenly the frames came, which keys were used, how the mouse moved.

The verdict keeps these numbers, so that showing them needs no second look at the session's files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from db.clock import Int64
from db.recording import keys
from db.recording.actions import ActionTrack
from db.recording.events import EventArray, EventKind, Gap, Origin, outside
from db.recording.reader import Recording

BINS = 48
BINS_PER_INTERVAL = 12
"""The histogram's bins are 1/12 of the wanted frame interval wide and end at four of them; longer ones are in the last."""
MOST_KEYS = 20
MOST = 1e15
"""No number of a verdict is larger: a stranger's session may hold motion and rates of any size."""
_AXIS_STEPS = 7
"""Odd, so that a stick at rest stands in the middle of a step and its noise crosses no border."""


class KeyUse(BaseModel):
    """One key or button: how often it was pressed and for which share of the known time it was down."""

    model_config = ConfigDict(frozen=True)

    code: int
    presses: int
    share_pct: float


class Figures(BaseModel):
    """The numbers of a session that people look at. Intervals are in milliseconds between one frame and the next."""

    model_config = ConfigDict(frozen=True)

    wanted_ms: float
    interval_counts: tuple[int, ...]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float
    """From one frame to the next, or from the last to the stop."""
    frames: int
    duplicates: int
    """Frames equal to the one before."""
    dropped_frames: int
    events: int
    dropped_events: int
    known_pct: float
    """Of the time, without the stretches whose inputs are not known."""
    keys: tuple[KeyUse, ...]
    """The most used keys and buttons, at most MOST_KEYS, most pressed first."""
    clicks: int
    mouse_path: float
    """Length of the pointer's way in raw device counts."""
    mouse_moving_pct: float
    """Of the known frames, those in which the pointer moved."""
    notches: float
    """Steps of the wheel, in any direction."""
    pad_actions: int
    """Presses of a gamepad's buttons, and clear moves of its axes."""
    licence: str = ""


@dataclass(frozen=True, eq=False)
class Play:
    """What was done in a session's known time, as the rules and the figures both need it."""

    track: ActionTrack
    known_s: float
    presses: NDArray[np.int64]
    """(K,) presses of each of the track's codes."""
    shares: NDArray[np.float64]
    """(K,) of the known frames, those in which the code was down; in [0, 1]."""
    path: NDArray[np.float64]
    """Per known frame the length of the pointer's way in raw counts."""
    axis_moves: int

    @classmethod
    def of(cls, recording: Recording) -> Play:
        """Resolves the session frame by frame."""
        track = recording.resolve()
        known = track.known
        seconds = np.diff(track.edges_ns)[known].sum() / 1e9
        count = max(int(known.sum()), 1)
        return cls(
            track=track,
            known_s=float(seconds),
            presses=track.presses.sum(axis=0, dtype=np.int64),
            shares=track.active[known].sum(axis=0) / count,
            path=np.nan_to_num(np.hypot(*track.motion[known].T.astype(np.float64)), nan=MOST, posinf=MOST),
            axis_moves=_count_axis_moves(recording.events, recording.gaps),
        )

    def presses_of(self, kind: str) -> int:
        """Presses on one of `keyboard`, `mouse` and `gamepad`."""
        wanted = [device_of(code) == kind for code in self.track.codes]
        return int(self.presses[wanted].sum()) if wanted else 0

    @property
    def moving_frames(self) -> int:
        """Known frames in which the pointer moved."""
        return int(np.count_nonzero(self.path))

    @property
    def scrolling_frames(self) -> int:
        """Known frames in which the wheel turned."""
        return int(np.count_nonzero(self.track.scroll[self.track.known].any(axis=1)))


def device_of(code: int) -> str:
    """Which device an evdev code belongs to: `keyboard`, `mouse` or `gamepad`."""
    if keys.is_pointer_button(code):
        return "mouse"
    return "gamepad" if keys.is_button(code) else "keyboard"


def count_figures(recording: Recording, play: Play) -> Figures:
    """The figures of a session whose actions are resolved already."""
    clock, meta, track = recording.clock, recording.meta, play.track
    intervals_ms = frame_intervals_ns(clock.edges_ns) / 1e6
    wanted_ms = min(1000 / meta.capture.rate_hz, MOST)
    bins = np.minimum(intervals_ms / wanted_ms * BINS_PER_INTERVAL, BINS - 1).astype(np.int64)
    p50, p95, p99 = np.percentile(intervals_ms, (50, 95, 99))
    known = track.known
    return Figures(
        wanted_ms=round(wanted_ms, 3),
        interval_counts=tuple(np.bincount(bins, minlength=BINS).tolist()),
        p50_ms=round(float(p50), 3),
        p95_ms=round(float(p95), 3),
        p99_ms=round(float(p99), 3),
        longest_ms=round(float(np.diff(clock.edges_ns).max()) / 1e6, 3),
        frames=len(clock),
        duplicates=int(recording.frames["duplicate"].sum()),
        dropped_frames=bounded(meta.dropped_frames),
        events=len(recording.events),
        dropped_events=bounded(meta.dropped_events),
        known_pct=round(float(known.mean()) * 100, 2),
        keys=_most_used(play),
        clicks=play.presses_of("mouse"),
        mouse_path=round(min(float(play.path.sum()), MOST), 1),
        mouse_moving_pct=round(np.count_nonzero(play.path) / max(len(play.path), 1) * 100, 2),
        notches=round(
            float(
                np.nan_to_num(np.abs(track.scroll[known]), nan=MOST, posinf=MOST).sum(dtype=np.float64).clip(0, MOST)
            ),
            1,
        ),
        pad_actions=play.presses_of("gamepad") + play.axis_moves,
        licence=meta.consent.licence if meta.consent is not None else "",
    )


def frame_intervals_ns(edges_ns: Int64) -> Int64:
    """From each frame to the next; of a single frame, its time to the stop."""
    return np.diff(edges_ns[:-1] if len(edges_ns) > 2 else edges_ns)


def bounded(count: int) -> int:
    """A stored count that may be anything, as one that can be."""
    return min(max(count, 0), 2**53)


def _most_used(play: Play) -> tuple[KeyUse, ...]:
    order = sorted(range(len(play.track.codes)), key=lambda i: (-play.presses[i], -play.shares[i]))[:MOST_KEYS]
    used = (
        KeyUse(code=play.track.codes[i], presses=int(play.presses[i]), share_pct=round(float(play.shares[i]) * 100, 2))
        for i in order
    )
    return tuple(use for use in used if use.presses or use.share_pct)


def _count_axis_moves(events: EventArray, gaps: list[Gap]) -> int:
    """How often an axis of a gamepad went from one seventh of its range to another; a resting stick's noise does not."""
    rows = events[events["kind"] == EventKind.AXIS]
    rows = rows[(rows["origin"] == Origin.DEVICE) & (rows["y2"] > rows["x2"])]
    rows = rows[outside(rows["t_ns"], gaps)]
    if not len(rows):
        return 0
    with np.errstate(over="ignore", invalid="ignore"):
        shares = np.nan_to_num((rows["x"] - rows["x2"]) / (rows["y2"] - rows["x2"]))
    steps = (np.clip(shares, 0, 1) * _AXIS_STEPS).clip(0, _AXIS_STEPS - 1)
    axis = rows["device"].astype(np.int64) << 16 | rows["code"]
    order = np.argsort(axis, kind="stable")
    axis, step = axis[order], steps.astype(np.int64)[order]
    return int(np.count_nonzero((axis[1:] == axis[:-1]) & (step[1:] != step[:-1])))
