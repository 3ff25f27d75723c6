"""A field that takes the next key that is pressed, instead of text."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QLineEdit, QWidget

from annotator.ui.keys.key_names import pressed_key

_IDLE = "Click here or press Enter, then press the new key"
_LISTENING = "Press the new key now; Tab leaves"


class KeyField(QLineEdit):
    """Listens while it has the focus: every key but a bare Tab is the answer, so that one can always go on."""

    pressed = pyqtSignal(str)
    """The key in portable text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = ""
        self.setReadOnly(True)
        self.setPlaceholderText(_IDLE)
        self.setAccessibleName("New key")
        self.setToolTip("Press the key that is to do this; it is not done yet (Tab leaves the field)")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def forget(self) -> None:
        """As if nothing had been pressed."""
        self.key = ""
        self.clear()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.key() not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._take(event)
                return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.setPlaceholderText(_LISTENING)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.setPlaceholderText(_IDLE)

    def _take(self, event: QKeyEvent) -> None:
        key = "" if event.isAutoRepeat() else pressed_key(event)
        if key:
            self.key = key
            native = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
            self.setText(native.toString(QKeySequence.SequenceFormat.NativeText))
            self.pressed.emit(key)
