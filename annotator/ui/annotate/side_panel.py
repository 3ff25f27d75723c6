"""The panel beside the picture: what session this is, its verdict and review, its labels and notes."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from annotator.model.edits.trimming import RULES
from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.note_field import NoteField
from annotator.ui.annotate.review_panel import ReviewPanel
from annotator.ui.annotate.session_head import SessionHead
from annotator.ui.annotate.span_table import SpanTable
from annotator.ui.annotate.vocabulary_strip import VocabularyStrip
from annotator.ui.annotate.word_keys import WordKeys
from annotator.ui.keys.controls import follow
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.sessions.session_words import AssigneeField, TagStrip
from db.library.catalogue import SessionSummary


class SidePanel(QWidget):
    """Shows one session; its buttons are the window's actions."""

    def __init__(self, actions: Mapping[str, QAction], words: WordKeys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = SessionHead()
        self.review, self.grade = self.head.review, self.head.grade
        self.table = SpanTable()
        self.note = NoteField()
        self.note.setFixedHeight(72)
        self.note_title = _heading("Note")
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.head)
        self.review_panel = ReviewPanel(actions)
        layout.addWidget(self.review_panel)
        layout.addSpacing(4)
        labels = _heading("Labels")
        labels.setToolTip(RULES)
        layout.addWidget(labels)
        layout.addWidget(self.table, 1)
        self.vocabulary = VocabularyStrip(words, actions["vocabulary"])
        layout.addWidget(self.vocabulary)
        layout.addWidget(self.note_title)
        layout.addWidget(self.note)
        layout.addWidget(_heading("Assigned to, and tags"))
        self.assignee, self.tags = AssigneeField(), TagStrip()
        layout.addWidget(self.assignee)
        layout.addWidget(self.tags)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(ScrollColumn(column), 1)
        pair = QHBoxLayout()
        pair.setSpacing(8)
        pair.addWidget(_button(actions["accept"], "Accept"))
        pair.addWidget(_button(actions["reject"], "Reject"))
        whole.addLayout(pair)
        submit = _button(actions["submit"], "Submit and next")
        submit.setProperty("primary", True)
        whole.addWidget(submit)

    def show_editing(self, editing: Editing | None, summary: SessionSummary | None) -> None:
        self.review_panel.show_editing(editing)
        self.table.show_editing(editing)
        self.note.show_editing(editing)
        self.assignee.show_editing(editing)
        self.tags.show_editing(editing)
        self.show_summary(summary)
        if editing is not None:
            editing.selected.connect(
                lambda entity_id: self.note_title.setText("Note on the span" if entity_id else "Note on the session")
            )
            self.note_title.setText("Note on the session")

    def save(self) -> None:
        """Commits what stands in the fields."""
        self.note.save()
        self.assignee.save()
        self.tags.save()

    def show_summary(self, summary: SessionSummary | None) -> None:
        """Another state of the same session, or another session."""
        self.head.show_summary(summary)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _button(action: QAction, text: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    follow(button, action)
    return button
