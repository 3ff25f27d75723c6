"""What the library says about a sitting that has just ended: each session's grade and why, what is in it, and what to
do with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from db.recording.figures import Figures
from db.recording.qa import Verdict
from db.store import Store
from recorder.ui.errand import Errand
from recorder.ui.live.gauges import clock_text, size_text
from recorder.ui.scroll_column import ScrollColumn
from recorder.ui.theme import Theme, dim, heading, scaled
from recorder.ui.verdict.filmstrip import Filmstrip
from recorder.ui.verdict.grade_mark import GradeMark
from recorder.ui.verdict.histogram import IntervalHistogram
from recorder.ui.verdict.key_chart import KeyChart
from recorder.ui.verdict.rule_list import RuleList

if TYPE_CHECKING:
    from recorder.status import Result


class VerdictCard(QFrame):
    """One session at a time; the sitting's others are a step away. Hidden until `show_results`.

    A session is kept unless the person discards it, which the card does itself. The owner calls `close_pictures` at its end.
    """

    kept = pyqtSignal()
    """The person is done with the card: every session that they did not discard is kept."""
    discarded = pyqtSignal(str)
    """This session is gone from the library."""
    annotate = pyqtSignal(str)
    """The person wants to see this session in the annotator."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self._results: list[Result] = []
        self._library = Path()
        self._at = 0
        self._errand: Errand | None = None
        self._build()
        self.hide()

    def show_results(self, results: list[Result], library: Path) -> None:
        """Shows the sessions of a sitting, in order, the first that is not good before the others."""
        self._results, self._library = list(results), library
        worst = [i for i, result in enumerate(self._results) if result.summary.verdict.failed]
        self._show(worst[0] if worst else 0)

    def close_pictures(self) -> None:
        """Ends the card's threads."""
        self.filmstrip.close_pictures()
        if self._errand is not None:
            self._errand.close()

    @property
    def session_id(self) -> str:
        """The session that is shown, '' where none is."""
        return self._results[self._at].summary.id if self._results else ""

    # What is in it

    def _build(self) -> None:
        self.filmstrip, self.rules = Filmstrip(), RuleList()
        self.histogram, self.keys = IntervalHistogram(), KeyChart()
        self._mouse = dim()
        body = QWidget()
        body.setObjectName("scrolled")
        column = QVBoxLayout(body)
        column.setContentsMargins(20, 4, 20, 8)
        column.setSpacing(16)
        column.addWidget(self.filmstrip)
        column.addLayout(self._build_facts())
        column.addLayout(self._build_columns(), 1)
        column.addStretch(0)
        scroll = ScrollColumn(body)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 1, 1, 1)
        whole.setSpacing(0)
        whole.addLayout(self._build_head())
        whole.addWidget(scroll, 1)
        whole.addWidget(self._build_actions())

    def _build_head(self) -> QHBoxLayout:
        self._mark, self._word, self._why, self._message = GradeMark(44), QLabel(), QLabel(), dim()
        self._word.setFont(scaled(self._word.font(), 2, bold=True))
        self._why.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self._word)
        texts.addWidget(self._why)
        texts.addWidget(self._message)
        self._back, self._on, self._which = QToolButton(), QToolButton(), QLabel()
        for button, sign, name, step in (
            (self._back, Qt.ArrowType.LeftArrow, "Previous session", -1),
            (self._on, Qt.ArrowType.RightArrow, "Next session", 1),
        ):
            button.setArrowType(sign)
            button.setToolTip(name)
            button.setAccessibleName(name)
            button.clicked.connect(lambda _, step=step: self._show(self._at + step))
        self._selector = QWidget()
        row = QHBoxLayout(self._selector)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self._back, self._which, self._on):
            row.addWidget(widget)
        head = QHBoxLayout()
        head.setContentsMargins(20, 16, 20, 12)
        head.setSpacing(14)
        head.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(texts, 1)
        head.addWidget(self._selector, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _build_facts(self) -> QHBoxLayout:
        self._facts = {name: _Fact(name) for name in ("length", "frames", "dropped", "picture", "on disk", "licence")}
        row = QHBoxLayout()
        row.setSpacing(12)
        for fact in self._facts.values():
            row.addWidget(fact, 1)
        return row

    def _build_columns(self) -> QGridLayout:
        self._times, self._used = QWidget(), QWidget()
        times = _column(heading("Time from one frame to the next"), self.histogram)
        self._times.setLayout(times)
        self._times.setMaximumHeight(self.histogram.maximumHeight() + 40)
        used = _column(heading("Keys and buttons"), self.keys, self._mouse)
        self._used.setLayout(used)
        left = _column(heading("Checks"), self.rules)
        left.addSpacing(10)
        left.addWidget(self._times, 1)
        left.addStretch(0)
        columns = QGridLayout()
        columns.setHorizontalSpacing(36)
        columns.setColumnStretch(0, 1)
        columns.setColumnStretch(1, 1)
        columns.addLayout(left, 0, 0)
        columns.addWidget(self._used, 0, 1, Qt.AlignmentFlag.AlignTop)
        return columns

    def _build_actions(self) -> QStackedWidget:
        self.keep, self.open = QPushButton("Keep"), QPushButton("Open in the annotator")
        self.discard = QPushButton("Discard…")
        self.keep.setProperty("main", "go")
        self.keep.setDefault(True)
        self.keep.clicked.connect(self._keep)
        self.open.clicked.connect(lambda: self.annotate.emit(self.session_id))
        self.discard.clicked.connect(lambda: self._ask(True))
        choose = _row(self.discard, None, self.open, self.keep)
        self._question = QLabel()
        self.yes, self.no = QPushButton("Yes, discard it"), QPushButton("No, keep it")
        self.yes.clicked.connect(self._discard)
        self.no.clicked.connect(lambda: self._ask(False))
        ask = _row(self._question, None, self.no, self.yes)
        self._actions = QStackedWidget()
        self._actions.addWidget(choose)
        self._actions.addWidget(ask)
        self._actions.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        return self._actions

    # What it shows

    def _show(self, at: int) -> None:
        self._at = at
        self._ask(False)
        if not self._results:
            self.hide()
            return
        result = self._results[at]
        summary, verdict = result.summary, result.summary.verdict
        self._mark.show_grade(verdict.grade)
        self._word.setText(verdict.grade.value.capitalize())
        self._why.setText(_why(verdict))
        self._message.setText(result.message)
        self._message.setVisible(bool(result.message))
        count = len(self._results)
        self._selector.setVisible(count > 1)
        self._which.setText(f"session {at + 1} of {count}")
        self._back.setEnabled(at > 0)
        self._on.setEnabled(at < count - 1)
        self.keep.setText("Keep all" if count > 1 else "Keep")
        self.filmstrip.show_session(self._library, summary)
        self.rules.show_verdict(verdict)
        figures = verdict.figures
        for charts in (self._times, self._used):
            charts.setVisible(figures is not None)
        if figures is not None:
            self.histogram.show_figures(figures)
            self.keys.show_figures(figures)
            self._mouse.setText(_mouse_text(figures))
        width, height = summary.size_px
        dropped = figures.dropped_frames if figures is not None else None
        self._facts["length"].set_text(clock_text(round(summary.duration_s)))
        self._facts["frames"].set_text(f"{summary.frames:,}")
        self._facts["dropped"].set_text("-" if dropped is None else f"{dropped:,}")
        self._facts["picture"].set_text(f"{width}×{height}", f"{summary.rate_hz:g} frames a second wanted")
        self._facts["on disk"].set_text(size_text(summary.bytes))
        self._facts["licence"].set_text((figures.licence if figures is not None else "") or "none given")
        self._colour()
        self.setAccessibleName(f"Verdict: {verdict.grade.value}")
        self.setAccessibleDescription(self._why.text())
        self.show()
        self.keep.setFocus()

    def _colour(self) -> None:
        if self._results:
            grade = self._results[self._at].summary.grade
            self._word.setStyleSheet(f"color: {Theme.of(self.palette()).grade(grade)};")
        self.yes.setStyleSheet(f"color: {Theme.of(self.palette()).bad}; font-weight: 600;")

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and hasattr(self, "yes"):
            self._colour()

    # What it does

    def _keep(self) -> None:
        self.hide()
        self.kept.emit()

    def _ask(self, asking: bool) -> None:
        self._question.setText("Discard this session for good? It cannot be brought back.")
        self._actions.setCurrentIndex(int(asking))
        for button in (self.yes, self.no, self.keep, self.open, self.discard):
            button.setEnabled(self._errand is None)
        (self.no if asking else self.keep).setFocus()

    def _discard(self) -> None:
        session_id, library = self.session_id, self._library

        def delete(progress: object, cancelled: object) -> str:
            with Store.open(library) as store:
                store.delete(session_id)
            return session_id

        self._errand = Errand("discard", delete)
        self._errand.news.ended.connect(self._discarded)
        self.yes.setEnabled(False)
        self.no.setEnabled(False)
        self._question.setText("Discarding…")
        self._errand.start()

    def _discarded(self, session_id: str | None, problem: str) -> None:
        assert self._errand is not None
        self._errand.close()
        self._errand = None
        if session_id is None:
            self._ask(True)
            self._question.setText(problem)
            return
        gone = self._at
        del self._results[gone]
        self._show(max(min(gone, len(self._results) - 1), 0))
        self.discarded.emit(session_id)
        if not self._results:
            self.kept.emit()


class _Fact(QWidget):
    """A value over what it is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._value = QLabel("-")
        self._value.setFont(scaled(self._value.font(), 1.25, bold=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._value)
        column.addWidget(dim(name))
        self.setAccessibleName(name)

    def set_text(self, text: str, hint: str = "") -> None:
        self._value.setText(text)
        self.setToolTip(hint)
        self.setAccessibleDescription(text)


def _why(verdict: Verdict) -> str:
    """The grade's reason in one sentence."""
    failed = verdict.failed
    if not failed:
        return f"All {len(verdict.rules)} checks passed."
    more = len(failed) - 1
    return failed[0].text + (f" And {more} more thing{'s' * (more != 1)} to look at." if more else "")


def _mouse_text(figures: Figures) -> str:
    parts = []
    if figures.mouse_path:
        parts.append(
            f"Mouse moved in {figures.mouse_moving_pct:.0f} % of the frames, {figures.mouse_path:,.0f} counts in all"
        )
    if figures.clicks:
        parts.append(f"{figures.clicks:,} click{'s' * (figures.clicks != 1)}")
    if figures.notches:
        parts.append(f"{figures.notches:,.0f} wheel steps")
    if figures.pad_actions:
        parts.append(f"{figures.pad_actions:,} gamepad actions")
    return "  ·  ".join(parts) or "The mouse did not move."


def _row(*widgets: QWidget | None) -> QWidget:
    """Widgets side by side; None is the free space."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(20, 12, 20, 14)
    row.setSpacing(10)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return whole


def _column(*widgets: QWidget) -> QVBoxLayout:
    """Widgets one under the other."""
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        if isinstance(widget, QLabel):  # only what is drawn takes the room that is left
            widget.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column.addWidget(widget)
    return column
