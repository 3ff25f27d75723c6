"""Paints label spans: instructions with their text, flags in their colours, suggestions dashed and hatched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainter, QPen

from annotator.model.document import Span
from annotator.model.timeline.axis import Axis
from annotator.model.timeline.span_lane import SpanLane
from annotator.ui.theme import Theme, blend, contrast, with_alpha
from annotator.ui.timeline.rows import Row

TEXT_MARGIN_PX, LEAST_PX = 8, 3.0
LEAST_TEXT_PX = 16
"""No text is tried in less."""
NARROW_PX = 6
"""Below this a span is a plain bar: there may be thousands in view."""


Bars = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """How one span is drawn."""

    text: str
    colour: QColor
    is_selected: bool = False
    is_hovered: bool = False
    is_preview: bool = False
    is_suggested: bool = False


def span_rect(axis: Axis, row: Row, start: int, stop: int) -> QRectF:
    """Where frames `[start, stop)` stand in a row; never narrower than 3 px, so that it can be hit."""
    left = axis.x(start)
    return QRectF(left, row.top + 1, max(axis.x(stop) - left, LEAST_PX), row.height - 2)


def paint_span(painter: QPainter, axis: Axis, row: Row, start: int, stop: int, look: Look, theme: Theme) -> None:
    area = span_rect(axis, row, start, stop)
    if area.right() < 0 or area.left() > axis.width_px:
        return
    area.setLeft(max(area.left(), -12.0))
    area.setRight(min(area.right(), axis.width_px + 12.0))
    colour = look.colour
    coat = _coat(colour.rgb(), look.is_selected, look.is_hovered, look.is_suggested or look.is_preview, theme)
    if area.width() < NARROW_PX:
        painter.fillRect(area, coat.bar)
        return
    corner = min(4.0, area.width() / 3)
    painter.setPen(coat.border)
    painter.setBrush(coat.fill)
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), corner, corner)
    if look.is_suggested:
        painter.setBrush(QBrush(with_alpha(colour, 0.5), Qt.BrushStyle.BDiagPattern))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), corner, corner)
    if look.is_selected and area.width() > 24:
        _paint_handles(painter, area, QColor(theme.on_accent))
    _paint_text(painter, axis, area, look, coat.ink)


@dataclass(frozen=True)
class _Coat:
    """How spans of one colour and state are drawn."""

    border: QPen
    fill: QColor
    bar: QColor
    ink: QColor


@lru_cache(maxsize=512)
def _coat(rgb: int, is_selected: bool, is_hovered: bool, is_open: bool, theme: Theme) -> _Coat:
    """is_open: a suggestion, or one that is not there yet."""
    colour = QColor.fromRgb(rgb)
    strength = 0.85 if is_selected else 0.42 if is_hovered else 0.30
    border = QPen(blend(colour, theme.text, 0.75) if is_selected else with_alpha(colour, 0.9), 1)
    if is_open:
        border.setStyle(Qt.PenStyle.DashLine)
    fill = blend(colour, theme.panel, strength * 0.6 if is_open else strength)
    return _Coat(border, fill, blend(colour, theme.panel, max(strength, 0.6)), _ink(fill))


def split_narrow(axis: Axis, lane: SpanLane, marked: Collection[str]) -> tuple[Bars, list[Span]]:
    """What of a lane is in view: the spans too narrow for a text, as bars, and the others, with those in `marked` (ids).

    The bars are (B, 2) pixels [left, right), ascending; spans that touch on screen are one bar.
    """
    seen = lane.visible(axis.left, axis.right)
    starts, stops = lane.starts[seen], lane.stops[seen]
    narrow = (stops - starts) * axis.px_per_frame < NARROW_PX
    spans = lane.spans[seen]
    wide = [spans[i] for i in np.flatnonzero(~narrow).tolist()]
    wide += [span for span in spans if span.entity_id in marked and len(span) * axis.px_per_frame < NARROW_PX]
    lefts = (starts[narrow] - axis.left) * axis.px_per_frame
    rights = np.maximum.accumulate(np.maximum((stops[narrow] - axis.left) * axis.px_per_frame, lefts + LEAST_PX))
    begins = np.ones(len(lefts), np.bool_)
    begins[1:] = lefts[1:] > rights[:-1]
    ends = np.append(begins[1:], True)[: len(lefts)]
    return np.stack([lefts[begins], rights[ends]], axis=1), wide


def paint_bars(painter: QPainter, row: Row, bars: Bars, fill: QColor) -> None:
    """All at once: there may be thousands."""
    top, height = row.top + 1, row.height - 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRects([QRectF(left, top, right - left, height) for left, right in bars.tolist()])


def _ink(fill: QColor) -> QColor:
    """White or near-black, whichever reads better on the fill."""
    return QColor(_ink_name(fill.name()))


@lru_cache(maxsize=1024)
def _ink_name(fill: str) -> str:
    return max("#ffffff", "#0f1218", key=lambda ink: contrast(ink, fill))


def _paint_handles(painter: QPainter, area: QRectF, ink: QColor) -> None:
    painter.setPen(QPen(with_alpha(ink, 0.8), 1.5))
    for x in (area.left() + 4, area.right() - 4):
        painter.drawLine(QPointF(x, area.center().y() - 4), QPointF(x, area.center().y() + 4))


def _paint_text(painter: QPainter, axis: Axis, area: QRectF, look: Look, ink: QColor) -> None:
    """The text stays readable at the left edge of the view while its span begins further left."""
    inner = area.adjusted(TEXT_MARGIN_PX, 0, -TEXT_MARGIN_PX, 0)
    inner.setLeft(max(inner.left(), 4.0))
    inner.setRight(min(inner.right(), axis.width_px - 4.0))
    if inner.width() < LEAST_TEXT_PX:
        return
    metrics = painter.fontMetrics()
    text = look.text or "no text yet"
    if inner.width() < metrics.horizontalAdvance(text[:3] + "…"):
        return
    painter.setPen(with_alpha(ink, 1.0 if look.text else 0.65))
    painter.drawText(
        inner,
        Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
        metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(inner.width())),
    )
