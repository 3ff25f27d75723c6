"""Sessions are read in a thread of their own, so that a long one does not hold the window up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Condition

from PyQt6.QtCore import QCoreApplication, QEvent, QObject, QThread, pyqtSignal
from PyQt6.QtWidgets import QWidget

from annotator.model.library.seat import Seat
from annotator.model.opening import Opened, read_session
from db.errors import PlaytapeError
from db.store import Store

PATIENCE_MS = 15
"""So long the window waits for a session itself: a short one is there at once, and nothing flickers."""


class Stillness(QObject):
    """While it holds, keys and the mouse do nothing in some panes: what is pressed is not done to the wrong session."""

    _KINDS = frozenset(
        {
            QEvent.Type.KeyPress,
            QEvent.Type.MouseButtonPress,
            QEvent.Type.MouseButtonDblClick,
            QEvent.Type.Wheel,
            QEvent.Type.Shortcut,
        }
    )

    def __init__(self, panes: Sequence[QWidget], free_actions: Iterable[str], parent: QObject | None = None) -> None:
        """free_actions: the names of those whose keys work all the same."""
        super().__init__(parent)
        self._panes, self._free = tuple(panes), frozenset(free_actions)
        self._holds = False

    def hold(self, on: bool) -> None:
        app = QCoreApplication.instance()
        if on != self._holds and app is not None:
            self._holds = on
            (app.installEventFilter if on else app.removeEventFilter)(self)

    def eventFilter(self, receiver: QObject | None, event: QEvent | None) -> bool:
        if event is None or event.type() not in self._KINDS:
            return False
        if event.type() == QEvent.Type.Shortcut:
            return receiver is not None and receiver.objectName() not in self._free
        return isinstance(receiver, QWidget) and any(p is receiver or p.isAncestorOf(receiver) for p in self._panes)


class Opener(QThread):
    """Reads the session that was asked for last; `close` joins the thread. Signals come in the thread that made it."""

    opened = pyqtSignal(object)
    """Opened"""
    failed = pyqtSignal(str, str)
    """(session id, the sentence why it cannot be opened)"""
    patience_ms = PATIENCE_MS

    _ready = pyqtSignal(int)

    def __init__(self, root: Path, author: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root, self._author = root, author
        self._changed = Condition()
        self._wanted = ""
        self._seat = Seat()  # what the thread has not taken up yet, guarded by _changed like all below
        self._generation = 0
        self._result: tuple[int, Opened | PlaytapeError] | None = None
        self._closing = False
        self.pending = ""
        """The session that is being opened, "" for none."""
        self._ready.connect(self._deliver)

    def open(self, session_id: str, seat: Seat | None = None) -> None:
        """Asks for a session in place of any other. Where it is read within `patience_ms`, the signal comes in the call."""
        with self._changed:
            self._generation += 1
            self._wanted = self.pending = session_id
            self._seat = seat or Seat()
            self._changed.notify_all()
        if not self.isRunning():
            self.start()
        with self._changed:
            self._changed.wait_for(self._is_there, self.patience_ms / 1000)
        self._deliver(self._generation)

    def close(self) -> None:
        """Nothing is delivered afterwards."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.wait()

    def run(self) -> None:
        try:
            with Store.open(self._root, create=False) as store:
                while (wanted := self._take()) is not None:
                    self._put(wanted[0], self._read(store, *wanted[1:]))
        except PlaytapeError as error:
            if (wanted := self._take()) is not None:
                self._put(wanted[0], error)

    def _read(self, store: Store, session_id: str, seat: Seat) -> Opened | PlaytapeError:
        try:
            return read_session(store, session_id, self._author, seat)
        except PlaytapeError as error:
            return error

    def _take(self) -> tuple[int, str, Seat] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wanted)
            if self._closing:
                return None
            session_id, self._wanted = self._wanted, ""
            return self._generation, session_id, self._seat

    def _put(self, generation: int, result: Opened | PlaytapeError) -> None:
        with self._changed:
            self._result = generation, result
            self._changed.notify_all()
        self._ready.emit(generation)

    def _is_there(self) -> bool:
        return self._result is not None and self._result[0] == self._generation

    def _deliver(self, generation: int) -> None:
        """What was read, once, and only if it is what was asked for last."""
        with self._changed:
            if self._closing or generation != self._generation or not self._is_there():
                return
            assert self._result is not None
            (_, result), self._result = self._result, None
            session_id, self.pending = self.pending, ""
        if isinstance(result, PlaytapeError):
            self.failed.emit(session_id, str(result))
        else:
            self.opened.emit(result)
