"""Rows of a name, a figure and a bar of coloured stretches: progress, statistics, disk use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPainterPath, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from annotator.ui.theme import Theme, small

BAR_PX, GAP_PX = 8, 12


@dataclass(frozen=True)
class Bar:
    """One row. Each stretch is (share of the full width in [0, 1], the theme's name of its colour, or #rrggbb)."""

    name: str
    figure: str
    stretches: tuple[tuple[float, str], ...]


class Bars(QWidget):
    """Shows bars from the top down; as tall as they need."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: list[Bar] = []
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_bars(self, bars: Sequence[Bar]) -> None:
        if list(bars) == self.bars:
            return
        self.bars = list(bars)
        self.setAccessibleDescription("; ".join(f"{bar.name}: {bar.figure}" for bar in self.bars))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, max(round(self._row_px() * len(self.bars)), 1))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = int(event.pos().y() // self._row_px())
            if 0 <= row < len(self.bars):
                QToolTip.showText(event.globalPos(), f"{self.bars[row].name}: {self.bars[row].figure}", self)
            return True
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, height = Theme.of(self.palette()), self._row_px()
        for row, bar in enumerate(self.bars):
            area = QRectF(0, row * height, self.width(), height)
            if area.intersects(QRectF(event.rect())):
                self._paint_bar(painter, area, bar, theme)

    def _paint_bar(self, painter: QPainter, area: QRectF, bar: Bar, theme: Theme) -> None:
        text = QRectF(area.left(), area.top(), area.width(), area.height() - BAR_PX - GAP_PX)
        painter.setFont(small(self.font()))
        metrics = QFontMetricsF(painter.font())
        wide = metrics.horizontalAdvance(bar.figure)
        painter.setPen(QColor(theme.dim))
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, bar.figure)
        painter.setFont(self.font())
        painter.setPen(QColor(theme.text))
        room = text.adjusted(0, 0, -wide - 12, 0)
        name = QFontMetricsF(self.font()).elidedText(bar.name, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        track = QRectF(area.left(), text.bottom() + 2, area.width(), BAR_PX)
        path = QPainterPath()
        path.addRoundedRect(track, BAR_PX / 2, BAR_PX / 2)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(track, QColor(theme.raised))
        left = track.left()
        for share, colour in bar.stretches:
            width = track.width() * min(max(share, 0.0), 1.0)
            if 0 < width < 2:
                width = 2.0  # what is there is seen
            painter.fillRect(QRectF(left, track.top(), width, BAR_PX), QColor(getattr(theme, colour, colour)))
            left += width
        painter.restore()

    def _row_px(self) -> float:
        return QFontMetricsF(self.font()).height() + 4 + BAR_PX + GAP_PX


def time_words(seconds: float) -> str:
    """Such as `4.2 s`, `42 s`, `12.5 min`, `3.2 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def byte_words(count: float) -> str:
    """Such as `812 kB`, `3.4 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
