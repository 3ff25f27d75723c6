"""What others do in the library shows in its window, and what was done outlives it."""

from __future__ import annotations

import pytest

from annotator.bulk import Deed, do
from annotator.ui.library.library_window import LibraryWindow
from db.labelling.labels import Review
from db.upkeep.presence import Presence


@pytest.fixture
def session_id(store, make_session) -> str:
    return make_session(store, count=60, labels=[("instruction", 20, 50, "walk on"), ("flag", 0, 5, "menu")])


@pytest.fixture
def window(store, session_id, qtbot) -> LibraryWindow:
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitUntil(lambda: list(opened.sessions.model.ids) == [session_id])
    yield opened
    opened.close()


def test_who_has_a_session_open_stands_in_the_list(window, store, session_id, qtbot) -> None:
    other = Presence(store.cache_dir, "bob")
    other.enter(session_id)
    qtbot.waitUntil(lambda: "bob has it open" in window.sessions.model.marks_of(session_id))
    other.leave()
    qtbot.waitUntil(lambda: "bob" not in window.sessions.model.marks_of(session_id))


def test_what_was_done_to_many_is_taken_back_by_the_next_window(store, session_id, qtbot) -> None:
    do(store, Deed.ACCEPT, [session_id], "ann")
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitUntil(opened.actions_by_name["undo"].isEnabled)
    assert "1 session accepted" in opened.actions_by_name["undo"].toolTip()
    opened.actions_by_name["undo"].trigger()
    qtbot.waitUntil(lambda: store.summary(session_id).review is Review.UNLABELLED)
    qtbot.waitUntil(lambda: opened.info.text == "Taken back: 1 session accepted.")
    assert not opened.actions_by_name["undo"].isEnabled()
    opened.close()
