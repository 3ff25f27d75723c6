from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, DeleteSpan, EditValue
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.session_commands import AddComment, AddTag, Assign, RemoveTag
from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.labels import LabelKind, new_id


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def document(log) -> Document:
    return Document(log, new_id(), "ann", FrameClock(np.arange(100, dtype=np.int64) * 33, 3300))


@pytest.fixture
def history(document) -> History:
    return History(document)


def comments(document: Document) -> list[tuple[int, int, str]]:
    return [(span.start, span.stop, span.value) for span in document.spans(LabelKind.COMMENT)]


def test_comments_stand_on_spans_and_stretches_and_may_overlap(history, document) -> None:
    span = history.do(CreateSpan(LabelKind.INSTRUCTION, 10, 30, "go"))[0].entity_id
    first = history.do(AddComment.on(document, span, "which  door?"))[0].entity_id
    history.do(AddComment(20, 200, "late"))
    assert comments(document) == [(10, 30, "which door?"), (20, 100, "late")]
    history.do(EditValue(first, "which of them?"))
    history.do(DeleteSpan(first))
    assert comments(document) == [(20, 100, "late")]
    with pytest.raises(BadArgument, match="needs words"):
        history.do(AddComment(1, 2, " "))


def test_a_session_is_assigned_to_one_person(history, document) -> None:
    assert history.do(Assign("")) == ()
    history.do(Assign("bob"))
    history.do(Assign(" eve "))
    assert document.assignee == "eve"
    assert history.do(Assign("eve")) == ()
    history.do(Assign(""))
    assert document.assignee == ""
    history.undo()
    history.undo()
    assert document.assignee == "bob"
    history.undo()
    assert document.assignee == ""


def test_a_tag_is_there_once_and_comes_back(history, document, log) -> None:
    history.do(AddTag("night "))
    assert history.do(AddTag("night")) == ()
    history.do(AddTag("boss"))
    assert document.tags == ["boss", "night"]
    history.do(RemoveTag("night"))
    history.do(AddTag("night"))
    assert Document(log, document.session_id, "bob", document.clock).tags == ["boss", "night"]
    with pytest.raises(BadArgument, match="needs a word"):
        history.do(AddTag(" "))
    while history.undo():
        pass
    assert document.tags == []
