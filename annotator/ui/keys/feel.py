"""What both windows can do alike: the palette, the editor of keys, the colours, the size of the text."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QMainWindow

from annotator.ui.keys.key_editor import KeyEditor
from annotator.ui.keys.palette import Palette
from annotator.ui.keys.table import ActionSpec, ActionTable
from annotator.ui.theme import choose_scheme, choose_text_size

LOOKS = (
    ActionSpec("text_larger", "Larger text", ("Ctrl++", "Ctrl+="), "View", needs_session=False, repeats=True),
    ActionSpec("text_smaller", "Smaller text", ("Ctrl+-",), "View", needs_session=False, repeats=True),
    ActionSpec("text_usual", "Usual text size", ("Ctrl+0",), "View", needs_session=False),
    ActionSpec("theme_system", "Colours of the system", (), "View", needs_session=False),
    ActionSpec("theme_light", "Light colours", (), "View", needs_session=False),
    ActionSpec("theme_dark", "Dark colours", (), "View", needs_session=False),
    ActionSpec("reset_layout", "Usual layout", (), "View", needs_session=False, tip="Panes and window as they come"),
)
"""Rows of each window's menu View."""

HELP = (
    ActionSpec("palette", "Find an action", ("Ctrl+Shift+P", "F3"), "Help", needs_session=False),
    ActionSpec("edit_keys", "Keys: change them", (), "Help", needs_session=False, tip="Choose your own keys"),
)
"""Rows of each window's menu Help."""


def feel_handlers(window: QMainWindow, table: Callable[[], ActionTable]) -> dict[str, Callable[..., object]]:
    """What LOOKS and HELP do in a window that has `actions_by_name` and `placement`."""
    return {
        "text_larger": lambda: choose_text_size(1),
        "text_smaller": lambda: choose_text_size(-1),
        "text_usual": lambda: choose_text_size(0),
        "theme_system": lambda: choose_scheme("system"),
        "theme_light": lambda: choose_scheme("light"),
        "theme_dark": lambda: choose_scheme("dark"),
        "reset_layout": lambda: window.placement.reset(),
        "palette": lambda: Palette(table(), window.actions_by_name, window).open(),
        "edit_keys": lambda: KeyEditor(table().scope, window).open(),
    }
