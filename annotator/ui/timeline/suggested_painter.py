"""Paints the holds that a model suggests: outlined and pale, so that nobody takes them for what was recorded."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from annotator.model.timeline.axis import Axis
from annotator.model.timeline.lanes import KeyLane
from annotator.ui.theme import Theme, with_alpha
from annotator.ui.timeline.rows import Rows

MOST_BOXES = 120
"""Above so many in view a row is painted from its coverage per pixel."""


def paint_suggested(painter: QPainter, axis: Axis, rows: Rows, edges: np.ndarray, theme: Theme) -> None:
    """edges: the positions of the view's pixels, ascending."""
    pen = QPen(QColor(theme.accent), 1, Qt.PenStyle.DashLine)
    pen.setDashPattern([3, 2])
    for row in rows.signals:
        if row.suggested is not None:
            area = QRectF(0, row.top + 2.5, axis.width_px, row.height - 5)
            _paint(painter, axis, row.suggested, area, edges, pen, theme)


def _paint(
    painter: QPainter, axis: Axis, lane: KeyLane, area: QRectF, edges: np.ndarray, pen: QPen, theme: Theme
) -> None:
    seen = lane.visible(axis.left, axis.right)
    if seen.stop - seen.start > MOST_BOXES:
        painter.drawImage(area, _strip(lane.coverage(edges) * 0.4, QColor(theme.accent)))
        return
    painter.setPen(pen)
    painter.setBrush(with_alpha(theme.accent, 0.22))
    for start, stop in zip(lane.start[seen].tolist(), lane.stop[seen].tolist(), strict=True):
        left, right = max(axis.x(start), -8.0), min(axis.x(stop), axis.width_px + 8.0)
        painter.drawRect(QRectF(left, area.top(), max(right - left, 2.0), area.height()))


def _strip(coverage: np.ndarray, colour: QColor) -> QImage:
    """(W,) shares -> a W x 1 picture of the colour at these opacities."""
    channels = np.array([colour.blue(), colour.green(), colour.red(), 255], np.float32)
    pixels = np.ascontiguousarray((np.clip(coverage, 0, 1)[:, None] * channels).astype(np.uint8))
    return QImage(pixels.tobytes(), len(pixels), 1, 4 * len(pixels), QImage.Format.Format_ARGB32_Premultiplied).copy()
