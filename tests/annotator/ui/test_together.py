"""Two people in one session: they see each other and what the other does, and nobody overwrites the other."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, DeleteSpan, EditValue, MoveSpan, WriteNote
from annotator.model.edits.disputes import Choice
from annotator.model.edits.history import History
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.conflict_dialog import ConflictDialog
from db.labelling.disputes import disputed
from db.labelling.drafts import draft_folder
from db.labelling.labels import LabelKind, conflicts, spans
from db.store import Store
from db.upkeep.presence import Presence

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def session_id(store, make_session) -> str:
    labels = [("instruction", 20, 50, "walk on"), ("instruction", 60, 80, "turn left")]
    return make_session(store, count=120, labels=labels)


@pytest.fixture
def window(store, session_id, qtbot, monkeypatch) -> AnnotateWindow:
    monkeypatch.setattr(ConflictDialog, "heed_after_ms", 0)
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.editing is not None and opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


@pytest.fixture
def bob(store, session_id):
    """Another program's document and history, on a store of its own."""
    with Store.open(store.root, create=False) as other:
        document = Document(other, session_id, "bob", other.recording(session_id).clock)
        yield document, History(document)


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifiers)


def texts(store: Store, session_id: str) -> list[str]:
    return [span.value for span in spans(store.edits(session_id), LabelKind.INSTRUCTION)]


def first(window: AnnotateWindow) -> str:
    return window.editing.document.spans()[0].entity_id


def write(window: AnnotateWindow, text: str, qtbot) -> None:
    """Types over the first span's text and leaves the field open."""
    window.editing.select(first(window))
    press(window, Key.Key_Return)
    qtbot.waitUntil(window.timeline.editor.hasFocus)
    QTest.keyClicks(window.timeline.editor, text)


def test_what_another_does_shows_by_itself_with_a_quiet_word(window, bob, qtbot) -> None:
    document, history = bob
    history.do(MoveSpan(document.spans()[0].entity_id, 0))
    qtbot.waitUntil(lambda: window.editing.document.spans()[0].start == 0)
    assert window.saved.text() == "bob moved “walk on”"
    history.do(CreateSpan(LabelKind.FLAG, 100, 110, "menu"))
    qtbot.waitUntil(lambda: window.saved.text() == "bob added the flag “menu”")
    history.do(DeleteSpan(document.spans()[0].entity_id))
    qtbot.waitUntil(lambda: window.saved.text() == "bob removed “walk on”")
    assert window.panel.table.model().rowCount() == 2


def test_who_else_has_the_session_open_stands_in_its_head(window, store, session_id, qtbot) -> None:
    assert not window.panel.head.present.isVisible()
    other = Presence(store.cache_dir, "bob")
    other.enter(session_id)
    qtbot.waitUntil(lambda: window.panel.head.present.text() == "● bob has this open too")
    assert [present.person for present in other.others()] == ["ann"]
    other.leave()
    qtbot.waitUntil(lambda: not window.panel.head.present.isVisible())
    window.close()
    other.enter(session_id)
    assert other.others() == []
    other.leave()


@pytest.mark.parametrize(("key", "expected"), [(Key.Key_T, "crawl"), (Key.Key_M, "swim")])
def test_text_that_another_changed_meanwhile_is_settled_by_one_key(
    window, store, session_id, bob, qtbot, key, expected
) -> None:
    _, history = bob
    write(window, "swim", qtbot)
    history.do(EditValue(first(window), "crawl"))
    qtbot.waitUntil(lambda: window.editing.document.spans()[0].value == "crawl")
    assert window.timeline.editor.text() == "swim"
    press(window, Key.Key_Return)
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    dialog = window.together.dialog
    assert (dialog.theirs.text.text(), dialog.mine.text.text()) == ("crawl", "swim")
    assert "frames 20 to 49" in dialog.mine.place.text()
    assert dialog.lead.text() == "bob changed this instruction while you did"
    assert window.panel.head.conflicts.text() == "1 conflict to settle"
    QTest.keyClick(dialog, key)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    assert texts(store, session_id) == [expected, "turn left"]
    assert not window.panel.head.conflicts.isVisible()


def test_both_are_kept_where_another_took_frames(window, store, session_id, bob, qtbot) -> None:
    _, history = bob
    window.together.company._timer.stop()
    span = first(window)
    history.do(MoveSpan(span, 25))
    window.editing.do(EditValue(span, "run"))
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    QTest.keyClick(window.together.dialog, Key.Key_B)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    found = [(s.start, s.stop, s.value) for s in spans(store.edits(session_id), LabelKind.INSTRUCTION)]
    assert found[:2] == [(20, 25, "run"), (25, 55, "walk on")]


def test_what_is_left_for_later_outlives_the_window(window, store, session_id, bob, qtbot) -> None:
    _, history = bob
    write(window, "swim", qtbot)
    history.do(EditValue(first(window), "crawl"))
    press(window, Key.Key_Return)
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    QTest.keyClick(window.together.dialog, Key.Key_Escape)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    assert window.panel.head.conflicts.isVisible()
    assert texts(store, session_id)[0] == "crawl"
    window.close()
    (tips,) = conflicts(store.edits(session_id)).values()
    assert {edit.value for edit in tips} == {"crawl", "swim"}
    assert disputed(store) == {session_id: 1}


def test_a_merge_left_for_later_outlives_the_window_as_a_whole(window, store, session_id, bob, qtbot) -> None:
    _, history = bob
    window.together.company._timer.stop()
    history.do(EditValue(first(window), "crawl"))
    window.editing.select(first(window))
    press(window, Key.Key_M, Mod.ControlModifier)
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    QTest.keyClick(window.together.dialog, Key.Key_Escape)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    assert texts(store, session_id) == ["crawl", "turn left"]
    folder = draft_folder(store.root, "ann", session_id)
    qtbot.waitUntil(lambda: bool(list(folder.glob("*.json"))))  # before anything is closed: a crash costs nothing
    window.close()
    later = AnnotateWindow(store, "ann")
    qtbot.addWidget(later)
    later.show()
    assert later.open_session(session_id)
    qtbot.waitUntil(lambda: later.panel.head.conflicts.text() == "1 conflict to settle")
    assert texts(store, session_id) == ["crawl", "turn left"]
    later.together.settle()
    assert "2 labels" in later.together.dialog.count.text()
    QTest.keyClick(later.together.dialog, Key.Key_M)
    qtbot.waitUntil(lambda: later.together.dialog is None)
    assert texts(store, session_id) == ["walk on; turn left"]
    later.close()
    assert not list(folder.glob("*.json"))


def test_a_note_that_two_write_is_joined(window, store, session_id, bob, qtbot) -> None:
    _, history = bob
    window.panel.note.setFocus()
    QTest.keyClicks(window.panel.note, "foggy")
    history.do(WriteNote(session_id, "dark"))
    window.timeline.setFocus()
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    QTest.keyClick(window.together.dialog, Key.Key_B)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    assert window.editing.document.note(session_id) == "dark\n\nfoggy"


def test_conflicts_that_came_with_annotations_from_elsewhere_are_settled_in_turn(
    window, store, session_id, bob, qtbot
) -> None:
    log = store.edits(session_id)
    store.commit([edit.revised("ann", value=f"my {edit.value}") for edit in log])
    store.merge(session_id, [edit.revised("eve", value=f"eve's {edit.value}") for edit in log])
    qtbot.waitUntil(lambda: window.panel.head.conflicts.text() == "2 conflicts to settle")
    press(window, Key.Key_J, Mod.ControlModifier)
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    dialog = window.together.dialog
    assert dialog.count.text() == "1 more conflict after this one."
    assert dialog.buttons[Choice.MINE].text() == "Use mine (M)"
    QTest.keyClick(dialog, Key.Key_M)
    qtbot.waitUntil(lambda: dialog.mine.text.text() == "my turn left")
    QTest.keyClick(dialog, Key.Key_T)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    assert texts(store, session_id) == ["my walk on", "eve's turn left"]
    assert conflicts(store.edits(session_id)) == {}
    press(window, Key.Key_J, Mod.ControlModifier)
    assert window.info.text == "There is no conflict in this session."


def test_undo_goes_on_where_it_was_when_the_window_was_closed(store, session_id, window, qtbot) -> None:
    window.editing.do(MoveSpan(first(window), 25))
    window.editing.do(EditValue(first(window), "run"))
    press(window, Key.Key_Z, Mod.ControlModifier)
    window.close()
    again = AnnotateWindow(store, "ann")
    qtbot.addWidget(again)
    again.show()
    again.open_session(session_id)
    qtbot.waitUntil(lambda: again.editing is not None)
    assert again.actions_by_name["undo"].text() == "Undo: move the span"
    assert again.actions_by_name["redo"].text() == "Redo: edit the text"
    again.actions_by_name["redo"].trigger()
    again.actions_by_name["undo"].trigger()
    again.actions_by_name["undo"].trigger()
    assert [(s.start, s.value) for s in again.editing.document.spans()] == [(20, "walk on"), (60, "turn left")]
    assert not again.actions_by_name["undo"].isEnabled()


def test_undo_skips_what_another_changed_and_says_so(window, bob, qtbot) -> None:
    document, history = bob
    span = first(window)
    window.editing.do(MoveSpan(span, 25))
    document.refresh()
    history.do(EditValue(span, "crawl"))
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert "“Move the span” was skipped: bob has changed this since" in window.info.text
    assert window.editing.document.span(span).value == "crawl"


def test_letters_typed_on_as_a_conflict_comes_up_settle_nothing(window, bob, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(ConflictDialog, "heed_after_ms", 10**6)
    _, history = bob
    write(window, "swim", qtbot)
    history.do(EditValue(first(window), "crawl"))
    press(window, Key.Key_Return)
    qtbot.waitUntil(lambda: window.together.dialog is not None)
    QTest.keyClicks(window.together.dialog, "tmb ")
    assert len(window.editing.conflicts.all) == 1
    QTest.mouseClick(window.together.dialog.buttons[Choice.MINE], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.together.dialog is None)
    assert window.editing.document.spans()[0].value == "swim"
