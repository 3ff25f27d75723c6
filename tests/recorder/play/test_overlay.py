"""The overlay: what it shows, where it stands, and how an instruction is typed in it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QPushButton

from db.errors import BadFile
from recorder.play.remote import Remote, join
from recorder.ui.overlay.overlay import Overlay
from recorder.ui.overlay.panel import Panel
from recorder.ui.overlay.standing import FACES, Standing

pytestmark = pytest.mark.usefixtures("own_settings", "qapp")

STANDING = Standing(
    mode="model", model="m", instruction="collect the medkits", words=(("1", "shoot"), ("2", "collect the medkits")),
    down=("W", "LMB"), motion=(12.0, -3.0), rate_hz=19.8, wanted_hz=20.0, latency_ms=8.6, late_per_minute=0.0,
)  # fmt: skip


@pytest.fixture
def panel(qtbot):
    made = Panel()
    qtbot.addWidget(made)
    return made


def words_of(panel):
    return [button for button in panel._row.findChildren(QPushButton) if not button.isHidden()]


def test_it_says_what_the_model_does_and_was_told(panel):
    panel.show_standing(STANDING)
    assert "The model plays" in panel.badge.accessibleName()
    assert panel.instruction.text() == "“collect the medkits”"
    assert panel.caps.accessibleName() == "Pressed: W, LMB"
    assert panel.pace.text() == "20 of 20 Hz  ·  9 ms  ·  none late"
    panel.show_standing(replace(STANDING, instruction="", down=(), late_per_minute=3.4, rate_hz=0.0))
    assert panel.instruction.text() == "No instruction"
    assert panel.caps.accessibleName() == "Pressed: nothing"
    assert panel.pace.text() == "waiting for pictures"


def test_who_is_in_control_has_a_word_a_shape_and_a_colour_of_its_own():
    words, shapes, tones = ({getattr(face, part) for face in FACES.values()} for part in ("word", "shape", "tone"))
    assert len(words) == len(shapes) == len(tones) == len(FACES)
    assert Standing(mode="something new").face is FACES["away"]


def test_what_is_too_slow_stands_out(panel):
    panel.show_standing(STANDING)
    assert not panel.pace.property("bad")
    panel.show_standing(replace(STANDING, rate_hz=12.0))
    assert panel.pace.property("bad")


def test_a_long_instruction_is_cut_and_read_aloud_whole(panel):
    text = "go to the door at the end of the long corridor, open it, and wait there until somebody comes " * 2
    panel.show_standing(replace(STANDING, instruction=text))
    assert panel.instruction.text().endswith("…”")
    assert text in panel.instruction.accessibleName()


def test_words_follow_the_play_and_a_click_says_one(panel, qtbot):
    panel.show_standing(STANDING)
    assert [button.text() for button in words_of(panel)] == ["1  shoot", "2  collect the medkits"]
    assert [button.property("listening") for button in words_of(panel)] == [False, True]
    with qtbot.waitSignal(panel.said) as said:
        words_of(panel)[0].click()
    assert said.args == ["shoot"]
    panel.show_standing(replace(STANDING, words=()))
    assert words_of(panel) == []


def test_it_never_lies_over_the_game_and_never_takes_the_focus(panel):
    panel.show_standing(STANDING)
    screen = QGuiApplication.primaryScreen().availableGeometry()
    heights = []
    for height in range(100, screen.height() + 1, 20):
        game = QRect(screen.left(), screen.top(), screen.width(), height)
        panel.stand_by(game)
        if panel.isVisible():
            assert not panel.geometry().intersects(game)
            assert screen.contains(panel.geometry())
            heights.append(panel.height())
    assert len(set(heights)) > 1, "it makes do with less room"
    assert panel.isHidden(), "a game that fills the screen leaves none"
    assert panel.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert panel.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)


@pytest.fixture
def played(qtbot, tmp_path, told):
    """An overlay, and the play behind its socket."""
    remote = Remote(told, tmp_path / "plays")
    remote.start()
    overlay = Overlay(join(remote.announcement))
    overlay.panel.stand_by(QRect(0, 0, 100, 100))
    yield overlay, remote
    overlay.close()
    remote.close()


def test_typing_ends_with_enter_or_escape(played, told, qtbot):
    overlay, _ = played
    overlay.panel.instruction.click()
    assert overlay.entry.isVisible()
    assert told.is_typing
    assert overlay.entry.line.selectedText() == "walk"
    qtbot.keyClicks(overlay.entry.line, "run fast")
    qtbot.keyClick(overlay.entry.line, Qt.Key.Key_Return)
    assert not overlay.entry.isVisible()
    assert (told.instructions.text, told.is_typing) == ("run fast", False)
    overlay.panel.instruction.click()
    qtbot.keyClicks(overlay.entry.line, "never mind")
    qtbot.keyClick(overlay.entry.line, Qt.Key.Key_Escape)
    assert not overlay.entry.isVisible()
    assert (told.instructions.text, told.is_typing) == ("run fast", False)


def test_a_text_that_cannot_be_told_stays_to_be_mended(played, told, qtbot):
    overlay, _ = played
    overlay.panel.instruction.click()
    overlay.entry.line.setText("x" * 3000)
    qtbot.keyClick(overlay.entry.line, Qt.Key.Key_Return)
    assert overlay.entry.isVisible()
    assert "at most" in overlay.entry.help.text()
    assert (told.instructions.text, told.is_typing) == ("walk", True)


def test_the_hotkey_opens_the_line_and_the_one_that_gives_back_closes_it(played, told, qtbot):
    overlay, _ = played
    told.begin_typing()
    qtbot.waitUntil(overlay.entry.isVisible, timeout=20_000)
    told.end_typing(None)
    qtbot.waitUntil(overlay.entry.isHidden, timeout=20_000)


def test_a_click_on_a_word_says_it(played, told, qtbot):
    overlay, _ = played
    qtbot.waitUntil(lambda: bool(words_of(overlay.panel)), timeout=20_000)
    words_of(overlay.panel)[0].click()
    assert (told.instructions.text, told.is_typing) == ("shoot", False)


def test_it_ends_with_its_play(played, qtbot):
    overlay, remote = played
    with qtbot.waitSignal(overlay.ended, timeout=20_000):
        remote.close()
    with pytest.raises(BadFile):
        join(remote.announcement)
