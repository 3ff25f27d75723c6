from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, WriteNote
from annotator.model.edits.edge_commands import CopyText, MergeNext, SetEdge, SnapEdge, StretchEdges, nearest
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.labels import LabelKind, new_id

INSTRUCTION, FLAG = LabelKind.INSTRUCTION, LabelKind.FLAG
NO_EDGES = np.zeros(0, np.int64)


@pytest.fixture
def document() -> Document:
    return Document(MemoryLog(), new_id(), "ann", FrameClock(np.arange(100, dtype=np.int64) * 33, 3300))


@pytest.fixture
def history(document) -> History:
    return History(document)


def add(history: History, start: int, stop: int, value: str = "go", kind: LabelKind = INSTRUCTION) -> str:
    return history.do(CreateSpan(kind, start, stop, value))[0].entity_id


def said(document: Document, kind: LabelKind = INSTRUCTION) -> list[tuple[int, int, str]]:
    return [(span.start, span.stop, span.value) for span in document.spans(kind)]


def test_an_edge_is_set_to_the_playhead_and_trimmed_at_neighbours(history, document) -> None:
    first, second = add(history, 10, 20), add(history, 30, 40)
    history.do(SetEdge(first, "stop", 24))
    history.do(SetEdge(second, "start", 5))
    assert said(document) == [(10, 25, "go"), (25, 40, "go")]
    history.do(SetEdge(first, "start", 24))
    assert said(document)[0] == (24, 25, "go")
    with pytest.raises(BadArgument, match="after the span"):
        history.do(SetEdge(first, "start", 25))
    with pytest.raises(BadArgument, match="before the span"):
        history.do(SetEdge(second, "stop", 24))


def test_an_edge_snaps_to_the_nearest_press_or_neighbour(history, document) -> None:
    span = add(history, 20, 40)
    add(history, 50, 60)
    presses = np.array([15, 24, 44, 90], np.int64)
    history.do(SnapEdge(span, "start", presses))
    history.do(SnapEdge(span, "stop", presses))
    assert said(document)[0] == (24, 44, "go")
    history.do(SnapEdge(span, "stop", NO_EDGES))
    assert said(document)[0] == (24, 50, "go")
    with pytest.raises(BadArgument, match="near this edge"):
        history.do(SnapEdge(span, "start", presses[:1], within=5))


def test_the_nearest_is_the_earlier_of_two() -> None:
    assert nearest(np.array([10, 20]), 15, 0, 100) == 10
    assert nearest(np.array([10, 20]), 15, 11, 100) == 20
    assert nearest(NO_EDGES, 15, 0, 100) is None


def test_two_adjacent_edges_move_as_one_step(history, document) -> None:
    left, right = add(history, 10, 20), add(history, 20, 40)
    history.do(StretchEdges(right, "start", 30))
    assert said(document) == [(10, 30, "go"), (30, 40, "go")]
    history.do(StretchEdges(left, "stop", 99))
    assert said(document) == [(10, 39, "go"), (39, 40, "go")]
    history.undo()
    history.undo()
    assert said(document) == [(10, 20, "go"), (20, 40, "go")]
    with pytest.raises(BadArgument, match="touches the start"):
        history.do(StretchEdges(left, "start", 5))


def test_merging_keeps_both_texts_and_both_notes(history, document) -> None:
    first, second = add(history, 10, 20, "find the door"), add(history, 30, 40, "open it")
    add(history, 12, 35, "idle", FLAG)
    history.do(WriteNote(second, "the red one"))
    history.do(MergeNext(first))
    assert said(document) == [(10, 40, "find the door; open it")]
    assert document.note(first) == "the red one"
    assert document.note(second) == ""
    with pytest.raises(BadArgument, match="no further span"):
        history.do(MergeNext(first))
    history.undo()
    assert said(document) == [(10, 20, "find the door"), (30, 40, "open it")]
    assert document.note(second) == "the red one"
    assert document.note(first) == ""


def test_merging_flags_takes_the_next_of_the_same_word(history, document) -> None:
    first = add(history, 10, 20, "idle", FLAG)
    add(history, 22, 25, "menu", FLAG)
    add(history, 30, 40, "idle", FLAG)
    history.do(MergeNext(first))
    assert said(document, FLAG) == [(10, 40, "idle"), (22, 25, "menu")]


def test_the_text_of_the_span_before_is_copied(history, document) -> None:
    add(history, 10, 20, "shoot")
    span = add(history, 50, 60, "")
    history.do(CopyText(span))
    assert document.span(span).value == "shoot"
    assert history.do(CopyText(span)) == ()
    with pytest.raises(BadArgument, match="no text before"):
        history.do(CopyText(document.spans()[0].entity_id))
    with pytest.raises(BadArgument, match="Only an instruction"):
        history.do(CopyText(add(history, 70, 80, "idle", FLAG)))
