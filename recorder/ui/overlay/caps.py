"""What the model presses at this moment: a cap for every key, and an arrow for the mouse."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from recorder.ui.theme import Theme

HEIGHT_PX = 34
_GAP_PX, _PAD_PX, _DIAL_PX = 6, 10, 34
_FULL_COUNTS = 60.0
"""A motion of so many counts a tick draws the arrow at its full length."""


class Caps(QWidget):
    """`show_held` fills it; it keeps its height, so that nothing beside it jumps."""

    def __init__(self) -> None:
        super().__init__()
        self._down: tuple[str, ...] = ()
        self._motion = (0.0, 0.0)
        self.setFixedHeight(HEIGHT_PX)
        self.setToolTip("What the model holds down, and how it moves the mouse")

    def show_held(self, down: Sequence[str], motion: tuple[float, float]) -> None:
        """down: labels of keys; motion: device counts of the tick, right and down."""
        if (tuple(down), motion) == (self._down, self._motion):
            return
        self._down, self._motion = tuple(down), motion
        self.setAccessibleName("Pressed: " + (", ".join(down) or "nothing"))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_dial(painter, theme)
        left = _DIAL_PX + 2 * _GAP_PX
        if not self._down:
            painter.setPen(QColor(theme.dim))
            painter.drawText(self.rect().adjusted(left, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), "no key")
        for place, name in enumerate(self._down):
            width = max(painter.fontMetrics().horizontalAdvance(name) + 2 * _PAD_PX, HEIGHT_PX - 4)
            rest = len(self._down) - place
            if left + width > self.width() - (30 if rest > 1 else 0):
                painter.setPen(QColor(theme.dim))
                painter.drawText(QRectF(left, 0, 40, HEIGHT_PX), int(Qt.AlignmentFlag.AlignVCenter), f"+{rest}")
                return
            self._draw_cap(painter, theme, QRectF(left + 0.5, 2.5, width, HEIGHT_PX - 5), name)
            left += width + _GAP_PX

    def _draw_cap(self, painter: QPainter, theme: Theme, box: QRectF, name: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QColor(theme.on_accent))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), name)

    def _draw_dial(self, painter: QPainter, theme: Theme) -> None:
        middle, radius = QPointF(_DIAL_PX / 2, HEIGHT_PX / 2), _DIAL_PX / 2 - 3
        painter.setPen(QPen(QColor(theme.line), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, radius, radius)
        dx, dy = self._motion
        size = math.hypot(dx, dy)
        if size < 0.5:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.dim))
            painter.drawEllipse(middle, 2, 2)
            return
        length = radius * max(min(size / _FULL_COUNTS, 1.0), 0.3)
        tip = middle + QPointF(dx, dy) / size * length
        painter.setPen(QPen(QColor(theme.accent), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(middle, tip)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        painter.drawEllipse(tip, 3.5, 3.5)
