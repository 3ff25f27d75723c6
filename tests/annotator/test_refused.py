"""A full disk and a library that cannot be written to, while somebody edits: refused with a sentence, and nothing is lost.

The database itself refuses: it may not grow any more, or it may only be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from sqlalchemy import event

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, EditValue, WriteNote
from annotator.model.edits.history import History
from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.errors import DiskFull, StoreReadOnly
from db.labelling.edits import read_mirror
from db.labelling.labels import LabelKind, heads
from db.store import Store

LONG = "find the blue door " * 800
FULL, READ_ONLY = "PRAGMA max_page_count = 1", "PRAGMA query_only = ON"
"""No more pages than there are already; no writing."""


@pytest.fixture
def session_id(store, make_session) -> str:
    return make_session(store, count=100, labels=[("instruction", 20, 50, "walk on")])


Refusing = Callable[[str], object]


@pytest.fixture
def refusing(store) -> Refusing:
    """`with refusing(pragma):` every connection of the store is held to it."""

    @contextmanager
    def hold(pragma: str) -> Iterator[None]:
        def limit(connection, _record) -> None:
            connection.execute(pragma)

        event.listen(store._engine, "connect", limit)
        store._engine.dispose()
        try:
            yield
        finally:
            event.remove(store._engine, "connect", limit)
            store._engine.dispose()

    return hold


def shown(document: Document) -> list[tuple[str, int, int]]:
    return [(s.value, s.start, s.stop) for s in document.spans()]


@pytest.mark.parametrize(
    ("pragma", "error", "sentence"),
    [(FULL, DiskFull, "The disk is full; nothing was changed"), (READ_ONLY, StoreReadOnly, "cannot be written to")],
)
def test_an_edit_is_refused_and_memory_and_disk_agree(store, session_id, refusing, pragma, error, sentence) -> None:
    document = Document(store, session_id, "ann", store.recording(session_id).clock)
    history = History(document)
    span = document.spans()[0].entity_id
    history.do(EditValue(span, "run on"))
    before, log = shown(document), store.edits(session_id)
    with refusing(pragma):
        for command in (EditValue(span, LONG), WriteNote(span, LONG), CreateSpan(LabelKind.INSTRUCTION, 60, 70, LONG)):
            with pytest.raises(error, match=sentence):
                history.do(command)
            assert shown(document) == before
        assert (history.undo_name, history.redo_name) == ("edit the text", "")
        if pragma == READ_ONLY:
            with pytest.raises(error):
                history.undo()
            assert history.undo_name == "edit the text"
        document.refresh()
        assert shown(document) == before
    assert store.edits(session_id) == log == read_mirror(store.session_folder(session_id))
    with Store.open(store.root, create=False) as again:
        assert heads(again.edits(session_id)) == heads(log)
    history.do(EditValue(span, LONG))
    history.undo()
    history.undo()
    assert shown(document) == [("walk on", 20, 50)]


@pytest.fixture
def window(store, session_id, qtbot) -> AnnotateWindow:
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.editing is not None and opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


@pytest.mark.parametrize(("pragma", "sentence"), [(FULL, "The disk is full"), (READ_ONLY, "cannot be written to")])
def test_what_was_typed_stays_until_it_can_be_stored(
    window, store, session_id, refusing, qtbot, pragma, sentence
) -> None:
    editor, note = window.timeline.editor, window.panel.note
    text = " ".join(LONG.split())
    with refusing(pragma):
        window.editing.select(window.editing.document.spans()[0].entity_id)
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        qtbot.waitUntil(editor.hasFocus)
        editor.setText(LONG)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert sentence in window.info.text
        assert editor.is_open
        assert editor.text() == LONG
        note.setFocus()
        note.insertPlainText(LONG)
        window.timeline.setFocus()
        assert note.toPlainText() == LONG
        assert shown(window.editing.document) == [("walk on", 20, 50)]
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Return)
    note.setFocus()
    window.timeline.setFocus()
    assert shown(window.editing.document) == [(text, 20, 50)]
    assert [e.value for e in heads(store.edits(session_id)) if e.kind is LabelKind.NOTE] == [LONG.strip()]
