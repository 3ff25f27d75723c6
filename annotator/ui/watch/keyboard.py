"""The on-screen keyboard: the keys that a session uses where they lie on a keyboard, those that are down lit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap

from annotator.model.timeline.key_layout import Cap, extent
from annotator.ui.watch.inks import CORRECTED_INK, DARK, EDGE, INK, KEY_INK, SHADE, UNLIT
from db.recording.keys import label

MARGIN = 0.3
"""Around the keys, in key widths."""


class Keyboard:
    """Caps at one size, drawn once unlit and once lit; a frame then costs a few copies."""

    def __init__(self, caps: Sequence[Cap], unit_px: float, font: QFont, ratio: float) -> None:
        self.caps, self.unit_px = tuple(caps), unit_px
        width, rows = extent(caps)
        self.size = QSizeF((width + 2 * MARGIN) * unit_px, (rows + 2 * MARGIN) * unit_px)
        self._ratio = ratio
        self._unlit = self._draw(font, lit=False)
        self._lit = self._draw(font, lit=True)

    def paint(self, painter: QPainter, at: QPointF, held: Iterable[int], corrected: Iterable[int]) -> None:
        """With its upper left corner at a point."""
        painter.drawPixmap(at, self._unlit)
        down, marked = set(held), set(corrected)
        for cap in self.caps:
            area = self.cap_rect(cap)
            if cap.code in down:
                source = QRectF(area.topLeft() * self._ratio, area.size() * self._ratio)
                painter.drawPixmap(area.translated(at), self._lit, source)
            if cap.code in marked:
                paint_correction(painter, area.translated(at), self.unit_px)

    def cap_rect(self, cap: Cap) -> QRectF:
        """Where a key lies, from the keyboard's upper left corner; on whole device pixels."""
        left, top = round((cap.x + MARGIN) * self.unit_px), round((cap.row + MARGIN) * self.unit_px)
        right, bottom = round((cap.right + MARGIN) * self.unit_px), round((cap.row + 1 + MARGIN) * self.unit_px)
        return QRectF(left, top, right - left, bottom - top)

    def _draw(self, font: QFont, *, lit: bool) -> QPixmap:
        pixmap = QPixmap((self.size * self._ratio).toSize())
        pixmap.setDevicePixelRatio(self._ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not lit:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(SHADE)
            painter.drawRoundedRect(QRectF(QPointF(), self.size), self.unit_px * 0.25, self.unit_px * 0.25)
        for cap in self.caps:
            _draw_cap(painter, self.cap_rect(cap), label(cap.code), font, self.unit_px, lit=lit)
        painter.end()
        return pixmap


def _draw_cap(painter: QPainter, area: QRectF, text: str, font: QFont, unit_px: float, *, lit: bool) -> None:
    inner = area.adjusted(1.5, 1.5, -1.5, -1.5)
    painter.setPen(QPen(KEY_INK if lit else EDGE, 1))
    painter.setBrush(KEY_INK if lit else UNLIT)
    painter.drawRoundedRect(inner, unit_px * 0.15, unit_px * 0.15)
    painter.setFont(fitting(font, text, inner.width() - 4, unit_px * 0.46))
    painter.setPen(DARK if lit else INK)
    painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, text)


def fitting(font: QFont, text: str, width: float, most_px: float) -> QFont:
    """The font in bold at `most_px`, or as small as the text needs to fit a width."""
    fitted = QFont(font)
    fitted.setBold(True)
    fitted.setPixelSize(max(round(most_px), 6))
    needed = QFontMetricsF(fitted).horizontalAdvance(text)
    if needed > width > 0:
        fitted.setPixelSize(max(int(fitted.pixelSize() * width / needed), 6))
    return fitted


def paint_correction(painter: QPainter, area: QRectF, unit_px: float) -> None:
    """The mark of a key that a person has corrected here."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(CORRECTED_INK, max(unit_px * 0.08, 1.5)))
    painter.drawRoundedRect(area.adjusted(1.5, 1.5, -1.5, -1.5), unit_px * 0.15, unit_px * 0.15)
    painter.setPen(QPen(QColor(DARK), 1))
    painter.setBrush(CORRECTED_INK)
    dot = unit_px * 0.13
    painter.drawEllipse(QPointF(area.right() - dot * 1.4, area.top() + dot * 1.4), dot, dot)
