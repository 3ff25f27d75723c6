"""The table of labels follows the document row by row, and never from scratch."""

from __future__ import annotations

import random

import pytest
from PyQt6.QtTest import QAbstractItemModelTester

from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.span_table import FEW, SpanTable
from annotator.ui.timeline.gesture import Grip
from db.labelling.labels import Edit, LabelKind


@pytest.fixture
def editing(store, make_session):
    labels = [("instruction", i * 10, i * 10 + 6, f"step {i}") for i in range(20)]
    opened = Editing(store, make_session(store, count=220, labels=labels), "ann")
    yield opened
    opened.close()


@pytest.fixture
def table(editing, qtbot) -> SpanTable:
    shown = SpanTable()
    qtbot.addWidget(shown)
    QAbstractItemModelTester(shown.spans, QAbstractItemModelTester.FailureReportingMode.Fatal, shown)
    shown.show_editing(editing)
    shown.resets = []
    shown.spans.modelReset.connect(lambda: shown.resets.append(1))
    return shown


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_what_the_document_says_after_every_edit(table, editing, seed) -> None:
    dice = random.Random(seed)
    for _ in range(40):
        spans = editing.document.spans()
        editing.select(dice.choice(spans).entity_id if spans else "")
        deed = dice.choice(["create", "move", "edge", "text", "delete", "undo", "redo"])
        if deed == "create":
            start = dice.randrange(200)
            editing.create(LabelKind.FLAG, start, start + dice.randrange(1, 20), dice.choice(["idle", "menu"]))
        elif deed in ("move", "edge"):
            editing.nudge(Grip.BODY if deed == "move" else Grip.START, dice.randrange(-30, 30))
        elif deed == "text" and spans and editing.selected_span.kind is LabelKind.INSTRUCTION:
            editing.set_value(editing.selection, f"other {dice.randrange(9)}")
        elif deed == "delete":
            editing.delete()
        elif deed in ("undo", "redo"):
            getattr(editing, deed)()
        assert table.spans.spans == editing.document.spans()
        assert all(table.spans.row_of(span.entity_id) == row for row, span in enumerate(table.spans.spans))
    assert not table.resets


def test_a_row_that_moves_keeps_its_selection(table, editing) -> None:
    span = editing.document.spans()[2]
    editing.select(span.entity_id)
    assert table.currentIndex().row() == 2
    editing.nudge(Grip.BODY, 2)
    editing.create(LabelKind.FLAG, 0, 5, "idle")
    editing.select(span.entity_id)
    assert table.spans.spans[table.currentIndex().row()].entity_id == span.entity_id


def test_many_changes_at_once_are_taken_over_without_a_reset(table, editing, store) -> None:
    store.commit(
        [
            Edit(session_id=editing.session_id, kind=LabelKind.COMMENT, start=i, stop=i + 3, value="x", author="bob")
            for i in range(FEW * 2)
        ]
    )
    editing.document.refresh()
    assert table.spans.spans == editing.document.spans()
    assert not table.resets


def test_the_length_of_a_single_frame_is_not_nothing(table, editing) -> None:
    editing.create(LabelKind.FLAG, 215, 216, "idle")
    rows = [[table.spans.index(row, column).data() for column in (0, 2)] for row in range(table.spans.rowCount())]
    assert rows[0] == ["step 0", "0.20 s"]
    assert rows[-1] == ["idle", "0.03 s"]
