"""The signs of the recorder, drawn to any size: for the banner, the pill, buttons and the tray."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QBrush, QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from recorder.ui.live.faces import Shape
from recorder.ui.theme import Tone


def draw(painter: QPainter, shape: Shape, box: QRectF, ink: QColor | str) -> None:
    """Draws the sign into the square `box` with this colour."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / 24, box.height() / 24)
    pen = QPen(QColor(ink), 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAWN[shape](painter, QBrush(QColor(ink)))
    painter.restore()


def icon(shape: Shape, ink: QColor | str, size_px: int = 20) -> QIcon:
    """The sign alone, for a button."""
    made = QIcon()
    made.addPixmap(_pixmap(size_px, lambda painter, box: draw(painter, shape, box, ink)))
    return made


def badge(shape: Shape, tone: Tone, size_px: int = 64) -> QIcon:
    """The sign on its ground, for the tray and the window."""

    def paint(painter: QPainter, box: QRectF) -> None:
        ground = QPainterPath()
        ground.addRoundedRect(box, box.width() * 0.22, box.width() * 0.22)
        painter.fillPath(ground, QColor(tone.ground))
        inset = box.width() * 0.2
        draw(painter, shape, box.adjusted(inset, inset, -inset, -inset), tone.ink)

    return QIcon(_pixmap(size_px, paint))


def _pixmap(size_px: int, paint: Callable[[QPainter, QRectF], None]) -> QPixmap:
    made = QPixmap(QSize(size_px * 2, size_px * 2))
    made.fill(Qt.GlobalColor.transparent)
    made.setDevicePixelRatio(2)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return made


def _ring(painter: QPainter, _: QBrush) -> None:
    painter.drawEllipse(QPointF(12, 12), 8.5, 8.5)


def _disc(painter: QPainter, fill: QBrush) -> None:
    painter.setBrush(fill)
    painter.drawEllipse(QPointF(12, 12), 9, 9)


def _bars(painter: QPainter, fill: QBrush) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    for left in (4.5, 14.0):
        painter.drawRoundedRect(QRectF(left, 3, 5.5, 18), 1.2, 1.2)


def _slashed_key(painter: QPainter, fill: QBrush) -> None:
    painter.drawRoundedRect(QRectF(2.5, 6, 19, 12), 2, 2)
    for x in (7.0, 12.0, 17.0):
        painter.drawPoint(QPointF(x, 10))
    painter.drawLine(QPointF(8, 14), QPointF(16, 14))
    pen = painter.pen()
    pen.setWidthF(3)
    painter.setPen(pen)
    painter.drawLine(QPointF(3.5, 21), QPointF(20.5, 3))


def _hourglass(painter: QPainter, fill: QBrush) -> None:
    painter.drawLine(QPointF(5.5, 3), QPointF(18.5, 3))
    painter.drawLine(QPointF(5.5, 21), QPointF(18.5, 21))
    glass = QPainterPath(QPointF(7, 3))
    glass.cubicTo(7, 9, 11, 9, 11, 12)
    glass.cubicTo(11, 15, 7, 15, 7, 21)
    glass.lineTo(17, 21)
    glass.cubicTo(17, 15, 13, 15, 13, 12)
    glass.cubicTo(13, 9, 17, 9, 17, 3)
    painter.drawPath(glass)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(QPolygonF([QPointF(8.5, 20), QPointF(15.5, 20), QPointF(12, 15.5)]))


def _tick(painter: QPainter, _: QBrush) -> None:
    painter.drawPolyline(QPolygonF([QPointF(4.5, 12.5), QPointF(10, 18), QPointF(19.5, 6.5)]))


def _cross(painter: QPainter, _: QBrush) -> None:
    painter.drawLine(QPointF(6, 6), QPointF(18, 18))
    painter.drawLine(QPointF(18, 6), QPointF(6, 18))


def _triangle(painter: QPainter, fill: QBrush) -> None:
    painter.drawPolygon(QPolygonF([QPointF(12, 3), QPointF(22, 20.5), QPointF(2, 20.5)]))
    painter.drawLine(QPointF(12, 9.5), QPointF(12, 14))
    painter.drawPoint(QPointF(12, 17.4))


def _square(painter: QPainter, fill: QBrush) -> None:
    painter.setBrush(fill)
    painter.drawRoundedRect(QRectF(5, 5, 14, 14), 1, 1)


def _scissors(painter: QPainter, _: QBrush) -> None:
    for y, far in ((6.5, 19.0), (17.5, 5.0)):
        painter.drawEllipse(QPointF(5.5, y), 3, 3)
        painter.drawLine(QPointF(8.1, y + (1.6 if y < 12 else -1.6)), QPointF(21, far))


def _play(painter: QPainter, fill: QBrush) -> None:
    painter.setBrush(fill)
    painter.drawPolygon(QPolygonF([QPointF(7, 4), QPointF(20, 12), QPointF(7, 20)]))


_DRAWN: dict[Shape, Callable[[QPainter, QBrush], None]] = {
    Shape.RING: _ring, Shape.DISC: _disc, Shape.BARS: _bars, Shape.SLASHED_KEY: _slashed_key,
    Shape.HOURGLASS: _hourglass, Shape.TICK: _tick, Shape.CROSS: _cross, Shape.TRIANGLE: _triangle,
    Shape.SQUARE: _square, Shape.SCISSORS: _scissors, Shape.PLAY: _play,
}  # fmt: skip
