"""Picking what to record: windows, monitors and regions, from a private display and from made-up views."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QImage

from db.recording.consent import LICENCES, find_consent, give_consent
from recorder.backends import Choice
from recorder.ui.consent_page import ConsentPage
from recorder.ui.live.lookout import Found, Lookout, View, list_monitors
from recorder.ui.pick.gallery import Gallery
from recorder.ui.pick.picker import MONITORS, REGION, WINDOWS, Picker
from recorder.ui.pick.region_picker import RegionPicker
from recorder.ui.refusal import RefusalPage

from .conftest import wait_until

pytestmark = pytest.mark.usefixtures("own_settings")
LEFT = Qt.MouseButton.LeftButton


def picture(width=50, height=20):
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.fill(Qt.GlobalColor.darkGreen)
    return made


def window(number, title="", rect=(0, 0, 640, 480)):
    return Found(Choice(window_id=number), title or f"game {number}", rect, picture() if number % 2 else None)


def view(*windows, screen=False):
    monitors = [Found(Choice(monitor=1), "Monitor 1", (0, 0, 1024, 768), picture())]
    return View(list(windows), monitors, picture(640, 480) if screen else None, (1024, 768))


@pytest.fixture
def picker(qtbot):
    made = Picker(Lookout(), lambda title: title == "known")
    qtbot.addWidget(made)
    made.resize(800, 500)
    made.show()
    return made


def test_the_gallery_keeps_its_choice(qtbot):
    shown = Gallery("Windows")
    qtbot.addWidget(shown)
    shown.resize(600, 400)
    shown.show()
    shown.show_found([window(1), window(2), window(3)])
    assert shown.choose(window(2))
    assert not shown.choose(window(99))
    shown.show_found([window(3), window(4), window(2, "renamed")])
    assert (shown.choice().title, shown.count()) == ("renamed", 3)
    assert not shown.grab().isNull()
    shown.show_found([window(4)])
    assert shown.choice() is None or shown.choice().choice.window_id == 4


def test_the_likeliest_window_is_chosen_first(picker):
    picker.show_view(view(window(1), window(2, rect=(0, 0, 900, 700)), window(3, rect=(0, 0, 100, 100))))
    assert picker.choice().choice.window_id == 2
    picker.windows.show_found([])
    picker.show_view(view(window(1, rect=(0, 0, 900, 700)), window(5, "known", (0, 0, 100, 100))))
    assert picker.choice().choice.window_id == 5


def test_many_windows_can_be_searched(qtbot, picker):
    assert not picker.search.isVisible()
    picker.show_view(view(*(window(number) for number in range(1, 10)), window(20, "Super Tux 2")))
    assert picker.search.isVisible()
    qtbot.keyClicks(picker.search, "tux sup")
    assert picker.windows.shown == 1
    assert picker.choice().choice.window_id == 20
    qtbot.keyClicks(picker.search, "zzz")
    assert picker.choice() is None
    assert "zzz" in picker._empty.text()


def test_no_window_is_said(picker):
    picker.show_view(view())
    assert picker._empty.isVisible()
    assert "no window" in picker._empty.text()
    picker.show_view(view(window(1)))
    assert not picker._empty.isVisible()


def test_a_monitor_counts_the_keys_of_one_window(qtbot, picker):
    picker.show_view(view(window(1), window(3, "known"), screen=True))
    qtbot.mouseClick(picker.kind.button(MONITORS), LEFT)
    found = picker.choice()
    assert (found.choice, found.title) == (Choice(monitor=1, window_id=3), "known")
    everything = picker.listener.count() - 1
    assert "all that is typed" in picker.listener.itemText(everything)
    picker.listener.setCurrentIndex(everything)
    picker.listener.activated.emit(everything)
    picker.show_view(view(window(1), screen=True))
    assert picker.choice().choice == Choice(monitor=1)  # what was chosen by hand stays
    qtbot.mouseClick(picker.kind.button(WINDOWS), LEFT)
    assert picker.choice().choice.window_id in (1, 3)


def test_a_region_is_drawn_or_typed(qtbot, picker):
    picker.show_view(view(window(1), window(3, rect=(500, 300, 400, 400)), screen=True))
    qtbot.mouseClick(picker.kind.button(REGION), LEFT)
    assert picker.choice() is None
    canvas = picker.region.canvas
    place = canvas._place()
    start, stop = place.center(), place.bottomRight() - QPoint(4, 4)
    with qtbot.waitSignal(picker.picked):
        qtbot.mousePress(canvas, LEFT, pos=start)
        qtbot.mouseMove(canvas, stop)
        qtbot.mouseRelease(canvas, LEFT, pos=stop)
    left, top, width, height = picker.region.rect_px
    assert abs(left - 512) <= 2
    assert abs(top - 384) <= 2
    assert left + width <= 1024
    assert picker.choice().choice.window_id == 3  # the one that fills it
    picker.region.across.setValue(100)
    assert picker.region.rect_px == (left, top, 100, height)
    picker.region.left.setValue(5000)
    assert picker.region.rect_px[0] + picker.region.rect_px[2] <= 1024


def test_a_region_is_never_too_small(qtbot):
    region = RegionPicker()
    qtbot.addWidget(region)
    region.show_screen(picture(), (1024, 768))
    region.canvas.drawn.emit(QRect(10, 10, 5, 5))
    assert region.rect_px is None
    region.set_rect((10, 10, 200, 100))
    assert [box.value() for box in (region.left, region.top, region.across, region.down)] == [10, 10, 200, 100]


def test_the_lookout_sees_windows_monitors_and_the_screen(display, make_window, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    game = make_window(display, "Lookout game", (30, 40, 320, 240))
    game.paint(0b1011)
    lookout = Lookout()
    lookout.wants_screens = True
    seen = wait_until(lambda: next((v for v in [lookout.look_now()] if _titled(v, "Lookout game")), None), "the window")
    found = _titled(seen, "Lookout game")
    assert (found.rect_px, found.choice.window_id) == ((30, 40, 320, 240), game.id)
    assert found.picture.pixelColor(1, 1).lightness() > 200
    assert list_monitors()[0][:2] == (0, 0)
    assert seen.monitors[0].picture is not None
    assert (seen.screen.width(), seen.screen_px) == (1024, (1024, 768))


def test_a_covered_window_keeps_the_picture_from_before(display, make_window, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    game = make_window(display, "Covered game", (500, 300, 200, 200))
    game.paint(0b1111)
    lookout = Lookout()
    before = wait_until(lambda: _titled(lookout.look_now(), "Covered game").picture, "its picture")
    make_window(display, "Cover", (480, 280, 400, 300))
    after = _titled(lookout.look_now(), "Covered game").picture
    assert after == before


def test_the_lookout_follows_a_window(qtbot, display, make_window, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    game = make_window(display, "Moving game", (20, 20, 200, 150))
    lookout = Lookout()
    places = []
    lookout.news.moved.connect(places.append)
    lookout.follow(game.id)
    lookout.start()
    try:
        qtbot.waitUntil(lambda: (20, 20, 200, 150) in places)
        game.handle.configure(x=60, y=70)
        game.connection.sync()
        qtbot.waitUntil(lambda: places[-1] == (60, 70, 200, 150))
    finally:
        lookout.close()


def _titled(seen, title):
    return next((found for found in seen.windows if found.title == title), None)


@pytest.fixture
def consent(qtbot, tmp_path):
    page = ConsentPage(tmp_path)
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    return page


def test_nothing_is_agreed_to_before_a_licence_is_chosen(qtbot, consent, tmp_path):
    consent.ask("ann", None)
    assert not consent.agree.isEnabled()
    qtbot.mouseClick(consent.agree, LEFT)
    assert find_consent(tmp_path, "ann") is None
    button = next(b for b in consent._licences.buttons() if b.property("licence") == "team")
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    consent.player.clear()
    assert not consent.agree.isEnabled()
    consent.player.setText(" ben ")
    with qtbot.waitSignal(consent.agreed):
        qtbot.keyClick(consent.agree, Qt.Key.Key_Space)
    assert find_consent(tmp_path, "ben").licence == "team"


def test_the_licence_can_be_changed(qtbot, consent, tmp_path):
    consent.ask("ann", give_consent(tmp_path, "ann", "private"))
    assert (consent.licence, consent.agree.isEnabled(), consent.back.isVisible()) == ("private", True, True)
    consent._licences.buttons()[list(LICENCES).index("CC0-1.0")].click()
    qtbot.mouseClick(consent.agree, LEFT)
    assert find_consent(tmp_path, "ann").licence == "CC0-1.0"


def test_a_library_that_cannot_be_written_is_said(qtbot, consent, tmp_path):
    (tmp_path / "consents.json").mkdir()
    consent.ask("ann", None)
    consent._licences.buttons()[0].click()
    qtbot.mouseClick(consent.agree, LEFT)
    assert consent._problem.isVisible()
    assert consent._problem.text()


def test_a_refusal_says_why(qtbot):
    page = RefusalPage("This is a Wayland session.")
    qtbot.addWidget(page)
    assert page.reason.text() == "This is a Wayland session."
