"""Inputs made by a test or a demo: reports are handed in by `push` and come out of `read` in the same order."""

from __future__ import annotations

import queue
import time

from db.clock import now_ns
from recorder.inputs.source import FocusChange, Report, Watch


class SyntheticInputs:
    """`push` may be called from any thread; the rest as any InputSource."""

    def __init__(
        self, held: tuple[int, ...] = (), *, focused: bool = True, settings: dict[str, str] | None = None
    ) -> None:
        self._held, self._focused, self._settings = held, focused, settings or {}
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()

    @property
    def devices(self) -> tuple[str, ...]:
        return ("synthetic",)

    @property
    def clock_fit(self) -> dict[str, int]:
        return {}

    @property
    def settings(self) -> dict[str, str]:
        return dict(self._settings)

    @property
    def notices(self) -> tuple[str, ...]:
        return ()

    @property
    def descriptors(self) -> tuple[int, ...]:
        return ()

    def push(self, report: Report) -> None:
        """Makes this the next thing that happened."""
        self._reports.put(report)

    def open(self) -> Watch:
        t_ns = now_ns()
        return Watch(t_ns, self._held, FocusChange(t_ns, self._focused, self._focused), self.devices)

    def read(self, timeout_s: float) -> list[Report]:
        if self._reports.empty():
            time.sleep(min(timeout_s, 0.005))
        return self.drain()

    def drain(self) -> list[Report]:
        reports = []
        while not self._reports.empty():
            reports.append(self._reports.get())
        return reports

    def close(self) -> None:
        pass
