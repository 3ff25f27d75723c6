"""Many sessions at once from the library's window: one question to the person, one job, suggestions in each session."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from annotator.ui.annotate.vision_choice import write_setup
from annotator.ui.annotate.vision_consent import VisionConsent
from annotator.ui.annotate.vision_setup_dialog import VisionSetupDialog
from annotator.ui.library.library_window import LibraryWindow
from annotator.vision.setup import VisionSetup
from db.labelling.labels import LabelKind, spans
from visionserver import Handler, StandIn, serve, watch


@pytest.fixture
def session_ids(store, make_session) -> list[str]:
    return [make_session(store, count=200), make_session(store, count=200, game="Arena")]


@pytest.fixture
def window(store, session_ids, qtbot):
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    qtbot.waitUntil(lambda: opened.sessions.model.rowCount() == 2)
    opened.activateWindow()
    opened.sessions.view.setFocus()
    yield opened
    opened.close()


def choose(stand_in: StandIn) -> None:
    write_setup(VisionSetup(kind="endpoint", base_url=stand_in.base_url, model="watcher", window=4, overlap=1))


def ask(window: LibraryWindow) -> None:
    window.sessions.view.selectAll()
    QTest.keyClick(window.sessions.view, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)


def consent(window: LibraryWindow, qtbot) -> VisionConsent:
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(VisionConsent)))
    return next(d for d in window.findChildren(VisionConsent) if d.isVisible())


def suggested(store, session_id: str) -> list[str]:
    return [edit.value for edit in spans(store.edits(session_id), LabelKind.INSTRUCTION) if edit.suggested]


def test_all_selected_sessions_get_suggestions(window, store, session_ids, qtbot) -> None:
    with serve() as stand_in:
        choose(stand_in)
        ask(window)
        dialog = consent(window, qtbot)
        assert "2 sessions" in dialog.accessibleDescription()
        with qtbot.waitSignal(window.vision.asker.ended, timeout=20_000):
            dialog.send.click()
    for session_id in session_ids:
        assert len(suggested(store, session_id)) == 2
        told = [edit for edit in store.edits(session_id) if edit.kind is LabelKind.NOTE]
        assert told[0].suggested
        assert {edit.author for edit in store.edits(session_id) if edit.suggested} == {"ann"}
    assert "for 2 sessions" in window.info.text
    assert not window.vision.bar.isVisible()


def test_off_it_opens_the_set_up(window, qtbot) -> None:
    ask(window)
    dialog = window.findChild(VisionSetupDialog)
    assert dialog is not None
    dialog.reject()


def test_declined_it_sends_nothing_and_says_nothing(window, qtbot) -> None:
    with serve() as stand_in:
        choose(stand_in)
        ask(window)
        dialog = consent(window, qtbot)
        with qtbot.waitSignal(window.vision.asker.declined):
            dialog.reject()
        assert stand_in.asked == []
        assert not window.vision.bar.isVisible()


def test_stopped_it_keeps_what_was_suggested_by_then(window, store, session_ids, qtbot) -> None:
    second = threading.Event()

    def hang_later(handler: Handler, body: dict[str, Any]) -> None:
        if len(handler.stand_in.asked) <= 2:
            watch(handler, body)
        else:
            second.set()
            handler.stand_in.released.wait(30)

    with serve(hang_later) as stand_in:
        choose(stand_in)
        ask(window)
        consent(window, qtbot).send.click()
        qtbot.waitUntil(second.is_set, timeout=20_000)
        assert window.vision.bar.isVisible()
        with qtbot.waitSignal(window.vision.asker.ended):
            window.actions_by_name["stop_asking"].trigger()
        assert "Stopped" in window.info.text
    assert sorted(len(suggested(store, session_id)) for session_id in session_ids) == [0, 2]


def test_a_model_that_refuses_ends_it_with_one_sentence(window, qtbot) -> None:
    with serve(lambda handler, body: handler.give(b"", 401)) as stand_in:
        choose(stand_in)
        ask(window)
        with qtbot.waitSignal(window.vision.asker.failed, timeout=20_000):
            consent(window, qtbot).send.click()
        assert len(stand_in.asked) == 1
        assert "key" in window.info.text
