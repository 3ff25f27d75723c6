"""Keeps the hotkeys out of text fields: while one has the focus, what is typed is text and nothing else."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QWidget

from annotator.ui.keys.key_names import pressed_key

_LET_THROUGH = ("submit", "close", "next_pane", "palette")
"""Actions that mean the window even while one types, where their keys cannot be text."""
_PORTABLE = QKeySequence.SequenceFormat.PortableText
_NO_TEXT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class TextGuard(QObject):
    """Claims every key for the widget it guards before a shortcut can have it."""

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        field.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and not _is_for_window(event, watched)
        ):
            event.accept()
            return True
        return False


def _is_for_window(event: QKeyEvent, field: QObject | None) -> bool:
    """Whether a key is that of an action of the field's window that goes through, with the keys in force."""
    is_function = Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
    if not isinstance(field, QWidget) or not (is_function or event.modifiers() & _NO_TEXT):
        return False
    key = pressed_key(event)
    through = [action for action in field.window().actions() if action.objectName() in _LET_THROUGH]
    return any(key == sequence.toString(_PORTABLE) for action in through for sequence in action.shortcuts())
