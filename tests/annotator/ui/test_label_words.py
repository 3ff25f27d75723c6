"""The vocabulary: one key for a whole instruction or a flag of the library's own, edited in a dialog, seen as chips."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QKeySequence
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.vocabulary_dialog import VocabularyDialog
from annotator.ui.annotate.word_keys import keys_of
from db.labelling.labels import LabelKind
from db.settings import FlagEntry, LibrarySettings, VocabularyEntry, read_settings, write_settings
from labelling import Key, Mod, click, go, open_window, press, stored

FLAG = LabelKind.FLAG


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    words = (VocabularyEntry(text="walk on", key="Shift+Q"), VocabularyEntry(text="turn left", key="F7"))
    write_settings(store.root, LibrarySettings(vocabulary=words, flags=(FlagEntry(word="lag", key="8"),)))
    return open_window(store, make_session(store, count=120), qtbot)


def dialog_of(window: AnnotateWindow, qtbot) -> VocabularyDialog:
    press(window, Key.Key_K, Mod.ControlModifier)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), VocabularyDialog))
    return QApplication.activeModalWidget()


def test_a_word_covers_the_marks(window, qtbot) -> None:
    go(window, 30, qtbot)
    press(window, Key.Key_I)
    go(window, 49, qtbot)
    press(window, Key.Key_O)
    press(window, Key.Key_Q, Mod.ShiftModifier)
    assert stored(window) == [(30, 50, "walk on")]
    assert window.editing.marks.stretch is None


def test_a_word_is_what_the_selected_span_says(window, qtbot) -> None:
    window.editing.create(LabelKind.INSTRUCTION, 10, 20, "walk on")
    press(window, Key.Key_F7)
    assert stored(window) == [(10, 20, "turn left")]


def test_a_word_without_marks_or_selection_labels_two_seconds_from_here(window, qtbot) -> None:
    go(window, 30, qtbot)
    press(window, Key.Key_Q, Mod.ShiftModifier)
    assert stored(window) == [(30, 91, "walk on")]


def test_a_flag_of_the_librarys_own_has_a_key_and_a_row(window, qtbot) -> None:
    go(window, 30, qtbot)
    press(window, Key.Key_8)
    go(window, 40, qtbot)
    press(window, Key.Key_8)
    assert stored(window, FLAG) == [(30, 41, "lag")]
    assert [row.label for row in window.timeline.rows.labels] == ["Instructions", "Lag"]


def test_a_chip_does_what_its_key_does_and_names_it(window, qtbot) -> None:
    chips = window.panel.vocabulary.chips
    assert [chip.text().strip() for chip in chips] == ["walk on   Shift+Q", "turn left   F7", "lag   8"]
    go(window, 30, qtbot)
    click(chips[1])
    assert stored(window) == [(30, 91, "turn left")]


def test_words_do_nothing_while_one_types(window, qtbot) -> None:
    window.panel.note.setFocus()
    QTest.keyClick(window.panel.note, Key.Key_Q, Mod.ShiftModifier)
    QTest.keyClick(window.panel.note, Key.Key_8)
    assert stored(window) == stored(window, FLAG) == []


def test_the_dialog_adds_a_word_with_a_free_key_and_it_works_at_once(window, qtbot) -> None:
    dialog = dialog_of(window, qtbot)
    dialog.add_word()
    QTest.keyClicks(dialog.text, "open the door")
    key = dialog.key.keySequence().toString()
    assert key not in {"Shift+Q", "F7", "8", *window.words.taken, ""}
    QTest.keyClick(dialog.text, Key.Key_Return)
    qtbot.waitUntil(lambda: "open the door" in [word.text for word in window.words.words])
    assert "open the door" in [entry.text for entry in read_settings(window.store.root).vocabulary]
    go(window, 30, qtbot)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keySequence(window.timeline, QKeySequence(key))
    assert stored(window) == [(30, 91, "open the door")]


def test_the_dialog_names_a_conflict_and_stores_nothing_with_it(window, qtbot) -> None:
    dialog = dialog_of(window, qtbot)
    dialog.table.setCurrentCell(0, 1)
    QTest.keyClick(dialog.key, Key.Key_S)
    assert "S means “Split the span at the playhead” already" in dialog.problem.text()
    assert not dialog.save.isEnabled()
    QTest.keyClick(dialog.key, Key.Key_F7)
    qtbot.waitUntil(lambda: "F7 is the key of" in dialog.problem.text())
    QTest.keyClick(dialog.key, Key.Key_F5)
    qtbot.waitUntil(lambda: dialog.problem.text() == "")
    assert dialog.words[0].key == "F5"
    dialog.reject()
    assert read_settings(window.store.root).vocabulary[0].key == "Shift+Q"


def test_the_dialog_renames_reorders_and_removes(window, qtbot) -> None:
    dialog = dialog_of(window, qtbot)
    dialog.table.setCurrentCell(0, 1)
    dialog.text.selectAll()
    dialog.text.setFocus()
    QTest.keyClicks(dialog.text, "run on")
    dialog.move_word(1)
    dialog.table.setCurrentCell(2, 1)
    dialog.remove_word()
    dialog.store()
    qtbot.waitUntil(lambda: [word.text for word in window.words.words] == ["turn left", "run on"])
    assert read_settings(window.store.root).flags == ()


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(window, qtbot) -> None:
    dialog = dialog_of(window, qtbot)
    theirs = LibrarySettings(vocabulary=(VocabularyEntry(text="theirs", key="F9"),))
    write_settings(window.store.root, theirs)
    dialog.add_word()
    QTest.keyClicks(dialog.text, "mine")
    dialog.store()
    qtbot.waitUntil(lambda: "Somebody else has changed these words" in dialog.problem.text())
    assert read_settings(window.store.root) == theirs
    dialog.reject()
    window._look_for_others()
    assert [word.text for word in window.words.words] == ["theirs"]


def test_a_key_that_means_something_else_here_has_no_effect_and_its_chip_shows_none(window, qtbot) -> None:
    words = (VocabularyEntry(text="walk on", key="S"), VocabularyEntry(text="turn", key="F7"))
    write_settings(window.store.root, LibrarySettings(vocabulary=words, flags=(FlagEntry(word="lag", key="F7"),)))
    window.words.refresh()
    assert [word.key for word in window.words.words] == ["", "F7", ""]
    assert [chip.text().strip() for chip in window.panel.vocabulary.chips] == ["walk on", "turn   F7", "lag"]
    keys = [key for action in window.actions() for key in keys_of([action])]
    assert len(keys) == len(set(keys))


def test_a_key_that_is_given_away_in_the_window_is_taken_from_the_word(window, qtbot) -> None:
    window.actions_by_name["split"].setShortcut(QKeySequence("F7"))
    window.words.refresh()
    assert [word.key for word in window.words.words] == ["Shift+Q", "", "8"]


def test_damaged_settings_are_told_and_the_words_stay(window) -> None:
    (window.store.root / "settings.json").write_text("{", encoding="utf-8")
    window.words.refresh()
    assert "settings.json is damaged" in window.info.text
    assert len(window.words.words) == 3
