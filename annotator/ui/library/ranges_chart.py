"""Rows of a name, a value with its confidence as a whisker over a bar, and what the value means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from annotator.ui.theme import Theme, small

BAR_PX, ROW_GAP_PX = 10, 12


@dataclass(frozen=True)
class Ranged:
    """One row. value, low, high: in the chart's units; None where unknown."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    figure: str
    """What stands at its right."""
    tip: str = ""


class RangesChart(QWidget):
    """Bars from `least` to the value, on one scale up to `most`, with a line at what is good."""

    def __init__(self, name: str, least: float, most: float, good: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least, self._most, self._good = least, most, good
        self.rows: list[Ranged] = []
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_rows(self, rows: Sequence[Ranged], most: float | None = None) -> None:
        self.rows, self._most = list(rows), most or self._most
        self.setAccessibleDescription("; ".join(f"{row.name}: {row.figure}" for row in self.rows))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, max(round(self._row_px() * len(self.rows)), 1))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = int(event.pos().y() // self._row_px())
            if 0 <= at < len(self.rows):
                row = self.rows[at]
                QToolTip.showText(event.globalPos(), f"{row.name}: {row.figure}\n{row.tip}".strip(), self)
            return True
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, height = Theme.of(self.palette()), self._row_px()
        for at, row in enumerate(self.rows):
            self._paint_row(painter, QRectF(0, at * height, self.width(), height), row, theme)

    def _paint_row(self, painter: QPainter, area: QRectF, row: Ranged, theme: Theme) -> None:
        text = QRectF(area.left(), area.top(), area.width(), area.height() - BAR_PX - ROW_GAP_PX)
        painter.setFont(small(self.font()))
        wide = QFontMetricsF(painter.font()).horizontalAdvance(row.figure)
        painter.setPen(QColor(theme.dim))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | middle, row.figure)
        painter.setFont(self.font())
        painter.setPen(QColor(theme.text))
        room = text.adjusted(0, 0, -wide - 12, 0)
        name = QFontMetricsF(self.font()).elidedText(row.name, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, name)
        track = QRectF(area.left(), text.bottom() + 2, area.width(), BAR_PX)
        painter.fillRect(track, QColor(theme.raised))
        if row.value is not None:
            bar = QRectF(track.left(), track.top() + 2, self._x(row.value), BAR_PX - 4)
            painter.fillRect(bar, QColor(theme.accent))
        painter.setPen(QPen(QColor(theme.good), 2))
        good = track.left() + self._x(self._good)
        painter.drawLine(QPointF(good, track.top() - 1), QPointF(good, track.bottom() + 1))
        if row.low is not None and row.high is not None:
            painter.setPen(QPen(QColor(theme.text), 1.5))
            y, left, right = track.center().y(), track.left() + self._x(row.low), track.left() + self._x(row.high)
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            for end in (left, right):
                painter.drawLine(QPointF(end, track.top() + 1), QPointF(end, track.bottom() - 1))

    def _x(self, value: float) -> float:
        share = (value - self._least) / max(self._most - self._least, 1e-9)
        return self.width() * min(max(share, 0.0), 1.0)

    def _row_px(self) -> float:
        return QFontMetricsF(self.font()).height() + 4 + BAR_PX + ROW_GAP_PX
