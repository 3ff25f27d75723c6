"""Pictures on their way between threads: a bounded queue that counts what it drops, and a place for just the latest."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from recorder.screen.source import Grab

_BUDGET_BYTES = 192 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Shot:
    """A grab to be stored. `duplicate`: its picture is the same as the stored one before."""

    grab: Grab
    duplicate: bool


class FrameQueue:
    """At most a second of frames, within a memory budget. The newest frame is dropped, and counted, when it is full."""

    def __init__(self, rate_hz: float, frame_bytes: int) -> None:
        self._limit = max(4, min(round(rate_hz), _BUDGET_BYTES // max(frame_bytes, 1)))
        self._shots: deque[Shot] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self.dropped = 0

    def put(self, shot: Shot) -> bool:
        """False where it was dropped."""
        with self._changed:
            if len(self._shots) >= self._limit:
                self.dropped += 1
                return False
            self._shots.append(shot)
            self._changed.notify()
            return True

    def get(self, timeout_s: float) -> Shot | None:
        """The oldest frame; None if none came within `timeout_s`, or at the end."""
        with self._changed:
            if not self._shots and not self._ended:
                self._changed.wait(timeout_s)
            return self._shots.popleft() if self._shots else None

    def end(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def done(self) -> bool:
        """Ended and empty."""
        return self._ended and not self._shots


class LatestFrame:
    """Holds only the newest grab: a slow reader misses frames and never sees an old one."""

    def __init__(self) -> None:
        self._grab: Grab | None = None
        self._changed = threading.Condition()

    def put(self, grab: Grab) -> None:
        with self._changed:
            self._grab = grab
            self._changed.notify_all()

    def get(self, after_ns: int, timeout_s: float) -> Grab | None:
        """The newest grab if its `t_ns` is later than `after_ns`, waiting up to `timeout_s` for one; else None."""
        with self._changed:
            self._changed.wait_for(lambda: self._grab is not None and self._grab.t_ns > after_ns, timeout_s)
            return self._grab if self._grab is not None and self._grab.t_ns > after_ns else None
