"""Which keys and buttons a session's player used most, counted in a thread of its own."""

from __future__ import annotations

from collections import OrderedDict
from threading import Condition

import numpy as np
from PyQt6.QtCore import QObject, QThread, pyqtSignal

from db.errors import PlaytapeError
from db.library.catalogue import SessionSummary
from db.recording.events import EventKind, Origin
from db.recording.keys import label
from db.recording.reader import Recording
from db.store import Store

MOST_KEPT = 200
SHOWN = 6


class KeyUsage(QThread):
    """`want` asks for one session; only the newest wish is granted. `close` joins the thread."""

    counted = pyqtSignal(str, str)
    """(session id, the keys and how often each was pressed, in words)"""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recording = store.recording  # reads files only, so any thread may call it
        self._changed = Condition()
        self._wanted: tuple[str, int] | None = None
        self._known: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._is_closing = False

    def want(self, summary: SessionSummary) -> str:
        """What is known already; "" where it is counted first and `counted` tells of it."""
        wish = (summary.id, summary.revision)
        with self._changed:
            if wish in self._known:
                return self._known[wish]
            self._wanted = wish
            self._changed.notify()
        if not self.isRunning():
            self.start(QThread.Priority.LowPriority)
        return ""

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        while (wish := self._take()) is not None:
            try:
                words = usage_words(self._recording(wish[0]))
            except PlaytapeError:
                words = ""  # the list shows the session all the same; opening it tells why
            with self._changed:
                self._known[wish] = words
                while len(self._known) > MOST_KEPT:
                    self._known.popitem(last=False)
            if words:
                self.counted.emit(wish[0], words)

    def _take(self) -> tuple[str, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or self._wanted is not None)
            wish, self._wanted = self._wanted, None
            return None if self._is_closing else wish


def usage_words(recording: Recording) -> str:
    """Such as `W 41 · LMB 33 · A 12 · mouse`: presses of each key and button as recorded, the most used first."""
    events = recording.events
    pressed = events[(events["kind"] == EventKind.KEY) & (events["value"] == 1) & (events["origin"] == Origin.DEVICE)]
    codes, counts = np.unique(pressed["code"], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    words = [f"{label(int(codes[i]))} {counts[i]:,}" for i in order[:SHOWN]]
    if len(order) > SHOWN:
        words.append(f"{len(order) - SHOWN} more")
    if np.any(events["kind"] == EventKind.MOTION):
        words.append("mouse")
    return " · ".join(words) or "no keys, no mouse"
