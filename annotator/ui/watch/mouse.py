"""The mouse beside the on-screen keyboard: its buttons and wheel, and the motion of a frame as an arrow."""

from __future__ import annotations

from math import hypot

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from annotator.model.timeline.moment import Moment
from annotator.ui.theme import with_alpha
from annotator.ui.watch.inks import BUTTON_INK, CORRECTED_INK, DARK, EDGE, INK, SHADE, UNLIT
from db.recording.keys import BTN_EXTRA, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE

BODY, DIAL = (2.2, 3.2), 3.2
"""The mouse (width, height) and the arrow's circle (diameter), in key widths."""
SPACE = 0.4
SIDES = {BTN_EXTRA: 0.52, BTN_SIDE: 0.68}
"""How far down the buttons at the side stand, as a share of the mouse's length."""


def mouse_size(unit_px: float) -> QSizeF:
    """The room that dial and mouse take together."""
    return QSizeF((DIAL + SPACE + BODY[0]) * unit_px, DIAL * unit_px)


def paint_mouse(
    painter: QPainter, at: QPointF, unit_px: float, moment: Moment, peak: float, *, has_sides: bool = False
) -> None:
    """The dial, and the mouse to the right of it, with their upper left corner at a point.

    has_sides: with the buttons at the mouse's side.
    """
    radius = DIAL * unit_px / 2
    paint_dial(painter, at + QPointF(radius, radius), radius, moment, peak)
    left = at.x() + (DIAL + SPACE) * unit_px
    _paint_body(painter, QRectF(left, at.y(), BODY[0] * unit_px, BODY[1] * unit_px), unit_px, moment, has_sides)


def paint_dial(painter: QPainter, centre: QPointF, radius: float, moment: Moment, peak: float) -> None:
    """The frame's motion as an arrow from the middle; `peak` device counts reach the rim."""
    painter.setPen(QPen(CORRECTED_INK, 2) if moment.is_motion_corrected else Qt.PenStyle.NoPen)
    painter.setBrush(SHADE)
    painter.drawEllipse(centre, radius, radius)
    dx, dy = moment.motion
    length = hypot(dx, dy)
    painter.setPen(Qt.PenStyle.NoPen)
    if length == 0:
        painter.setBrush(with_alpha(INK, 0.6))
        painter.drawEllipse(centre, radius * 0.07, radius * 0.07)
        return
    reach = radius * 0.78 * min((length / peak) ** 0.5, 1.0)  # a square root, so that small motion can be seen
    along = QPointF(dx / length, dy / length)
    tip, side = centre + along * reach, QPointF(-along.y(), along.x()) * radius * 0.15
    back = tip - along * radius * 0.22
    painter.setPen(QPen(BUTTON_INK, max(radius * 0.09, 1.5), cap=Qt.PenCapStyle.RoundCap))
    painter.drawLine(centre, tip)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(BUTTON_INK)
    painter.drawPolygon(QPolygonF([tip + along * radius * 0.12, back + side, back - side]))


def _paint_body(painter: QPainter, body: QRectF, unit_px: float, moment: Moment, has_sides: bool) -> None:
    outline = QPainterPath()
    outline.addRoundedRect(body, body.width() * 0.48, body.width() * 0.48)
    painter.fillPath(outline, SHADE)
    top, middle = QRectF(body.topLeft(), QSizeF(body.width(), body.height() * 0.46)), body.center().x()
    halves = {
        BTN_LEFT: QRectF(top.topLeft(), QPointF(middle, top.bottom())),
        BTN_RIGHT: QRectF(QPointF(middle, top.top()), top.bottomRight()),
    }
    for code, half in halves.items():
        part = QPainterPath()
        part.addRect(half)
        painter.fillPath(outline.intersected(part), _fill(code, moment))
    painter.setPen(QPen(EDGE, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline)
    painter.drawLine(QPointF(body.left(), top.bottom()), QPointF(body.right(), top.bottom()))
    painter.drawLine(QPointF(middle, body.top()), QPointF(middle, top.bottom()))
    wheel = QRectF(0, 0, unit_px * 0.42, unit_px * 0.85)
    wheel.moveCenter(QPointF(middle, body.top() + body.height() * 0.25))
    _paint_part(painter, wheel, BTN_MIDDLE, moment)
    for code, share in SIDES.items() if has_sides else ():
        area = QRectF(body.left() - unit_px * 0.12, body.top() + body.height() * share, unit_px * 0.34, unit_px * 0.45)
        _paint_part(painter, area, code, moment)
    _paint_scroll(painter, wheel, moment)
    for code, half in halves.items():
        if code in moment.corrected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(CORRECTED_INK)
            painter.drawEllipse(half.center(), unit_px * 0.16, unit_px * 0.16)


def _paint_part(painter: QPainter, area: QRectF, code: int, moment: Moment) -> None:
    painter.setPen(QPen(CORRECTED_INK if code in moment.corrected else EDGE, 1))
    painter.setBrush(_fill(code, moment) if code in moment.held else DARK)
    painter.drawRoundedRect(area, area.width() * 0.4, area.width() * 0.4)


def _paint_scroll(painter: QPainter, wheel: QRectF, moment: Moment) -> None:
    """A triangle on the side to which the wheel was turned."""
    right, up = moment.scroll
    painter.setPen(QPen(SHADE, 1))
    painter.setBrush(BUTTON_INK)
    half, middle = wheel.width() * 0.75, wheel.center()
    if up:
        y = wheel.top() - 2 if up > 0 else wheel.bottom() + 2
        tip = QPointF(middle.x(), y - half * (1 if up > 0 else -1))
        painter.drawPolygon(QPolygonF([tip, QPointF(middle.x() - half, y), QPointF(middle.x() + half, y)]))
    if right:
        x = wheel.right() + 2 if right > 0 else wheel.left() - 2
        tip = QPointF(x + half * (1 if right > 0 else -1), middle.y())
        painter.drawPolygon(QPolygonF([tip, QPointF(x, middle.y() - half), QPointF(x, middle.y() + half)]))


def _fill(code: int, moment: Moment) -> QColor:
    return BUTTON_INK if code in moment.held else UNLIT
