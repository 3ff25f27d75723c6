"""J, K and L as editors have them: K stops, and while it is held J and L are one frame each."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QAction, QKeyEvent
from PyQt6.QtWidgets import QApplication, QWidget

from annotator.ui.keys.key_names import is_key_of
from annotator.ui.watch.player import Player


class Shuttling(QObject):
    """Knows whether the key of `pause` is held. It counts as let go when the window loses the keyboard, too."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._held: QAction | None = None

    def hold(self, player: Player, pause: QAction) -> None:
        """The key of `pause` has gone down."""
        player.pause()
        if self._held is None:
            self._held = pause
            _app().installEventFilter(self)

    def let_go(self) -> None:
        if self._held is not None:
            self._held = None
            _app().removeEventFilter(self)

    def shuttle(self, player: Player, direction: int) -> None:
        """J (direction -1) or L (1)."""
        if self._held is not None:
            player.step(direction)
        else:
            player.shuttle(direction)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is None or self._held is None:
            return False
        kind = event.type()
        if kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if not event.isAutoRepeat() and is_key_of(event, self._held):
                self.let_go()
        elif kind == QEvent.Type.WindowDeactivate and watched is self._window:
            self.let_go()
        return False


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
