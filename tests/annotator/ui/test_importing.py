"""Annotations that come back from another machine through the library's window, and what outlives it."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from annotator.bulk import Deed, do
from annotator.ui.library.library_window import LibraryWindow
from db.formats.interchange import export_session, import_session
from db.labelling.labels import LabelKind, Review, conflicts, spans
from db.store import Store
from db.upkeep.presence import Presence


@pytest.fixture
def session_id(store, make_session) -> str:
    return make_session(store, count=60, labels=[("instruction", 20, 50, "walk on"), ("flag", 0, 5, "menu")])


@pytest.fixture
def elsewhere(store, session_id, tmp_path):
    """The same session in another library, from where bob sends it back."""
    sent = export_session(store, session_id, tmp_path)
    with Store.open(tmp_path / "elsewhere") as other:
        import_session(other, sent)
        yield other


@pytest.fixture
def window(store, session_id, qtbot) -> LibraryWindow:
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitUntil(lambda: list(opened.sessions.model.ids) == [session_id])
    yield opened
    opened.close()


def test_annotations_from_elsewhere_are_merged_and_conflicts_offered(
    window, store, session_id, elsewhere, tmp_path, qtbot
) -> None:
    span, flag = spans(store.edits(session_id), LabelKind.INSTRUCTION) + spans(store.edits(session_id), LabelKind.FLAG)
    store.commit([span.revised("ann", value="run on")])
    elsewhere.commit([span.revised("bob", value="crawl on"), flag.revised("bob", value="loading")])
    back = export_session(elsewhere, session_id, tmp_path / "back.playtape")
    (tmp_path / "junk.playtape").write_bytes(b"junk")
    window.importing.bring_in([back, tmp_path / "junk.playtape"])
    qtbot.waitUntil(lambda: "merged" in window.info.text)
    assert "2 edits merged into 1 session that was here already." in window.info.text
    assert "1 label was changed on both sides" in window.info.text
    assert "1 file could not be imported" in window.info.text
    qtbot.waitUntil(lambda: "⚠ 1 conflict" in window.sessions.model.marks_of(session_id))
    QTest.mouseClick(window.info.action, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.annotator is not None and window.annotator.together.dialog is not None)
    dialog = window.annotator.together.dialog
    assert (dialog.mine.text.text(), dialog.theirs.text.text()) == ("run on", "crawl on")
    QTest.mouseClick(next(iter(dialog.buttons.values())), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.annotator.together.dialog is None)
    assert conflicts(store.edits(session_id)) == {}
    assert [s.value for s in spans(store.edits(session_id))] == ["loading", "crawl on"]
    qtbot.waitUntil(lambda: "conflict" not in window.sessions.model.marks_of(session_id))


def test_a_new_session_comes_in(window, store, make_session, tmp_path, qtbot) -> None:
    with Store.open(tmp_path / "third") as third:
        fresh = make_session(third, count=20)
        sent = export_session(third, fresh, tmp_path)
    window.importing.bring_in([sent])
    qtbot.waitUntil(lambda: window.info.text == "1 new session imported.")
    qtbot.waitUntil(lambda: fresh in window.sessions.model.ids)
    window.importing.bring_in([sent])
    qtbot.waitUntil(lambda: window.info.text == "Nothing new in 1 session that was here already.")


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
