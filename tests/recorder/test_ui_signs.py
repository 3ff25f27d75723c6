"""What the recorder's window says about a state: words, shapes, colours, lamps, numbers, warnings, sounds, the pill."""

from __future__ import annotations

import os
import wave
from dataclasses import replace
from itertools import combinations

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QLabel, QPushButton, QWidget

from recorder.screen.synthetic import paint, read_index
from recorder.selftest import Check, Outcome
from recorder.states import PauseReason, State
from recorder.status import Status
from recorder.ui.banner import Banner
from recorder.ui.flow_layout import FlowLayout
from recorder.ui.live.checks_row import ChecksRow
from recorder.ui.live.faces import READY, face_of, face_of_end, pause_word
from recorder.ui.live.gauges import Figure, Lamp, clock_text, size_text, span_text
from recorder.ui.live.preview import Preview, to_image
from recorder.ui.live.rates import Rates
from recorder.ui.notices import Notices, Weight
from recorder.ui.pill import Pill, find_place
from recorder.ui.theme import AMBER, BLUE, DARK, GREEN, LIGHT, RED, VIOLET, wear
from recorder.ui.tones import Sounds, Tone, samples_of, write_wave
from recorder.ui.watchdog import Watchdog

pytestmark = pytest.mark.usefixtures("own_settings")

RECORDING = Status(State.RECORDING, elapsed_s=30, frames=900, events=40, free_bytes=10**12)
STATES = [
    Status(State.IDLE),
    Status(State.STARTING),
    RECORDING,
    replace(RECORDING, muted=True),
    Status(State.PAUSED, PauseReason.USER),
    Status(State.FINALISING),
]


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def themed(request, qapp):
    wear(qapp, request.param)
    yield request.param
    wear(qapp, LIGHT)


def pixels(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    raw = image.constBits()
    raw.setsize(image.sizeInBytes())
    return np.frombuffer(raw, np.uint8).reshape(image.height(), image.width(), 4)[:, :, :3].copy()


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tone", [RED, AMBER, VIOLET, BLUE, GREEN])
def test_a_state_can_be_read_on_its_colour(tone):
    assert contrast(tone.ground, tone.ink) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_can_be_read_in_both_schemes(theme):
    for ground in (theme.window, theme.panel, theme.raised):
        assert contrast(theme.text, ground) >= 7
        assert contrast(theme.dim, ground) >= 4.5


def test_no_two_states_share_a_word_and_shapes_tell_them_apart_without_colour():
    faces = [face_of(status) for status in STATES]
    assert all(" " not in face.word for face in faces)
    for one, other in combinations(faces, 2):
        assert one.word != other.word
        assert one.shape is not other.shape or {one.word, other.word} == {"Starting", "Finalising"}


@pytest.mark.parametrize("pause", PauseReason)
def test_every_pause_has_a_reason(pause):
    face = face_of(Status(State.PAUSED, pause))
    assert (face.word, bool(face.reason), bool(pause_word(pause))) == ("Paused", True, True)
    assert face_of(Status(State.PAUSED, pause, reason="Because.")).reason == "Because."


def test_a_mute_says_what_it_keeps_out_and_what_ends_it():
    muted = STATES[3]
    assert "picture is black" in face_of(muted, mute_key="F8").reason
    assert face_of(muted, mute_key="F8", blank=False).reason.endswith("F8 ends it.")
    assert "picture" not in face_of(muted, blank=False).reason


def test_the_end_is_told_by_its_grade():
    faces = [face_of_end(grade) for grade in ("good", "usable", "bad")]
    assert len({face.shape for face in faces}) == 3
    assert len({face.tone for face in faces}) == 3


def test_the_banner_looks_different_for_every_state(qtbot, themed):
    banner = Banner()
    qtbot.addWidget(banner)
    banner.resize(700, banner.sizeHint().height())
    looks = []
    for status in STATES:
        banner.show_face(face_of(status), "0:30")
        looks.append(pixels(banner))
        assert banner.accessibleName() == face_of(status).word
    grey = [look.mean(axis=2) for look in looks]
    assert all(abs(a - b).max() > 40 for a, b in combinations(grey, 2))


def test_texts():
    assert [clock_text(seconds) for seconds in (0, 7.9, 754, 3723)] == ["0:00", "0:07", "12:34", "1:02:03"]
    assert [size_text(count) for count in (0, 3_240_000, 2_000_000_000)] == ["0 kB", "3.2 MB", "2.00 GB"]
    assert [span_text(seconds) for seconds in (10, 60, 300)] == ["10 s", "60 s", "5 min"]


def test_a_lamp_tells_new_from_old_and_never(qtbot, themed):
    lamp = Lamp("Keyboard", "hint")
    qtbot.addWidget(lamp)
    lamp.resize(lamp.sizeHint())
    looks = []
    for age_s in (None, 0.1, 5.0):
        lamp.set_age(age_s)
        looks.append(pixels(lamp))
    assert not any(np.array_equal(a, b) for a, b in combinations(looks, 2))
    assert lamp.accessibleDescription() == "5.0 seconds ago"


def test_a_figure_raises_an_alarm(qtbot, themed):
    figure = Figure("frames dropped")
    qtbot.addWidget(figure)
    figure.set_text("3")
    calm = pixels(figure)
    figure.set_text("3", alarm=True)
    assert figure.text == "3"
    assert not np.array_equal(calm, pixels(figure))


def test_the_preview_shows_the_picture_in_its_proportions(qtbot, themed):
    preview = Preview()
    qtbot.addWidget(preview)
    preview.resize(400, 400)
    assert read_index(np.asarray(paint(5, (160, 120)))) == 5
    preview.show_picture(paint(5, (160, 120)))
    shown = pixels(preview)
    assert not shown[10, 200].any()  # black above, since the widget is taller than the picture
    assert abs(int(shown[300, 200, 0]) - 96) < 4
    preview.count("3")
    counting = pixels(preview)
    preview.count("")
    preview.fade("away")
    faded = pixels(preview)
    preview.say("nothing here")
    preview.show_picture(None)
    for one, other in combinations((shown, counting, faded, pixels(preview)), 2):
        assert not np.array_equal(one, other)


@given(st.integers(1, 900), st.integers(1, 700), st.integers(1, 900), st.integers(1, 700))
def test_a_picture_is_thinned_out_to_just_above_what_is_needed(width, height, wide, high):
    image = to_image(np.full((height, width, 4), 7, np.uint8), QSize(wide, high))
    assert image.pixelColor(0, 0).red() == 7
    if image.width() != width:  # then both sides still fill the place
        assert wide <= image.width() < width
        assert high <= image.height() < height


def test_an_image_keeps_its_pixels_after_the_picture_is_gone():
    picture = np.full((2, 4, 4), 7, np.uint8)
    image = to_image(picture)
    picture[:] = 9
    assert (image.width(), image.height(), image.pixelColor(3, 1).red()) == (4, 2, 7)


RECTS = st.builds(QRect, st.integers(-200, 2000), st.integers(-200, 1200), st.integers(2, 2200), st.integers(2, 1300))


@given(RECTS, st.integers(1, 2))
def test_the_pill_never_lies_over_what_is_recorded(target, count):
    screens = [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 1024)][:count]
    size = QSize(180, 40)
    place = find_place(size, target, screens)
    if place is None:  # every corner of every screen is covered by it
        assert all(QRect(screen).intersects(target) for screen in screens)
    else:
        assert not QRect(place, size).intersects(target)
        assert any(screen.contains(QRect(place, size)) for screen in screens)


def test_the_pill_gives_way_to_a_full_screen_and_takes_no_focus(qtbot):
    pill = Pill()
    qtbot.addWidget(pill)
    pill.show_face(face_of(RECORDING), "Recording  0:30")
    whole = pill.screen().geometry()
    pill.stand_by(whole)
    assert not pill.isVisible()
    pill.stand_by(QRect(whole.topLeft(), QSize(100, 100)))
    assert pill.isVisible()
    flags = pill.windowFlags()
    for wanted in (Qt.WindowType.WindowDoesNotAcceptFocus, Qt.WindowType.WindowTransparentForInput):
        assert flags & wanted
    pill.stand_by(whole, must_be_outside=False)  # a countdown may: nothing is recorded yet
    assert pill.isVisible()


def test_the_checks_name_the_worst_first(qtbot, themed):
    row = ChecksRow()
    qtbot.addWidget(row)
    well = Check("Picture", Outcome.OK, "fine")
    row.show_checks([well, Check("Keyboard", Outcome.WARNING, "press one"), Check("Mouse", Outcome.FAILED, "broken")])
    assert row.text == "broken"
    row.show_checks([well])
    assert row.text == "Everything works."
    row.show_checks([])
    assert row.isHidden()


def test_notices_replace_their_topic_and_keep_few(qtbot, themed):
    notices = Notices()
    qtbot.addWidget(notices)
    done = []
    assert notices.isHidden()
    notices.tell("one", topic="a")
    notices.tell("two", topic="a")
    notices.tell("three", Weight.FAILED, [("Try again", lambda: done.append(1))])
    assert notices.texts == ["three", "two"]
    button = next(button for button in notices.findChildren(QPushButton) if button.text() == "Try again")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (done, notices.texts) == ([1], ["two"])
    for number in range(5):
        notices.tell(str(number))
    assert notices.texts == ["4", "3", "2"]
    notices.clear()
    assert notices.isHidden()


def test_a_flow_goes_on_in_the_next_line(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    layout = FlowLayout(4)
    labels = [QLabel("key") for _ in range(6)]
    for label in labels:
        label.setFixedSize(40, 20)
        layout.addWidget(label)
    widget.setLayout(layout)
    widget.resize(100, 100)
    widget.show()
    assert [label.pos() for label in labels[:3]] == [QPoint(0, 0), QPoint(44, 0), QPoint(0, 24)]
    assert layout.heightForWidth(1000) == 20


def test_rates_start_anew_with_each_session(monkeypatch):
    rates, now = Rates(), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for tick in range(20):
        now[0] = tick / 10
        rates.take(replace(RECORDING, frames=tick * 3, events=tick))
    assert (rates.frames_text, rates.events_text) == ("30", "10")
    rates.take(replace(RECORDING, number=2, frames=1))
    assert rates.frames_text == "–"


def test_the_watchdog_says_each_thing_once():
    dog = Watchdog()
    assert dog.look(RECORDING) is None
    assert dog.look(replace(RECORDING, events=0)).topic == "silent"
    assert dog.look(replace(RECORDING, events=0)) is None
    assert dog.look(replace(RECORDING, free_bytes=10**9)).topic == "disk"
    assert dog.look(replace(RECORDING, frames=1300, dropped_frames=200)).topic == "drops"
    assert dog.look(replace(RECORDING, frames=1700, dropped_frames=600)) is None
    assert Watchdog().look(replace(RECORDING, events=0, muted=True)) is None
    assert Watchdog().look(Status(State.PAUSED, PauseReason.IDLE)) is None


@pytest.mark.parametrize("tone", Tone)
def test_tones_begin_and_end_softly(tone, tmp_path):
    samples = samples_of(tone)
    assert np.abs(samples).max() < 0.3 * 32767
    assert abs(int(samples[0])) < 50
    assert abs(int(samples[-1])) < 400
    write_wave(tmp_path / "tone.wav", samples)
    with wave.open(str(tmp_path / "tone.wav")) as file:
        assert file.getnframes() == len(samples)


@pytest.mark.parametrize("server", [True, False])
def test_without_a_way_to_sound_it_is_silent_and_says_so(qtbot, monkeypatch, tmp_path, server):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if server:
        (tmp_path / "pipewire-0").touch()
    monkeypatch.setitem(__import__("sys").modules, "PyQt6.QtMultimedia", None)
    sounds = Sounds()
    sounds.play(Tone.START)
    assert sounds.played == [Tone.START]
    assert ("multimedia" if server else "PipeWire") in sounds.problem
    sounds.close()


def test_ready_is_calm():
    assert READY.tone is None
