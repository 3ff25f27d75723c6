"""What can be done to the selected sessions: buttons under the list, with a field in place where a word is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent
from PyQt6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from annotator.bulk import Deed
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.keys.controls import follow
from annotator.ui.pace import Pace
from annotator.ui.text_guard import TextGuard
from annotator.ui.two_step import TwoStepButton

_ASKS = {
    Deed.ASSIGN: "Who looks after them? Enter to assign, nothing for nobody, Esc to leave it.",
    Deed.TAG: "A tag for them. Enter to tag, Esc to leave it.",
    Deed.UNTAG: "Which tag to take off. Enter to take it off, Esc to leave it.",
}
WORDED = frozenset(_ASKS)
"""What needs a word."""


class WordField(QLineEdit):
    """Enter gives the word, Escape gives up."""

    given = pyqtSignal(str)
    left = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.given.emit(self.text().strip())
        else:
            super().keyPressEvent(event)


class SelectionBar(QWidget):
    """`wanted` says what is to be done to the selection. The actions are the window's: their names are those of Deed."""

    wanted = pyqtSignal(object, str)
    """(Deed, its word or "")."""
    cancelled = pyqtSignal()
    left = pyqtSignal()
    """The field was left; the list should have the focus."""

    def __init__(self, actions: Mapping[Deed, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = QLabel()
        self.count.setToolTip("Ctrl+A in the list selects all that were found, also those further down")
        self.count.setForegroundRole(self.count.palette().ColorRole.PlaceholderText)
        self.buttons = {deed: _button(action) for deed, action in actions.items()}
        self.empty = TwoStepButton("Empty trash", "Delete for good?", "Deletes everything in the trash for good")
        self.question, self.word = QLabel(), WordField()
        self.question.setWordWrap(True)
        self.word.setAccessibleName("A word for the selected sessions")
        self.word.setToolTip("Enter takes the word, Esc leaves the field")
        self.word.setMinimumHeight(28)
        TextGuard(self.word)
        self.word.given.connect(self._on_given)
        self.word.left.connect(self._leave)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.rest, self._pace = QLabel(), Pace()
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop after the session that is being done")
        self.cancel.clicked.connect(self.cancelled)
        self._asked: Deed | None = None
        row, busy = QWidget(), QWidget()
        lines = QVBoxLayout(row)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(self.count)
        flow = FlowLayout(first_grows=False)
        lines.addLayout(flow)
        for widget in (*self.buttons.values(), self.empty):
            flow.addWidget(widget)
        line = QHBoxLayout(busy)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.bar, 1)
        line.addWidget(self.rest)
        line.addWidget(self.cancel)
        asking = QWidget()
        column = QVBoxLayout(asking)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.question)
        column.addWidget(self.word)
        self._parts = (row, asking, busy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in self._parts:
            layout.addWidget(part)
        self._show_part(row)
        self.show_selection(0, 0, is_trash=False)

    def show_selection(
        self, selected: int, listed: int, *, is_trash: bool, is_filtered: bool = False, queue: str = ""
    ) -> None:
        """How many of the list are selected, whether it is the trash, and whether a filter hides some of it.

        queue: the list's order and how many of it wait to be labelled.
        """
        found = f"{listed:,} found" + f", {queue}" * bool(queue and listed)
        self.count.setText(f"{selected:,} of {listed:,} selected" if selected > 1 else found)
        for deed, button in self.buttons.items():
            button.setVisible((deed is Deed.RESTORE) == is_trash)
        self.empty.setVisible(is_trash)
        self.empty.setEnabled(listed > 0 and not is_filtered)  # what is deleted for good is seen before
        self.empty.question = f"Delete all {listed} for good?"
        self.empty.setToolTip(
            "Clear the filters first, to see everything that would be deleted"
            if is_filtered
            else "Deletes everything in the trash for good (press twice)"
        )

    def ask(self, deed: Deed, words: Sequence[str], selected: int) -> None:
        """Opens the field for the word of a deed on so many sessions, with words to complete from."""
        self._asked = deed
        self.question.setText(f"{selected:,} selected. {_ASKS[deed]}")
        self.word.clear()
        self.word.setAccessibleName(_ASKS[deed])
        completer = QCompleter(list(words), self.word)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.word.setCompleter(completer)
        self._show_part(self._parts[1])
        self.word.setFocus()

    def show_progress(self, done: int, total: int) -> None:
        """Progress of what is being done; the buttons come back with `finish`."""
        self._show_part(self._parts[-1])
        self.bar.setMaximum(1000)
        self.bar.setValue(round(1000 * done / max(total, 1)))
        self.rest.setText(self._pace.words(done, total))

    def finish(self) -> None:
        self._pace = Pace()
        self._show_part(self._parts[0])

    def _show_part(self, shown: QWidget) -> None:
        for part in self._parts:
            part.setVisible(part is shown)

    def _on_given(self, word: str) -> None:
        deed = self._asked
        self._leave()
        if deed is not None and (word or deed is Deed.ASSIGN):
            self.wanted.emit(deed, word)

    def _leave(self) -> None:
        self._asked = None
        self._show_part(self._parts[0])
        self.left.emit()


def _button(action: QAction) -> QPushButton:
    button = QPushButton(action.text())
    follow(button, action)
    return button
