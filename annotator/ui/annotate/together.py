"""The annotate window's side of working with others: who is there, what they did, and conflicts to settle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer

from annotator.ui.annotate.company import Company
from annotator.ui.annotate.conflict_dialog import ConflictDialog
from annotator.ui.annotate.editing import Editing

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow


class Together(QObject):
    """Part of an AnnotateWindow, and the owner of its Company."""

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self._window = window
        self._editing: Editing | None = None
        self._wanted = ""
        self.dialog: ConflictDialog | None = None
        self.company = Company(window.store, window.author, self)
        head = window.panel.head
        self.company.present_changed.connect(head.show_present)
        self.company.openers_changed.connect(window.sessions.mark_open)
        self.company.told.connect(window.saved.setText)
        self.company.failed.connect(window.info.tell)
        head.conflicts.clicked.connect(window.actions_by_name["conflicts"].trigger)

    def show_editing(self, editing: Editing | None) -> None:
        if self.dialog is not None:
            self.dialog.reject()
        self._editing = editing
        self.company.show_editing(editing)
        if editing is not None:
            editing.conflicts.changed.connect(self._count)
            editing.conflicts.collided.connect(self.settle)
        self._count()
        if editing is not None and editing.session_id == self._wanted:
            self._wanted = ""
            QTimer.singleShot(0, self.settle)  # once the window shows the session

    def settle_in(self, session_id: str) -> None:
        """Shows the conflicts of a session that is open or on its way in."""
        if self._editing is not None and self._editing.session_id == session_id:
            self.settle()
        else:
            self._wanted = session_id

    def settle(self) -> None:
        """Shows the conflicts one after the other; says so where there is none."""
        if self._editing is None or self.dialog is not None:
            return
        if not self._editing.conflicts.all:
            self._window.info.tell("There is no conflict in this session.")
            return
        self.dialog = ConflictDialog(self._editing, self._window)
        self.dialog.finished.connect(self._forget_dialog)
        self.dialog.open()

    def _forget_dialog(self) -> None:
        self.dialog = None
        self._window.timeline.setFocus()

    def _count(self) -> None:
        key = self._window.actions_by_name["conflicts"].shortcut().toString()
        self._window.panel.head.show_conflicts(len(self._editing.conflicts.all) if self._editing else 0, key)
