"""What bringing recordings in and giving sessions out have in common: try it, do it, see how far it is, read what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QResizeEvent
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from annotator.model.library.transfers import MOST_ROWS, Carried, carry, summary
from annotator.ui.desktop import fit_to_screen
from annotator.ui.errand import Errand
from annotator.ui.library.format_form import FormatForm
from annotator.ui.library.report_view import ReportView
from annotator.ui.pace import Pace
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.text_size import grown
from annotator.ui.theme import tint
from db.formats.format import Way
from db.formats.report import Report, so_far
from db.formats.transfer import TellWhole
from db.store import Store

Begin = Callable[[Store, TellWhole], Iterator[Report]]
_STEPS = 10_000
TRY_KEY = "Ctrl+T"
_HINT = "What was kept, changed and dropped stands here in the end. Try it first to read the same without anything being written."


class _Choices(ScrollColumn):
    """As high as what is in it, or less where the dialog has no room for that."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(content)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:
        form = self.widget()
        width = super().sizeHint().width()
        height = form.heightForWidth(self.viewport().width()) if form.hasHeightForWidth() else form.sizeHint().height()
        return QSize(width, height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


class TransferDialog(QDialog):
    """One import or export at a time, in a thread; the library's window can be used meanwhile."""

    carried = pyqtSignal(object)
    """The Carried of one that was done in earnest, whole or not."""
    _at = pyqtSignal(str)
    _heard = pyqtSignal(object)

    def __init__(self, root: Path, way: Way, title: str, go: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.root = root
        self._way: Way = way
        self._errand: Errand | None = None
        self._pace, self._what, self._share = Pace(), "", 0
        self._outcomes: Counter[str] = Counter()
        self._is_trial, self._also = False, ""
        self.setWindowTitle(title)
        self.form = FormatForm(way)
        self.bar, self.state, self.report = QProgressBar(), QLabel(), ReportView(_HINT)
        self.bar.setMaximum(_STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.attempt, self.go, self.stop = QPushButton("Try it first"), QPushButton(go), QPushButton("Close")
        self.attempt.setShortcut(QKeySequence(TRY_KEY))
        self.attempt.setToolTip(
            f"Read everything, say what would be kept, changed and dropped, and write nothing ({TRY_KEY})"
        )
        self.attempt.setAutoDefault(False)
        self.go.setProperty("primary", True)
        self.go.setDefault(True)
        self.stop.setAutoDefault(False)
        self.attempt.clicked.connect(lambda: self.begin(dry_run=True))
        self.go.clicked.connect(lambda: self.begin(dry_run=False))
        self.stop.clicked.connect(self.reject)
        self.report.told.connect(self.state.setText)
        self._at.connect(self._on_at)
        self._heard.connect(self._on_heard)
        self.form.changed.connect(self.judge)

    # What an import and an export make of this

    def prepare(self, *, dry_run: bool) -> Begin:
        """What is to be done with the choices as they are now."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether everything is chosen that it needs."""
        raise NotImplementedError

    @property
    def is_busy(self) -> bool:
        return self._errand is not None

    def name_of(self, store: Store, what: str) -> str:
        """What people call a source or a session. Asked in the thread that does the work."""
        raise NotImplementedError

    def judge(self) -> None:
        """Shows what can be done now."""
        is_busy = self.is_busy
        is_ready = self.is_ready() and not is_busy
        self.attempt.setEnabled(is_ready)
        self.go.setEnabled(is_ready)
        self.form.setEnabled(not is_busy)
        self.stop.setText("Cancel" if is_busy else "Close")
        self.stop.setToolTip("Stop; what is finished stays (Esc)" if is_busy else "Close this (Esc)")
        self.bar.setVisible(is_busy)
        self.state.setVisible(bool(self.state.text()))

    def arrange(self) -> None:
        """When the form has all its rows."""
        choices = _Choices(self.form)
        bar = choices.verticalScrollBar().sizeHint().width()
        outer, below = QVBoxLayout(self), QVBoxLayout()
        outer.setContentsMargins(24, 20, 24 - bar, 20)
        below.setContentsMargins(0, 0, bar, 0)
        for column in (outer, below):
            column.setSpacing(12)
        outer.addWidget(choices)
        outer.addLayout(below, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.attempt)
        row.addStretch()
        row.addWidget(self.stop)
        row.addWidget(self.go)
        below.addLayout(row)
        below.addWidget(self.bar)
        below.addWidget(self.state)
        below.addWidget(self.report, 1)
        self.judge()
        fit_to_screen(self, grown(760), grown(680))

    # Doing it

    def begin(self, *, dry_run: bool) -> None:
        """Starts it, with what is chosen."""
        kind = self.form.chosen
        if self._errand is not None or kind is None or not self.is_ready():
            return
        begin = self.prepare(dry_run=dry_run)
        doing = Carried(self._way, kind.name, dry_run)
        self._pace, self._what, self._share, self._outcomes = Pace(), "", 0, Counter()
        self._is_trial, self._also = dry_run, ""

        def work(store: Store, errand: Errand) -> Carried:
            at = ""

            def tell(what: str, share: float) -> None:
                nonlocal at
                if what != at:
                    at = what
                    self._at.emit(self.name_of(store, what))
                errand.tell(round(share * _STEPS), _STEPS)

            carry(doing, lambda tell_it: begin(store, tell_it), tell, self._heard.emit, errand.is_cancelled)
            for report in doing.reports[:MOST_ROWS]:
                doing.names[report.name] = self.name_of(store, report.name)
            return doing

        self._errand = Errand(self.root, work, self)
        self._errand.progressed.connect(self._on_progress)
        self._errand.ended.connect(self._on_ended)
        self._errand.failed.connect(self._on_failed)
        self._errand.finished.connect(self._on_finished)
        self.report.clear()
        tint(self.state, "")
        self.bar.setValue(0)
        self.state.setText("Looking what there is …")
        self.judge()
        self.stop.setFocus()
        self._errand.start()

    def say_also(self, text: str) -> None:
        """A sentence under the progress, for as long as it goes on."""
        self._also = text
        self._show_progress()

    def close_threads(self) -> None:
        """Cancels what goes on, and waits until nothing half made is left of it."""
        if self._errand is not None:
            self._errand.close()

    def done(self, result: int) -> None:
        """The first Escape cancels what goes on, the next one closes."""
        if self._errand is not None and self._errand.isRunning() and not self._errand.is_cancelled():
            self._errand.cancel()
            self.state.setText("Cancelling …")
            return
        self.close_threads()
        super().done(result)

    def _on_at(self, what: str) -> None:
        self._what = what
        self._show_progress()

    def _on_heard(self, report: Report) -> None:
        self._outcomes[report.outcome] += 1

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setMaximum(total)
        self.bar.setValue(done)
        self._share = done
        self._show_progress()

    def _show_progress(self) -> None:
        if self._errand is None or self._errand.is_cancelled():
            return
        words = [f"{self._share * 100 // _STEPS} %", so_far(self._outcomes, self._way, dry_run=self._is_trial)]
        left_s = self._pace.left_s(self._share, _STEPS)
        if left_s is not None:
            until = datetime.now() + timedelta(seconds=left_s)
            words.append(f"{self._pace.words(self._share, _STEPS)}, until {until:%H:%M}")
        self.state.setText("\n".join(filter(None, [self._what, " · ".join(filter(None, words)), self._also])))

    def _on_ended(self, carried: Carried) -> None:
        self.state.setText(summary(carried))
        refused = sum(report.outcome == "refused" for report in carried.reports)
        is_bad = carried.error or refused == len(carried.reports) > 0
        tint(self.state, "bad" if is_bad else "warn" if refused else "")
        self.report.show_carried(carried)
        if not carried.dry_run:
            self.carried.emit(carried)

    def _on_failed(self, text: str) -> None:
        self.state.setText(text)
        tint(self.state, "bad")

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None
        self.judge()
        (self.form.format if self.report.is_empty else self.report.tree).setFocus()
