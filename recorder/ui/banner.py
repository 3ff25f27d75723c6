"""The state of the recording in one word, large enough to be read from two metres, with its reason beneath."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from recorder.ui import glyphs
from recorder.ui.live.faces import READY, Face
from recorder.ui.theme import RADIUS_PX, Theme

HEIGHT_PX = 92
_WORD_PX, _WORD_BOX_PX, _REASON_PX, _CLOCK_PX = 38, 46, 15, 38


class Banner(QWidget):
    """A filled bar: shape, word and reason on the left, the clock on the right."""

    def __init__(self) -> None:
        super().__init__()
        self._face, self._clock = READY, ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(480, HEIGHT_PX)

    @property
    def face(self) -> Face:
        return self._face

    def show_face(self, face: Face, clock: str = "") -> None:
        if (face, clock) == (self._face, self._clock):
            return
        self._face, self._clock = face, clock
        self.setAccessibleName(face.word)
        self.setAccessibleDescription(face.reason)
        self.setToolTip(face.reason)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        tone = self._face.tone or Theme.of(self.palette()).calm
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QPainterPath()
        ground.addRoundedRect(QRectF(self.rect()), RADIUS_PX, RADIUS_PX)
        painter.fillPath(ground, QColor(tone.ground))
        painter.setPen(QColor(tone.ink))
        sign = QRectF(22, (self.height() - 48) / 2, 48, 48)
        glyphs.draw(painter, self._face.shape, sign, tone.ink)
        right = self._draw_clock(painter)
        left = sign.right() + 20
        room = right - left - 12
        reason = _font(self.font(), _REASON_PX)
        wrap = int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
        lines = QFontMetricsF(reason).boundingRect(QRectF(0, 0, room, 1000), wrap, self._face.reason).height()
        lines = min(lines, self.height() - _WORD_BOX_PX) if self._face.reason else 0
        top = (self.height() - _WORD_BOX_PX - lines) / 2
        painter.setFont(_font(self.font(), _WORD_PX, bold=True))
        painter.drawText(QRectF(left, top, room, _WORD_BOX_PX), int(Qt.AlignmentFlag.AlignVCenter), self._face.word)
        painter.setFont(reason)
        painter.drawText(QRectF(left, top + _WORD_BOX_PX, room, lines), wrap, self._face.reason)

    def _draw_clock(self, painter: QPainter) -> float:
        """Draws the time that runs; gives where it begins."""
        if not self._clock:
            return self.width() - 22.0
        font = _font(self.font(), _CLOCK_PX, bold=True)
        font.setFeature(QFont.Tag.fromString("tnum"), 1)
        painter.setFont(font)
        width = QFontMetricsF(font).horizontalAdvance(self._clock)
        box = QRectF(self.width() - 24 - width, 0, width + 2, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), self._clock)
        return box.left()


def _font(base: QFont, size_px: int, *, bold: bool = False) -> QFont:
    font = QFont(base)
    font.setPixelSize(size_px)
    if bold:
        font.setWeight(QFont.Weight.Bold)
    return font
