"""What was held and how the mouse moved, drawn over the picture: as an on-screen keyboard, or only what is held.

It keeps to the picture's lower corners, so that the middle, which one looks at, stays free.
"""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.key_layout import Cap, extent, lay_out
from annotator.model.timeline.lanes import Lanes
from annotator.model.timeline.moment import Moment, moment_of, uses_mouse
from annotator.ui.theme import RADIUS_PX
from annotator.ui.watch.inks import BUTTON_INK, CORRECTED_INK, INK, KEY_INK, SHADE
from annotator.ui.watch.keyboard import MARGIN, Keyboard, paint_correction
from annotator.ui.watch.mouse import SIDES, mouse_size, paint_dial, paint_mouse
from db.recording.keys import is_button, label

MARGIN_PX, SPACE_PX = 12.0, 4.0
CAP, LEAST_CAP_PX, MOST_CAP_PX = 0.065, 20.0, 40.0
"""The height of a cap where only held keys are shown: a share of the picture's, and its bounds."""
WIDEST, HIGHEST = 0.46, 0.36
"""The shares of the picture that the keyboard takes at most."""
LEAST_UNIT_PX, MOST_UNIT_PX = 12.0, 44.0
UNKNOWN = "Inputs were not recorded here"


class InputOverlay:
    """Draws one session's inputs; keeps what it drew of the keyboard until its size or its keys change."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self._mouse: tuple[Lanes, tuple[int, ...], bool] | None = None
        self._caps: tuple[tuple[int, ...], tuple[Cap, ...]] = (), ()
        self._keyboard: tuple[object, Keyboard] | None = None

    @property
    def has_mouse(self) -> bool:
        """Whether there is anything of a mouse to draw; what is confirmed or corrected may bring it."""
        raw, codes = self.inputs.raw, self.inputs.codes
        if self._mouse is None or self._mouse[0] is not raw or self._mouse[1] != codes:
            self._mouse = raw, codes, uses_mouse(self.inputs)
        return self._mouse[2]

    def paint(self, painter: QPainter, area: QRectF, frame: int, font: QFont, ratio: float, *, whole: bool) -> None:
        """The inputs of a frame over its picture in `area`; `whole`: all keys in use, not only those that are held."""
        moment = moment_of(self.inputs, frame)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        keyboard = self._fitting(area, font, ratio) if whole else None
        if keyboard is not None:
            self._paint_whole(painter, area, moment, keyboard)
        else:
            paint_held(painter, area, moment, self._peak(), font, has_mouse=self.has_mouse)
        if not moment.is_known:
            top = keyboard.size.height() if keyboard else _cap_px(area)
            _paint_unknown(painter, area, area.bottom() - MARGIN_PX - top - SPACE_PX, font)
        painter.restore()

    def _paint_whole(self, painter: QPainter, area: QRectF, moment: Moment, keyboard: Keyboard) -> None:
        if keyboard.caps:
            at = QPointF(round(area.left() + MARGIN_PX), round(area.bottom() - MARGIN_PX - keyboard.size.height()))
            keyboard.paint(painter, at, moment.held, moment.corrected)
        if self.has_mouse:
            size = mouse_size(keyboard.unit_px)
            corner = QPointF(area.right() - MARGIN_PX - size.width(), area.bottom() - MARGIN_PX - size.height())
            has_sides = not SIDES.keys().isdisjoint(self.inputs.codes)
            paint_mouse(painter, corner, keyboard.unit_px, moment, self._peak(), has_sides=has_sides)

    def _fitting(self, area: QRectF, font: QFont, ratio: float) -> Keyboard | None:
        """The keyboard at the size that the picture leaves it; None where that would be too small to read."""
        caps = self._laid_out()
        width, rows = extent(caps)
        unit_px = min(
            area.height() * 0.055,
            (area.width() * WIDEST - MARGIN_PX) / (width + 2 * MARGIN),
            (area.height() * HIGHEST - MARGIN_PX) / (rows + 2 * MARGIN),
            MOST_UNIT_PX,
        )
        if unit_px < LEAST_UNIT_PX:
            return None
        key = caps, unit_px, font.toString(), ratio
        if self._keyboard is None or self._keyboard[0] != key:
            self._keyboard = key, Keyboard(caps, unit_px, font, ratio)
        return self._keyboard[1]

    def _laid_out(self) -> tuple[Cap, ...]:
        codes = self.inputs.codes
        if self._caps[0] != codes:
            self._caps = codes, lay_out(codes)
        return self._caps[1]

    def _peak(self) -> float:
        return max(self.inputs.raw.dx.peak, self.inputs.raw.dy.peak)


def paint_held(
    painter: QPainter, area: QRectF, moment: Moment, peak: float, font: QFont, *, has_mouse: bool = True
) -> None:
    """Only what is held: key caps at the lower left, the mouse's motion at the lower right of `area`."""
    bold = QFont(font)
    bold.setBold(True)
    painter.setFont(bold)
    metrics = QFontMetricsF(bold)
    cap_px = _cap_px(area)
    radius = cap_px * 1.25
    x, y = area.left() + MARGIN_PX, area.bottom() - MARGIN_PX - cap_px
    for code in moment.held:
        width = max(cap_px, metrics.horizontalAdvance(label(code)) + 16)
        if x + width > area.right() - radius * 2 - MARGIN_PX * 2:
            break
        cap = QRectF(x, y, width, cap_px)
        _paint_cap(painter, cap, label(code), BUTTON_INK if is_button(code) else KEY_INK)
        if code in moment.corrected:
            paint_correction(painter, cap, cap_px)
        x += width + SPACE_PX
    if has_mouse:
        centre = QPointF(area.right() - MARGIN_PX - radius, area.bottom() - MARGIN_PX - radius)
        paint_dial(painter, centre, radius, moment, peak)


def _cap_px(area: QRectF) -> float:
    return min(max(area.height() * CAP, LEAST_CAP_PX), MOST_CAP_PX)


def _paint_cap(painter: QPainter, cap: QRectF, text: str, ink: QColor) -> None:
    painter.setPen(QPen(ink, 1.5))
    painter.setBrush(SHADE)
    painter.drawRoundedRect(cap.adjusted(0.75, 0.75, -0.75, -0.75), RADIUS_PX, RADIUS_PX)
    painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, text)


def _paint_unknown(painter: QPainter, area: QRectF, bottom: float, font: QFont) -> None:
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    height = metrics.height() + 8
    width = min(metrics.horizontalAdvance(UNKNOWN) + 24, area.width() - 2 * MARGIN_PX)
    strip = QRectF(area.left() + MARGIN_PX, bottom - height, width, height)
    painter.setPen(QPen(CORRECTED_INK, 1, Qt.PenStyle.DashLine))
    painter.setBrush(SHADE)
    painter.drawRoundedRect(strip, RADIUS_PX, RADIUS_PX)
    painter.setPen(INK)
    text = metrics.elidedText(UNKNOWN, Qt.TextElideMode.ElideRight, width - 16)
    painter.drawText(strip, Qt.AlignmentFlag.AlignCenter, text)
