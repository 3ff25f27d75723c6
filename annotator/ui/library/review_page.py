"""What waits for somebody: to be reviewed, to be labelled a second time, to be compared, or to be accepted as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from annotator.bulk import Deed, Outcome, do, undo
from annotator.model.library.queue import Queues, Turn, queues_of
from annotator.model.library.seat import LABELLING, Role, Seat
from annotator.sending_back import send_back
from annotator.ui.errand import Errand
from annotator.ui.keys.controls import follow
from annotator.ui.library.queue_model import ID_ROLE, QueueModel
from annotator.ui.notices import EmptyPage
from annotator.ui.two_step import TwoStepButton
from db.library.index import index_stamp
from db.settings import settings_stamp
from db.store import Store

REVIEW, SECOND, COMPARE, NOT_DRAWN = PARTS = ("review", "second", "compare", "not_drawn")
_NAMES = {
    REVIEW: "To review",
    SECOND: "To read a second time",
    COMPARE: "To compare",
    NOT_DRAWN: "Not sampled",
}
_LEADS = {
    REVIEW: "What looks wrong comes first, then a sample: more of those with few accepted hours in a game.",
    SECOND: "Drawn to be labelled by a second person. You see your own labels only; nobody sees them before you submit.",
    COMPARE: "Labelled twice. Settle where the two differ; what you take is the session's.",
    NOT_DRAWN: "They wait too, but were not drawn, since enough of their players' hours are accepted.",
}
_EMPTY = {
    REVIEW: ("Nothing to review", "Sessions appear here when somebody submits their labels."),
    SECOND: ("Nothing to read", "The share of sessions that two people label is set on the Rules page."),
    COMPARE: ("Nothing to compare", "Sessions appear here when both readings are submitted."),
    NOT_DRAWN: ("Nothing left over", "Everything that waits for a review was drawn."),
}
_MEASURED_ROWS = 40
Work = Callable[[Store, Errand], Outcome]


class ReviewPage(QWidget):
    """Reads the queues in a thread when `look` is called and the library has changed since."""

    told = pyqtSignal(str, str, object)
    """(sentence, word on its button, what the button does) for the window's notice."""
    wanted = pyqtSignal(object)
    """Open these in the annotator, one after another: a list of (session id, Seat)."""

    def __init__(
        self, store: Store, person: str, actions: Mapping[str, QAction], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._person = store, person
        self._stamp: tuple[int, ...] = ()
        self._reader: Errand | None = None
        self._errand: Errand | None = None
        self._opens_next = False
        self.queues = Queues()
        self.part = REVIEW
        self.model = QueueModel(self)
        self.table = _QueueTable(self.model)
        self.empty = EmptyPage("", "")
        self.lead = QLabel()
        self.lead.setWordWrap(True)
        self.lead.setForegroundRole(self.lead.palette().ColorRole.PlaceholderText)
        self._decide = [actions[name] for name in ("review_accept", "review_reject", "send_back")]
        self.buttons = [_button(action) for action in (actions["review_next"], *self._decide)]
        self.buttons[0].setProperty("primary", True)
        self.accept_rest = TwoStepButton(
            "Accept all", "Accept all of them?", "Accepts everything that was not sampled, as it is"
        )
        self.bar, self.cancel = QProgressBar(), QPushButton("Cancel")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.cancel.setToolTip("Stop; what is done stays done")
        self.cancel.clicked.connect(lambda: self._errand and self._errand.cancel())
        self.accept_rest.confirmed.connect(self.accept_not_drawn)
        self._arrange()
        self.table.doubleClicked.connect(lambda _: self.open_chosen())
        self.table.activated.connect(lambda _: self.open_chosen())
        selection = self.table.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(lambda *_: self._judge())
        self.show_part(REVIEW)
        self._set_busy(False)

    @property
    def chosen(self) -> list[str]:
        """The selected sessions, in the queue's order."""
        selection = self.table.selectionModel()
        return [index.data(ID_ROLE) for index in sorted(selection.selectedRows())] if selection else []

    def look(self) -> None:
        """Reads the queues again where somebody has written to the library or changed its rules."""
        stamp = (*index_stamp(self._store.root), *settings_stamp(self._store.root))
        if self._reader is not None or stamp == self._stamp:
            return
        self._stamp = stamp
        person = self._person
        self._reader = Errand(self._store.root, lambda store, _: queues_of(store, person), self)
        self._reader.ended.connect(self._show)
        self._reader.failed.connect(lambda text: self.told.emit(text, "", None))
        self._reader.finished.connect(self._on_read)
        self._reader.start()

    def show_part(self, part: str) -> None:
        """Shows one of PARTS."""
        self.part = part
        self._parts[part].setChecked(True)
        self.lead.setText(_LEADS[part])
        self.empty.say(*_EMPTY[part])
        self._refill()

    def open_chosen(self) -> None:
        """Opens what is selected, and then the rest of the queue after it."""
        turns = self.queues.parts[self.part]
        chosen = self.chosen
        at = next((row for row, turn in enumerate(turns) if turn.session_id in chosen[:1]), 0)
        self._open(turns[at:])

    def open_next(self) -> None:
        """Opens the first to review; where none is, the first to compare or to read. Looks at the queues first."""
        self._opens_next = True
        self.look()
        if self._reader is None:
            self._on_read()

    def _go_on(self) -> None:
        for part in (self.part, REVIEW, COMPARE, SECOND):
            if turns := self.queues.parts[part]:
                if part != self.part:
                    self.show_part(part)
                self._open(turns)
                return
        self.told.emit("Nothing waits for you.", "", None)

    def decide(self, deed: Deed) -> None:
        """Accepts or rejects what is selected."""
        if chosen := self._asked():
            person = self._person
            self._run(lambda s, e: do(s, deed, chosen, person, progress=e.tell, cancelled=e.is_cancelled))

    def ask_comment(self) -> None:
        """Asks what is to be mended, and sends the selected sessions back with that."""
        chosen = self._asked()
        if not chosen:
            return
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Send back")
        dialog.setLabelText(f"What is to be mended in {_counted(len(chosen))}?")
        dialog.setOkButtonText("Send back")
        dialog.textValueSelected.connect(partial(self.send_back, chosen))
        dialog.open()

    def send_back(self, session_ids: Sequence[str], comment: str) -> None:
        """Rejects them with a comment on the whole session."""
        person = self._person
        self._run(lambda s, e: send_back(s, session_ids, person, comment, e.tell, e.is_cancelled))

    def accept_not_drawn(self) -> None:
        """Accepts everything that was not sampled."""
        ids, person = [turn.session_id for turn in self.queues.not_drawn], self._person
        if ids:
            self._run(lambda s, e: do(s, Deed.ACCEPT, ids, person, progress=e.tell, cancelled=e.is_cancelled))

    def close_threads(self) -> None:
        for errand in (self._reader, self._errand):
            if errand is not None:
                errand.close()

    # Inside

    def _arrange(self) -> None:
        self._parts: dict[str, QToolButton] = {}
        group, row = QButtonGroup(self), QHBoxLayout()
        row.setSpacing(4)
        for part in PARTS:
            tab = QToolButton()
            tab.setCheckable(True)
            tab.setMinimumHeight(28)
            tab.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            tab.setToolTip(_LEADS[part])
            tab.clicked.connect(partial(self.show_part, part))
            group.addButton(tab)
            row.addWidget(tab)
            self._parts[part] = tab
        row.addStretch()
        tools = QHBoxLayout()
        tools.setSpacing(8)
        for button in (*self.buttons, self.accept_rest):
            tools.addWidget(button)
        tools.addWidget(self.bar, 1)
        tools.addWidget(self.cancel)
        tools.addStretch()
        self._lists = QStackedWidget()
        self._lists.addWidget(self.table)
        self._lists.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.lead)
        column.addLayout(tools)
        column.addWidget(self._lists, 1)

    def _show(self, queues: Queues) -> None:
        self.queues = queues
        self._refill()

    def _refill(self) -> None:
        for part, turns in self.queues.parts.items():
            self._parts[part].setText(f"{_NAMES[part]}  {len(turns)}")
            self._parts[part].setAccessibleName(f"{_NAMES[part]}, {_counted(len(turns))}")
        turns = self.queues.parts[self.part]
        self.model.show_turns(turns, self.queues.lines or {})
        self._lists.setCurrentWidget(self.table if turns else self.empty)
        if turns and not self.chosen:
            self.table.selectRow(0)
        self._judge()

    def _judge(self) -> None:
        """What can be done now."""
        is_idle, has_some = self._errand is None, bool(self.model.turns)
        for button in self.buttons[1:]:
            button.setVisible(self.part in (REVIEW, NOT_DRAWN))
        for action in self._decide:
            action.setEnabled(is_idle and bool(self.chosen) and self.part in (REVIEW, NOT_DRAWN))
        self.accept_rest.setVisible(self.part == NOT_DRAWN)
        self.accept_rest.setEnabled(is_idle and has_some)

    def _asked(self) -> list[str]:
        if not self.isVisible() or self.part not in (REVIEW, NOT_DRAWN):
            self.told.emit("Choose sessions on the Review page first.", "", None)
            return []
        return self.chosen

    def _open(self, turns: Sequence[Turn]) -> None:
        if turns:
            self.wanted.emit([(turn.session_id, self._seat(turn)) for turn in turns])

    def _seat(self, turn: Turn) -> Seat:
        if self.part == SECOND:
            return Seat(Role.SECOND, self._person)
        return Seat(Role.COMPARE, turn.second) if self.part == COMPARE else LABELLING

    def _run(self, work: Work) -> None:
        if self._errand is not None:
            self.told.emit("Something is being done to the sessions already; wait for it or cancel it.", "", None)
            return
        self._errand = Errand(self._store.root, work, self)
        self._errand.progressed.connect(self._on_progress)
        self._errand.ended.connect(self._on_done)
        self._errand.failed.connect(lambda text: self.told.emit(text, "", None))
        self._errand.finished.connect(self._on_finished)
        self._set_busy(True)
        self._errand.start()

    def _take_back(self, outcome: Outcome) -> None:
        person = self._person
        self._run(lambda store, errand: undo(store, outcome, person, errand.tell))

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setMaximum(max(total, 1))
        self.bar.setValue(done)

    def _on_done(self, outcome: Outcome) -> None:
        if outcome.done:
            self.told.emit(outcome.text, "Undo", partial(self._take_back, outcome))
        else:
            self.told.emit(outcome.text if outcome.refused else "Nothing to do: it was so already.", "", None)

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None
        self._set_busy(False)
        self.look()

    def _on_read(self) -> None:
        if self._reader is not None:
            self._reader.deleteLater()
        self._reader = None
        opens_next, self._opens_next = self._opens_next, False
        if opens_next:
            self._go_on()

    def _set_busy(self, is_busy: bool) -> None:
        self.bar.setVisible(is_busy)
        self.cancel.setVisible(is_busy)
        self._judge()


class _QueueTable(QTableView):
    """Several rows can be selected; letters stay the window's, and Tab leaves the table."""

    def __init__(self, model: QueueModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName("Sessions that wait")
        self.setToolTip("Sessions in the order in which they are to be reviewed (Enter opens one)")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setStyleSheet("QTableView::item { padding: 0 8px; }")
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._fit_rows()
        columns.setHighlightSections(False)
        columns.setResizeContentsPrecision(_MEASURED_ROWS)  # measuring thousands of rows would hold the window up
        for column in range(model.columnCount() - 1):
            columns.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        columns.setStretchLastSection(True)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange:
            self._fit_rows()

    def keyboardSearch(self, search: str) -> None:
        """Nothing: one letter is an action."""

    def _fit_rows(self) -> None:
        rows = self.verticalHeader()
        assert rows is not None
        rows.setDefaultSectionSize(self.fontMetrics().height() + 12)


def _button(action: QAction) -> QPushButton:
    button = QPushButton(action.text())
    button.setMinimumHeight(28)
    follow(button, action)
    return button


def _counted(count: int) -> str:
    return f"{count} session{'s' * (count != 1)}"
