"""What reviewers say about stretches of the open session: a list to go through, and to settle one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from annotator.model.document import Span
from annotator.model.edits.commands import DeleteSpan
from db.labelling.labels import LabelKind

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing


class Comments(QObject):
    """Part of an Editing. A comment that is settled is deleted: superseded in the log, and undone like any edit."""

    def __init__(self, editing: Editing) -> None:
        super().__init__(editing)
        self._editing = editing

    @property
    def open(self) -> list[Span]:
        """Those that are not settled, in order."""
        return self._editing.document.spans(LabelKind.COMMENT, suggested=False)

    def show_next(self) -> None:
        """Goes to the next comment, after the last one to the first."""
        comments = self.open
        if not comments:
            self._editing.refused.emit("There is no open comment in this session.")
            return
        selected = self._editing.selected_span
        after = [span for span in comments if selected is not None and span > selected]
        self._editing.go_to((after or comments)[0])

    def settle(self) -> None:
        """Settles the selected comment and goes to the next; with none selected, only goes there."""
        span = self._editing.selected_span
        if span is not None and span.kind is LabelKind.COMMENT:
            settled = self._editing.do(DeleteSpan(span.entity_id, name="settle the comment"))
            if not settled or not self.open:
                return
        self.show_next()
