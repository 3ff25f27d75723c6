"""One clock: every stamp in Playtape is `now_ns()`, taken at the source, and nothing is ever index / fps."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Int64 = NDArray[np.int64]
LATEST_NS = 2**62
StampNs = Annotated[int, Field(ge=0, le=LATEST_NS)]
"""A stored stamp: far from the ends of int64, so that sums and differences of stamps fit too."""

now_ns = time.perf_counter_ns
"""Monotonic nanoseconds. On Linux this is CLOCK_MONOTONIC, so stamps of several processes compare."""


def boottime_ns() -> int:
    """Nanoseconds since boot, suspend included where the platform tells (else the same as `now_ns`)."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return now_ns()


class ClockAnchor(BaseModel):
    """Where monotonic time stood against wall time and boot time, taken once per session."""

    model_config = ConfigDict(frozen=True)

    mono_ns: StampNs
    wall_ns: StampNs
    boot_ns: StampNs

    @classmethod
    def take(cls) -> ClockAnchor:
        return cls(mono_ns=now_ns(), wall_ns=time.time_ns(), boot_ns=boottime_ns())

    def wall_time(self, t_ns: int) -> datetime:
        """The UTC wall time of a monotonic stamp, for people; never used to compute."""
        return datetime.fromtimestamp((self.wall_ns + t_ns - self.mono_ns) / 1e9, UTC)

    def suspended_ns(self) -> int:
        """Nanoseconds this machine has slept since the anchor was taken (0 where that cannot be told)."""
        return (boottime_ns() - self.boot_ns) - (now_ns() - self.mono_ns)


@dataclass(frozen=True, eq=False)
class FrameClock:
    """Frame times of a session: strictly increasing int64 `t_ns` of shape (N,), N >= 1, and `t_stop_ns` > t_ns[-1].

    `t_ns[i]` is the stamp after frame i was grabbed, so nothing done in `span(i)` can be visible in frame i.
    """

    t_ns: Int64
    t_stop_ns: int

    def __post_init__(self) -> None:
        if self.t_ns.ndim != 1 or self.t_ns.dtype != np.int64 or len(self.t_ns) == 0:
            raise ValueError("a FrameClock needs at least one int64 stamp")
        if np.any(np.diff(self.t_ns) <= 0) or self.t_stop_ns <= self.t_ns[-1]:
            raise ValueError("frame times must increase strictly and end before t_stop_ns")

    def __len__(self) -> int:
        return len(self.t_ns)

    @cached_property
    def edges_ns(self) -> Int64:
        """Shape (N + 1,), for reading: the frame times followed by the stop, so that interval i is `span(i)`."""
        return np.append(self.t_ns, np.int64(self.t_stop_ns))

    @property
    def duration_ns(self) -> int:
        return self.t_stop_ns - int(self.t_ns[0])

    def span(self, i: int) -> tuple[int, int]:
        """`[start, stop)` of frame i in nanoseconds."""
        if not 0 <= i < len(self):
            raise IndexError(f"frame {i} of {len(self)}")
        return int(self.t_ns[i]), int(self.t_ns[i + 1]) if i + 1 < len(self) else self.t_stop_ns

    def index_at(self, t_ns: int) -> int:
        """The last frame at or before `t_ns`, clamped to the first and the last frame."""
        return int(np.clip(np.searchsorted(self.t_ns, t_ns, side="right") - 1, 0, len(self) - 1))

    def ticks(self, rate_hz: float) -> Int64:
        """Indices of the frames a model at `rate_hz` sees: for each tick the last frame at or before it.

        Strictly increasing; starts at 0. Where the recording is slower than `rate_hz` every frame is taken once.
        """
        if not rate_hz > 0:
            raise ValueError("rate_hz must be positive")
        count = int(self.duration_ns * rate_hz / 1e9) + 1
        wanted = self.t_ns[0] + np.round(np.arange(count) * (1e9 / rate_hz)).astype(np.int64)
        wanted = wanted[wanted < self.t_stop_ns]
        return np.unique(np.searchsorted(self.t_ns, wanted, side="right") - 1).astype(np.int64)


@dataclass
class ServerClock:
    """Maps the 32-bit, wrapping millisecond stamps of an X server to `now_ns`.

    The offset is the smallest (arrival - server time) seen: delay only ever adds. On a local server both clocks are
    CLOCK_MONOTONIC, so there is no drift to fit; `jitter_ns` tells the largest delay met.
    """

    offset_ns: int | None = None
    jitter_ns: int = 0
    _latest_ms: int | None = None
    """The latest stamp, unwrapped: counted on from the first one without the jumps of 2**32."""

    def observe(self, server_ms: int, arrival_ns: int) -> int:
        """Takes in one stamp in arrival order and returns its time in `now_ns` terms, never later than `arrival_ns`."""
        unwrapped = self._unwrap(server_ms)
        delay = arrival_ns - unwrapped * 1_000_000
        if self.offset_ns is None or delay < self.offset_ns:
            self.offset_ns = delay
        self.jitter_ns = max(self.jitter_ns, delay - self.offset_ns)
        return unwrapped * 1_000_000 + self.offset_ns

    def _unwrap(self, server_ms: int) -> int:
        """The stamp that differs least from the latest one, so a straggler from before a wrap stays before it."""
        if self._latest_ms is None:
            self._latest_ms = server_ms
            return server_ms
        ahead = (server_ms - self._latest_ms + 2**31) % 2**32 - 2**31
        unwrapped = self._latest_ms + ahead
        self._latest_ms = max(self._latest_ms, unwrapped)
        return unwrapped
