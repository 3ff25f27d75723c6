"""One piece of work in a thread of its own, whose end the window is told of."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from PyQt6.QtCore import QObject, pyqtSignal

from recorder.workers import Worker


class ErrandNews(QObject):
    progressed = pyqtSignal(float)
    """Share done, in [0, 1]."""
    ended = pyqtSignal(object, str)
    """What it gave (None where it failed), and why it failed in a sentence for people, or ''."""


class Errand(Worker):
    """Runs `work(progress, cancelled)` once. `cancel` sets the event that `work` looks at; `close` cancels and joins."""

    def __init__(self, name: str, work: Callable[[Callable[[float], None], Event], object]) -> None:
        super().__init__(name)
        self.news = ErrandNews()
        self._work = work

    def cancel(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        try:
            given = self._work(self.news.progressed.emit, self._stopping)
        except Exception as error:  # whatever it is, the window says it and goes on
            self.news.ended.emit(None, str(error) or type(error).__name__)
            raise
        self.news.ended.emit(given, "")
