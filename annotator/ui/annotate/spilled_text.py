"""Text that somebody goes on typing although no field opened for it: its letters are not taken for hotkeys."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit

PAUSE_MS = 800
"""Without a key for as long, the next one is meant as a hotkey again."""
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
_NO_TEXT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class SpilledText(QObject):
    """Swallows what is typed right after an instruction was refused: one who types blindly would accept the session."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._end)

    def swallow(self) -> None:
        """Letters, digits and their Enter do nothing from now on, until there is a pause or a field has the focus."""
        app = QApplication.instance()
        if app is not None and not self._timer.isActive():
            app.installEventFilter(self)
        self._timer.start()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() not in _KEYS or not _is_text(event):
            return False
        if isinstance(QApplication.focusWidget(), (QLineEdit, QPlainTextEdit)):
            self._end()
            return False
        self._timer.start()
        event.accept()
        return True

    def _end(self) -> None:
        self._timer.stop()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)


def _is_text(event: QKeyEvent) -> bool:
    is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
    return not event.modifiers() & _NO_TEXT and (is_enter or (bool(event.text()) and event.text().isprintable()))
