"""The table of a session's spans, beside the timeline."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QEvent, QItemSelectionModel, QModelIndex, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from annotator.model.document import Document, Span
from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.span_words import span_colour, span_words
from annotator.ui.sessions.row_changes import change_rows
from annotator.ui.text_size import grown
from annotator.ui.theme import Theme, small
from annotator.ui.timeline.lane_painter import time_text
from db.labelling.labels import LabelKind

NARROW_LETTERS = 28
"""Below this width the lengths are left out."""
NOTHING = "Nothing is labelled yet. Mark a stretch in the timeline and write what is done in it, or flag it."
COLUMNS = ("Label", "From", "Length")
FEW = 50
"""So many changes are told one by one."""
NAMES = {
    LabelKind.INSTRUCTION: "instruction",
    LabelKind.FLAG: "flag",
    LabelKind.TRIM: "trim",
    LabelKind.ACTION: "correction of inputs",
    LabelKind.COMMENT: "comment",
}


class SpanModel(QAbstractTableModel):
    """Spans in force in the order of `Document.spans`; only rows that changed are told to the views."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._widget = parent
        self._document: Document | None = None
        self.spans: list[Span] = []
        """Ascending, as the rows are."""
        self._known: dict[str, Span] = {}

    def set_document(self, document: Document | None) -> None:
        self.beginResetModel()
        self._document = document
        self.spans = document.spans() if document else []
        self._known = {span.entity_id: span for span in self.spans}
        self.endResetModel()

    def refresh(self, changed: Collection[str] | None = None) -> None:
        """Takes over what the document says now of the entities in `changed`, or of all."""
        if changed is None or len(changed) > FEW:
            self._refresh_all()
            return
        document = self._document
        for entity_id in changed:
            head = document.head(entity_id) if document else None
            is_span = head is not None and head.kind.is_span and not head.deleted
            span = document.span(entity_id) if document and is_span else None
            row = self.row_of(entity_id)
            if span is None and row >= 0:
                self._remove(row, 1)
            elif span is not None and row < 0:
                self._insert(bisect_left(self.spans, span), [span])
            elif span is not None and span != self.spans[row]:
                self._replace(row, span)

    def _refresh_all(self) -> None:
        fresh = self._document.spans() if self._document else []
        new = {span.entity_id: span for span in fresh}

        def insert(at: int, first: int, count: int) -> None:
            self._insert(at, fresh[first : first + count])

        change_rows([s.entity_id for s in self.spans], [s.entity_id for s in fresh], self._remove, insert)
        for row, span in enumerate(self.spans):
            if span != new[span.entity_id]:
                self._put(row, new[span.entity_id])

    def _remove(self, first: int, count: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, first + count - 1)
        for span in self.spans[first : first + count]:
            del self._known[span.entity_id]
        del self.spans[first : first + count]
        self.endRemoveRows()

    def _insert(self, at: int, spans: Sequence[Span]) -> None:
        self.beginInsertRows(QModelIndex(), at, at + len(spans) - 1)
        self.spans[at:at] = spans
        self._known.update((span.entity_id, span) for span in spans)
        self.endInsertRows()

    def _replace(self, row: int, span: Span) -> None:
        """Another version of a row, at the place to which that belongs."""
        at = bisect_left(self.spans, span)
        if at not in (row, row + 1):
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), at)
            self.spans.insert(at - (at > row), self.spans.pop(row))
            self.endMoveRows()
            row = at - (at > row)
        self._put(row, span)

    def _put(self, row: int, span: Span) -> None:
        self.spans[row] = self._known[span.entity_id] = span
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def row_of(self, entity_id: str) -> int:
        span = self._known.get(entity_id)
        return -1 if span is None else bisect_left(self.spans, span)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.spans)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._document is None or index.row() >= len(self.spans):
            return None
        span = self.spans[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(span, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            theme = Theme.of(self._widget.palette())
            return span_colour(span.kind, span.value, theme)
        if role == Qt.ItemDataRole.ToolTipRole:
            kind = f"{'suggested ' * span.suggested}{NAMES[span.kind]}"
            words = span_words(span.kind, span.value) or "No text yet"
            return f"{words}\n{kind}, frames {span.start} to {span.stop - 1}, by {span.author}"
        return None

    def _text(self, span: Span, column: int) -> str:
        assert self._document is not None
        edges = self._document.clock.edges_ns
        if column == 0:
            text = span_words(span.kind, span.value) or "no text yet"
            return f"? {text}" if span.suggested else text
        if column == 1:
            return time_text(int(edges[span.start] - edges[0]) // 1_000_000, 100)
        seconds = (edges[span.stop] - edges[span.start]) / 1e9
        return f"{seconds:.1f} s" if round(seconds, 2) >= 1 else f"{seconds:.2f} s"  # a single frame is no 0.0 s


class SpanTable(QTableView):
    """Selecting a row selects the span everywhere and goes to it; a double click edits its text."""

    text_wanted = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spans = SpanModel(self)
        self.setModel(self.spans)
        self._editing: Editing | None = None
        self.setAccessibleName("Labels")
        self.setToolTip("The session's labels; a click goes there, a double click edits the text")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setIconSize(QSize(10, 10))
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(grown(26))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setFont(small(self.font()))
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Fixed)
        self.clicked.connect(self._on_clicked)
        self.doubleClicked.connect(lambda index: self.text_wanted.emit(self.spans.spans[index.row()].entity_id))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is room for little else, the label is what counts."""
        super().resizeEvent(event)
        self.setColumnHidden(2, event.size().width() < NARROW_LETTERS * self.fontMetrics().averageCharWidth())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Says it where there is nothing yet."""
        super().paintEvent(event)
        if self._editing is not None and not self.spans.spans:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(Theme.of(self.palette()).dim))
            area = self.viewport().rect().adjusted(12, 12, -12, -12)
            painter.drawText(area, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop, NOTHING)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.verticalHeader().setDefaultSectionSize(grown(26))
            self._fit_columns()

    def _fit_columns(self) -> None:
        """Room for the longest time that there can be: to measure thousands of rows would hold the window up."""
        duration_ns = self._editing.document.clock.duration_ns if self._editing else 0
        longest = (time_text(duration_ns // 1_000_000, 100), f"{max(duration_ns / 1e9, 10):.1f} s")
        header = self.horizontalHeader()
        for column, text in enumerate(longest, start=1):
            own = self.fontMetrics().horizontalAdvance(text)
            self.setColumnWidth(column, max(own, header.fontMetrics().horizontalAdvance(COLUMNS[column])) + grown(20))

    def show_editing(self, editing: Editing | None) -> None:
        self._editing = editing
        self.spans.set_document(editing.document if editing else None)
        self._fit_columns()
        if editing is not None:
            editing.changed.connect(self._on_changed)
            editing.selected.connect(self._on_selected)

    def _on_changed(self, entities: frozenset[str]) -> None:
        self.spans.refresh(entities)
        if self._editing is not None:
            self._on_selected(self._editing.selection)

    def _on_selected(self, entity_id: str) -> None:
        row = self.spans.row_of(entity_id)
        if row < 0:
            self.clearSelection()
            return
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(self.spans.index(row, 0), flags)

    def _on_clicked(self, index: QModelIndex) -> None:
        if self._editing is not None:
            span = self.spans.spans[index.row()]
            self._editing.select(span.entity_id)
            self._editing.player.pause()
            self._editing.player.seek(span.start)
