"""The whole window under real keys: what is pressed is done, committed and shown, and typing is only typing."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.actions import ACTIONS, MENUS
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.cheat_sheet import CheatSheet
from annotator.ui.sessions.session_list import SUMMARY_ROLE
from db.labelling.labels import LabelKind, Review, review_of, spans

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def session_ids(store, make_session) -> list[str]:
    labels = [("instruction", 20, 50, "walk on"), ("instruction", 60, 80, "turn left")]
    return [make_session(store, count=120, game="Maze", labels=labels), make_session(store, count=60, game="Arena")]


@pytest.fixture
def window(store, session_ids, qtbot) -> AnnotateWindow:
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    opened._others.start(50)
    opened.sessions._poll.start(200)
    assert opened.open_session(session_ids[0])
    qtbot.waitUntil(lambda: opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def go(window: AnnotateWindow, frame: int, qtbot) -> None:
    window.editing.player.seek(frame)
    qtbot.waitUntil(lambda: window.picture.index == frame)


def stored(window: AnnotateWindow, kind: LabelKind) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, s.value) for s in spans(window.store.edits(window.editing.session_id), kind)]


def test_marks_enter_and_typing_make_an_instruction(window, qtbot) -> None:
    go(window, 90, qtbot)
    press(window, Key.Key_I)
    go(window, 110, qtbot)
    press(window, Key.Key_O)
    press(window, Key.Key_Return)
    assert window.timeline.editor.is_open
    QTest.keyClicks(window.timeline.editor, "jack jumps")
    press(window, Key.Key_Return)
    assert stored(window, LabelKind.INSTRUCTION)[-1] == (90, 111, "jack jumps")
    assert window.editing.player.index == 110
    assert window.saved.text().startswith("✓ Saved")


def test_hotkeys_do_nothing_while_one_types(window, qtbot) -> None:
    go(window, 30, qtbot)
    before = window.store.edits(window.editing.session_id)
    for field in (window.sessions.filter, window.panel.note, window.panel.assignee, window.panel.tags.word, None):
        if field is None:
            window.editing.select(window.editing.document.spans()[0].entity_id)
            press(window, Key.Key_Return)
            field = window.timeline.editor
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        for spec in ACTIONS:
            for key in spec.keys:
                if len(key) == 1 or key in ("Space", "Home", "End", "Left", "Right", "Alt+Left", "Ctrl+Left", "PgDown"):
                    QTest.keySequence(field, key)
        assert field.hasFocus()
        assert window.editing.player.target == 30
        assert not window.editing.player.is_playing
        assert window.editing.marks.stretch is None
        assert window.store.edits(window.editing.session_id) == before
        (field.clear if field is not window.timeline.editor else field.cancel)()
        window.timeline.setFocus()


@pytest.mark.parametrize("number", range(1, 8))
def test_a_flag_key_starts_a_flag_and_ends_it(window, qtbot, number) -> None:
    key = Qt.Key(Key.Key_0 + number)
    go(window, 10, qtbot)
    press(window, key)
    go(window, 40, qtbot)
    press(window, key)
    word = next(spec.text for spec in ACTIONS if spec.name == f"flag_{number}").removeprefix("Flag: ")
    assert stored(window, LabelKind.FLAG) == [(10, 41, word)]


def test_tab_selects_nudges_move_edges_and_one_undo_takes_a_run_back(window, qtbot) -> None:
    press(window, Key.Key_Tab)
    assert window.editing.selected_span.value == "walk on"
    qtbot.waitUntil(lambda: window.picture.index == 20)
    press(window, Key.Key_Tab)
    assert window.editing.selected_span.value == "turn left"
    press(window, Key.Key_Backtab, Mod.ShiftModifier)
    assert window.editing.selected_span.value == "walk on"
    for _ in range(3):
        press(window, Key.Key_Right, Mod.AltModifier)
    press(window, Key.Key_Left, Mod.AltModifier | Mod.ShiftModifier)
    press(window, Key.Key_Right, Mod.ControlModifier)
    assert stored(window, LabelKind.INSTRUCTION)[0][:2] == (20, 54)
    press(window, Key.Key_Z, Mod.ControlModifier)
    press(window, Key.Key_Z, Mod.ControlModifier)
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert stored(window, LabelKind.INSTRUCTION)[0][:2] == (20, 50)
    press(window, Key.Key_Y, Mod.ControlModifier)
    assert stored(window, LabelKind.INSTRUCTION)[0][:2] == (20, 53)


def test_split_edges_here_and_delete(window, qtbot) -> None:
    press(window, Key.Key_Tab)
    go(window, 30, qtbot)
    press(window, Key.Key_S)
    assert [s[:2] for s in stored(window, LabelKind.INSTRUCTION)] == [(20, 30), (30, 50), (60, 80)]
    go(window, 25, qtbot)
    press(window, Key.Key_BracketRight)
    assert stored(window, LabelKind.INSTRUCTION)[0][:2] == (20, 26)
    go(window, 22, qtbot)
    press(window, Key.Key_BracketLeft)
    assert stored(window, LabelKind.INSTRUCTION)[0][:2] == (22, 26)
    press(window, Key.Key_Delete)
    assert [s[:2] for s in stored(window, LabelKind.INSTRUCTION)] == [(30, 50), (60, 80)]
    assert window.editing.selection == ""
    press(window, Key.Key_Delete)
    assert "Select the span" in window.info.text


def test_stepping_and_shuttle_keys(window, qtbot) -> None:
    press(window, Key.Key_Right)
    press(window, Key.Key_Right)
    press(window, Key.Key_Left)
    qtbot.waitUntil(lambda: window.picture.index == 1)
    press(window, Key.Key_Right, Mod.ShiftModifier)
    qtbot.waitUntil(lambda: window.picture.index == 31)
    press(window, Key.Key_End)
    qtbot.waitUntil(lambda: window.picture.index == 119)
    press(window, Key.Key_Home)
    qtbot.waitUntil(lambda: window.picture.index == 0)
    press(window, Key.Key_Period)
    qtbot.waitUntil(lambda: window.picture.index == 5)
    press(window, Key.Key_L)
    press(window, Key.Key_L)
    assert window.editing.player.speed == 2.0
    QTest.keyPress(window.timeline, Key.Key_K)
    assert not window.editing.player.is_playing
    here = window.editing.player.target
    press(window, Key.Key_L)
    press(window, Key.Key_L)
    press(window, Key.Key_J)
    assert window.editing.player.target == here + 1
    assert not window.editing.player.is_playing
    QTest.keyRelease(window.timeline, Key.Key_K)
    press(window, Key.Key_Space)
    assert window.editing.player.is_playing
    press(window, Key.Key_Space)
    assert not window.editing.player.is_playing


def test_accept_reject_and_submit_go_into_the_log_and_on_to_the_next(window, session_ids, qtbot) -> None:
    store = window.store
    press(window, Key.Key_A)
    assert review_of(store.edits(session_ids[0])) is Review.ACCEPTED
    assert store.summary(session_ids[0]).review is Review.ACCEPTED
    assert window.panel.review.text == "accepted"
    press(window, Key.Key_R)
    assert window.panel.review.text == "rejected"
    press(window, Key.Key_Z, Mod.ControlModifier)
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert window.panel.review.text == "unlabelled"
    window.panel.note.setFocus()
    QTest.keyClicks(window.panel.note, "fine")
    press(window, Key.Key_Return, Mod.ControlModifier)
    assert store.summary(session_ids[0]).review is Review.LABELLED
    assert window.editing.session_id == session_ids[1]
    window.open_session(session_ids[0])
    assert window.panel.note.toPlainText() == "fine"
    assert window.editing.history.undo_name == "mark it labelled"


def test_the_list_shows_new_sessions_by_itself_and_filters(window, store, make_session, qtbot) -> None:
    fresh = make_session(store, count=30, game="Castle")
    qtbot.waitUntil(lambda: window.sessions.model.row_of(fresh) >= 0)
    assert window.editing is not None
    window.sessions.filter.setText("turn left")
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 1)
    assert window.sessions.model.index(0).data(SUMMARY_ROLE).game == "Maze"
    window.sessions.filter.setText("cast")
    qtbot.waitUntil(lambda: window.sessions.model.row_of(fresh) == 0)
    view = window.sessions.view
    qtbot.waitUntil(lambda: fresh in window.sessions.model.pictures)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 30))
    assert window.editing.session_id == fresh


def test_somebody_elses_edit_appears(window, session_ids, store, qtbot) -> None:
    edit = next(e for e in store.edits(session_ids[0]) if e.value == "walk on")
    store.commit([edit.revised("bob", value="run on")])
    qtbot.waitUntil(lambda: window.editing.document.span(edit.entity_id).value == "run on")
    assert window.panel.table.spans.data(window.panel.table.spans.index(0, 0)) == "run on"


def test_a_session_that_cannot_be_opened_says_why_and_keeps_the_open_one(window, session_ids, store) -> None:
    (store.session_folder(session_ids[1]) / "facts.sqlite").write_bytes(b"nothing")
    assert not window.open_session(session_ids[1])
    assert window.editing.session_id == session_ids[0]
    assert "facts.sqlite" in window.info.text


def test_every_key_is_used_once_and_every_action_is_in_its_menu_and_the_sheet(window, qtbot) -> None:
    keys = [key for spec in ACTIONS for key in spec.keys]
    assert len(keys) == len(set(keys))
    titles = [action.text().replace("&", "") for action in window.menuBar().actions()]
    assert tuple(titles) == MENUS
    for menu_action in window.menuBar().actions():
        names = [action.objectName() for action in menu_action.menu().actions()]
        assert names == [spec.name for spec in ACTIONS if spec.menu == menu_action.text().replace("&", "")]
    sheet = CheatSheet(window)
    texts = {label.text() for label in sheet.findChildren(type(window.saved))}
    assert {spec.text for spec in ACTIONS if spec.keys} <= texts
    sheet.close()


def test_an_empty_library_says_what_to_do(tmp_path, qtbot) -> None:
    from db.store import Store

    with Store.open(tmp_path / "empty") as store:
        window = AnnotateWindow(store, "ann")
        qtbot.addWidget(window)
        window.show()
        assert window.pages.currentWidget() is window.empty
        qtbot.waitUntil(lambda: "playtape-record" in window.empty.text.text())
        assert not window.actions_by_name["mark_in"].isEnabled()
        window.close()
