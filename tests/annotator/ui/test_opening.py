"""A session is read in a thread: nothing is done to the one that is shown meanwhile, and the last wish wins."""

from __future__ import annotations

from threading import Event

import pytest
from PyQt6 import sip
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate import opening
from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.labelling.labels import Review, review_of


@pytest.fixture
def session_ids(store, make_session) -> list[str]:
    return [make_session(store, count=60, game=game) for game in ("Maze", "Arena", "Castle")]


@pytest.fixture
def gate(monkeypatch) -> Event:
    """Reading waits for it; the window does not wait."""
    opens = Event()
    opens.set()
    read = opening.read_session

    def read_later(*args, **more):
        assert opens.wait(20)
        return read(*args, **more)

    monkeypatch.setattr(opening, "read_session", read_later)
    return opens


@pytest.fixture
def window(store, session_ids, gate, qtbot) -> AnnotateWindow:
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_ids[0])
    assert opened.editing.session_id == session_ids[0]
    opened.opener.patience_ms = 0
    yield opened
    gate.set()
    opened.close()


def press(window: AnnotateWindow, key: Qt.Key) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key)


def test_it_is_shown_once_it_is_read(window, session_ids, gate, qtbot) -> None:
    gate.clear()
    assert window.open_session(session_ids[1])
    assert window.editing.session_id == session_ids[0]
    assert window.saved.text() == "Opening …"
    gate.set()
    qtbot.waitUntil(lambda: window.editing.session_id == session_ids[1])
    qtbot.waitUntil(lambda: window.picture.index == 0)
    assert window.saved.text() == ""
    assert window.timeline.hasFocus()


def test_keys_and_mouse_do_nothing_to_the_session_that_goes(window, store, session_ids, gate, qtbot) -> None:
    before = store.edits(session_ids[0])
    gate.clear()
    window.open_session(session_ids[1])
    for key in (Qt.Key.Key_A, Qt.Key.Key_1, Qt.Key.Key_N, Qt.Key.Key_D, Qt.Key.Key_R):
        press(window, key)
    for button in (window.panel, window.timeline.viewport()):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    window.actions_by_name["accept"].trigger()
    assert store.edits(session_ids[0]) == before
    assert not window.timeline.editor.is_open
    gate.set()
    qtbot.waitUntil(lambda: window.editing.session_id == session_ids[1])
    press(window, Qt.Key.Key_A)
    assert review_of(store.edits(session_ids[1])) is Review.ACCEPTED
    assert review_of(store.edits(session_ids[0])) is Review.UNLABELLED


def test_the_last_wish_wins_and_the_next_one_counts_from_it(window, session_ids, gate, qtbot) -> None:
    gate.clear()
    shown = [window.sessions.neighbour("", 1)]
    while following := window.sessions.neighbour(shown[-1], 1):
        shown.append(following)
    window.open_session(shown[0])
    window.open_session(shown[1])
    window.go(1)
    assert window.opener.pending == shown[2]
    gate.set()
    qtbot.waitUntil(lambda: window.opener.pending == "")
    assert window.editing.session_id == shown[2]


def test_one_that_cannot_be_read_leaves_the_other_as_it_was(window, store, session_ids, gate, qtbot) -> None:
    (store.session_folder(session_ids[1]) / "facts.sqlite").write_bytes(b"nothing")
    gate.clear()
    window.open_session(session_ids[1])
    gate.set()
    qtbot.waitUntil(lambda: "facts.sqlite" in window.info.text)
    assert window.editing.session_id == session_ids[0]
    window.timeline.setFocus()
    press(window, Qt.Key.Key_A)
    assert review_of(store.edits(session_ids[0])) is Review.ACCEPTED


def test_a_window_that_closes_meanwhile_shows_nothing_more(window, session_ids, gate) -> None:
    gate.clear()
    window.open_session(session_ids[1])
    gate.set()
    window.close()
    assert window.editing is None
    assert not window.opener.isRunning()


def test_the_session_before_ends_by_itself_and_shows_nothing_more(window, session_ids, qtbot) -> None:
    qtbot.waitUntil(lambda: window.picture.index == 0)
    before = window.editing
    shown: list[int] = []
    before.player.displayed.connect(lambda index: shown.append(index))
    before.player.seek(40)
    window.open_session(session_ids[1])
    qtbot.waitUntil(lambda: window.editing.session_id == session_ids[1] and window.picture.index == 0)
    seen = list(shown)
    qtbot.waitUntil(lambda: not window.leaving._going)
    assert shown == seen
    assert window.picture.index == 0


def test_a_window_that_closes_has_ended_the_session_before_too(window, session_ids, gate, qtbot) -> None:
    qtbot.waitUntil(lambda: window.picture.index == 0)
    decoder = window.editing.player._decoder
    window.open_session(session_ids[1])
    qtbot.waitUntil(lambda: window.editing.session_id == session_ids[1])
    window.close()
    assert sip.isdeleted(decoder) or decoder.isFinished()
