"""Buttons that stand for actions: their tooltip says what they do and by which key, also after the keys have changed."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget

from annotator.ui.keys.table import key_text


def keys_of(action: QAction) -> str:
    """The keys of an action as this platform writes them, "" where it has none."""
    portable = QKeySequence.SequenceFormat.PortableText
    return key_text(tuple(key.toString(portable) for key in action.shortcuts()))


class _Follower(QObject):
    """Lives with a control and keeps its words up to date."""

    def __init__(self, control: QWidget, words: str, actions: Sequence[QAction], is_button: bool) -> None:
        super().__init__(control)
        self._control, self._words, self._actions, self._is_button = control, words, actions, is_button
        for action in actions:
            action.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        first = self._actions[0]
        words = self._words or first.toolTip()
        keys = ", ".join(keys for action in self._actions if (keys := keys_of(action)))
        self._control.setToolTip(f"{words} ({keys})" if keys else words)
        if not self._control.accessibleName() or self._is_button:
            self._control.setAccessibleName(words)
        if self._is_button:
            self._control.setEnabled(first.isEnabled())


def follow(button: QAbstractButton, action: QAction, words: str = "") -> None:
    """Makes a button press an action, follow whether it can be done, and say its key. words: in place of its tip."""
    button.clicked.connect(action.trigger)
    _Follower(button, words, [action], True)


def tell_keys(control: QWidget, words: str, *actions: QAction) -> None:
    """Gives a control a tooltip with the keys of the actions that it goes with."""
    _Follower(control, words, actions, False)


class _Sentence(QObject):
    """Lives with a label or a field and writes a sentence with an action's key in it."""

    def __init__(self, owner: QLabel | QLineEdit, sentence: str, action: QAction) -> None:
        super().__init__(owner)
        self._owner, self._sentence, self._action = owner, sentence, action
        action.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        text = self._sentence.format(key=keys_of(self._action).split("  or  ")[0])
        if isinstance(self._owner, QLineEdit):
            self._owner.setPlaceholderText(text)
        else:
            self._owner.setText(text)


def tell_key_in(owner: QLabel | QLineEdit, sentence: str, action: QAction) -> None:
    """Writes a sentence, in a field as what stands in it while it is empty; {key} in it is the action's key."""
    _Sentence(owner, sentence, action)


def tell_filter_keys(field: QLineEdit, find: QAction, *clearing: tuple[QWidget, QAction]) -> None:
    """Tells a search field's key, and those of the buttons beside it that do what an action does as well."""
    tell_key_in(field, f"{field.placeholderText()} ({{key}})", find)
    for control, action in ((field, find), *clearing):
        tell_keys(control, control.toolTip(), action)
