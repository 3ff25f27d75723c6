"""Suggestions by rules: found in a thread, shown apart, confirmed and rejected by key."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.timeline.rows import RowKind
from db.labelling.labels import LabelKind
from db.recording.events import EventKind, InputEvent

Key, Mod = Qt.Key, Qt.KeyboardModifier
FRAMES, PLAYED, W = 400, 200, 17


def picture(index: int) -> np.ndarray:
    """Pictures that differ while somebody plays, and stand still from then on."""
    grey = 40 + min(index, PLAYED) % 5 * 40
    return np.full((64, 96, 4), grey, np.uint8)


@pytest.fixture
def session_ids(store, make_session) -> list[str]:
    steps = [10**9 + i * 33_333_333 + 1000 for i in range(0, PLAYED, 10)]
    events = [InputEvent(t_ns, EventKind.KEY, W, (i + 1) % 2) for i, t_ns in enumerate(steps)]
    idle = make_session(store, count=FRAMES, events=events, picture=picture)
    return [idle, make_session(store, count=30, game="Arena")]


@pytest.fixture
def window(store, session_ids, qtbot) -> AnnotateWindow:
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_ids[0])
    qtbot.waitUntil(lambda: opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def suggested(window: AnnotateWindow) -> list[tuple[LabelKind, str]]:
    return [(span.kind, span.value) for span in window.editing.document.spans(suggested=True)]


def propose(window: AnnotateWindow, qtbot) -> None:
    with qtbot.waitSignal(window.editing.suggesting.ended):
        press(window, Key.Key_P, Mod.ControlModifier)


def test_idle_stretches_and_trims_are_proposed_and_shown_apart(window, qtbot) -> None:
    propose(window, qtbot)
    assert sorted(suggested(window)) == [(LabelKind.FLAG, "idle"), (LabelKind.TRIM, "")]
    assert "2 suggestions found" in window.info.text
    rows = [row.label for row in window.timeline.rows.labels if row.kind is RowKind.SUGGESTION]
    assert rows == ["Idle ?", "Left out ?"]
    for span in window.editing.document.spans(suggested=True):
        assert PLAYED - 20 <= span.start <= PLAYED + 1
        assert span.stop == FRAMES
    assert not window.timeline.grab().isNull()
    propose(window, qtbot)
    assert window.info.text == "Nothing new was found."


def test_one_is_confirmed_and_one_rejected_by_key(window, qtbot) -> None:
    propose(window, qtbot)
    press(window, Key.Key_C)
    assert window.editing.selected_span.suggested
    qtbot.waitUntil(lambda: window.picture.index == window.editing.selected_span.start)
    first = window.editing.selected_span
    press(window, Key.Key_C)
    assert not window.editing.document.span(first.entity_id).suggested
    second = window.editing.selected_span
    assert second.suggested
    press(window, Key.Key_X)
    assert suggested(window) == []
    assert window.editing.history.undo_name == "reject the suggestion"
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert suggested(window) == [(second.kind, second.value)]
    press(window, Key.Key_X)
    propose(window, qtbot)
    assert suggested(window) == []


def test_all_are_confirmed_or_rejected_as_one_step(window, qtbot) -> None:
    propose(window, qtbot)
    press(window, Key.Key_X, Mod.ControlModifier | Mod.ShiftModifier)
    assert suggested(window) == []
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert len(suggested(window)) == 2
    press(window, Key.Key_C, Mod.ControlModifier | Mod.ShiftModifier)
    assert suggested(window) == []
    assert [row.kind for row in window.timeline.rows.labels][1:] == [RowKind.FLAG, RowKind.TRIM]
    press(window, Key.Key_C, Mod.ControlModifier | Mod.ShiftModifier)
    assert "no suggestion" in window.info.text


def test_another_session_ends_the_search(window, session_ids) -> None:
    press(window, Key.Key_P, Mod.ControlModifier)
    looking = window.editing.suggesting
    assert looking.is_looking
    assert window.open_session(session_ids[1])
    assert not looking.is_looking
    assert suggested(window) == []


def test_a_search_that_fails_says_why(window, session_ids, store, qtbot) -> None:
    (store.session_folder(session_ids[0]) / "facts.sqlite").rename(store.root / "gone.sqlite")
    with qtbot.waitSignal(window.editing.refused):
        press(window, Key.Key_P, Mod.ControlModifier)
    assert not window.editing.suggesting.is_looking
    assert "facts.sqlite" in window.info.text
