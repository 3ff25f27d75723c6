"""A small sign beside the game that tells the state while the recorder's window is not in front.

It takes no focus and no click, and never lies over what is recorded: there it would be in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QPainter, QPainterPath, QPaintEvent, QRegion
from PyQt6.QtWidgets import QWidget

from recorder.ui import glyphs
from recorder.ui.live.faces import READY, Face
from recorder.ui.theme import DARK

HEIGHT_PX = 40
_GAP_PX = 10
_TITLE_PX = 32
"""Above a window there is its title, which is not recorded but should stay in sight."""
_FLAGS = (
    Qt.WindowType.Tool
    | Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.WindowDoesNotAcceptFocus
    | Qt.WindowType.WindowTransparentForInput
)


class Pill(QWidget):
    """`show_face` fills it, `stand_by` places it or hides it where there is no room."""

    def __init__(self) -> None:
        super().__init__(None, _FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle("Playtape status")
        self._face, self._text = READY, ""
        font = QFont(self.font())
        font.setPixelSize(18)
        font.setWeight(QFont.Weight.DemiBold)
        font.setFeature(QFont.Tag.fromString("tnum"), 1)
        self.setFont(font)

    @property
    def text(self) -> str:
        return self._text

    def show_face(self, face: Face, text: str) -> None:
        """The state's sign and colour, and a few words."""
        if (face, text) == (self._face, self._text):
            return
        self._face, self._text = face, text
        self.setAccessibleName(text)
        wanted = self.sizeHint()
        if wanted != self.size():
            self.resize(wanted)
        self.update()

    def sizeHint(self) -> QSize:
        # A clock's width changes with every digit; whole steps keep the sign from trembling.
        width = QFontMetrics(self.font()).horizontalAdvance(self._text)
        return QSize(58 + -(-width // 16) * 16, HEIGHT_PX)

    def stand_by(self, target: QRect, *, must_be_outside: bool = True) -> None:
        """Shows it near `target` (pixels of the desktop); hides it where it would lie over it and must not."""
        screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        place = find_place(self.sizeHint(), target, screens)
        if place is None and not must_be_outside and screens:
            place = QPoint(target.center().x() - self.width() // 2, target.top() + _GAP_PX)
        if place is None:
            self.hide()
            return
        self.move(place)
        if not self.isVisible():
            self.show()
            self.raise_()

    def resizeEvent(self, event: object) -> None:
        # Without a compositor a window cannot be see-through, so it is cut to its shape.
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), HEIGHT_PX / 2, HEIGHT_PX / 2)
        self.setMask(QRegion(shape.toFillPolygon().toPolygon()))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        tone = self._face.tone or DARK.calm
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tone.ground))
        glyphs.draw(painter, self._face.shape, QRectF(15, (self.height() - 20) / 2, 20, 20), tone.ink)
        painter.setPen(QColor(tone.ink))
        painter.drawText(self.rect().adjusted(44, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), self._text)


def find_place(size: QSize, target: QRect, screens: Sequence[QRect]) -> QPoint | None:
    """Where a sign of `size` stands close to `target` and clear of it, whole on one of the screens.

    Below, above, right and left of it, then the corners of the screens; None where it would lie over the target
    wherever it stood.
    """
    gap = _GAP_PX
    beside = [
        QPoint(target.left(), target.bottom() + 1 + gap),
        QPoint(target.left(), target.top() - gap - _TITLE_PX - size.height()),
        QPoint(target.left(), target.top() - gap - size.height()),
        QPoint(target.right() + 1 + gap, target.top()),
        QPoint(target.left() - gap - size.width(), target.top()),
    ]
    corners = [
        QPoint(x, y)
        for screen in screens
        for y in (screen.top() + gap, screen.bottom() + 1 - gap - size.height())
        for x in (screen.right() + 1 - gap - size.width(), screen.left() + gap)
    ]
    for point in (*beside, *corners):
        box = QRect(point, size)
        if any(screen.contains(box) for screen in screens) and not box.intersects(target):
            return point
    return None
