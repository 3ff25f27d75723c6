"""The strip of pictures under the timeline: along its axis, a click seeks, the mouse over it shows a larger picture."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPixmap, QWheelEvent
from PyQt6.QtWidgets import QWidget

from annotator.model.timeline.axis import Axis
from annotator.model.timeline.film import Slot, keyframe_at, slots
from annotator.ui.annotate.editing import Editing
from annotator.ui.theme import Theme, small, with_alpha
from annotator.ui.timeline.lane_painter import time_text
from annotator.ui.timeline.peek import Peek
from annotator.ui.timeline.rows import header_px

STRIP_PX, PICTURE_PX = 56, 48
NAME = "Pictures"


class Strip(QWidget):
    """Follows the axis of a timeline. Until a picture is there the nearest known one stands in its place."""

    scrubbed = pyqtSignal(int)
    """The frame that was clicked or dragged to."""
    wheeled = pyqtSignal(QWheelEvent)
    """The mouse's wheel over it, for the timeline to zoom with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Pictures along the timeline")
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._editing: Editing | None = None
        self._axis = Axis.whole(1, 1)
        self._frames = np.zeros(1, np.int64)
        """Those that may have pictures, ascending."""
        self._slots: list[Slot] = []
        self._small: dict[int, QPixmap] = {}
        self._hovered: int | None = None
        self._mouse_x = 0.0
        self._peek = Peek(self)

    def show_editing(self, editing: Editing | None) -> None:
        if self._editing is not None:
            self._editing.pictures.made.disconnect(self._on_made)
            self._editing.proxying.grown.disconnect(self._on_grown)
            self._editing.player.displayed.disconnect(self._on_displayed)
        self._editing, self._slots = editing, []
        self._small.clear()
        self._leave()
        if editing is not None:
            editing.pictures.made.connect(self._on_made)
            editing.proxying.grown.connect(self._on_grown)
            self._spread()
            editing.player.displayed.connect(self._on_displayed)

    def set_axis(self, axis: Axis) -> None:
        """Shows what the timeline shows now, and asks for the pictures of it."""
        self._axis = axis
        if self._hovered is not None:
            self._hover()
        else:
            self._ask()
        self.update()

    def wanted(self) -> list[int]:
        """The keyframes whose pictures belong into the view, the hovered one first."""
        hovered = [] if self._hovered is None else [self._hovered]
        return [*hovered, *(slot.frame for slot in self._slots)]

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.panel))
        if self._editing is None:
            return
        painter.setFont(small(self.font()))
        painter.setPen(QColor(theme.dim))
        name = QRect(8, 0, header_px() - 16, self.height())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, NAME)
        painter.setClipRect(header_px(), 0, self.width() - header_px(), self.height())
        painter.translate(header_px(), 0)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for slot in self._slots:
            self._paint_slot(painter, slot, theme)
        self._paint_playhead(painter, theme)

    def _paint_slot(self, painter: QPainter, slot: Slot, theme: Theme) -> None:
        assert self._editing is not None
        known = self._editing.pictures.nearest(slot.frame)
        room = QRectF(slot.left, (STRIP_PX - PICTURE_PX) / 2, slot.right - slot.left - 1, PICTURE_PX)
        picture = None if known is None else self._pixmap(known)
        if known is None or picture is None:
            painter.fillRect(room, with_alpha(theme.raised, 0.6))
            return
        area, source = place(room, self._picture_size())
        ratio = picture.devicePixelRatio()
        painter.drawPixmap(area, picture, QRectF(source.topLeft() * ratio, source.size() * ratio))
        if known != slot.frame:
            painter.fillRect(area, with_alpha(theme.panel, 0.45))  # not this one yet

    def _paint_playhead(self, painter: QPainter, theme: Theme) -> None:
        assert self._editing is not None
        x = self._axis.x(self._editing.frame) + min(self._axis.px_per_frame, 1.0) / 2
        painter.fillRect(QRectF(x - 0.75, 0, 1.5, self.height()), QColor(theme.playhead))

    def _pixmap(self, frame: int) -> QPixmap | None:
        """A picture at the size in which the strip shows it, made once."""
        assert self._editing is not None
        if frame not in self._small:
            picture = self._editing.pictures.get(frame)
            if picture is None:
                return None
            if len(self._small) > 4 * len(self._slots) + 64:
                self._small.clear()
            self._small[frame] = _shrunk(picture, self._picture_size(), self.devicePixelRatioF())
        return self._small[frame]

    def _picture_size(self) -> QSize:
        assert self._editing is not None
        whole = self._editing.pictures.size
        return QSize(max(round(PICTURE_PX * whole.width() / whole.height()), 4), PICTURE_PX)

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._scrub(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._scrub(event)
        self._mouse_x = event.position().x() - header_px()
        self._hover()

    def leaveEvent(self, event: QEvent | None) -> None:
        self._leave()

    def hideEvent(self, event: QEvent | None) -> None:
        self._leave()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.wheeled.emit(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._small.clear()

    # Inside

    def _hover(self) -> None:
        """Shows what is under the mouse."""
        if self._editing is None or self._mouse_x < 0:
            self._leave()
            return
        self._hovered = keyframe_at(self._frames, self._axis.frame(self._mouse_x))
        self._ask()
        self._show_peek()

    def _ask(self) -> None:
        if self._editing is None or not self.isVisible() or self._editing.player.index < 0:
            return  # the frame itself comes first
        self._slots = slots(self._axis, self._frames, self._picture_size().width())
        self._editing.pictures.want(self.wanted())

    def showEvent(self, event: QEvent | None) -> None:
        self._ask()

    def _on_displayed(self) -> None:
        if not self._slots:
            self._ask()
        self.update()

    def _spread(self) -> None:
        """Where keyframes lie far apart, what there is of the proxy gives pictures between them."""
        assert self._editing is not None
        keyframes, proxy = self._editing.keyframes, self._editing.proxying.proxy
        self._frames = keyframes if proxy is None else proxy.spread(keyframes)

    def _on_grown(self) -> None:
        self._spread()
        self._ask()
        self.update()

    def _on_made(self, frame: int) -> None:
        self.update()
        if frame == self._hovered:
            self._show_peek()

    def _show_peek(self) -> None:
        if self._editing is None or self._hovered is None:
            return
        known = self._editing.pictures.nearest(self._hovered)
        picture = self._editing.pictures.get(known) if known is not None else None
        t_ns = self._editing.document.clock.t_ns
        text = f"{time_text(int(t_ns[self._hovered] - t_ns[0]) // 1_000_000, 100)}   frame {self._hovered}"
        x = header_px() + min(max(self._axis.x(self._hovered), 0), self._axis.width_px)
        above = self.mapTo(self.window(), QPoint(round(x), 0))
        self._peek.show_picture(picture or QImage(), text, self.window(), above, self._editing.pictures.size)

    def _leave(self) -> None:
        self._hovered = None
        self._peek.hide()

    def _scrub(self, event: QMouseEvent) -> None:
        x = event.position().x() - header_px()
        if self._editing is not None and x >= 0:
            self.scrubbed.emit(self._axis.frame(x))


def place(room: QRectF, size: QSize) -> tuple[QRectF, QRectF]:
    """Where a picture of `size` goes in its room, and which part of it: (area, source).

    A picture wider than its room loses its sides; a room that is wider shows it at its left end, or where the view
    begins while the room lasts.
    """
    if room.width() < size.width():
        cut = (size.width() - room.width()) / 2
        return room, QRectF(cut, 0, room.width(), size.height())
    left = max(room.left(), min(0.0, room.right() - size.width()))
    return QRectF(left, room.top(), size.width(), size.height()), QRectF(0, 0, size.width(), size.height())


def _shrunk(picture: QImage, size: QSize, ratio: float) -> QPixmap:
    mode = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    pixmap = QPixmap.fromImage(picture.scaled(size * ratio, *mode))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
