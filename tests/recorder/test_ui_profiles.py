"""Game profiles in the recorder's window: found by the title, made in one click, changed in the sheet."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import Qt

from db.recording.profiles import GameProfile, QaLimits, list_profiles, load_profile, save_profile
from recorder.ui.pick.limits_form import LimitsForm
from recorder.ui.pick.profile_card import ProfileCard, describe, draft_of
from recorder.ui.pick.profile_sheet import ProfileSheet
from recorder.ui.settings.preferences import Preferences

pytestmark = pytest.mark.usefixtures("own_settings")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def card(qtbot, tmp_path):
    made = ProfileCard(tmp_path, Preferences())
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def sheet(qtbot, tmp_path):
    made = ProfileSheet(tmp_path)
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    return made


@given(st.text(max_size=80))
def test_a_draft_is_a_valid_profile_that_finds_its_own_window(title):
    profile = draft_of(title)
    assert profile.matches(" ".join(title.split())) or not title.split()


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("VIZDOOM 1.3.2 (ZDOOM 2.8.1+)", "VIZDOOM 1.4"),
        ("Minetest [2]", "Minetest"),
        ("Quake - 99 fps", "Quake - 7 fps"),
    ],
)
def test_a_drafts_pattern_leaves_out_what_changes(title, other):
    assert draft_of(title).matches(other)


def test_what_a_profile_says():
    assert describe(GameProfile(name="x")) == "30 frames a second, pauses after 90 s idle"
    lines = describe(GameProfile(name="x", idle_s=0, rate_hz=60, keys=(17, 30), only_these=True)).splitlines()
    assert lines == ["60 frames a second, never pauses when idle", "Only the keys W A"]


def test_a_window_without_a_profile_gets_a_draft_that_one_click_keeps(qtbot, card, tmp_path):
    assert card.profile is None
    card.set_title("Supertux 0.6")
    assert (card.profile.name, card.box.currentText()) == ("Supertux 0.6", "Supertux 0.6 (new)")
    assert list_profiles(tmp_path) == []
    qtbot.mouseClick(card.save, LEFT)
    assert [profile.name for profile in list_profiles(tmp_path)] == ["Supertux 0.6"]
    assert not card.save.isVisible()
    card.set_title("Supertux 0.7 beta")
    assert card.profile.name == "Supertux 0.6"


def test_a_choice_by_hand_is_remembered_for_the_window(card, tmp_path):
    save_profile(tmp_path, GameProfile(name="A", title_pattern="game"))
    save_profile(tmp_path, GameProfile(name="B"))
    card.set_title("The game")
    assert card.profile.name == "A"
    card.box.setCurrentIndex(card.box.findText("B"))
    card.box.activated.emit(card.box.currentIndex())
    other = ProfileCard(tmp_path, Preferences())
    other.set_title("The game")
    assert other.profile.name == "B"


def test_a_known_window_can_get_a_new_profile(card, tmp_path):
    save_profile(tmp_path, GameProfile(name="A", title_pattern="game"))
    card.set_title("Another game")
    row = card.box.findText("New profile from this window")
    card.box.setCurrentIndex(row)
    card.box.activated.emit(row)
    assert card.profile.name == "Another game"
    assert card.save.isVisible()


def test_an_unwritable_library_is_said(qtbot, card, tmp_path):
    (tmp_path / "profiles").write_text("in the way")
    card.set_title("Game")
    with qtbot.waitSignal(card.failed):
        qtbot.mouseClick(card.save, LEFT)


def test_the_sheet_stores_every_field(qtbot, sheet, tmp_path):
    sheet.open(draft_of("Doom"))
    assert not sheet.delete.isVisible()
    sheet.name.setText("Doom 2")
    sheet.pattern.setText("doom")
    sheet.keys.set_codes([17, 30])
    sheet.keys.add_code(57)
    sheet.only.setChecked(True)
    sheet.idle.setValue(0)
    sheet.rate.setValue(60)
    sheet.blank.setChecked(False)
    sheet.more.setChecked(True)
    sheet.limits._boxes["min_length_s"].setValue(20)
    with qtbot.waitSignal(sheet.closed) as closed:
        qtbot.mouseClick(sheet.store, LEFT)
    stored = load_profile(tmp_path, "Doom 2")
    assert stored == closed.args[0]
    assert stored == GameProfile(
        name="Doom 2", title_pattern="doom", keys=(17, 30, 57), only_these=True, idle_s=0, rate_hz=60,
        blank_when_muted=False, limits=QaLimits(min_length_s=20),
    )  # fmt: skip


def test_a_renamed_profile_leaves_no_twin(qtbot, sheet, tmp_path):
    save_profile(tmp_path, GameProfile(name="Old"))
    sheet.open(load_profile(tmp_path, "Old"))
    sheet.name.setText("New")
    qtbot.mouseClick(sheet.store, LEFT)
    assert [profile.name for profile in list_profiles(tmp_path)] == ["New"]


@pytest.mark.parametrize(("name", "pattern", "word"), [("", "", "name"), ("x", "(", "regular expression")])
def test_what_is_wrong_is_said_in_the_sheet(qtbot, sheet, tmp_path, name, pattern, word):
    sheet.open(draft_of("Doom"))
    sheet.name.setText(name)
    sheet.pattern.setText(pattern)
    qtbot.mouseClick(sheet.store, LEFT)
    assert word in sheet._problem.text()
    assert list_profiles(tmp_path) == []


def test_a_profile_is_deleted_in_two_steps(qtbot, sheet, tmp_path):
    save_profile(tmp_path, GameProfile(name="Old"))
    sheet.open(load_profile(tmp_path, "Old"))
    qtbot.mouseClick(sheet.delete, LEFT)
    assert len(list_profiles(tmp_path)) == 1
    with qtbot.waitSignal(sheet.closed) as closed:
        qtbot.mouseClick(sheet.delete, LEFT)
    assert closed.args == [None]
    assert list_profiles(tmp_path) == []


def test_escape_leaves_the_profile_as_it_was(qtbot, sheet, tmp_path):
    sheet.open(draft_of("Doom"))
    with qtbot.waitSignal(sheet.closed) as closed:
        qtbot.keyClick(sheet.name, Qt.Key.Key_Escape)
    assert closed.args == [None]


def test_every_limit_has_a_box_and_keeps_its_value(qtbot):
    form = LimitsForm()
    qtbot.addWidget(form)
    assert form.limits == QaLimits()
    assert set(form._boxes) == set(QaLimits.model_fields)
    for name, box in form._boxes.items():
        box.setValue(box.value() + 1 if box.value() + 1 <= box.maximum() else box.value() - 1)
        assert getattr(form.limits, name) == pytest.approx(box.value())
        assert box.accessibleName().endswith(("at least", "at most"))
    assert QaLimits.model_validate(form.limits.model_dump()) == form.limits
    form.show_limits(QaLimits(max_keys_at_once=9))
    assert form.limits.max_keys_at_once == 9
