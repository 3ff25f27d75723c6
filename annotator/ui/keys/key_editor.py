"""The editor of keys: find an action, press its new key; what has that key already is seen at once."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from annotator.ui.keys.bindings import Bindings
from annotator.ui.keys.key_field import KeyField
from annotator.ui.keys.key_names import refusal
from annotator.ui.keys.table import key_text
from annotator.ui.text_guard import TextGuard
from annotator.ui.two_step import TwoStepButton
from db.errors import PlaytapeError

_ACTION = Qt.ItemDataRole.UserRole


class KeyEditor(QDialog):
    """Every change is in force and kept at once. scope: the window it was opened from, whose actions come first."""

    def __init__(self, scope: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bindings = Bindings.of_person()
        self._scopes = sorted(self._bindings.tables, key=lambda other: other != scope)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search: what it does, or its key")
        self.field.setAccessibleName("Search the actions")
        self.field.setToolTip(
            "Shows only the actions that have these words (Enter, then press the new key of the chosen one)"
        )
        self.field.setClearButtonEnabled(True)
        TextGuard(self.field)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Action", "Keys", ""])
        self.tree.setAccessibleName("Actions and their keys")
        self.tree.setToolTip("Choose an action to change its keys")
        self.tree.setRootIsDecorated(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setStyleSheet("QTreeView::item { padding: 4px 0; }")
        self.key = KeyField()
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.chosen = QLabel()
        self.use = _button("Use", "Make it the action's only key")
        self.add = _button("Use as well", "Keep the keys it has and add this one")
        self.take = _button("Take it", "Take the key from the action that has it now")
        self.none = _button("No key", "The action stays in the menus and the palette")
        self.usual = _button("Usual keys", "Give this action back the keys it comes with")
        self.all_usual = TwoStepButton(
            "All usual keys", "Give up all your own keys?", "Gives every action its keys back"
        )
        self.export = _button("Export…", "Write your own keys to a file")
        self.load = _button("Import…", "Take over the keys from a file")
        self._arrange()
        self.field.textChanged.connect(self._filter)
        self.field.returnPressed.connect(lambda: self.key.setFocus())
        self.tree.currentItemChanged.connect(lambda *_: self._on_chosen())
        self.tree.itemActivated.connect(lambda *_: self.key.setFocus())
        self.key.pressed.connect(lambda _: self._judge())
        self.use.clicked.connect(lambda: self._give((self.key.key,)))
        self.take.clicked.connect(lambda: self._give((self.key.key,)))
        self.add.clicked.connect(lambda: self._give((*self._keys(), self.key.key)))
        self.none.clicked.connect(lambda: self._give(()))
        self.usual.clicked.connect(self._reset)
        self.all_usual.confirmed.connect(lambda: self._do(self._bindings.reset_all))
        self.export.clicked.connect(self._ask_where_to_write)
        self.load.clicked.connect(self._ask_what_to_read)
        self._bindings.changed.connect(self.show_keys)
        self._fill()
        self.show_keys()
        self.says.setText(self._bindings.problem)
        self.resize(720, 640)

    def _arrange(self) -> None:
        change, more = QHBoxLayout(), QHBoxLayout()
        for row, widgets in ((change, (self.use, self.add, self.take, self.none, self.usual)),):
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget)
            row.addStretch()
        more.setSpacing(8)
        for widget in (self.all_usual, self.export, self.load):
            more.addWidget(widget)
        more.addStretch()
        buttons = QDialogButtonBox()
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        close.setToolTip("Close the editor (Esc)")
        close.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        more.addWidget(buttons)
        font = self.chosen.font()
        font.setBold(True)
        self.chosen.setFont(font)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(8)
        for part in (self.field, (self.tree, 1), self.chosen, self.key, self.says):
            outer.addWidget(*part) if isinstance(part, tuple) else outer.addWidget(part)
        outer.addLayout(change)
        outer.addSpacing(8)
        outer.addLayout(more)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)

    def _fill(self) -> None:
        for scope in self._scopes:
            table = self._bindings.tables[scope]
            for menu in table.menus:
                title = f"{table.title}: {menu}" if len(self._scopes) > 1 else menu
                group = QTreeWidgetItem(self.tree, [title])
                group.setFlags(Qt.ItemFlag.ItemIsEnabled)
                for spec in table.in_menu(menu):
                    item = QTreeWidgetItem(group, [spec.text])
                    item.setToolTip(0, spec.tip or spec.text)
                    item.setData(0, _ACTION, (scope, spec.name))
        self.tree.expandAll()
        first = self.tree.topLevelItem(0)
        if first is not None and first.childCount():
            self.tree.setCurrentItem(first.child(0))

    def show_keys(self) -> None:
        """Writes the keys in force beside the actions."""
        keys = {scope: self._bindings.in_force(scope) for scope in self._scopes}
        for item in self._items():
            scope, name = item.data(0, _ACTION)
            item.setText(1, key_text(keys[scope][name]))
            item.setText(2, "changed" if self._bindings.is_own(scope, name) else "")
        self.all_usual.setEnabled(any(item.text(2) for item in self._items()))
        self._on_chosen()

    def choose(self, scope: str, name: str) -> None:
        """Makes an action the one whose keys are changed."""
        for item in self._items():
            if item.data(0, _ACTION) == (scope, name):
                self.tree.setCurrentItem(item)

    @property
    def _action(self) -> tuple[str, str] | None:
        item = self.tree.currentItem()
        return item.data(0, _ACTION) if item is not None else None

    def _items(self) -> list[QTreeWidgetItem]:
        groups = [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        return [group.child(i) for group in groups for i in range(group.childCount())]

    def _keys(self) -> tuple[str, ...]:
        return self._bindings.keys(*self._action) if self._action else ()

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        for i in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(i)
            shown = 0
            for item in (group.child(k) for k in range(group.childCount())):
                whole = f"{group.text(0)} {item.text(0)} {item.toolTip(0)} {item.text(1)}".lower()
                item.setHidden(not all(word in whole for word in words))
                shown += not item.isHidden()
            group.setHidden(not shown)
        item = self.tree.currentItem()
        if item is None or item.isHidden():  # no key is given to what one does not see
            self.tree.setCurrentItem(next((other for other in self._items() if not other.isHidden()), None))

    def _on_chosen(self) -> None:
        self.key.forget()
        action = self._action
        if action is not None:
            spec = self._bindings.tables[action[0]].row(action[1])
            self.chosen.setText(f"{spec.text}: {key_text(self._keys()) or 'no key'}")
        else:
            self.chosen.setText("Choose an action above")
        self._judge()

    def _judge(self) -> None:
        """What can be done with the key that was pressed, and what stands against it."""
        action, key = self._action, self.key.key
        conflict = self._bindings.conflict(*action, key) if action and key else ""
        holder = self._bindings.holder(action[0], key, but=action[1]) if action and key else ""
        table = self._bindings.tables[action[0]] if action else None
        can_take = bool(
            holder and table and not refusal(key, table, action[1]) and not self._bindings.claimant(action[0], key)
        )
        self.use.setEnabled(bool(action and key and not conflict))
        self.add.setEnabled(self.use.isEnabled() and key not in self._keys() and bool(self._keys()))
        self.take.setVisible(can_take)
        if can_take:
            self.take.setText(f"Take it from {table.row(holder).text}")
        self.none.setEnabled(bool(self._keys()))
        self.usual.setEnabled(bool(action) and self._bindings.is_own(*action))
        self.key.setEnabled(action is not None)
        more = " Take it from there, or press another key." if can_take else ""
        self.says.setText(conflict + more if conflict else "This key is free." if key else "")

    def _give(self, keys: tuple[str, ...]) -> None:
        if self._action is not None:
            scope, name = self._action
            self._do(lambda: self._bindings.give(scope, name, keys))

    def _reset(self) -> None:
        if self._action is not None:
            scope, name = self._action
            self._do(lambda: self._bindings.reset(scope, name))

    def _do(self, call) -> None:
        try:
            call()
        except PlaytapeError as error:
            self.says.setText(str(error))

    def _ask_where_to_write(self) -> None:
        dialog = QFileDialog(self, "Export your keys", "", "Keys (*.json)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.write_file(Path(name)))
        dialog.open()

    def _ask_what_to_read(self) -> None:
        dialog = QFileDialog(self, "Import keys", "", "Keys (*.json)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.read_file(Path(name)))
        dialog.open()

    def write_file(self, path: Path) -> None:
        """Exports the person's own keys; says so, or why not."""
        try:
            path.write_text(self._bindings.text(), encoding="utf-8")
        except OSError as error:
            self.says.setText(
                f"The keys could not be written to {path.name} ({error.strerror}); choose another folder."
            )
        else:
            self.says.setText(f"Your keys are in {path.name}.")

    def read_file(self, path: Path) -> None:
        """Takes over an exported file's keys; says so, or why not, and then leaves the keys as they were."""
        try:
            self._bindings.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            self.says.setText(f"{path.name} cannot be read as text; choose a file that was exported here.")
        except PlaytapeError as error:
            self.says.setText(str(error))
        else:
            self.says.setText(f"The keys of {path.name} are in force.")


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setAutoDefault(False)
    return button
