"""A label that came out shorter than meant is told of."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, EditValue, MoveSpan, ResizeSpan
from annotator.model.edits.edge_commands import SetEdge
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.trimming import gives_way
from db.clock import FrameClock
from db.labelling.labels import LabelKind, new_id

SAID, FLAG = LabelKind.INSTRUCTION, LabelKind.FLAG
FRAMES = 100


@pytest.fixture
def document() -> Document:
    """Instructions over [20, 40) and [60, 80), menu over [20, 40), idle over [35, 50)."""
    clock = FrameClock(np.arange(FRAMES, dtype=np.int64) * 33_000_000, FRAMES * 33_000_000)
    made = Document(MemoryLog(), new_id(), "ann", clock)
    history = History(made)
    for number, (kind, start, stop, value) in enumerate(
        [(SAID, 20, 40, "a"), (SAID, 60, 80, "b"), (FLAG, 20, 40, "menu"), (FLAG, 35, 50, "idle")]
    ):
        history.do(CreateSpan(kind, start, stop, value, entity_id=f"{number:036}"))
    return made


A, MENU = f"{0:036}", f"{2:036}"


@pytest.mark.parametrize(
    ("command", "is_told"),
    [
        (CreateSpan(SAID, 40, 60), False),
        (CreateSpan(SAID, 30, 60), True),
        (CreateSpan(SAID, 90, 200), False),
        (CreateSpan(FLAG, 30, 60, "lag"), False),
        (CreateSpan(FLAG, 30, 60, "menu"), True),
        (CreateSpan(LabelKind.COMMENT, 10, 90, "x"), False),
        (ResizeSpan(A, 20, 60), False),
        (ResizeSpan(A, 20, 61), True),
        (ResizeSpan(A, 40, 40), False),
        (MoveSpan(A, 10), False),
        (MoveSpan(A, 41), True),
        (SetEdge(A, "stop", 58), False),
        (SetEdge(A, "stop", 65), True),
        (SetEdge(A, "start", 5), False),
        (EditValue(A, "other"), False),
        (EditValue(MENU, "idle"), True),
        (EditValue(MENU, "lag"), False),
    ],
)
def test_giving_way_is_told(document, command, is_told) -> None:
    assert gives_way(command, command.plan(document), FRAMES) is is_told


def test_a_span_that_its_neighbour_stops_says_so(document) -> None:
    touching = ResizeSpan(A, 20, 60)
    History(document).do(touching)
    stopped = ResizeSpan(A, 20, 61)
    assert stopped.plan(document) == []
    assert gives_way(stopped, [], FRAMES)
    assert not gives_way(EditValue(A, "a"), [], FRAMES)
