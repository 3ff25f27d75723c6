"""A part of the screen: drawn over a picture of it with the mouse, or typed as numbers."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from recorder.ui.live.lookout import Rect
from recorder.ui.theme import Theme

MIN_PX = 64


class ScreenCanvas(QWidget):
    """The screen's picture with the region on it. `drawn` gives its rectangle in pixels of the screen."""

    drawn = pyqtSignal(QRect)
    """While it is being drawn."""
    settled = pyqtSignal()
    """It is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: QImage | None = None
        self._screen = QSize(1, 1)
        self.region = QRect()
        self._from: QPoint | None = None
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 150)
        self.setAccessibleName("Picture of the screen; draw the region on it, or type it below")

    def show_screen(self, picture: QImage | None, size_px: tuple[int, int]) -> None:
        self._picture, self._screen = picture, QSize(*size_px)
        self.update()

    def show_region(self, region: QRect) -> None:
        self.region = region
        self.update()

    def to_screen(self, point: QPoint) -> QPoint:
        """Where a point of this widget lies on the screen, kept within it."""
        place = self._place()
        x = (point.x() - place.left()) * self._screen.width() / max(place.width(), 1)
        y = (point.y() - place.top()) * self._screen.height() / max(place.height(), 1)
        return QPoint(min(max(round(x), 0), self._screen.width()), min(max(round(y), 0), self._screen.height()))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() is Qt.MouseButton.LeftButton and self._picture is not None:
            self._from = self.to_screen(event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is None or self._from is None:
            return
        to = self.to_screen(event.position().toPoint())
        box = QRect(
            min(self._from.x(), to.x()), min(self._from.y(), to.y()),
            abs(to.x() - self._from.x()), abs(to.y() - self._from.y()),
        )  # fmt: skip
        if min(box.width(), box.height()) >= MIN_PX:
            self.drawn.emit(box)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        if self._from is not None:
            self._from = None
            self.settled.emit()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = self._place()
        painter.fillRect(place, QColor(theme.panel))
        if self._picture is None:
            painter.setPen(QColor(theme.dim))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), "Looking at the screen …")
            return
        painter.drawImage(place, self._picture)
        if self.region.isEmpty():
            painter.setPen(QPen(QColor(theme.line)))
            painter.drawRect(place.adjusted(0, 0, -1, -1))
            return
        scale = place.width() / self._screen.width()
        box = QRectF(
            place.left() + self.region.left() * scale, place.top() + self.region.top() * scale,
            self.region.width() * scale, self.region.height() * scale,
        )  # fmt: skip
        shade = QColor(0, 0, 0, 140)
        whole = QRectF(place)
        for part in (
            QRectF(whole.left(), whole.top(), whole.width(), box.top() - whole.top()),
            QRectF(whole.left(), box.bottom(), whole.width(), whole.bottom() - box.bottom()),
            QRectF(whole.left(), box.top(), box.left() - whole.left(), box.height()),
            QRectF(box.right(), box.top(), whole.right() - box.right(), box.height()),
        ):
            painter.fillRect(part, shade)
        painter.setPen(QPen(QColor(theme.accent), 2))
        painter.drawRect(box)

    def _place(self) -> QRect:
        fitted = self._screen.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - fitted.width()) // 2, (self.height() - fitted.height()) // 2
        return QRect(left, top, fitted.width(), fitted.height())


class RegionPicker(QWidget):
    """`changed` gives the region as (left, top, width, height), whole pixels within the screen."""

    changed = pyqtSignal(tuple)
    uncover = pyqtSignal()
    """The person wants a picture of the screen without this window."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = ScreenCanvas()
        self.canvas.drawn.connect(lambda region: self._take(region, settled=False))
        self.canvas.settled.connect(lambda: self.rect_px and self.changed.emit(self.rect_px))
        self.left, self.top = self._number("Left"), self._number("Top")
        self.across, self.down = self._number("Width", MIN_PX), self._number("Height", MIN_PX)
        self._boxes = (self.left, self.top, self.across, self.down)
        again = QPushButton("Look &behind this window")
        again.setToolTip("Hides this window for a moment and takes a new picture of the screen.")
        again.clicked.connect(self.uncover)
        row = QHBoxLayout()
        row.setSpacing(6)
        for box in self._boxes:
            label = QLabel(box.accessibleName())
            label.setProperty("dim", True)
            row.addWidget(label)
            row.addWidget(box)
            row.addSpacing(4)
        row.addStretch(1)
        row.addWidget(again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.canvas, 1)
        column.addLayout(row)
        self._screen_px = (0, 0)

    @property
    def rect_px(self) -> Rect | None:
        """None while nothing was drawn or typed."""
        region = self.canvas.region
        return None if region.isEmpty() else (region.left(), region.top(), region.width(), region.height())

    def show_screen(self, picture: QImage | None, size_px: tuple[int, int]) -> None:
        self.canvas.show_screen(picture, size_px)
        if size_px != self._screen_px:
            self._screen_px = size_px
            for box, most in zip(self._boxes, (*size_px, *size_px), strict=True):
                box.setMaximum(most)

    def set_rect(self, rect_px: Rect) -> None:
        self._take(QRect(*rect_px))

    def _number(self, name: str, least: int = 0) -> QSpinBox:
        box = QSpinBox()
        box.setAccessibleName(name)
        box.setRange(least, 16384)
        box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        box.setMinimumWidth(62)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(self._typed)
        return box

    def _typed(self) -> None:
        self._take(QRect(self.left.value(), self.top.value(), self.across.value(), self.down.value()))

    def _take(self, region: QRect, *, settled: bool = True) -> None:
        region = region.intersected(QRect(QPoint(0, 0), QSize(*self._screen_px))) if any(self._screen_px) else region
        if min(region.width(), region.height()) < MIN_PX or region == self.canvas.region:
            return
        self.canvas.show_region(region)
        for box, value in zip(self._boxes, (region.left(), region.top(), region.width(), region.height()), strict=True):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        if settled:
            self.changed.emit(self.rect_px)
