"""Keys by name: one spelling for each, what a pressed key is called, and which keys nobody may have."""

from __future__ import annotations

from PyQt6.QtCore import QKeyCombination, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence

from annotator.ui.keys.table import ActionTable, menu_letters

_BARE = {
    Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta, Qt.Key.Key_Super_L,
    Qt.Key.Key_Super_R, Qt.Key.Key_Hyper_L, Qt.Key.Key_Hyper_R, Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock,
    Qt.Key.Key_ScrollLock, Qt.Key.Key_unknown, Qt.Key.Key_Multi_key,
}  # fmt: skip
_TEXT = {
    "Ctrl+C": "copying", "Ctrl+V": "pasting", "Ctrl+X": "cutting", "Ctrl+A": "selecting everything",
    "Ctrl+Ins": "copying", "Shift+Ins": "pasting", "Shift+Del": "cutting",
}  # fmt: skip
_WINDOW = {
    "Esc": "leaves a field, a dialog and a selection", "Tab": "goes from one control to the next",
    "Shift+Tab": "goes back from one control to the one before", "F10": "opens the menus",
    "Shift+F10": "opens the menu of what has the focus", "Menu": "opens the menu of what has the focus",
    "Return": "presses the button that has the focus", "Enter": "presses the button that has the focus",
    "Space": "presses the button that has the focus",
}  # fmt: skip
_PLATFORM = ("Alt+F4", "Alt+Tab", "Alt+Shift+Tab", "Ctrl+Alt+Del", "Ctrl+Alt+Backspace", "Alt+Space", "Print", "Ctrl+Q")


def spell(key: str) -> str:
    """The one spelling of a key in portable text; "" for what is no key."""
    sequence = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1 or sequence[0].key() in _BARE:
        return ""
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def pressed_key(event: QKeyEvent) -> str:
    """The portable text of what was pressed, "" while only Shift, Ctrl and the like are down.

    A character that needs Shift anyway is named by itself ("?", not "Shift+?"): which key it is on depends on the
    keyboard. The keypad counts as the main keys.
    """
    key = Qt.Key(event.key()) if event.key() else Qt.Key.Key_unknown
    if key in _BARE:
        return ""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.GroupSwitchModifier
    if key == Qt.Key.Key_Backtab:
        key = Qt.Key.Key_Tab
    code = int(key.value)
    if 0x21 <= code < 0xFF and not chr(code).isalnum():
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    return spell(QKeySequence(QKeyCombination(modifiers, key)).toString(QKeySequence.SequenceFormat.PortableText))


def refusal(key: str, table: ActionTable, name: str) -> str:
    """Why this action may not have this key, as a sentence; "" where it may. What it has by default it may have."""
    if not spell(key):
        return "That is not a key; hold Ctrl, Alt or Shift together with another one."
    if key in table.row(name).keys:
        return ""
    if key in _TEXT:
        return f"{key} is for {_TEXT[key]} text; choose another key."
    if key in _WINDOW:
        return f"{key} {_WINDOW[key]} everywhere; choose another key."
    if key in _PLATFORM or key.startswith("Meta+") or "+Meta+" in key:
        return f"{key} belongs to the desktop and may never arrive here; choose another key."
    if key.startswith("Ctrl+Alt+F") and key.removeprefix("Ctrl+Alt+F").isdigit():
        return f"{key} belongs to the desktop and may never arrive here; choose another key."
    for menu, letter in menu_letters(table.menus).items():
        if key == f"Alt+{letter.upper()}":
            return f"{key} opens the menu {menu}; choose another key."
    return ""


def is_key_of(event: QKeyEvent, action: QAction) -> bool:
    """Whether a key that goes down or comes up is one of an action's, whatever else is held with it."""
    return any(event.key() == sequence[0].key().value for sequence in action.shortcuts() if sequence.count())
