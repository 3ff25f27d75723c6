"""What connects the panel and the line to the play: it is asked ten times a second, and told what the person wants."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PyQt6.QtCore import QObject, QRect, QTimer, pyqtSignal
from Xlib.display import Display
from Xlib.error import ConnectionClosedError

from db.errors import BadArgument, PlaytapeError, WireError
from db.wire import Peer
from recorder.play.remote import ask
from recorder.screen import windows
from recorder.ui.overlay.entry import Entry
from recorder.ui.overlay.panel import Panel
from recorder.ui.overlay.standing import Standing

_LOOK_MS = 100


class Overlay(QObject):
    """Lives as long as its play."""

    ended = pyqtSignal()

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self._peer = peer
        self._window: windows.Window | None = None
        self._connection: Display | None = None
        with suppress(PlaytapeError):
            self._connection = windows.connect()
        self.standing = Standing()
        self.panel, self.entry = Panel(), Entry()
        self.panel.asked_to_type.connect(self._type)
        self.panel.said.connect(self._say)
        self.entry.typed.connect(self._resume)
        self.entry.given_up.connect(lambda: self._resume(None))
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self.look()

    def look(self) -> None:
        """Brings what is shown up to date."""
        fields = self._ask("status")
        if fields is None:
            return
        self.standing = Standing.read(fields)
        self.panel.show_standing(self.standing)
        if (rect := self._find_game()) is not None:
            self.panel.stand_by(rect)
        if self.standing.mode == "paused":
            if not self.entry.isVisible() and self.panel.isVisible():
                self._open()
        elif self.entry.isVisible():
            self.entry.close_up()  # the key that gives back was quicker

    def close(self) -> None:
        self._timer.stop()
        self.panel.close()
        self.entry.close()
        self._peer.close()
        if self._connection is not None:
            windows.disconnect(self._connection)

    def _type(self) -> None:
        if self._ask("type") is not None:
            self._open()

    def _open(self) -> None:
        if self._ask("type") is None:  # the play may have begun it by a key: from here on it ends with this window
            return
        self.entry.open(self.standing.instruction, self.panel.typing_rect)

    def _resume(self, text: str | None) -> None:
        if not self.entry.isVisible():
            return
        if self._ask("resume", {"text": text}, self._refuse) is not None:
            self.entry.close_up()

    def _say(self, text: str) -> None:
        """A click on a word: going there with the mouse was no take-over, as with typing."""
        if self._ask("type") is not None:
            self._ask("resume", {"text": text})

    def _refuse(self, reason: str) -> None:
        self.entry.say(reason, is_bad=True)

    def _ask(
        self, kind: str, fields: dict[str, Any] | None = None, refused: Callable[[str], None] = lambda reason: None
    ) -> dict[str, Any] | None:
        """The answer; None where the play refused, or is over."""
        try:
            return ask(self._peer, kind, fields)
        except BadArgument as error:
            refused(str(error))
        except WireError:
            self._timer.stop()
            self.ended.emit()
        return None

    def _find_game(self) -> QRect | None:
        """Where the game's window is now, in pixels of the desktop; None while nobody can tell."""
        if self._connection is None or self.standing.window_id is None:
            return None
        try:
            known = self._window or windows.describe(self._connection, self.standing.window_id)
            self._window = windows.update(self._connection, known) if known is not None else None
        except (ConnectionClosedError, OSError):
            self._connection = None
            return None
        if self._window is None:
            return None
        return QRect(*self._window.position_px, *self._window.size_px)
