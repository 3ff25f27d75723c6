"""Working through a queue: sessions to review, to read a second time or to compare, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from annotator.model.document import Document
from annotator.model.edits.comparison import EndComparison
from annotator.model.library.seat import Role, Seat
from annotator.ui.keys.bindings import with_keys
from db.labelling.labels import Review

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.annotate.editing import Editing

_WORDS = {
    Role.LABEL: "to review",
    Role.SECOND: "to read a second time",
    Role.COMPARE: "to compare",
}


def after_submit(document: Document) -> Review | None:
    """The state to which submitting brings a labeller's session; None where it stays as it is.

    What somebody else sent back goes to them again; what one has rejected oneself stays rejected.
    """
    head = document.review_head
    if document.review is Review.REJECTED and head is not None and head.author != document.author:
        return Review.IN_REVIEW
    return {Review.UNLABELLED: Review.LABELLED, Review.FIXING: Review.IN_REVIEW}.get(document.review)


class Reviewing(QObject):
    """Part of an AnnotateWindow: what is left of its queue, and what submitting and deciding do there."""

    changed = pyqtSignal()
    """Another queue, or less of it."""

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self._window = window
        self._waiting: list[tuple[str, Seat]] = []
        self._is_on = False

    @property
    def is_on(self) -> bool:
        """Whether a queue is being worked through."""
        return self._is_on

    def begin(self, queue: Sequence[tuple[str, Seat]]) -> None:
        """Opens the first of the queue; what was left of an earlier one is forgotten."""
        self._waiting, self._is_on = list(queue), bool(queue)
        self.next()

    def end(self) -> None:
        self._waiting, self._is_on = [], False
        self.changed.emit()

    def next(self) -> None:
        """Opens the next of the queue."""
        if not self._is_on:
            self._window.info.tell("No queue is open; start one from the library window's Review page.")
            return
        if not self._waiting:
            self._is_on = False
            self._window.info.tell("That was the last one in the queue.")
        else:
            self._window.open_session(*self._waiting.pop(0))
        self.changed.emit()

    def submit(self) -> bool:
        """What Submit does here; False where the window is to do what it does for a labeller."""
        editing = self._window.editing
        if editing is None or (editing.seat.role is Role.LABEL and not self._is_on):
            return False
        if self._is_submitted(editing):
            if self._is_on:
                self.next()
            elif editing.seat.role is Role.SECOND:
                self._window.info.tell("Your reading is done; it can be compared now.")
            else:
                self._window.info.tell("The two readings are compared; what you took is the session's.")
        return True

    def decide(self, review: Review) -> None:
        """Accepts, rejects or sends back, and goes on to the next of the queue."""
        editing = self._window.editing
        if editing is None:
            return
        if editing.seat.role is not Role.LABEL:
            here = "a second reading" if editing.seat.role is Role.SECOND else "a comparison"
            self._window.info.tell(
                f"This is {here}: {with_keys('{submit:Ctrl+Enter}')} ends it. The session is accepted in its review."
            )
        elif editing.set_review(review) and self._is_on and review is not Review.FIXING:
            self.next()

    def words(self) -> str:
        """What one is doing, for the side panel; "" for plain labelling."""
        editing = self._window.editing
        seat = editing.seat if editing is not None else Seat()
        rest = f" · {len(self._waiting)} more {_WORDS[seat.role]}" if self._is_on and self._waiting else ""
        if seat.role is Role.SECOND:
            return f"Second reading, blind: you see your own labels only{rest}"
        if seat.role is Role.COMPARE:
            return f"Two readings: yours to settle is where {seat.second} differs{rest}"
        return f"Reviewing{rest}" if self._is_on else ""

    def _is_submitted(self, editing: Editing) -> bool:
        role, document = editing.seat.role, editing.document
        if role is Role.SECOND:
            return document.review is Review.LABELLED or editing.set_review(Review.LABELLED)
        if role is Role.COMPARE:
            return bool(editing.do(EndComparison(editing.seat.second))) or editing.comparing.is_ended
        if document.review is Review.LABELLED:
            return editing.set_review(Review.IN_REVIEW)
        return True
