"""The note on the selected span, or on the session while none is selected."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFocusEvent, QKeyEvent
from PyQt6.QtWidgets import QPlainTextEdit, QWidget

from annotator.model.document import note_id
from annotator.ui.annotate.editing import Editing
from annotator.ui.text_guard import TextGuard


class NoteField(QPlainTextEdit):
    """Commits when it is left, when another span is selected, and on Escape."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing: Editing | None = None
        self._target_id = ""
        self.setTabChangesFocus(True)
        self.setAccessibleName("Note")
        self.setToolTip("A note on the selected span, else on the session; kept when you leave it (Esc)")
        self.setEnabled(False)
        TextGuard(self)

    def show_editing(self, editing: Editing | None) -> None:
        self.save()
        self._editing = editing
        self.setEnabled(editing is not None)
        if editing is not None:
            editing.selected.connect(self._on_selected)
            editing.changed.connect(self._on_changed)
        self._load()

    @property
    def target_id(self) -> str:
        """What the note is about: a span or the session."""
        return self._target_id

    @property
    def unfinished(self) -> str | None:
        """What was typed and is not committed; None where nothing was."""
        return self.toPlainText() if self.document().isModified() else None

    def put_back(self, text: str) -> None:
        """Text that was typed earlier and never committed stands here again."""
        self.setPlainText(text)
        self.document().setModified(True)

    def save(self) -> None:
        """Commits what was typed; does nothing where nothing was."""
        if self._editing is not None and self.document().isModified():
            self.document().setModified(False)
            if not self._editing.write_note(self._target_id, self.toPlainText()) and self._editing.is_stuck:
                self.document().setModified(True)  # it stays here until it can be stored

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.save()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()
        else:
            super().keyPressEvent(event)

    def _load(self) -> None:
        editing = self._editing
        self._target_id = (editing.selection or editing.session_id) if editing else ""
        self.setPlaceholderText("Note on the selected span" if editing and editing.selection else "Note on the session")
        self.setPlainText(editing.document.note(self._target_id) if editing else "")
        self.document().setModified(False)
        self._begin()

    def _on_selected(self, entity_id: str) -> None:
        self.save()
        self._load()

    def _on_changed(self, entities: frozenset[str]) -> None:
        if self._editing is not None and not self.document().isModified():
            text = self._editing.document.note(self._target_id)
            if text != self.toPlainText().strip():
                self._load()
            else:
                self._begin()

    def _begin(self) -> None:
        """What stands here is what one knows of the note when one goes on to type."""
        if self._editing is not None:
            self._editing.conflicts.begin_typing(note_id(self._target_id))
