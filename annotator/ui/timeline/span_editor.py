"""The text field that opens on a span of the timeline, and offers phrases while one types."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QGuiApplication, QInputMethodEvent, QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QWidget

from annotator.model.edits.commands import TEXT_LIMIT
from annotator.ui.text_guard import TextGuard
from annotator.ui.timeline.phrase_list import PhraseList
from annotator.ui.timeline.rows import header_px

LEAST_PX = 240
_TABS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
HINT = "What is to be done here"

Offer = Callable[[str], Sequence[str]]
"""What is offered for what is typed, best first."""


class SpanEditor(QLineEdit):
    """Enter, Tab or leaving the field commits, Escape leaves the text as it was.

    Tab takes the first phrase that is offered, Down and Up choose one, Enter takes the chosen one. While an input method
    composes, all keys are its own.
    """

    committed = pyqtSignal(str, str)
    """(entity id, text)"""
    closed = pyqtSignal()
    """Before `committed`, where that comes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMaxLength(TEXT_LIMIT)
        self.setAccessibleName("Text of the span")
        self.setToolTip("Enter stores the text, Esc leaves it as it was")
        self.entity_id = ""
        """The span being written, "" while closed."""
        self.was_entered = False
        """Whether the last text was ended by a key, and not by leaving the field."""
        self._opened_with = ""
        self._composed = ""  # what an input method has not committed yet
        self._offer: Offer = lambda typed: ()
        self._phrases: PhraseList | None = None
        TextGuard(self)
        self.textEdited.connect(self._on_edited)
        self.hide()

    @property
    def is_open(self) -> bool:
        return bool(self.entity_id)

    @property
    def unfinished(self) -> str | None:
        """What was typed and is not committed; None where nothing was."""
        text = self.text() + self._composed
        return text if self.is_open and text != self._opened_with else None

    @property
    def offered(self) -> list[str]:
        """The phrases that are shown, best first."""
        shown = self._phrases
        if shown is None or not shown.isVisible():
            return []
        return [item.text() for row in range(shown.rows.count()) if (item := shown.rows.item(row)) is not None]

    def open(self, entity_id: str, text: str, area: QRectF, offer: Offer, hint: str = HINT) -> None:
        """Shows the field over `area` (the parent's pixels), with what `offer` gives as one types."""
        self.setPlaceholderText(hint)
        self.place(area)
        self.entity_id, self._opened_with, self._offer = entity_id, text, offer
        self.setText(text)
        self.selectAll()
        self.show()
        self.raise_()
        self.setFocus()

    def put_back(self, text: str) -> None:
        """Text that was typed earlier and never committed stands in the open field again."""
        self.setText(text)
        self.setModified(True)
        self.deselect()

    def reopen(self, entity_id: str, text: str) -> None:
        """What could not be stored stands in the field again, and does not take the focus."""
        self.entity_id = entity_id
        self.setText(text)
        self.show()

    def place(self, area: QRectF) -> None:
        """Moves the field over `area`, as much of it as is in view."""
        parent = self.parentWidget()
        assert parent is not None
        width = min(max(round(area.width()), LEAST_PX), parent.width() - header_px())
        left = min(max(round(area.left()), header_px()), parent.width() - width)
        least = self.fontMetrics().height() + 12
        self.setGeometry(left, round(area.top()) - 1, width, max(round(area.height()) + 2, least))

    def finish(self, *, is_entered: bool = False) -> None:
        """Commits what stands there and closes; does nothing where it is closed."""
        entity_id = self.entity_id
        if not entity_id:
            return
        if self._composed:
            self._end_composing()
        text, self.entity_id, self.was_entered = self.text(), "", is_entered
        self._close()
        self.committed.emit(entity_id, text)

    def drop(self) -> None:
        """Closes without committing."""
        self.entity_id = ""
        self._close()

    def cancel(self) -> None:
        """Closes and leaves the span's text as it was."""
        if self.entity_id:
            self.drop()
            parent = self.parentWidget()
            if parent is not None and parent.parentWidget() is not None:
                parent.parentWidget().setFocus()

    def event(self, event: QEvent | None) -> bool:
        """Tab is one of the field's own keys; else it would only move the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _TABS:
            self.keyPressEvent(event)
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, shown = event.key(), self._phrases if self.offered else None
        if self._composed:
            if key not in _TABS:
                super().keyPressEvent(event)
        elif key == Qt.Key.Key_Escape:
            if shown is None:
                self.cancel()
            else:
                shown.hide()
        elif key == Qt.Key.Key_Tab:
            self._take(shown.chosen or shown.first if shown else "")
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(shown.chosen if shown else "")
        elif key == Qt.Key.Key_Backtab:
            self._take("")
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._choose(1 if key == Qt.Key.Key_Down else -1)
        elif key == Qt.Key.Key_Right and shown and shown.chosen and self.cursorPosition() == len(self.text()):
            self.setText(shown.chosen)
            shown.hide()
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composed = event.preeditString()
        if self._composed and self._phrases is not None:
            self._phrases.hide()
        super().inputMethodEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.finish()

    # Inside

    def _on_edited(self, text: str) -> None:
        self._show_offer(self._offer(text) if text.strip() else ())

    def _show_offer(self, texts: Sequence[str]) -> None:
        """Shows what fits; nothing where that is only what stands there already."""
        if self._phrases is None and texts:
            self._phrases = PhraseList(self)
            self._phrases.taken.connect(self._take)
        if self._phrases is not None:
            self._phrases.offer([] if list(texts) == [self.text()] else texts)

    def _choose(self, step: int) -> None:
        if not self.offered:
            self._show_offer(self._offer(self.text() if self.isModified() else ""))
        if self._phrases is not None:
            self._phrases.choose(step)

    def _take(self, phrase: str) -> None:
        if phrase:
            self.setText(phrase)
        self.finish(is_entered=True)

    def _end_composing(self) -> None:
        """What an input method was composing is text too."""
        method = QGuiApplication.inputMethod()
        if method is not None:
            method.commit()
        left, self._composed = self._composed, ""
        if left:
            self.insert(left)

    def _close(self) -> None:
        self._composed = ""
        self.hide()
        self.closed.emit()
        if self._phrases is not None:
            self._phrases.hide()
