"""Longer work on the library in a thread of its own, with progress and a way to cancel it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, QThread, pyqtSignal

from db.errors import PlaytapeError
from db.store import Store

_SHOWN_EVERY_S = 0.05


class Errand(QThread):
    """Runs `work(store, errand)` on a Store of its own, once. `close` cancels and joins it."""

    progressed = pyqtSignal(object, object)
    """(done, in all), at most twenty times a second and at the end."""
    ended = pyqtSignal(object)
    """What the work returned."""
    failed = pyqtSignal(str)
    """The sentence why it did not."""

    def __init__(self, root: Path, work: Callable[[Store, Errand], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root, self._work = root, work
        self._is_cancelled = False
        self._told_s = 0.0

    def cancel(self) -> None:
        self._is_cancelled = True

    def is_cancelled(self) -> bool:
        return self._is_cancelled

    def tell(self, done: int, total: int) -> None:
        """For the work: how far it is."""
        now_s = time.monotonic()
        if done >= total or now_s - self._told_s >= _SHOWN_EVERY_S:
            self._told_s = now_s
            self.progressed.emit(done, total)

    def close(self) -> None:
        self.cancel()
        self.wait()

    def run(self) -> None:
        try:
            with Store.open(self._root, create=False) as store:
                result = self._work(store, self)
        except PlaytapeError as error:
            self.failed.emit(str(error))
        else:
            self.ended.emit(result)
