"""What was injected and has not come back yet: whatever else comes was done by a person."""

from __future__ import annotations

import threading
from collections import deque

from db.clock import now_ns
from db.recording.events import EventKind, InputEvent
from recorder.inputs.injection import Injection

_EXPIRY_NS = 2_000_000_000


class Ledger:
    """Injections that have not been seen yet. They come back in the order in which they were sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: deque[Injection] = deque()

    def add(self, injection: Injection) -> None:
        """Before it is sent."""
        with self._lock:
            self._expected.append(injection)

    def claim(self, event: InputEvent) -> bool:
        """Whether this event is one of ours; each injection answers for one event.

        One that the server swallowed (another program held that key already) is passed over by the next that matches.
        """
        if not event.simulated:
            return False
        with self._lock:
            now = now_ns()
            while self._expected and now - self._expected[0].t_ns > _EXPIRY_NS:
                self._expected.popleft()
            for position, injection in enumerate(self._expected):
                if _is_same(injection, event):
                    for _ in range(position + 1):
                        self._expected.popleft()
                    return True
        return False


def _is_same(injection: Injection, event: InputEvent) -> bool:
    if event.kind is EventKind.MOTION:
        return injection.code == 0 and (injection.dx, injection.dy) == (event.x, event.y)
    return event.kind is EventKind.KEY and (injection.code, injection.value) == (event.code, event.value)
