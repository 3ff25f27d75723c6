"""A larger picture with its time, over the window, while the mouse is on the strip of pictures."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from annotator.ui.theme import RADIUS_PX, Theme

MARGIN_PX, LARGER = 4, 1.5


class Peek(QWidget):
    """Never takes the mouse or the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Picture under the mouse")
        self.text = ""
        self._picture = QImage()
        self.hide()

    def show_picture(self, picture: QImage, text: str, window: QWidget, above: QPoint, size: QSize) -> None:
        """above: the point of the window that it stands over. size: the picture's, also while there is none yet."""
        if self.parentWidget() is not window:
            self.setParent(window)
        self._picture, self.text = picture, text
        width, height = round(size.width() * LARGER), round(size.height() * LARGER)
        self.resize(width + 2 * MARGIN_PX, height + 2 * MARGIN_PX + self._text_height())
        room = window.width() - self.width() - MARGIN_PX
        self.move(min(max(above.x() - self.width() // 2, MARGIN_PX), room), max(above.y() - self.height() - 8, 0))
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_PX, RADIUS_PX)
        inner = QRectF(self.rect()).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX - self._text_height())
        if self._picture.isNull():
            painter.fillRect(inner, QColor(theme.panel))
        else:
            painter.drawImage(inner, self._picture)
        painter.setPen(QColor(theme.text))
        below = QRectF(inner.left(), inner.bottom(), inner.width(), self._text_height() + MARGIN_PX)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.text)

    def _text_height(self) -> int:
        return self.fontMetrics().height() + MARGIN_PX
