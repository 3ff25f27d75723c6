"""A window's actions and menus, made from its table; their keys follow what the person chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMenu, QMenuBar, QWidget

from annotator.ui.keys.bindings import Bindings
from annotator.ui.keys.table import ActionTable, menu_letters


class _FollowedKeys(QObject):
    """Lives with the window and gives its actions the keys in force."""

    def __init__(self, owner: QWidget, table: ActionTable, actions: Mapping[str, QAction]) -> None:
        super().__init__(owner)
        self._table, self._actions = table, actions
        self._bindings = Bindings.of_person()
        self._bindings.join(table)
        self._bindings.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        for name, keys in self._bindings.in_force(self._table.scope).items():
            fresh = [QKeySequence(key, QKeySequence.SequenceFormat.PortableText) for key in keys]
            if self._actions[name].shortcuts() != fresh:
                self._actions[name].setShortcuts(fresh)


def make_actions(
    owner: QWidget, table: ActionTable, handlers: Mapping[str, Callable[..., object]]
) -> dict[str, QAction]:
    """The table's actions, added to `owner` so that their keys work in its window. Every row needs its handler."""
    missing = {spec.name for spec in table.rows} ^ set(handlers)
    assert not missing, f"actions and handlers differ: {sorted(missing)}"
    made: dict[str, QAction] = {}
    for spec in table.rows:
        action = QAction(spec.text, owner)
        action.setObjectName(spec.name)
        action.setToolTip(spec.tip or spec.text)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(spec.repeats)
        if spec.checked is not None:
            action.setCheckable(True)
            action.setChecked(spec.checked)
            action.toggled.connect(handlers[spec.name])
        else:
            action.triggered.connect(lambda _checked, call=handlers[spec.name]: call())
        owner.addAction(action)
        made[spec.name] = action
    _FollowedKeys(owner, table, made)
    return made


def fill_menus(bar: QMenuBar, table: ActionTable, actions: Mapping[str, QAction]) -> dict[str, QMenu]:
    """One menu for each of the table's, in the table's order."""
    menus: dict[str, QMenu] = {}
    for title, letter in menu_letters(table.menus).items():
        at = title.lower().index(letter)
        menu = bar.addMenu(f"{title[:at]}&{title[at:]}")
        assert menu is not None
        for spec in table.in_menu(title):
            menu.addAction(actions[spec.name])
        menus[title] = menu
    return menus
