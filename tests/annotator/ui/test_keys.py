"""A person's own keys: in force everywhere at once, kept, without conflicts; bad files change nothing."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PyQt6.QtCore import QEvent, QSettings, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtPrintSupport import QPrinter
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QPushButton

from annotator.model.library.key_claims import claim_keys
from annotator.ui.annotate.actions import ACTIONS, TABLE
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.cheat_sheet import CheatSheet
from annotator.ui.keys.bindings import Bindings
from annotator.ui.keys.controls import keys_of
from annotator.ui.keys.key_editor import KeyEditor
from annotator.ui.keys.key_names import pressed_key, refusal, spell
from annotator.ui.keys.key_set import keys_in_force, read_key_set, write_key_set
from annotator.ui.keys.key_sheet import KeySheet
from annotator.ui.keys.table import menu_letters
from annotator.ui.library.library_actions import LIBRARY_TABLE
from annotator.ui.library.library_window import LibraryWindow
from db.errors import BadFile, PlaytapeError, TooNew
from db.labelling.labels import Review

Key, Mod = Qt.Key, Qt.KeyboardModifier
TABLES = {table.scope: table for table in (TABLE, LIBRARY_TABLE)}


@pytest.fixture(autouse=True)
def no_claims():
    yield
    claim_keys("annotate", "Vocabulary", {})


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    session_id = make_session(store, count=60)
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.editing is not None and opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


def press(window, key, modifiers=Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifiers)


def review(window) -> Review:
    return window.store.summary(window.editing.session_id).review


def tooltip_of(window, words: str) -> str:
    return next(button for button in window.panel.findChildren(QPushButton) if button.text() == words).toolTip()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_key_of_a_table_is_used_twice_and_none_is_a_menus(table) -> None:
    names = [spec.name for spec in table.rows]
    assert len(set(names)) == len(names)
    keys = [spell(key) for spec in table.rows for key in spec.keys]
    assert all(keys)
    assert sorted(set(keys)) == sorted(keys)
    letters = menu_letters(table.menus)
    assert len(set(letters.values())) == len(table.menus)
    assert not {f"Alt+{letter.upper()}" for letter in letters.values()} & set(keys)
    assert all(spec.menu in table.menus for spec in table.rows)


def test_a_new_key_is_in_force_at_once_in_window_tooltip_and_sheet(window) -> None:
    bindings = Bindings.of_person()
    sheet = CheatSheet(window)
    sheet.show()
    bindings.give("annotate", "accept", ("F9",))
    assert keys_of(window.actions_by_name["accept"]) == "F9"
    assert tooltip_of(window, "Accept") == "Accept (F9)"
    assert any(cap.text() == "F9" and label.text() == "Accept" for group in sheet.groups for cap, label in group.rows)
    sheet.close()
    window.activateWindow()
    window.timeline.setFocus()
    press(window, Key.Key_A)
    assert review(window) is Review.UNLABELLED
    press(window, Key.Key_F9)
    assert review(window) is Review.ACCEPTED


def test_the_key_that_holds_for_stepping_follows_too(window, qtbot) -> None:
    Bindings.of_person().give("annotate", "pause", ("F7",))
    QTest.keyPress(window.timeline, Key.Key_F7)
    press(window, Key.Key_L)
    qtbot.waitUntil(lambda: window.picture.index == 1)
    assert not window.editing.player.is_playing
    QTest.keyRelease(window.timeline, Key.Key_F7)
    press(window, Key.Key_L)
    assert window.editing.player.is_playing
    window.editing.player.pause()


def test_a_key_given_to_one_is_taken_from_another_and_comes_back(window) -> None:
    bindings = Bindings.of_person()
    assert bindings.conflict("annotate", "accept", "R") == "R is taken by Reject."
    bindings.give("annotate", "accept", ("R", "F9"))
    assert bindings.keys("annotate", "reject") == ()
    press(window, Key.Key_R)
    assert review(window) is Review.ACCEPTED
    bindings.give("annotate", "fix", ("F9",))
    assert bindings.keys("annotate", "accept") == ("R",)
    bindings.reset("annotate", "accept")
    assert (bindings.keys("annotate", "accept"), bindings.keys("annotate", "reject")) == (("A",), ("R",))
    bindings.reset_all()
    assert bindings.in_force("annotate") == {spec.name: spec.keys for spec in ACTIONS}


def test_keys_are_kept_for_the_next_time_and_for_the_other_window(window, store, qtbot) -> None:
    bindings = Bindings.of_person()
    bindings.give("annotate", "accept", ("F9",))
    library = LibraryWindow(store, "ann")
    qtbot.addWidget(library)
    bindings.give("library", "record", ())
    library.close()
    Bindings._of_person = None
    again = Bindings.of_person()
    again.join(TABLE)
    again.give("annotate", "fix", ("F10",) if not refusal("F10", TABLE, "fix") else ("F8",))
    again.join(LIBRARY_TABLE)
    assert again.keys("annotate", "accept") == ("F9",)
    assert again.keys("library", "record") == ()


@pytest.mark.parametrize("stored", ["{", "[]", '{"playtape_keys": 99, "keys": {}}', '{"playtape_keys":1,"keys":5}', 7])
def test_bad_stored_keys_leave_the_usual_ones_and_say_so(stored, qtbot) -> None:
    QSettings("Playtape", "Playtape").setValue("keys", stored)
    bindings = Bindings.of_person()
    bindings.join(TABLE)
    assert bindings.in_force("annotate") == {spec.name: spec.keys for spec in ACTIONS}
    assert "could not be read" in bindings.problem
    bindings.give("annotate", "accept", ("F9",))
    assert bindings.problem == ""


@pytest.mark.parametrize(
    ("key", "why"),
    [("Ctrl+C", "copying"), ("Esc", "leaves"), ("Alt+F4", "desktop"), ("Meta+K", "desktop"), ("Alt+S", "menu Session"),
     ("Shift", "not a key"), ("Tab", "next"), ("Ctrl+Alt+F2", "desktop")],
)  # fmt: skip
def test_keys_that_are_needed_elsewhere_are_refused_with_the_reason(key, why) -> None:
    assert why in refusal(key, TABLE, "accept")
    bindings = Bindings.of_person()
    bindings.join(TABLE)
    with pytest.raises(PlaytapeError):
        bindings.give("annotate", "accept", (key,))
    assert bindings.keys("annotate", "accept") == ("A",)


def test_an_action_may_keep_what_it_comes_with() -> None:
    assert all(
        not refusal(spell(key), table, s.name) for table in TABLES.values() for s in table.rows for key in s.keys
    )


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "name"),
    [
        (Key.Key_Question, Mod.ShiftModifier, "?", "?"),
        (Key.Key_A, Mod.ShiftModifier, "A", "Shift+A"),
        (Key.Key_5, Mod.KeypadModifier, "5", "5"),
        (Key.Key_Backtab, Mod.ShiftModifier, "", "Shift+Tab"),
        (Key.Key_F5, Mod.ControlModifier | Mod.AltModifier, "", "Ctrl+Alt+F5"),
        (Key.Key_Shift, Mod.ShiftModifier, "", ""),
        (Key.Key_Control, Mod.ControlModifier, "", ""),
    ],
)
def test_what_a_pressed_key_is_called(key, modifiers, text, name) -> None:
    assert pressed_key(QKeyEvent(QEvent.Type.KeyPress, key.value, modifiers, text)) == name


_KEYS = ["F6", "F8", "Shift+F9", "Ctrl+B", "Ctrl+Shift+B", "8", "9", "A", "R", "?"]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["accept", "reject", "fix", "undo", "gone"]), st.lists(st.sampled_from(_KEYS), max_size=3)
    )
)
def test_a_file_of_keys_is_taken_whole_or_refused_and_never_gives_one_key_twice(own) -> None:
    text = json.dumps({"playtape_keys": 1, "keys": {"annotate": own, "other": {"x": ["F1"]}}})
    wanted = [key for name, keys in own.items() if name != "gone" for key in dict.fromkeys(keys)]
    if len(set(wanted)) != len(wanted):
        with pytest.raises(BadFile, match="both to"):
            read_key_set(text, {"annotate": TABLE})
        return
    read = read_key_set(text, {"annotate": TABLE})
    assert "gone" not in read["annotate"]
    force = keys_in_force(TABLE, read["annotate"])
    given_out = [spell(key) for keys in force.values() for key in keys]
    assert len(set(given_out)) == len(given_out)
    assert read_key_set(write_key_set(read), {"annotate": TABLE}) == read


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["playtape_keys", "keys", "annotate", "accept"]), inner, max_size=4)
        ),
    )
)
def test_any_json_is_refused_with_a_sentence_or_taken(value) -> None:
    with contextlib.suppress(BadFile, TooNew):
        read_key_set(json.dumps(value), {"annotate": TABLE})


def test_the_editor_finds_an_action_shows_conflicts_and_takes_a_key(window, qtbot, tmp_path) -> None:
    editor = KeyEditor("annotate", window)
    qtbot.addWidget(editor)
    editor.open()
    qtbot.waitUntil(editor.isVisible)
    QTest.keyClicks(editor.field, "no such thing")
    assert editor.tree.currentItem() is None
    assert not editor.none.isEnabled()
    editor.field.clear()
    QTest.keyClicks(editor.field, "send back")
    shown = [item for item in editor._items() if not item.isHidden()]
    assert [item.text(0) for item in shown] == ["Send back for fixing"]
    assert editor.tree.currentItem() is shown[0]
    QTest.keyClick(editor.field, Key.Key_Return)
    assert editor.focusWidget() is editor.key
    QTest.keyClick(editor.key, Key.Key_A)
    assert editor.says.text() == "A is taken by Accept. Take it from there, or press another key."
    assert not editor.use.isEnabled()
    assert editor.take.text() == "Take it from Accept"
    QTest.keyClick(editor.key, Key.Key_C, Mod.ControlModifier)
    assert "copying" in editor.says.text()
    assert not editor.take.isVisible()
    QTest.keyClick(editor.key, Key.Key_F8)
    assert "free" in editor.says.text()
    editor.use.click()
    assert editor.chosen.text() == "Send back for fixing: F8"
    QTest.keyClick(editor.key, Key.Key_A)
    editor.take.click()
    assert Bindings.of_person().keys("annotate", "fix") == ("A",)
    editor.write_file(tmp_path / "keys.json")
    editor.all_usual.click()
    editor.all_usual.click()
    assert Bindings.of_person().keys("annotate", "accept") == ("A",)
    (tmp_path / "bad.json").write_text("no")
    editor.read_file(tmp_path / "bad.json")
    assert "no file of keys" in editor.says.text()
    editor.read_file(tmp_path / "none.json")
    assert "cannot be read" in editor.says.text()
    editor.read_file(tmp_path / "keys.json")
    assert Bindings.of_person().keys("annotate", "fix") == ("A",)
    assert Bindings.of_person().keys("annotate", "accept") == ()
    editor.choose("annotate", "fix")
    editor.usual.click()
    assert Bindings.of_person().keys("annotate", "accept") == ("A",)
    assert review(window) is Review.UNLABELLED  # no key that was pressed in the editor did anything


def test_keys_of_the_vocabulary_take_part(window) -> None:
    claim_keys("annotate", "Vocabulary", {"walk on": ("Shift+Q",)})
    bindings = Bindings.of_person()
    assert (
        bindings.conflict("annotate", "accept", "Shift+Q")
        == "Shift+Q is taken by Vocabulary: walk on; change it there."
    )
    with pytest.raises(PlaytapeError):
        bindings.give("annotate", "accept", ("Shift+Q",))
    sheet = KeySheet(TABLE, window)
    assert any(label.text() == "Vocabulary: walk on" for group in sheet.groups for _, label in group.rows)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_sheet_has_every_action_is_searched_and_printed(table, qtbot, tmp_path) -> None:
    sheet = KeySheet(table)
    qtbot.addWidget(sheet)
    sheet.show()
    qtbot.waitExposed(sheet)
    told = {label.text() for group in sheet.groups for _, label in group.rows}
    assert {spec.tip or spec.text for spec in table.rows} <= told
    QTest.keyClicks(sheet.field, "light col")
    assert [label.text() for group in sheet.groups for _, label in group.rows if label.isVisible()] == ["Light colours"]
    QTest.keyClicks(sheet.field, "zzz")
    assert sheet.nothing.isVisible()
    sheet.field.clear()
    for width, columns in ((420, 1), (760, 2), (1400, 3)):
        sheet.resize(width, 500)
        qtbot.waitUntil(lambda columns=columns: sheet._column_count == columns)
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "keys.pdf"))
    sheet.print_on(printer)
    assert (tmp_path / "keys.pdf").read_bytes().startswith(b"%PDF")
