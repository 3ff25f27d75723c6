"""Typing labels: phrases offered, input methods undisturbed, nothing lost where it cannot be stored."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.timeline.phrase_list import PhraseList
from db.errors import DiskFull
from db.labelling.labels import LabelKind, spans
from labelling import Key, Mod, commit, compose, go, open_window, press, stored

SAID = LabelKind.INSTRUCTION


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    labels = [("instruction", i * 10, i * 10 + 5, text) for i, text in enumerate(["jump over the wall"] * 3 + ["jump"])]
    make_session(store, count=60, game="Arena", labels=labels)
    labels = [("instruction", 0, 5, "open the door"), ("instruction", 10, 15, "walk to the door")]
    make_session(store, count=60, game="Maze", labels=[*labels, ("instruction", 20, 25, "open the door")])
    opened = open_window(store, make_session(store, count=120, game="Maze"), qtbot)
    opened.editing.phrases.refresh()
    qtbot.waitUntil(lambda: bool(opened.editing.phrases.matches(SAID, "wall")))
    return opened


def write(window: AnnotateWindow, qtbot, frame: int = 30):
    go(window, frame, qtbot)
    press(window, Key.Key_N)
    assert window.timeline.editor.is_open
    return window.timeline.editor


def test_phrases_are_offered_by_any_word_and_tab_takes_the_first(window, qtbot) -> None:
    editor = write(window, qtbot)
    QTest.keyClicks(editor, "door")
    assert editor.offered == ["open the door", "walk to the door"]
    QTest.keyClick(editor, Key.Key_Tab)
    assert not editor.is_open
    assert stored(window) == [(30, 91, "open the door")]


def test_down_chooses_and_enter_takes(window, qtbot) -> None:
    editor = write(window, qtbot)
    QTest.keyClicks(editor, "door the")
    for key in (Key.Key_Down, Key.Key_Down, Key.Key_Down, Key.Key_Return):
        QTest.keyClick(editor, key)
    assert stored(window) == [(30, 91, "walk to the door")]


def test_plain_enter_keeps_what_is_typed(window, qtbot) -> None:
    editor = write(window, qtbot)
    QTest.keyClicks(editor, "door")
    QTest.keyClick(editor, Key.Key_Return)
    assert stored(window) == [(30, 91, "door")]


def test_up_again_chooses_none_and_right_takes_into_the_field(window, qtbot) -> None:
    editor = write(window, qtbot)
    QTest.keyClicks(editor, "walk")
    QTest.keyClick(editor, Key.Key_Down)
    QTest.keyClick(editor, Key.Key_Right)
    QTest.keyClicks(editor, " slowly")
    QTest.keyClick(editor, Key.Key_Down)
    QTest.keyClick(editor, Key.Key_Up)
    QTest.keyClick(editor, Key.Key_Return)
    assert stored(window) == [(30, 91, "walk to the door slowly")]


def test_escape_closes_the_list_first_and_then_the_field(window, qtbot) -> None:
    editor = write(window, qtbot)
    QTest.keyClicks(editor, "door")
    QTest.keyClick(editor, Key.Key_Escape)
    assert editor.is_open
    assert editor.offered == []
    QTest.keyClick(editor, Key.Key_Escape)
    assert not editor.is_open
    assert stored(window) == [(30, 91, "")]


def test_down_in_an_empty_field_shows_the_commonest_of_the_game_first(window, qtbot) -> None:
    editor = write(window, qtbot)
    assert editor.offered == []
    QTest.keyClick(editor, Key.Key_Down)
    assert editor.offered == ["open the door", "walk to the door", "jump over the wall", "jump"]


def test_a_phrase_that_was_just_written_is_offered_at_once(window, qtbot) -> None:
    QTest.keyClicks(write(window, qtbot), "crawl under it")
    press(window, Key.Key_Return)
    editor = write(window, qtbot, 100)
    QTest.keyClicks(editor, "under")
    assert editor.offered == ["crawl under it"]
    rows = window.findChild(PhraseList).rows
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.visualItemRect(rows.item(0)).center())
    assert stored(window)[-1][2] == "crawl under it"


def test_phrases_of_somebody_else_come_when_they_are_due(window, store, make_session, qtbot, monkeypatch) -> None:
    make_session(store, count=30, game="Maze", labels=[("instruction", 0, 5, "swim across")])
    monkeypatch.setattr("annotator.ui.annotate.phrases.FRESH_NS", 0)
    editor = write(window, qtbot)
    qtbot.waitUntil(lambda: bool(window.editing.phrases.matches(SAID, "swim")))
    QTest.keyClicks(editor, "swim")
    assert editor.offered == ["swim across"]


def test_a_flags_word_is_offered_too(window, qtbot) -> None:
    press(window, Key.Key_1)
    press(window, Key.Key_Return)
    editor = window.timeline.editor
    editor.selectAll()
    QTest.keyClicks(editor, "cut")
    QTest.keyClick(editor, Key.Key_Tab)
    assert stored(window, LabelKind.FLAG) == [(0, 1, "cutscene")]


# Input methods


def test_composing_triggers_no_key_shows_no_list_and_comes_whole(window, qtbot) -> None:
    editor = write(window, qtbot)
    for part in ("d", "do", "door"):
        compose(editor, part)
        assert editor.offered == []
    for key in (Key.Key_Return, Key.Key_Tab, Key.Key_Escape, Key.Key_Down):
        QTest.keyClick(editor, key)
        assert editor.is_open
    commit(editor, "ドアを開ける")
    assert editor.text() == "ドアを開ける"
    QTest.keyClick(editor, Key.Key_Return)
    assert stored(window) == [(30, 91, "ドアを開ける")]


def test_committed_text_is_offered_phrases_like_typed_text(window, qtbot) -> None:
    editor = write(window, qtbot)
    commit(editor, "wall")
    assert editor.offered == ["jump over the wall"]


def test_leaving_the_field_while_composing_loses_nothing(window, qtbot) -> None:
    editor = write(window, qtbot)
    commit(editor, "歩")
    compose(editor, "iku")
    assert editor.unfinished == "歩iku"
    window.timeline.setFocus()
    assert stored(window) == [(30, 91, "歩iku")]


@pytest.mark.parametrize("name", ["note", "assignee", "tag", "filter"])
def test_an_input_method_works_in_every_text_field(window, qtbot, name) -> None:
    panel = window.panel
    field = {"note": panel.note, "assignee": panel.assignee, "tag": panel.tags.word, "filter": window.sessions.filter}[
        name
    ]
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    edits = window.store.edits(window.editing.session_id)
    compose(field, "nihon")
    for key in (Key.Key_S, Key.Key_1, Key.Key_Space, Key.Key_A):
        QTest.keyPress(field, key)
        QTest.keyRelease(field, key)
    field.clear()
    commit(field, "日本")
    text = field.toPlainText() if name == "note" else field.text()
    assert text == "日本"
    assert window.store.edits(window.editing.session_id) == edits
    assert not window.editing.player.is_playing


# What cannot be stored


def test_text_that_cannot_be_stored_stays_in_the_field(window, qtbot, monkeypatch) -> None:
    editor = write(window, qtbot)

    def refuse(edits):
        raise DiskFull("There is no room left.")

    with monkeypatch.context() as full:
        full.setattr(window.editing.document._log, "commit", refuse)
        QTest.keyClicks(editor, "climb up")
        QTest.keyClick(editor, Key.Key_Return)
        assert editor.is_open
        assert editor.text() == "climb up"
        assert "no room" in window.info.text
        window.panel.note.setFocus()
        QTest.keyClicks(window.panel.note, "later")
        window.timeline.setFocus()
        assert editor.text() == "climb up"
        assert window.panel.note.document().isModified()
    editor.setFocus()
    QTest.keyClick(editor, Key.Key_Return)
    window.panel.save()
    assert stored(window) == [(30, 91, "climb up")]
    log = window.store.edits(window.editing.session_id)
    assert [edit.value for edit in log if edit.kind is LabelKind.NOTE] == ["later"]
    assert [s.value for s in spans(log, SAID)] == ["climb up"]


def test_a_shortened_label_is_told_quietly(window, qtbot) -> None:
    window.editing.create(SAID, 40, 60, "there")
    window.editing.select("")
    write(window, qtbot)
    assert "shortened at its neighbour" in window.saved.text()
    press(window, Key.Key_Escape)
    press(window, Key.Key_Right, Mod.AltModifier)
    assert window.saved.text() == "Its neighbour, or the end of the session, is in the way."
