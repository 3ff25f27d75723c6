"""Fields that take real key presses, and what is remembered of them."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QEvent, QSettings, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QPushButton

from db.recording.keys import CODES
from recorder.hotkeys import DEFAULTS, Hotkey, HotkeyAction
from recorder.ui.settings.key_capture import HotkeyField, KeyField
from recorder.ui.settings.preferences import Preferences

pytestmark = pytest.mark.usefixtures("own_settings")


def press(widget, name, *, up=True, repeat=False):
    """The physical key, as X11 tells it."""
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease)[: 1 + up]:
        event = QKeyEvent(
            kind, 0, Qt.KeyboardModifier.NoModifier, CODES[f"KEY_{name}"] + 8, 0, 0, "", repeat, 1
        )  # fmt: skip
        QApplication.sendEvent(widget, event)


def release(widget, name):
    event = QKeyEvent(QEvent.Type.KeyRelease, 0, Qt.KeyboardModifier.NoModifier, CODES[f"KEY_{name}"] + 8, 0, 0)
    QApplication.sendEvent(widget, event)


@pytest.fixture
def keys(qtbot):
    field = KeyField()
    qtbot.addWidget(field)
    field.resize(300, 200)
    field.show()
    qtbot.waitExposed(field)
    return field


def test_keys_are_added_by_pressing_them_also_tab_and_escape(qtbot, keys):
    press(keys.add, "W")
    assert keys.codes == ()  # it does not listen yet
    qtbot.mouseClick(keys.add, Qt.MouseButton.LeftButton)
    for name in ("W", "TAB", "ESC", "LEFTSHIFT", "W"):
        press(keys.add, name)
    press(keys.add, "E", repeat=True)  # held down since before
    assert keys.codes == tuple(CODES[f"KEY_{name}"] for name in ("W", "TAB", "ESC", "LEFTSHIFT"))
    qtbot.mouseClick(keys.add, Qt.MouseButton.LeftButton)
    press(keys.add, "Q")
    assert len(keys.codes) == 4


def test_a_chip_removes_its_key(qtbot, keys):
    keys.set_codes([17, 30, 17])
    chips = [button for button in keys.findChildren(QPushButton) if button.property("chip")]
    assert [chip.accessibleName() for chip in chips] == ["Remove W", "Remove A"]
    with qtbot.waitSignal(keys.changed):
        qtbot.mouseClick(chips[0], Qt.MouseButton.LeftButton)
    assert keys.codes == (30,)


def test_a_mouse_button_is_added_beside_the_chips(qtbot, keys):
    keys.add.click()
    qtbot.mouseClick(keys, Qt.MouseButton.RightButton, pos=keys.rect().bottomRight())
    assert keys.codes == (CODES["BTN_RIGHT"],)


def test_it_stops_listening_when_it_is_left(qtbot, keys):
    keys.add.click()
    keys.add.clearFocus()
    assert not keys.add.is_listening


@pytest.fixture
def hotkey(qtbot):
    field = HotkeyField(Hotkey.parse("F9"))
    qtbot.addWidget(field)
    field.show()
    qtbot.waitExposed(field)
    return field


def test_a_hotkey_is_rebound_by_pressing_the_combination(qtbot, hotkey):
    qtbot.mouseClick(hotkey, Qt.MouseButton.LeftButton)
    press(hotkey, "LEFTCTRL", up=False)
    press(hotkey, "RIGHTSHIFT", up=False)
    assert hotkey.text() == "Ctrl+Shift+…"
    release(hotkey, "RIGHTSHIFT")
    with qtbot.waitSignal(hotkey.rebound) as heard:
        press(hotkey, "R")
    assert str(heard.args[0]) == hotkey.text() == "Ctrl+R"
    assert not hotkey.is_listening


def test_escape_keeps_the_hotkey(qtbot, hotkey):
    hotkey.click()
    press(hotkey, "ESC")
    assert (hotkey.text(), hotkey.is_listening, str(hotkey.hotkey)) == ("F9", False, "F9")
    hotkey.click()
    press(hotkey, "LEFTCTRL", up=False)
    press(hotkey, "ESC")
    assert hotkey.text() == "Ctrl+Esc"


def test_preferences_are_kept_and_nonsense_counts_as_the_default():
    preferences = Preferences()
    assert (preferences.countdown_s, preferences.discard_s, preferences.sounds, preferences.preview) == (
        3,
        30,
        True,
        True,
    )
    assert preferences.bindings == DEFAULTS
    preferences.countdown_s, preferences.sounds, preferences.player = 0, False, "ann"
    preferences.bindings = DEFAULTS | {HotkeyAction.MUTE: Hotkey.parse("Ctrl+M")}
    preferences.remember_profile("Doom – größer", "Doom")
    again = Preferences()
    assert (again.countdown_s, again.sounds, again.player) == (0, False, "ann")
    assert str(again.bindings[HotkeyAction.MUTE]) == "Ctrl+M"
    assert (again.profile_name("Doom – größer"), again.profile_name("other")) == ("Doom", None)
    settings = QSettings("Playtape", "Playtape")
    for key, value in (
        ("recorder/countdown_s", "99"), ("recorder/discard_s", "-1"), ("scheme", "pink"), ("recorder/hotkeys/mute", "??"),
    ):  # fmt: skip
        settings.setValue(key, value)
    broken = Preferences()
    assert (broken.countdown_s, broken.discard_s, broken.scheme) == (10, 30, "system")
    assert broken.bindings[HotkeyAction.MUTE] == DEFAULTS[HotkeyAction.MUTE]
    settings.setValue("recorder/countdown_s", "soon")
    assert Preferences().countdown_s == 3


def test_a_key_is_asked_for_once_a_machine():
    assert not Preferences().keyboard_seen
    Preferences().keyboard_seen = True
    assert Preferences().keyboard_seen
