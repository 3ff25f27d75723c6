"""Searches that a person gave a name, as chips; they and the filters last used are kept on this machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QEvent, QSettings, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QToolButton, QWidget

from annotator.ui.flow_layout import FlowLayout
from annotator.ui.text_guard import TextGuard

MOST_SAVED = 50
_REMOVING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class SearchMemory:
    """One person's searches in one library."""

    def __init__(self, root: Path, person: str) -> None:
        place = hashlib.sha256(f"{root.resolve()}\n{person}".encode()).hexdigest()[:16]
        self._settings, self._place = QSettings("Playtape", "Playtape"), f"searches/{place}"

    def read(self, name: str) -> Any:
        """What was kept under a name, None where nothing was or it is damaged."""
        try:
            return json.loads(self._settings.value(f"{self._place}/{name}", "null", str))
        except ValueError:
            return None

    def keep(self, name: str, value: Any) -> None:
        self._settings.setValue(f"{self._place}/{name}", json.dumps(value, ensure_ascii=False))


class SavedChip(QToolButton):
    """A saved search: pressed it is asked for, Delete forgets it."""

    removed = pyqtSignal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setText(f"★ {name}")
        self.setCheckable(True)
        self.setMinimumHeight(28)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Saved search: {name}")
        self.setToolTip(f"Show what {name} finds (Space; Del forgets this search)")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in _REMOVING:
            event.accept()  # here Delete means the saved search, not the selected sessions
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _REMOVING:
            self.removed.emit(self.name)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class SavedSearches(QWidget):
    """A line of chips under the filters; not there while nothing is saved and nothing is asked for."""

    wanted = pyqtSignal(object)
    """The state of the filters that a saved search stands for."""
    forgotten = pyqtSignal(str, object)
    """(name, state) of a search that was removed just now."""

    def __init__(self, memory: SearchMemory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        kept = memory.read("saved")
        kept = kept if isinstance(kept, dict) else {}
        self.saved: dict[str, dict[str, Any]] = {
            str(name): state for name, state in kept.items() if isinstance(state, dict)
        }
        self._state: dict[str, Any] = {}
        self.chips: dict[str, SavedChip] = {}
        self.save = QToolButton()
        self.save.setText("☆ Save search")
        self.save.setMinimumHeight(28)
        self.save.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.save.setAccessibleName("Save this search")
        self.save.setToolTip("Give these filters a name, to ask for them again with one click")
        self.save.clicked.connect(self.ask)
        self.field = _NameField()
        TextGuard(self.field)
        self.field.given.connect(self._on_given)
        self.field.left.connect(self._leave)
        self._flow = FlowLayout(self)
        self._flow.addWidget(self.field)
        self._flow.addWidget(self.save)
        self.field.hide()
        self._show_chips()

    def show_state(self, state: dict[str, Any], *, is_filtered: bool) -> None:
        """What the filters ask for now."""
        self._state = state
        for name, chip in self.chips.items():
            chip.setChecked(self.saved[name] == state)
        self.save.setVisible(is_filtered and state not in self.saved.values() and self.field.isHidden())
        self.setVisible(bool(self.saved) or is_filtered)

    def ask(self) -> None:
        """Opens the field for the name; does nothing where there is nothing to save."""
        if self.save.isHidden():
            return
        self.field.clear()
        self.field.show()
        self.save.hide()
        self.field.setFocus()

    def keep(self, name: str, state: dict[str, Any]) -> None:
        """Saves a search; one of the same name is replaced."""
        self.saved[name] = state
        while len(self.saved) > MOST_SAVED:
            self.saved.pop(next(iter(self.saved)))
        self._store()

    def remove(self, name: str) -> None:
        """Forgets a search."""
        state = self.saved.pop(name)
        self._store()
        self.forgotten.emit(name, state)

    def _store(self) -> None:
        self._memory.keep("saved", self.saved)
        self._show_chips()

    def _show_chips(self) -> None:
        for chip in self.chips.values():
            self._flow.removeWidget(chip)
            chip.deleteLater()
        self.chips = {}
        for name in self.saved:
            chip = SavedChip(name, self)
            chip.clicked.connect(lambda _, name=name: self.wanted.emit(self.saved[name]))
            chip.removed.connect(self.remove)
            self._flow.addWidget(chip)
            chip.show()
            self.chips[name] = chip
        self.updateGeometry()

    def _on_given(self, name: str) -> None:
        self.field.hide()
        if name:
            self.keep(name, self._state)
        self.show_state(self._state, is_filtered=True)
        if name in self.chips:
            self.chips[name].setFocus()

    def _leave(self) -> None:
        self.field.hide()
        self.show_state(self._state, is_filtered=True)
        self.save.setFocus()


class _NameField(QLineEdit):
    """Enter gives the name, Escape gives up."""

    given = pyqtSignal(str)
    left = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(28)
        self.setMaxLength(40)
        self.setPlaceholderText("A name for this search: Enter saves, Esc leaves it")
        self.setAccessibleName("Name of the search")
        self.setToolTip("A name for this search (Enter saves, Esc leaves it)")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.given.emit(self.text().strip())
        else:
            super().keyPressEvent(event)
