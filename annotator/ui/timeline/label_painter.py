"""Paints the rows of labels with the ruler above them: what stands there, and what a hand is just making of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter

from annotator.model.timeline.axis import Axis
from annotator.ui.annotate.marking import Growing
from annotator.ui.annotate.span_words import span_colour, span_words
from annotator.ui.keys.bindings import with_keys
from annotator.ui.theme import Theme, blend, with_alpha
from annotator.ui.timeline.heat_painter import paint_heat
from annotator.ui.timeline.lane_painter import paint_grid, paint_ruler, plain
from annotator.ui.timeline.rows import Row, RowKind, Rows, ruler_px
from annotator.ui.timeline.span_painter import Look, paint_bars, paint_span, split_narrow
from db.clock import FrameClock
from db.labelling.labels import LabelKind

HINTS = {
    RowKind.INSTRUCTION: "Drag here to add an instruction, or press {mark_in:I}, {mark_out:O} and {write:Enter}",
    RowKind.FLAG: "Drag here, or press {flag_1:1} to {flag_7:7} where it starts and where it ends",
}
"""What an empty label row says; for `with_keys`."""


def paint_labels(
    painter: QPainter,
    axis: Axis,
    rows: Rows,
    clock: FrameClock,
    theme: Theme,
    ratio: float,
    *,
    selected: str = "",
    hovered: str = "",
    without: Collection[str] = (),
) -> None:
    """The ruler and every label row. `ratio` is the device's, `without` are ids of spans that stand elsewhere just now."""
    paint_grid(painter, axis, clock, ruler_px(), rows.labels_bottom - 5, theme)
    paint_ruler(painter, axis, clock, theme)
    for row in rows.labels:
        if row.heat is not None:
            paint_heat(painter, axis, QRectF(0, row.top, axis.width_px, row.height), row.heat, theme, ratio)
        else:
            _paint_row(painter, axis, row, theme, selected, hovered, without)


def _paint_row(
    painter: QPainter, axis: Axis, row: Row, theme: Theme, selected: str, hovered: str, without: Collection[str]
) -> None:
    area = QRectF(0, row.top, axis.width_px, row.height)
    with plain(painter):
        painter.fillRect(area, with_alpha(blend(theme.raised, theme.panel, 0.6), 0.75))
    if not len(row.lane):
        painter.setPen(QColor(theme.dim))
        hint = area.adjusted(8, 0, -8, 0)
        words = with_keys(HINTS.get(row.kind, ""))
        fitting = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(hint.width()))
        painter.drawText(hint, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, fitting)
        return
    bars, wide = split_narrow(axis, row.lane, {selected, hovered})
    if len(bars):  # one row has one colour
        first = row.lane.spans[0]
        with plain(painter):
            paint_bars(painter, row, bars, blend(span_colour(first.kind, first.value, theme), theme.panel, 0.6))
    for span in wide:
        if span.entity_id not in without:
            look = Look(
                span_words(span.kind, span.value),
                span_colour(span.kind, span.value, theme),
                is_selected=span.entity_id == selected,
                is_hovered=span.entity_id == hovered,
                is_suggested=span.suggested,
            )
            paint_span(painter, axis, row, span.start, span.stop, look, theme)


def paint_growing(painter: QPainter, axis: Axis, row: Row, labels: Iterable[Growing], theme: Theme) -> None:
    """What a key marks in this row while it plays."""
    for label in labels:
        if row.makes is label.kind and (label.kind is not LabelKind.FLAG or row.word in (label.value, "")):
            look = Look(label.value, span_colour(label.kind, label.value, theme), is_preview=True)
            paint_span(painter, axis, row, label.start, label.stop, look, theme)


def paint_preview(painter: QPainter, axis: Axis, row: Row, start: int, stop: int, text: str, theme: Theme) -> None:
    """Where a drag would leave a span of this row."""
    kind = row.suggests or row.makes or LabelKind.INSTRUCTION
    look = Look(span_words(kind, text), span_colour(kind, text, theme), is_selected=True)
    paint_span(painter, axis, row, start, stop, look, theme)
