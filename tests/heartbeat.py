"""How long the GUI's thread does not come round: a timer that beats every millisecond, and the longest pause between two
beats. For measurements; no test asserts a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from PyQt6.QtCore import QEventLoop, Qt, QTimer


class Heartbeat:
    """Beats while it is entered: ``with Heartbeat() as heart: run_until(...)``; then `gap_ms` and `work_ms` say it."""

    def __init__(self) -> None:
        self.gap_ms = 0.0
        """The longest pause between two beats, whatever the reason."""
        self.work_ms = 0.0
        """The most time that this thread itself computed between two beats; the rest of a pause it waited: for Python's
        lock, or for a processor."""
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._last = self._worked = 0.0

    def __enter__(self) -> Self:
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer.start(1)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._beat()
        self._timer.stop()

    def _beat(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.gap_ms = max(self.gap_ms, (now - self._last) * 1000)
        self.work_ms = max(self.work_ms, (worked - self._worked) * 1000)
        self._last, self._worked = now, worked


def run_until(is_done: Callable[[], bool], limit_s: float = 30.0) -> float:
    """Runs the event loop until something is so; returns the seconds that took. Raises TimeoutError."""
    loop, timer, before = QEventLoop(), QTimer(), time.perf_counter()

    def look() -> None:
        if is_done() or time.perf_counter() - before > limit_s:
            loop.quit()

    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(look)
    timer.start(1)
    look_first = QTimer()
    look_first.singleShot(0, look)
    loop.exec()
    timer.stop()
    if not is_done():
        raise TimeoutError(f"not after {limit_s} s")
    return time.perf_counter() - before


def run_for(seconds: float) -> None:
    """Runs the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def repeat(call: Callable[[], object], times: int, every_ms: int = 16) -> None:
    """Calls something again and again from the event loop, as a hand would that turns a wheel or holds a key."""
    loop, timer = QEventLoop(), QTimer()
    left = [times]

    def again() -> None:
        call()
        left[0] -= 1
        if left[0] == 0:
            timer.stop()
            QTimer.singleShot(100, loop.quit)

    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(again)
    timer.start(every_ms)
    loop.exec()
