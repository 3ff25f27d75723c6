"""Plots: values over time as lines, and counts as columns. Hovering says the figures; they can be copied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from annotator.ui.theme import Theme, small

LINES, GAP_PX, DOT_PX = 4, 8, 3.0
COLOURS = ("accent", "good", "warn", "key", "button", "bad")


@dataclass(frozen=True)
class Series:
    """One line or one set of columns: a value for every place of the axis, None where there is none."""

    name: str
    values: tuple[float | None, ...]
    colour: str = "accent"
    """The theme's name of it, or #rrggbb."""


class Chart(QWidget):
    """The axes, the grid, the tooltip and copying; what is drawn between them is the kinds' own."""

    def __init__(self, name: str, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.unit = unit
        self.places: list[str] = []
        self.series: list[Series] = []
        self._hovered = -1
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_series(self, places: Sequence[str], series: Sequence[Series]) -> None:
        """places: what stands under each value."""
        assert all(len(one.values) == len(places) for one in series)
        self.places, self.series = list(places), list(series)
        self.setAccessibleDescription(self.figures().replace("\n", "; ").replace("\t", " "))
        self.setToolTip("" if self.places else self.accessibleName())
        self.update()

    def figures(self) -> str:
        """The values as a table, columns set apart by tabs."""
        head = "\t".join(["", *(one.name for one in self.series)])
        lines = [
            "\t".join([place, *(self._number(one.values[at]) for one in self.series)])
            for at, place in enumerate(self.places)
        ]
        return "\n".join([head, *lines])

    def sizeHint(self) -> QSize:
        return QSize(320, round(QFontMetricsF(self.font()).height() * 9))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = self._place_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self._words(at) if at >= 0 else self.accessibleName(), self)
            return True
        return bool(super().event(event))

    def mouseMoveEvent(self, event) -> None:
        self._hover(self._place_at(event.position().x()))

    def leaveEvent(self, event) -> None:
        self._hover(-1)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Ctrl+C copies the figures; the arrows go through them."""
        assert event is not None
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif step and self.places:
            self._hover(min(max(self._hovered + step, 0), len(self.places) - 1))
            QToolTip.showText(self.mapToGlobal(self._top_of(self._hovered)), self._words(self._hovered), self)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        assert event is not None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy the figures", self.copy)
        menu.popup(event.globalPos())

    def copy(self) -> None:
        """Puts the figures on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        assert clipboard is not None
        clipboard.setText(self.figures())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, area = Theme.of(self.palette()), self._area()
        painter.setFont(small(self.font()))
        low, top = self._bottom(), self._top()
        for line in range(LINES + 1):
            y = area.bottom() - area.height() * line / LINES
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.dim))
            beside = QRectF(0, y - 10, area.left() - GAP_PX, 20)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(beside, right, self._number(low + (top - low) * line / LINES))
        self._paint_places(painter, area, theme)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        self._paint_series(painter, area, top, theme)

    def _paint_series(self, painter: QPainter, area: QRectF, top: float, theme: Theme) -> None:
        raise NotImplementedError

    def _paint_places(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        """As many names under the axis as there is room for, the last one always."""
        if not self.places:
            return
        metrics = QFontMetricsF(painter.font())
        wide = max(metrics.horizontalAdvance(place) for place in self.places) + GAP_PX
        every = max(math.ceil(len(self.places) * wide / max(area.width(), 1)), 1)
        painter.setPen(QColor(theme.dim))
        free = math.inf  # the last one is pushed in from the edge, which may leave the one before it no room
        for at in range(len(self.places) - 1, -1, -every):
            middle = self._x(area, at)
            left = min(max(middle - wide / 2, 0), self.width() - wide)
            if left + wide > free:
                continue
            free = left
            under = QRectF(left, area.bottom() + 2, wide, metrics.height() + 2)
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, self.places[at])

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(small(self.font()))
        low, top = self._bottom(), self._top()
        shown = [self._number(low + (top - low) * n / LINES) for n in range(LINES + 1)]
        left = max(map(metrics.horizontalAdvance, shown))
        return QRectF(self.rect()).adjusted(left + 2 * GAP_PX, GAP_PX, -GAP_PX, -metrics.height() - GAP_PX)

    def _x(self, area: QRectF, at: int) -> float:
        """The middle of a place."""
        return area.left() + area.width() * (at + 0.5) / max(len(self.places), 1)

    def _bottom(self) -> float:
        """What the lowest line stands for."""
        return 0.0

    def _top(self) -> float:
        """The greatest value, rounded up to what divides well."""
        values = [value for one in self.series for value in one.values if value is not None]
        most = max(values, default=0.0)
        if most <= 0:
            return 1.0
        unit = 10.0 ** math.floor(math.log10(most))
        return next(step * unit for step in (1, 2, 4, 6, 8, 10) if step * unit >= most)

    def _top_of(self, at: int):
        return QPointF(self._x(self._area(), at), self._area().top()).toPoint()

    def _place_at(self, x: float) -> int:
        area = self._area()
        at = math.floor((x - area.left()) / max(area.width(), 1) * len(self.places))
        return at if 0 <= at < len(self.places) else -1

    def _hover(self, at: int) -> None:
        if at != self._hovered:
            self._hovered = at
            self.update()

    def _words(self, at: int) -> str:
        unit = f" {self.unit}" if self.unit else ""
        said = [f"{one.name}: {self._number(v)}{unit}" for one in self.series if (v := one.values[at]) is not None]
        return "\n".join([self.places[at], *(said or ["nothing"])])

    def _number(self, value: float | None) -> str:
        if value is None:
            return ""
        return f"{value:.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


class LineChart(Chart):
    """A line for each series through its dots; places without a value are passed over."""

    def _paint_series(self, painter: QPainter, area: QRectF, top: float, theme: Theme) -> None:
        for one in self.series:
            colour = QColor(getattr(theme, one.colour, one.colour))
            painter.setPen(QPen(colour, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            points = [
                None if value is None else QPointF(self._x(area, at), area.bottom() - area.height() * value / top)
                for at, value in enumerate(one.values)
            ]
            path = QPainterPath()
            for point in filter(None, points):
                (path.lineTo if path.elementCount() else path.moveTo)(point)
            painter.drawPath(path)
            painter.setBrush(colour)
            for at, point in enumerate(points):
                if point is not None:
                    size = DOT_PX * (1.6 if at == self._hovered else 1.0)
                    painter.drawEllipse(point, size, size)


class ColumnChart(Chart):
    """Columns side by side for each place."""

    def _paint_series(self, painter: QPainter, area: QRectF, top: float, theme: Theme) -> None:
        if not self.places or not self.series:
            return
        room = area.width() / len(self.places)
        wide = max((room - min(room * 0.25, GAP_PX)) / len(self.series), 1)
        painter.setPen(Qt.PenStyle.NoPen)
        for number, one in enumerate(self.series):
            for at, value in enumerate(one.values):
                if not value:
                    continue
                colour = QColor(getattr(theme, one.colour, one.colour))
                painter.setBrush(colour.lighter(120) if at == self._hovered else colour)
                left = area.left() + room * at + (room - wide * len(self.series)) / 2 + wide * number
                height = max(area.height() * value / top, 1)
                painter.drawRect(QRectF(left, area.bottom() - height, max(wide - 1, 1), height))
