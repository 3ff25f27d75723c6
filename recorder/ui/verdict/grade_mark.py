"""A grade as a shape: a ticked disc, a triangle or an octagon, so that it is told apart without colour."""

from __future__ import annotations

import math

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from db.recording.qa import Grade
from recorder.ui.theme import Theme


class GradeMark(QWidget):
    """The shape of a grade in its colour. `quiet` draws the outline's sign alone, for one line among many."""

    def __init__(self, size_px: int = 40, *, quiet: bool = False) -> None:
        super().__init__()
        self._grade, self._quiet = Grade.GOOD, quiet
        self.setFixedSize(QSize(size_px, size_px))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_grade(self, grade: Grade) -> None:
        self._grade = grade
        self.setAccessibleName(grade.value)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        draw_grade(painter, QRectF(self.rect()), self._grade, Theme.of(self.palette()), quiet=self._quiet)


def draw_grade(painter: QPainter, box: QRectF, grade: Grade, theme: Theme, *, quiet: bool = False) -> None:
    """Draws the shape of a grade into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    side = box.width()
    painter.translate(box.center())
    painter.scale(side / 24, side / 24)
    colour = QColor(theme.grade(grade.value))
    sign = colour if quiet else QColor(theme.panel)
    if not quiet:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        _GROUNDS[grade](painter)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(sign, 2.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    _SIGNS[grade](painter)
    painter.restore()


def _disc(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(0, 0), 11, 11)


def _triangle(painter: QPainter) -> None:
    pen = QPen(painter.brush().color(), 2.0)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolygon(QPolygonF([QPointF(0, -9.5), QPointF(10.5, 9), QPointF(-10.5, 9)]))


def _octagon(painter: QPainter) -> None:
    turns = [math.pi / 8 + i * math.pi / 4 for i in range(8)]
    painter.drawPolygon(QPolygonF([QPointF(11.5 * math.cos(turn), 11.5 * math.sin(turn)) for turn in turns]))


def _tick(painter: QPainter) -> None:
    painter.drawPolyline(QPolygonF([QPointF(-5, 0.5), QPointF(-1.5, 4), QPointF(5, -4)]))


def _bang(painter: QPainter) -> None:
    painter.drawLine(QPointF(0, -3.5), QPointF(0, 2))
    painter.drawPoint(QPointF(0, 6))


def _cross(painter: QPainter) -> None:
    painter.drawLine(QPointF(-4, -4), QPointF(4, 4))
    painter.drawLine(QPointF(-4, 4), QPointF(4, -4))


_GROUNDS = {Grade.GOOD: _disc, Grade.USABLE: _triangle, Grade.BAD: _octagon}
_SIGNS = {Grade.GOOD: _tick, Grade.USABLE: _bang, Grade.BAD: _cross}
