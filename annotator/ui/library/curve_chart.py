"""Curves over training steps: each value faint, and through them a smooth line; what is measured now and then, with dots."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from annotator.model.library.runs import Curve
from annotator.ui.library.charts import DOT_PX, GAP_PX, LINES, Chart, Series
from annotator.ui.theme import Theme, with_alpha

MOST_POINTS = 400
SMOOTHED_SHARE = 1 / 20
"""Over how much of a curve its smooth line looks back."""


@dataclass(frozen=True)
class CurveSpec:
    """One curve. A smooth one has its single values behind it."""

    name: str
    points: Curve
    colour: str
    is_smooth: bool = False


class CurveChart(Chart):
    """As wide as the run's steps; the axis holds what is there rather than zero."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, "", parent)
        self._steps: list[int] = []
        self._raw: dict[str, list[float | None]] = {}
        self._last_step = 1
        self._range = (0.0, 1.0)
        self._shown: tuple[object, ...] = ()

    def show_curves(self, curves: Sequence[CurveSpec], steps: int) -> None:
        """steps: of the whole run, so that what is still to come stays empty."""
        if self._shown == (tuple(curves), steps):
            return
        self._shown = (tuple(curves), steps)
        thin = [(curve, _thinned(curve.points)) for curve in curves if curve.points]
        self._steps = sorted({step for _, points in thin for step, _ in points})
        self._last_step = max([steps, 1, *self._steps[-1:]])
        self._raw, series = {}, []
        for curve, points in thin:
            known = dict(points)
            values = [known.get(step) for step in self._steps]
            if curve.is_smooth:
                self._raw[curve.name] = values
                smooth = dict(zip(known, _smoothed(list(known.values())), strict=True))
                values = [smooth.get(step) for step in self._steps]
            series.append(Series(curve.name, tuple(values), curve.colour))
        self._range = _nice_range([value for one in series for value in one.values if value is not None])
        self.show_series([f"step {step:,}" for step in self._steps], series)

    def sizeHint(self) -> QSize:
        return QSize(320, round(QFontMetricsF(self.font()).height() * 12))

    def _bottom(self) -> float:
        return self._range[0]

    def _top(self) -> float:
        return self._range[1]

    def _x(self, area: QRectF, at: int) -> float:
        return area.left() + area.width() * self._steps[at] / self._last_step

    def _place_at(self, x: float) -> int:
        area = self._area()
        if not self._steps or not area.left() <= x <= area.right():
            return -1
        step = (x - area.left()) / max(area.width(), 1) * self._last_step
        at = bisect_left(self._steps, step)
        near = [place for place in (at - 1, at) if 0 <= place < len(self._steps)]
        return min(near, key=lambda place: abs(self._steps[place] - step))

    def _paint_places(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        metrics = QFontMetricsF(painter.font())
        painter.setPen(QColor(theme.dim))
        for number in range(LINES + 1):
            step = round(self._last_step * number / LINES)
            text = f"{step:,}"
            wide = metrics.horizontalAdvance(text) + GAP_PX
            middle = area.left() + area.width() * step / self._last_step
            left = min(max(middle - wide / 2, 0), self.width() - wide)
            painter.drawText(
                QRectF(left, area.bottom() + 2, wide, metrics.height() + 2), Qt.AlignmentFlag.AlignCenter, text
            )

    def _paint_series(self, painter: QPainter, area: QRectF, top: float, theme: Theme) -> None:
        painter.setClipRect(area.adjusted(-DOT_PX, -DOT_PX, DOT_PX, DOT_PX))
        for one in self.series:
            colour = QColor(getattr(theme, one.colour, one.colour))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            raw = self._raw.get(one.name)
            if raw is not None:
                painter.setPen(QPen(with_alpha(colour, 0.3), 1))
                painter.drawPolyline(QPolygonF(self._points(area, raw)))
            points = self._points(area, one.values)
            painter.setPen(QPen(colour, 2))
            painter.drawPolyline(QPolygonF(points))
            if raw is None:
                painter.setBrush(colour)
                for point in points:
                    painter.drawEllipse(point, DOT_PX, DOT_PX)
        if 0 <= self._hovered < len(self._steps):
            x = self._x(area, self._hovered)
            painter.setPen(QPen(QColor(theme.dim), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _points(self, area: QRectF, values: Sequence[float | None]) -> list[QPointF]:
        low, high = self._range
        return [
            QPointF(self._x(area, at), area.bottom() - area.height() * (value - low) / (high - low))
            for at, value in enumerate(values)
            if value is not None
        ]


def _thinned(points: Curve) -> Curve:
    """At most MOST_POINTS: the mean of every so many, at the last step of them."""
    every = math.ceil(len(points) / MOST_POINTS)
    if every <= 1:
        return points
    parts = [points[at : at + every] for at in range(0, len(points), every)]
    return tuple((part[-1][0], sum(value for _, value in part) / len(part)) for part in parts)


def _smoothed(values: list[float]) -> list[float]:
    """An exponential moving average without the pull of its beginning."""
    found, total, weight = [], 0.0, 0.0
    kept = 1 - 2 / (max(len(values) * SMOOTHED_SHARE, 2) + 1)
    for value in values:
        total, weight = total * kept + value, weight * kept + 1
        found.append(total / weight)
    return found


def _nice_range(values: Sequence[float]) -> tuple[float, float]:
    """A little more than these values, with ends that are easily read."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    unit = 10.0 ** math.floor(math.log10(max(high - low, abs(high) * 1e-3, 1e-6)))
    step = next(part * unit for part in (0.5, 1, 2, 4, 8, 10) if part * unit * LINES >= high - low)
    first = math.floor(low / step) * step
    while first + step * LINES < high:
        step *= 2
        first = math.floor(low / step) * step
    return first, first + step * LINES
