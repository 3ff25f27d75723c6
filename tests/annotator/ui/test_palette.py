"""The palette: every action by a few letters, what was run last first, what cannot be done with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QAbstractItemModelTester, QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.actions import ACTIONS, TABLE
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.keys.bindings import Bindings
from annotator.ui.keys.fuzzy import score
from annotator.ui.keys.palette import Palette
from annotator.ui.library.library_actions import LIBRARY_ACTIONS, LIBRARY_TABLE
from annotator.ui.library.library_window import LibraryWindow
from db.labelling.labels import Review

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    make_session(store, count=60)
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    return opened


def opened_palette(window, qtbot) -> Palette:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(QApplication.focusWidget() or window, Key.Key_P, Mod.ControlModifier | Mod.ShiftModifier)
    palette = window.findChildren(Palette)[-1]
    qtbot.waitUntil(palette.isVisible)
    return palette


def open_first(window, qtbot) -> None:
    assert window.open_session(window.store.search()[0].id)
    qtbot.waitUntil(lambda: window.editing is not None)
    window.timeline.setFocus()


def first(palette) -> str:
    return palette.entries.entries[0].spec.name


def test_every_action_is_in_it_with_menu_key_and_reason(window, qtbot) -> None:
    palette = Palette(TABLE, window.actions_by_name, window)
    qtbot.addWidget(palette)
    QAbstractItemModelTester(palette.entries, QAbstractItemModelTester.FailureReportingMode.Fatal)
    entries = {entry.spec.name: entry for entry in palette.entries.entries}
    assert set(entries) == {spec.name for spec in ACTIONS}
    assert (entries["accept"].path, entries["accept"].keys) == ("Session", "A")
    assert entries["accept"].why_not == "Open a session first."
    assert entries["undo"].why_not == "There is nothing to take back."
    assert entries["palette"].why_not == ""
    index = palette.entries.index(0, 0)
    assert palette.entries.data(index, Qt.ItemDataRole.AccessibleTextRole)
    assert not palette.grab().isNull()


def test_typing_finds_enter_runs_and_it_comes_first_the_next_time(window, qtbot) -> None:
    open_first(window, qtbot)
    palette = opened_palette(window, qtbot)
    QTest.keyClicks(palette.field, "rejct")
    assert first(palette) == "reject"
    QTest.keyClick(palette.field, Key.Key_Return)
    qtbot.waitUntil(lambda: window.editing.document.review is Review.REJECTED)
    again = opened_palette(window, qtbot)
    assert first(again) == "reject"
    QTest.keyClick(again.field, Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(Palette))


def test_what_cannot_be_done_says_why_and_stays(window, qtbot) -> None:
    palette = opened_palette(window, qtbot)
    QTest.keyClicks(palette.field, "submit and")
    assert first(palette) == "submit"
    QTest.keyClick(palette.field, Key.Key_Return)
    assert palette.says.text() == "Submit and open the next: Open a session first."
    assert palette.isVisible()
    QTest.keyClicks(palette.field, "zzzz")
    assert "fewer letters" in palette.says.text()
    palette.close()


def test_arrows_choose_and_a_click_runs(window, qtbot) -> None:
    palette = opened_palette(window, qtbot)
    QTest.keyClicks(palette.field, "colours")
    QTest.keyClick(palette.field, Key.Key_Down)
    assert palette.view.currentIndex().row() == 1
    QTest.keyClick(palette.field, Key.Key_Up)
    QTest.keyClick(palette.field, Key.Key_Up)
    assert palette.view.currentIndex().row() == 0
    palette.field.setText("keys and mouse over")
    was = window.actions_by_name["overlay"].isChecked()
    place = palette.view.visualRect(palette.entries.index(0, 0)).center()
    QTest.mouseClick(palette.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: window.actions_by_name["overlay"].isChecked() is not was)


def test_it_shows_the_persons_own_keys(window, qtbot) -> None:
    Bindings.of_person().give("annotate", "accept", ("F9",))
    palette = Palette(TABLE, window.actions_by_name, window)
    qtbot.addWidget(palette)
    assert next(entry.keys for entry in palette.entries.entries if entry.spec.name == "accept") == "F9"


def test_the_library_has_it_too(store, qtbot) -> None:
    library = LibraryWindow(store, "ann")
    qtbot.addWidget(library)
    library.show()
    qtbot.waitExposed(library)
    library.activateWindow()
    palette = opened_palette(library, qtbot)
    assert {entry.spec.name for entry in palette.entries.entries} == {spec.name for spec in LIBRARY_ACTIONS}
    QTest.keyClicks(palette.field, "disk")
    assert first(palette) == "storage"
    QTest.keyClick(palette.field, Key.Key_Return)
    qtbot.waitUntil(lambda: library.page == "storage")
    library.close()


@pytest.mark.parametrize(
    ("typed", "name"),
    [("undo", "undo"), ("cas", "confirm_all"), ("next sp", "next_span"), ("spli", "split"), ("dark", "theme_dark"),
     ("zq", None), ("ofb", "step_back")],
)  # fmt: skip
def test_a_few_letters_are_enough(typed, name) -> None:
    found = [(points, spec.name) for spec in ACTIONS if (points := score(typed, spec.text)) is not None]
    assert (max(found)[1] if found else None) == name


@pytest.mark.parametrize("table", [TABLE, LIBRARY_TABLE], ids=["annotate", "library"])
def test_the_whole_text_finds_its_own_action_first(table) -> None:
    for spec in table.rows:
        assert max(table.rows, key=lambda other: score(spec.text, other.text) or -1e9).text == spec.text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12), st.text(max_size=30))
def test_any_text_is_scored_or_not_found(typed, text) -> None:
    points = score(typed, text)
    assert points is None or isinstance(points, float)
    assert score(typed, "") is None or not typed.split()
