"""The displayed frame, as large as it fits, with what was held drawn over it."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from annotator.model.timeline.inputs import Inputs
from annotator.ui.watch.overlay import InputOverlay


class Picture(QWidget):
    """Shows one frame at a time. `index` is the frame on screen, -1 for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index = -1
        self.image = QImage()
        self.has_overlay = True
        self.has_keyboard = True
        """Whether the overlay shows every key that the session uses, not only those that are held."""
        self._overlay: InputOverlay | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 160)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Frame")

    def sizeHint(self) -> QSize:
        return QSize(640, 420)

    def show_frame(self, index: int, image: QImage) -> None:
        self.index, self.image = index, image
        self.update()

    def clear(self) -> None:
        self.index, self.image, self.inputs = -1, QImage(), None
        self.update()

    @property
    def inputs(self) -> Inputs | None:
        """What the overlay shows, None for nothing."""
        return self._overlay.inputs if self._overlay else None

    @inputs.setter
    def inputs(self, inputs: Inputs | None) -> None:
        self._overlay = InputOverlay(inputs) if inputs is not None else None

    def set_overlay(self, on: bool) -> None:
        self.has_overlay = on
        self.update()

    def set_keyboard(self, on: bool) -> None:
        self.has_keyboard = on
        self.update()

    def frame_rect(self) -> QRectF:
        """Where the picture lies in the widget: scaled to fit, centred, on whole pixels."""
        if self.image.isNull():
            return QRectF()
        scale = min(self.width() / self.image.width(), self.height() / self.image.height())
        width, height = round(self.image.width() * scale), round(self.image.height() * scale)
        return QRectF((self.width() - width) // 2, (self.height() - height) // 2, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        if self.image.isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = self.frame_rect()
        painter.drawImage(area, self.image)
        overlay = self._overlay
        if self.has_overlay and overlay is not None and 0 <= self.index < len(overlay.inputs.clock):
            ratio = self.devicePixelRatioF()
            overlay.paint(painter, area, self.index, self.font(), ratio, whole=self.has_keyboard)
