"""Keys and mouse over the picture: the keyboard of the session, what is down lit, what was corrected marked."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter
from PyQt6.QtTest import QTest

from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.editing import Editing
from annotator.ui.watch.inks import BUTTON_INK, CORRECTED_INK, KEY_INK
from annotator.ui.watch.overlay import MARGIN_PX, InputOverlay
from db.recording.events import EventKind, InputEvent

W, A, LMB = 17, 30, 0x110
T0, FRAME_NS = 10**9, 33_333_333


def events() -> list[InputEvent]:
    """W down in frames 10 to 19, A in 12, the left button in 12, the wheel turned in 13."""
    return [
        InputEvent(T0 + 10 * FRAME_NS + 9, EventKind.KEY, W, 1),
        InputEvent(T0 + 12 * FRAME_NS + 9, EventKind.KEY, A, 1),
        InputEvent(T0 + 12 * FRAME_NS + 10, EventKind.KEY, LMB, 1),
        InputEvent(T0 + 12 * FRAME_NS + 900, EventKind.KEY, A, 0),
        InputEvent(T0 + 12 * FRAME_NS + 901, EventKind.KEY, LMB, 0),
        InputEvent(T0 + 12 * FRAME_NS + 902, EventKind.MOTION, x=30.0, y=0.0),
        InputEvent(T0 + 20 * FRAME_NS - 9, EventKind.KEY, W, 0),
    ]


@pytest.fixture
def editing(store, make_session):
    opened = Editing(store, make_session(store, count=40, events=events()), "ann")
    yield opened
    opened.close()


def painted(overlay: InputOverlay, frame: int, size=(960, 540), ground="#000000", whole=True) -> QImage:
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(QColor(ground))
    painter = QPainter(image)
    overlay.paint(painter, QRectF(0, 0, *size), frame, QFont(), 1.0, whole=whole)
    painter.end()
    return image


def cap_area(overlay: InputOverlay, code: int, image: QImage) -> QRectF:
    keyboard = overlay._keyboard[1]
    cap = next(cap for cap in keyboard.caps if cap.code == code)
    corner = QPointF(round(MARGIN_PX), round(image.height() - MARGIN_PX - keyboard.size.height()))
    return keyboard.cap_rect(cap).translated(corner)


def near(colour: QColor, other: QColor) -> bool:
    return all(abs(a - b) < 30 for a, b in zip(colour.getRgb()[:3], other.getRgb()[:3], strict=True))


def count(image: QImage, ink: QColor, area: QRectF | None = None) -> int:
    box = (area or QRectF(image.rect())).toAlignedRect().intersected(image.rect())
    points = ((x, y) for y in range(box.top(), box.bottom() + 1) for x in range(box.left(), box.right() + 1))
    return sum(near(image.pixelColor(x, y), ink) for x, y in points)


def is_lit(image: QImage, area: QRectF) -> bool:
    corner = area.topLeft() + QPointF(5, 5)
    return near(image.pixelColor(corner.toPoint()), KEY_INK)


def test_keys_that_are_down_are_lit_and_no_others(editing) -> None:
    overlay = InputOverlay(editing.inputs)
    for frame, down in ((5, set()), (11, {W}), (12, {W, A}), (15, {W}), (25, set())):
        image = painted(overlay, frame)
        assert {code for code in (W, A) if is_lit(image, cap_area(overlay, code, image))} == down, frame
    assert count(painted(overlay, 12), BUTTON_INK) > count(painted(overlay, 15), BUTTON_INK) + 100


def test_a_corrected_key_is_marked(editing) -> None:
    overlay = InputOverlay(editing.inputs)
    before = painted(overlay, 30)
    assert count(before, CORRECTED_INK, cap_area(overlay, A, before)) == 0
    editing.presses.add(A, 28, 32)
    image = painted(overlay, 30)
    assert is_lit(image, cap_area(overlay, A, image))
    assert count(image, CORRECTED_INK, cap_area(overlay, A, image)) > 20
    assert count(painted(overlay, 35), CORRECTED_INK) == 0


@pytest.mark.parametrize("size", [(240, 160), (640, 360), (960, 540), (1920, 1080)])
@pytest.mark.parametrize("whole", [True, False])
def test_the_middle_stays_free(editing, size, whole) -> None:
    overlay = InputOverlay(editing.inputs)
    width, height = size
    image = painted(overlay, 12, size, "#3060c0", whole)
    middle = [image.pixelColor(x, y).name() for x in range(width) for y in range(0, height // 2, 7)]
    assert set(middle) == {"#3060c0"}
    assert any(image.pixelColor(x, height - 20).name() != "#3060c0" for x in range(width))


@pytest.mark.parametrize("ground", ["#ffffff", "#000000", "#7f7f7f"])
def test_it_reads_on_bright_and_dark_pictures(editing, ground) -> None:
    """A name on a cap that is not lit is at least 4.5 times as bright as what is behind it (WCAG 2.2)."""
    overlay = InputOverlay(editing.inputs)
    image = painted(overlay, 5, ground=ground)
    area = cap_area(overlay, W, image).adjusted(4, 4, -4, -4).toRect()
    lights = [
        _luminance(image.pixelColor(x, y))
        for x in range(area.left(), area.right())
        for y in range(area.top(), area.bottom())
    ]
    assert (max(lights) + 0.05) / (min(lights) + 0.05) >= 4.5


def _luminance(colour: QColor) -> float:
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_two_switches_show_the_keyboard_only_held_keys_or_nothing(store, make_session, qtbot) -> None:
    window = AnnotateWindow(store, "ann")
    qtbot.addWidget(window)
    window.resize(1400, 900)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert window.open_session(make_session(store, count=40, events=events()))
    qtbot.waitUntil(lambda: window.picture.index == 0)
    states = [(window.picture.has_overlay, window.picture.has_keyboard)]
    pictures = [window.picture.grab().toImage()]
    for key, modifier in (
        (Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_H, Qt.KeyboardModifier.NoModifier),
    ):
        QTest.keyClick(window.timeline, key, modifier)
        states.append((window.picture.has_overlay, window.picture.has_keyboard))
        pictures.append(window.picture.grab().toImage())
    assert states == [(True, True), (True, False), (False, False)]
    assert pictures[0] != pictures[1] != pictures[2]
    window.close()
    again = AnnotateWindow(store, "ann")
    qtbot.addWidget(again)
    assert (again.picture.has_overlay, again.picture.has_keyboard) == (False, False)
    again.close()
