"""Whom a session is assigned to and its tags, as fields of the side panel."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QPushButton, QWidget

from annotator.model.edits.session_commands import AddTag, Assign, RemoveTag
from annotator.ui.annotate.editing import Editing
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.text_guard import TextGuard


class WordLine(QLineEdit):
    """One line of text: `given` comes with Enter and when it is left; Escape puts back what stood there."""

    given = pyqtSignal(str)

    def __init__(self, hint: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setToolTip(tip)
        self.setEnabled(False)
        self._word = ""
        TextGuard(self)

    def show_word(self, word: str) -> None:
        """What stands there now; what somebody is typing stays."""
        self._word = word
        if not self.isModified():
            self.setText(word)

    def save(self) -> None:
        """Gives what was typed; does nothing where nothing was."""
        if self.isModified():
            self.setModified(False)
            self.given.emit(self.text())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.save()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self._word)
            self.clearFocus()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.save()
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class AssigneeField(WordLine):
    """Who is to label or review the session; empty for nobody."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("assigned to nobody", "Who is to label or review this session (G)", parent)
        self._editing: Editing | None = None
        self.given.connect(self._on_given)

    def show_editing(self, editing: Editing | None) -> None:
        self.save()
        self._editing = editing
        self.setEnabled(editing is not None)
        if editing is not None:
            editing.changed.connect(self._load)
        self._load()

    def _load(self) -> None:
        self.show_word(self._editing.document.assignee if self._editing else "")

    def _on_given(self, person: str) -> None:
        if self._editing is not None:
            self._editing.do(Assign(person))
            self._load()  # where nothing was changed too, such as blanks


class TagStrip(QWidget):
    """The session's tags, each a button that takes it off, and a field for another one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing: Editing | None = None
        self._shown: dict[str, QPushButton] = {}
        self.word = WordLine("add a tag", "Put a tag on this session (T)")
        self.word.given.connect(self._on_given)
        self._flow = FlowLayout(self)
        self._flow.addWidget(self.word)

    def show_editing(self, editing: Editing | None) -> None:
        self.save()
        self._editing = editing
        self.word.setEnabled(editing is not None)
        if editing is not None:
            editing.changed.connect(self._load)
        self._load()

    def save(self) -> None:
        """Adds the tag that stands in the field."""
        self.word.save()

    @property
    def buttons(self) -> dict[str, QPushButton]:
        """By their tags."""
        return dict(self._shown)

    def _load(self) -> None:
        tags = self._editing.document.tags if self._editing else []
        if list(self._shown) == tags:
            return
        for button in self._shown.values():
            self._flow.removeWidget(button)
            button.deleteLater()
        self._shown = {tag: self._make_button(tag) for tag in tags}

    def _make_button(self, tag: str) -> QPushButton:
        button = QPushButton(f"{tag}  ✕", self)
        button.setToolTip(f"Take the tag {tag} off")
        button.setAccessibleName(button.toolTip())
        button.clicked.connect(lambda: self._remove(tag))
        self._flow.addWidget(button)
        button.show()
        return button

    def _remove(self, tag: str) -> None:
        if self._editing is not None:
            self._editing.do(RemoveTag(tag))

    def _on_given(self, word: str) -> None:
        self.word.setText("")
        if self._editing is not None and word.strip():
            self._editing.do(AddTag(word))
