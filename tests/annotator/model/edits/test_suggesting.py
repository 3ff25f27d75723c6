from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from annotator.model.document import Document
from annotator.model.edits.commands import ConfirmSpan, CreateSpan, DeleteSpan
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.suggesting import ConfirmAll, RejectAll, RejectSpan, Suggest, suggestions
from annotator.model.proposals import SOURCE, Proposal
from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.labels import LabelKind, new_id

FLAG, TRIM = LabelKind.FLAG, LabelKind.TRIM
IDLE, MENU = Proposal(FLAG, "idle", 10, 30), Proposal(FLAG, "menu", 40, 60)
FRAMES = 100


def open_document() -> Document:
    clock = FrameClock(np.arange(FRAMES, dtype=np.int64) * 33, FRAMES * 33)
    return Document(MemoryLog(), new_id(), "ann", clock)


@pytest.fixture
def document() -> Document:
    return open_document()


@pytest.fixture
def history(document) -> History:
    return History(document)


def rows(document: Document) -> list[tuple[str, int, int, bool, str]]:
    return [(s.value, s.start, s.stop, s.suggested, s.source) for s in document.spans()]


def test_proposals_are_suggested_once(history, document) -> None:
    history.do(Suggest([IDLE, MENU]))
    assert rows(document) == [("idle", 10, 30, True, SOURCE), ("menu", 40, 60, True, SOURCE)]
    assert history.do(Suggest([MENU, Proposal(FLAG, "idle", 12, 30)])) == ()


def test_what_a_person_has_said_already_is_not_suggested(history, document) -> None:
    history.do(CreateSpan(FLAG, 0, 50, "idle"))
    assert history.do(Suggest([IDLE])) == ()


def test_a_rejected_one_never_comes_back(history, document) -> None:
    history.do(Suggest([IDLE, MENU]))
    first, second = suggestions(document)
    history.do(RejectSpan(first.entity_id))
    history.do(DeleteSpan(second.entity_id))
    assert history.do(Suggest([IDLE, Proposal(FLAG, "menu", 41, 62)])) == ()
    assert rows(document) == []
    assert history.do(Suggest([Proposal(FLAG, "idle", 70, 90)]))


def test_nor_does_one_that_was_confirmed_and_deleted(history, document) -> None:
    history.do(Suggest([IDLE]))
    span = suggestions(document)[0].entity_id
    history.do(ConfirmSpan(span))
    history.do(DeleteSpan(span))
    assert history.do(Suggest([IDLE])) == ()


def test_taking_a_suggestion_back_is_not_rejecting_it(history, document) -> None:
    history.do(Suggest([IDLE]))
    history.undo()
    assert rows(document) == []
    history.do(Suggest([IDLE]))
    assert rows(document) == [("idle", 10, 30, True, SOURCE)]
    history.do(CreateSpan(FLAG, 70, 90, "idle"))
    history.undo()
    assert history.do(Suggest([Proposal(FLAG, "idle", 70, 90)]))


def test_all_are_confirmed_as_one_step_each_trimmed_at_the_spans_that_are_there(history, document) -> None:
    history.do(CreateSpan(FLAG, 20, 25, "idle"))
    history.do(Suggest([IDLE, MENU, Proposal(TRIM, "", 0, 8)]))
    history.do(Suggest([Proposal(FLAG, "menu", 55, 90)], source="run:7"))
    history.do(ConfirmAll(SOURCE))
    assert [row[:4] for row in rows(document)] == [
        ("", 0, 8, False),
        ("idle", 10, 20, False),
        ("idle", 20, 25, False),
        ("menu", 40, 60, False),
        ("menu", 55, 90, True),
    ]
    history.do(ConfirmAll())
    assert rows(document)[-1] == ("menu", 60, 90, False, "person")
    history.undo()
    history.undo()
    assert len(suggestions(document)) == 4


def test_one_that_nothing_is_left_of_stays_a_suggestion(history, document) -> None:
    history.do(Suggest([IDLE]))
    history.do(CreateSpan(FLAG, 5, 50, "idle"))
    assert history.do(ConfirmAll()) == ()
    assert len(suggestions(document)) == 1


def test_all_of_one_source_are_rejected(history, document) -> None:
    history.do(Suggest([IDLE]))
    history.do(Suggest([MENU], source="run:7"))
    history.do(RejectAll("run:7"))
    assert [row[0] for row in rows(document)] == ["idle"]
    history.do(RejectAll())
    assert rows(document) == []
    assert history.do(RejectAll()) == ()


def test_a_persons_span_is_not_rejected(history) -> None:
    span = history.do(CreateSpan(FLAG, 20, 25, "idle"))[0].entity_id
    with pytest.raises(BadArgument, match="Only a suggestion"):
        history.do(RejectSpan(span))


stretches = st.tuples(st.integers(-5, 105), st.integers(1, 40))
proposals = st.builds(
    lambda kind, word, stretch: Proposal(kind, word if kind is FLAG else "", stretch[0], sum(stretch)),
    st.sampled_from([FLAG, TRIM]),
    st.sampled_from(["idle", "menu"]),
    stretches,
)


class Suggesting(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.document = open_document()
        self.history = History(self.document)
        self.past, self.at = [rows(self.document)], 0

    def do(self, command) -> None:
        try:
            changed = self.history.do(command)
        except BadArgument:
            return
        if changed:
            self.past = [*self.past[: self.at + 1], rows(self.document)]
            self.at += 1

    @rule(some=st.lists(proposals, max_size=4), source=st.sampled_from([SOURCE, "run:7"]))
    def suggest(self, some, source) -> None:
        self.do(Suggest(some, source))
        assert not Suggest(some, source).plan(self.document)

    @rule(stretch=stretches)
    def label(self, stretch) -> None:
        self.do(CreateSpan(FLAG, stretch[0], sum(stretch), "idle"))

    @precondition(lambda self: suggestions(self.document))
    @rule(data=st.data(), confirms=st.booleans())
    def settle(self, data, confirms) -> None:
        span = data.draw(st.sampled_from(suggestions(self.document)))
        self.do(ConfirmSpan(span.entity_id) if confirms else RejectSpan(span.entity_id))
        if not confirms:
            assert not Suggest([Proposal(span.kind, span.value, span.start, span.stop)]).plan(self.document)

    @rule(command=st.sampled_from([ConfirmAll(), ConfirmAll(SOURCE), RejectAll(), RejectAll("run:7")]))
    def settle_all(self, command) -> None:
        self.do(command)

    @rule(forward=st.booleans())
    def travel(self, forward) -> None:
        step = self.history.redo() if forward else self.history.undo()
        self.at += (1 if forward else -1) if step else 0
        assert rows(self.document) == self.past[self.at]

    @invariant()
    def confirmed_spans_do_not_overlap(self) -> None:
        if not hasattr(self, "document"):
            return
        for kind, word in ((FLAG, "idle"), (FLAG, "menu"), (TRIM, "")):
            own = [s for s in self.document.spans(kind, suggested=False) if s.value == word]
            assert all(0 <= s.start < s.stop <= FRAMES for s in own)
            assert all(a.stop <= b.start for a, b in pairwise(own))


TestSuggesting = Suggesting.TestCase
TestSuggesting.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
