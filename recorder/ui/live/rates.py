"""Frames and inputs a second, over the last few seconds of one session."""

from __future__ import annotations

import time
from collections import deque

from recorder.states import State
from recorder.status import Status

_SPAN_S = 3.0
_LEAST_S = 0.4


class Rates:
    """Takes a Status now and then."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()
        self._number = 0

    def take(self, status: Status) -> None:
        if status.number != self._number or status.state is not State.RECORDING:
            self._number = status.number
            self._seen.clear()
        if status.state is State.RECORDING:
            now_s = time.monotonic()
            self._seen.append((now_s, status.frames, status.events))
            while now_s - self._seen[0][0] > _SPAN_S:
                self._seen.popleft()

    @property
    def frames_text(self) -> str:
        return self._text(1)

    @property
    def events_text(self) -> str:
        return self._text(2)

    def _text(self, field: int) -> str:
        if len(self._seen) < 2 or (span_s := self._seen[-1][0] - self._seen[0][0]) < _LEAST_S:
            return "–"
        return f"{(self._seen[-1][field] - self._seen[0][field]) / span_s:.0f}"
