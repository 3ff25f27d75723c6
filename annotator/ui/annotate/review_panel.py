"""What a review asks for, in the side panel: as what one sits here, places where two readings differ, and comments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QAction, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from annotator.model.document import Document, Span
from annotator.model.edits.comparison import Disagreement
from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.span_words import span_words
from annotator.ui.keys.bindings import with_keys
from annotator.ui.keys.controls import follow
from annotator.ui.timeline.lane_painter import time_text
from db.labelling.agreement import Agreement
from db.labelling.labels import LabelKind, Review

_MOST_ROWS, _MOST_LINES = 6, 10
_PAD_PX, _TALL_PX = 8, 10_000
_MOST_PLACES = 100
"""So many lines are made at a time, around the chosen place: thousands would hold the window up at every edit."""
_ID = Qt.ItemDataRole.UserRole
_TAKES = (("take_first", "First"), ("take_second", "Second"), ("take_both", "Both"), ("take_neither", "Neither"))


class _Places(QListWidget):
    """As tall as its lines, up to a few; a line that is clicked or moved to is gone to. Letters stay the window's."""

    def __init__(self, name: str, go: Callable[[str], None]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.itemClicked.connect(lambda item: go(item.data(_ID)))
        self.itemActivated.connect(lambda item: go(item.data(_ID)))

    def show_lines(self, lines: list[tuple[str, str]], chosen: str) -> None:
        """lines: (id, text)."""
        known = [(self.item(row).data(_ID), self.item(row).text()) for row in range(self.count())]
        if known != lines:
            self.clear()
            for key, text in lines:
                item = QListWidgetItem(text)
                item.setData(_ID, key)
                item.setToolTip(text)
                self.addItem(item)
            self._fit()
        at = next((row for row, (key, _) in enumerate(lines) if key == chosen), -1)
        self.setCurrentRow(at)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Narrower lines are taller."""
        super().resizeEvent(event)
        self._fit()

    def keyboardSearch(self, search: str) -> None:
        """Nothing: one letter is an action."""

    def _fit(self) -> None:
        """Every line as tall as its words need; a scroll bar's room is always left, or it would change them."""
        metrics, bar = self.fontMetrics(), self.verticalScrollBar()
        bar_px = bar.sizeHint().width() if bar is not None else 0
        width = max(self.width() - 2 * self.frameWidth() - bar_px - 2 * _PAD_PX, 1)
        wrapped = int(Qt.TextFlag.TextWordWrap)
        heights = [
            metrics.boundingRect(QRect(0, 0, width, _TALL_PX), wrapped, self.item(row).text()).height() + _PAD_PX
            for row in range(self.count())
        ]
        for row, height in enumerate(heights):
            self.item(row).setSizeHint(QSize(1, height))
        shown = min(sum(heights[:_MOST_ROWS]), _MOST_LINES * metrics.height()) + 2 * self.frameWidth()
        if shown != self.height():
            self.setFixedHeight(shown)


class ReviewPanel(QWidget):
    """Hidden parts take no room: plain labelling of a session without comments shows nothing of this."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing: Editing | None = None
        self._shown: tuple[list[Span], Review | None, str] | None = None
        """The comments, the state of the review and the selection that the list of comments shows."""
        self.role, self.figures, self.comments_title = QLabel(), QLabel(), QLabel()
        for label in (self.role, self.figures, self.comments_title):
            label.setWordWrap(True)
        bold = self.role.font()
        bold.setBold(True)
        self.role.setFont(bold)
        self.comments_title.setFont(bold)
        self.figures.setForegroundRole(self.figures.palette().ColorRole.PlaceholderText)
        self.figures.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.places = _Places("Places where two readings differ", self._choose)
        self.comments = _Places("Comments", self._go_to)
        self.takes = QWidget()
        grid = QGridLayout(self.takes)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for at, (name, text) in enumerate(_TAKES):
            grid.addWidget(_button(actions[name], text), at // 2, at % 2)
        self.settle = _button(actions["settle_comment"], "Settle")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (
            self.role,
            self.figures,
            self.places,
            self.takes,
            self.comments_title,
            self.comments,
            self.settle,
        ):
            column.addWidget(widget)
        self.show_editing(None)
        self.show_role("")

    def show_role(self, text: str) -> None:
        """As what one sits here; "" for plain labelling."""
        self.role.setText(text)
        self.role.setVisible(bool(text))
        self._fit()

    def show_editing(self, editing: Editing | None) -> None:
        self._editing, self._shown = editing, None
        if editing is not None:
            editing.comparing.changed.connect(self._look_at_places)
            editing.changed.connect(lambda _: self._look_at_comments())
            editing.selected.connect(lambda _: self._look_at_comments())
        self._look_at_places()
        self._look_at_comments()
        if (
            editing is not None
            and editing.document.review in (Review.REJECTED, Review.FIXING)
            and editing.comments.open
        ):
            editing.select(editing.comments.open[0].entity_id)

    def _look_at_places(self) -> None:
        editing = self._editing
        comparing = editing.comparing if editing is not None and editing.comparing.is_on else None
        for widget in (self.figures, self.places, self.takes):
            widget.setVisible(comparing is not None)
        if editing is not None and comparing is not None:
            document, second = editing.document, editing.seat.second
            count = len(comparing.places)
            at = next((n for n, place in enumerate(comparing.places) if place.key == comparing.chosen), 0)
            first = max(min(at - _MOST_PLACES // 2, count - _MOST_PLACES), 0)
            shown = comparing.places[first : first + _MOST_PLACES]
            lines = [(place.key, _place_words(place, document, second)) for place in shown]
            self.places.show_lines(lines, comparing.chosen)
            self.places.setVisible(bool(lines))
            agreement = editing.begun.agreement if editing.begun is not None else None
            self.figures.setText(f"{_left_words(count)}\n{_agreement_words(agreement)}".strip())
        self._fit()

    def _look_at_comments(self) -> None:
        editing = self._editing
        comments = editing.comments.open if editing is not None else []
        shown = (
            comments,
            editing.document.review if comments and editing else None,
            editing.selection if editing else "",
        )
        if shown == self._shown:
            return
        self._shown = shown
        for widget in (self.comments_title, self.comments, self.settle):
            widget.setVisible(bool(comments))
        if editing is not None and comments:
            is_back = editing.document.review in (Review.REJECTED, Review.FIXING)
            count = f"{len(comments)} comment{'s' * (len(comments) != 1)}"
            self.comments_title.setText(f"Sent back: {count} to settle" if is_back else count.capitalize())
            self.comments.show_lines(
                [(span.entity_id, _comment_words(span, editing.document)) for span in comments], editing.selection
            )
        self._fit()

    def _fit(self) -> None:
        """An empty panel takes no room, not even its spacing."""
        shown = (self.role, self.figures, self.comments_title)
        self.setVisible(any(not widget.isHidden() for widget in shown))

    def _choose(self, key: str) -> None:
        if self._editing is not None:
            self._editing.comparing.choose(key)

    def _go_to(self, entity_id: str) -> None:
        if self._editing is not None:
            self._editing.go_to(self._editing.find(entity_id))


def _place_words(place: Disagreement, document: Document, second: str) -> str:
    first = span_words(place.kind, place.first.value) if place.first else ""
    other = span_words(place.kind, place.second.value) if place.second else ""
    at = _time(document, place.start)
    noun = "left out" if place.kind is LabelKind.TRIM else place.kind.value
    if place.second is None:
        return f"{at} only the first: {first or noun}"
    if place.first is None:
        return f"{at} only {second}: {other or noun}"
    said = f"“{first}” / “{other}”" if not place.says_the_same else first or noun
    if place.agrees:
        return f"{at} {said}: alike"
    start, stop = place.boundary_errors
    return f"{at} {said}\nIoU {place.iou:.2f}, starts {start:+d}, ends {stop:+d} frames"


def _comment_words(span: Span, document: Document) -> str:
    return f"{_time(document, span.start)} {span.value}\n{span.author}"


def _left_words(count: int) -> str:
    if not count:
        return with_keys("Everything is settled: {submit:Ctrl+Enter} ends the comparison.")
    return f"{count} place{'s' * (count != 1)} to settle."


def _agreement_words(agreement: Agreement | None) -> str:
    if agreement is None:
        return ""
    said = agreement.instructions
    parts = [f"{flag.flag} κ {flag.kappa:.2f}" for flag in agreement.flags if flag.kappa is not None]
    if said.mean_iou is not None and said.boundary_error_frames is not None and said.text_match is not None:
        parts.insert(0, f"IoU {said.mean_iou:.2f}, edges ±{said.boundary_error_frames:.1f} frames")
        parts.insert(1, f"same words {said.text_match:.0%}")
    return ", ".join(parts)


def _time(document: Document, frame: int) -> str:
    edges = document.clock.edges_ns
    return time_text(int(edges[frame] - edges[0]) // 1_000_000, 100)


def _button(action: QAction, text: str) -> QPushButton:
    button = QPushButton(text)
    follow(button, action)
    return button
