"""Follows the library's runs in a thread of its own: a run of days has a long history to read at first."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from PyQt6.QtCore import QObject, QThread, pyqtSignal

from annotator.model.library.runs import RunFolder, RunState

LOOK_S = 0.5


class RunWatch(QThread):
    """`changed` brings every run's state whenever one is another than before. `close` joins the thread."""

    changed = pyqtSignal(object)
    """A list of RunState."""

    def __init__(self, runs_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = RunFolder(runs_dir)
        self._is_closing = Event()

    def close(self) -> None:
        self._is_closing.set()
        self.wait()

    def run(self) -> None:
        known: list[RunState] | None = None
        while not self._is_closing.is_set():
            states = self._folder.states()
            if states != known:
                known = states
                self.changed.emit(states)
            self._is_closing.wait(LOOK_S)
