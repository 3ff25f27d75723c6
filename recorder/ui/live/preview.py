"""The live picture of what was chosen, at most ten times a second, made small before it is drawn."""

from __future__ import annotations

import time

import numpy as np
from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from recorder.screen.source import Bgra
from recorder.ui.theme import RADIUS_PX, Theme

PERIOD_MS = 100
_COST_SPAN_S = 5.0


class Preview(QWidget):
    """Shows the newest picture whole, in its own proportions; a coloured border tells the state."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._words, self._count, self._border = "", "", ""
        self._stale = False
        self._cost = _Cost()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Live picture of what is recorded")

    def sizeHint(self) -> QSize:
        return QSize(640, 400)

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 130)

    @property
    def cost(self) -> float:
        """Seconds of CPU that drawing took per second, of late."""
        return self._cost.share

    def show_picture(self, bgra: Bgra | None) -> None:
        """None shows the words instead."""
        with self._cost:
            ratio = self.devicePixelRatioF()
            size_px = QSize(round(self.width() * ratio), round(self.height() * ratio))
            self._image = to_image(bgra, size_px) if bgra is not None else None
            self._stale = False
        self.update()

    def show_still(self, image: QImage | None) -> None:
        """A picture that was taken before."""
        self._image, self._stale = image, False
        self.update()

    def fade(self, words: str) -> None:
        """The last picture stays, darkened, under the words: it is not what is there now."""
        if (self._words, self._stale) != (words, True):
            self._words, self._stale = words, True
            self.update()

    def say(self, words: str) -> None:
        """What stands where there is no picture."""
        if self._words != words:
            self._words = words
            self.update()

    def count(self, text: str) -> None:
        """A large number over everything; empty for none."""
        if self._count != text:
            self._count = text
            self.update()

    def set_border(self, colour: str) -> None:
        """The state's colour; empty: a hairline."""
        if self._border != colour:
            self._border = colour
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        with self._cost:
            painter = QPainter(self)
            painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform)
            self._paint(painter)
            painter.end()

    def _paint(self, painter: QPainter) -> None:
        theme = Theme.of(self.palette())
        box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        shown = self._image is not None
        if shown:
            place = self._place(self._image.size())
            for bar in _bars(self.rect(), place):
                painter.fillRect(bar, QColor("#000000"))
            painter.drawImage(place, self._image)
            if self._stale or self._count:
                painter.fillRect(place, QColor(0, 0, 0, 165))
        else:
            painter.fillRect(self.rect(), QColor(theme.panel))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._count:
            self._write_count(painter, box)
        elif not shown or self._stale:
            painter.setPen(QColor("#ffffff" if shown else theme.dim))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(box.adjusted(20, 12, -20, -12), int(flags), self._words)
        _round_off(painter, QRectF(self.rect()), theme)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._border or theme.line), 3 if self._border else 1))
        painter.drawRoundedRect(box, RADIUS_PX - 1, RADIUS_PX - 1)

    def _write_count(self, painter: QPainter, box: QRectF) -> None:
        font = painter.font()
        font.setPixelSize(max(48, round(min(self.height() * 0.5, self.width() * 0.3))))
        font.setWeight(font.Weight.Bold)
        painter.setFont(font)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self._count)

    def _place(self, size: QSize) -> QRect:
        fitted = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - fitted.width()) // 2, (self.height() - fitted.height()) // 2
        return QRect(left, top, fitted.width(), fitted.height())


class _Cost:
    """CPU time of the sections run under it, as a share of the time that passes."""

    def __init__(self) -> None:
        self._begun_ns = self._spent_ns = 0
        self._since_s = time.monotonic()
        self.share = 0.0

    def __enter__(self) -> None:
        self._begun_ns = time.thread_time_ns()

    def __exit__(self, *_: object) -> None:
        self._spent_ns += time.thread_time_ns() - self._begun_ns
        passed_s = time.monotonic() - self._since_s
        if passed_s > _COST_SPAN_S:
            self.share = self._spent_ns / 1e9 / passed_s
            self._spent_ns, self._since_s = 0, time.monotonic()


def to_image(bgra: Bgra, fit_px: QSize | None = None) -> QImage:
    """A picture as a QImage that owns its pixels, thinned out to just above `fit_px` where that is given.

    Whole rows and columns are left out, which costs a fraction of filtering; the painter smooths the rest, less than
    a factor of two.
    """
    step = 1
    if fit_px is not None and not fit_px.isEmpty():
        step = max(1, min(bgra.shape[1] // fit_px.width(), bgra.shape[0] // fit_px.height()))
    small = np.ascontiguousarray(bgra[::step, ::step])
    height, width = small.shape[:2]
    return QImage(small.data, width, height, width * 4, QImage.Format.Format_RGB32).copy()


def _bars(whole: QRect, place: QRect) -> list[QRect]:
    """What `place`, in the middle of `whole`, leaves free."""
    if place.width() < whole.width():
        wide = place.left() - whole.left()
        return [QRect(whole.left(), 0, wide, whole.height()), QRect(place.right() + 1, 0, wide + 1, whole.height())]
    high = place.top() - whole.top()
    return [QRect(0, whole.top(), whole.width(), high), QRect(0, place.bottom() + 1, whole.width(), high + 1)]


def _round_off(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """Covers the corners with the window's colour: cheaper than clipping the picture to a path."""
    corners = QPainterPath()
    corners.addRect(box)
    inner = QPainterPath()
    inner.addRoundedRect(box, RADIUS_PX, RADIUS_PX)
    painter.fillPath(corners.subtracted(inner), QColor(theme.window))
