"""Somebody types on although no field opened: their text is no command."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.labelling.labels import LabelKind, Review


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    session_id = make_session(store, count=60, labels=[("instruction", 10, 60, "walk on")])
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.editing is not None and opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


def press(window: AnnotateWindow, key: Qt.Key) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key)


def test_what_is_typed_after_a_refused_instruction_is_no_command(window, store, qtbot) -> None:
    editing = window.editing
    editing.player.seek(30)
    qtbot.waitUntil(lambda: editing.player.is_settled)
    press(window, Qt.Key.Key_N)
    assert window.info.isVisible()
    refusal = window.info.text
    for key in (Qt.Key.Key_A, Qt.Key.Key_R, Qt.Key.Key_1, Qt.Key.Key_S, Qt.Key.Key_Return):
        press(window, key)
    assert editing.document.review is Review.UNLABELLED
    assert [(s.start, s.stop) for s in editing.document.spans()] == [(10, 60)]
    assert window.info.text == refusal
    qtbot.waitUntil(lambda: not editing.marking._spilled._timer.isActive())
    press(window, Qt.Key.Key_A)
    assert editing.document.review is Review.ACCEPTED


def test_a_field_that_has_the_focus_gets_its_text(window, qtbot) -> None:
    window.editing.player.seek(30)
    qtbot.waitUntil(lambda: window.editing.player.is_settled)
    press(window, Qt.Key.Key_N)
    field = window.transport.place
    window.transport.ask_place()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "12")
    assert field.text() == "12"


def test_an_instruction_that_opens_takes_its_text(window, qtbot) -> None:
    press(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not window.timeline)
    QTest.keyClicks(QApplication.focusWidget(), "abc")
    press(window, Qt.Key.Key_Return)
    values = [s.value for s in window.editing.document.spans(LabelKind.INSTRUCTION)]
    assert values == ["abc", "walk on"]
