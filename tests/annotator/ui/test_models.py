"""The item models keep Qt's rules while rows come and go."""

from __future__ import annotations

import random

from PyQt6.QtTest import QAbstractItemModelTester

from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.span_table import SpanTable
from annotator.ui.sessions.row_changes import change_rows
from annotator.ui.sessions.session_list import SessionModel
from annotator.ui.timeline.gesture import Grip
from db.labelling.labels import LabelKind
from db.library.catalogue import Wanted
from db.library.listing import Listing, list_sessions


def test_rows_change_by_removals_and_insertions() -> None:
    pick = random.Random(1)
    for _ in range(200):
        old = pick.sample("abcdefghij", pick.randrange(9))
        new = pick.sample("abcdefghij", pick.randrange(9))
        rows = list(old)

        def remove(first: int, count: int, rows=rows) -> None:
            del rows[first : first + count]

        def insert(at: int, first: int, count: int, rows=rows, new=new) -> None:
            rows[at:at] = new[first : first + count]

        change_rows(old, new, remove, insert)
        assert rows == new


def test_the_session_model_is_a_good_model(store, make_session, qtbot) -> None:
    model = SessionModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for game in ("Maze", "Arena"):
        make_session(store, count=20, game=game)
        found = store.search()
        model.refresh(list_sessions(store, Wanted()), {line.id: line for line in found}, {})
    assert [model.line(session_id) for session_id in model.ids] == store.search()
    model.refresh(list_sessions(store, Wanted(text="aren")), {}, {})
    assert model.rowCount() == 1
    model.refresh(Listing([], frozenset()), {}, {})
    assert model.rowCount() == 0
    del tester


def test_the_span_table_follows_the_document(store, make_session, qtbot) -> None:
    editing = Editing(store, make_session(store, count=60), "ann")
    try:
        table = SpanTable()
        qtbot.addWidget(table)
        tester = QAbstractItemModelTester(table.spans, QAbstractItemModelTester.FailureReportingMode.Fatal)
        table.show_editing(editing)
        first = editing.create(LabelKind.INSTRUCTION, 10, 20, "go")
        editing.create(LabelKind.FLAG, 30, 40, "menu")
        assert [span.value for span in table.spans.spans] == ["go", "menu"]
        editing.select(first)
        editing.nudge(Grip.BODY, 35)
        assert [span.value for span in table.spans.spans] == ["menu", "go"]
        assert table.currentIndex().row() == 1
        editing.delete()
        editing.undo()
        assert [span.value for span in table.spans.spans] == ["menu", "go"]
        del tester
    finally:
        editing.close()
