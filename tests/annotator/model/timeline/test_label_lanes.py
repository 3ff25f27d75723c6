"""The lanes that the spans of a session stand in, before and after edits."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, DeleteSpan
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.suggesting import Suggest
from annotator.model.proposals import Proposal
from annotator.model.timeline.label_lanes import DEEPEST, LabelLanes
from db.clock import FrameClock
from db.labelling.labels import LabelKind, new_id
from db.labelling.readings import source_of


@pytest.fixture
def history() -> History:
    clock = FrameClock(np.arange(100, dtype=np.int64) * 33_000_000, 100 * 33_000_000)
    return History(Document(MemoryLog(), new_id(), "ann", clock))


@pytest.fixture
def labels(history) -> LabelLanes:
    return LabelLanes(history._document)


def shown(labels: LabelLanes, kind: LabelKind, word: str = "", *, suggested: bool = False) -> list[list[int]]:
    return [[span.start for span in lane.spans] for lane in labels.lanes(kind, word, suggested=suggested)]


def test_flags_have_a_lane_for_every_word(history, labels) -> None:
    for start, word in ((30, "menu"), (10, "idle"), (50, "idle")):
        history.do(CreateSpan(LabelKind.FLAG, start, start + 5, word))
    assert sorted(labels.words(LabelKind.FLAG)) == ["idle", "menu"]
    assert shown(labels, LabelKind.FLAG, "idle") == [[10, 50]]
    assert shown(labels, LabelKind.FLAG, "menu") == [[30]]
    assert labels.words(LabelKind.FLAG, suggested=True) == []
    assert labels.lanes(LabelKind.FLAG, "loading") == ()


def test_an_edit_shows_and_its_undoing_too(history, labels) -> None:
    labels.prepare()
    first = history.do(CreateSpan(LabelKind.INSTRUCTION, 10, 20, "go"))[0].entity_id
    history.do(CreateSpan(LabelKind.INSTRUCTION, 30, 40, "stay"))
    assert shown(labels, LabelKind.INSTRUCTION) == [[10, 30]]
    history.do(DeleteSpan(first))
    assert shown(labels, LabelKind.INSTRUCTION) == [[30]]
    history.undo()
    assert shown(labels, LabelKind.INSTRUCTION) == [[10, 30]]


def test_comments_that_lie_over_one_another_take_several_lanes_and_no_more_than_the_most(history, labels) -> None:
    for start in range(DEEPEST + 2):
        history.do(CreateSpan(LabelKind.COMMENT, start, 50 + start, f"comment {start}"))
    lanes = shown(labels, LabelKind.COMMENT)
    assert len(lanes) == DEEPEST
    assert sorted(start for lane in lanes for start in lane) == list(range(DEEPEST + 2))


def test_until_a_span_of_theirs_changes_the_lanes_are_the_same(history, labels) -> None:
    history.do(CreateSpan(LabelKind.TRIM, 10, 20))
    before = labels.lanes(LabelKind.TRIM)
    assert labels.lanes(LabelKind.TRIM) is before
    history.do(CreateSpan(LabelKind.FLAG, 30, 40, "idle"))
    assert labels.lanes(LabelKind.TRIM) is before
    history.do(CreateSpan(LabelKind.TRIM, 30, 40))
    assert labels.lanes(LabelKind.TRIM) is not before


def test_suggestions_have_lanes_of_their_own_and_a_second_reading_says_so(history, labels) -> None:
    history.do(Suggest([Proposal(LabelKind.FLAG, "idle", 10, 20)]))
    assert shown(labels, LabelKind.FLAG, "idle", suggested=True) == [[10]]
    assert labels.lanes(LabelKind.FLAG, "idle") == ()
    assert not labels.is_compared
    history.do(Suggest([Proposal(LabelKind.INSTRUCTION, "go", 10, 20)], source_of("bob")))
    assert labels.is_compared
