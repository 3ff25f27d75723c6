"""Two people label one session apart from each other, and a third settles where they differ."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import ChangeReview, CreateSpan, DeleteSpan, ResizeSpan, WriteNote
from annotator.model.edits.comparison import Choice, EndComparison, Settle, SettleAgreed, compare, only_first
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.suggesting import suggestions
from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.agreement import compare as agreement_of
from db.labelling.labels import LabelKind, Review, heads, new_id, review_of, spans
from db.labelling.readings import ComparedLog, FirstLog, SecondLog, pair

CLOCK = FrameClock(np.arange(100, dtype=np.int64) * 33_000_000, 100 * 33_000_000)
SESSION = new_id()
TEXT, FLAG = LabelKind.INSTRUCTION, LabelKind.FLAG


class Desk:
    """One log and everybody at it."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.first = Document(FirstLog(self.log), SESSION, "ann", CLOCK)
        self.second = Document(SecondLog(self.log, "bob"), SESSION, "bob", CLOCK)
        self.histories = {document: History(document) for document in (self.first, self.second)}

    def say(self, document: Document, *spans_said: tuple[LabelKind, int, int, str]) -> None:
        for kind, start, stop, value in spans_said:
            self.histories[document].do(CreateSpan(kind, start, stop, value))

    def end(self) -> tuple[Document, History]:
        for document, history in self.histories.items():
            history.do(ChangeReview(Review.LABELLED))
            document.refresh()
        document = Document(ComparedLog(self.log, "bob"), SESSION, "eve", CLOCK)
        return document, History(document)


def said(document: Document) -> list[tuple[int, int, str]]:
    return [(span.start, span.stop, span.value) for span in document.spans(suggested=False)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_neither_reader_sees_the_other(desk) -> None:
    desk.say(desk.first, (TEXT, 0, 50, "go in"), (FLAG, 60, 70, "idle"))
    desk.second.refresh()
    assert desk.second.spans() == []
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    desk.first.refresh()
    assert said(desk.second) == [(10, 60, "enter")]
    assert said(desk.first) == [(0, 50, "go in"), (60, 70, "idle")]
    assert suggestions(desk.first) == []
    again = Document(SecondLog(desk.log, "bob"), SESSION, "bob", CLOCK)
    assert said(again) == [(10, 60, "enter")]
    assert [(e.value, e.suggested) for e in spans(desk.log.edits(SESSION)) if e.author == "bob"] == [("enter", True)]


def test_overlap_and_undo_stay_within_the_reading(desk) -> None:
    desk.say(desk.first, (TEXT, 0, 50, "go in"))
    desk.say(desk.second, (TEXT, 0, 30, "one"), (TEXT, 20, 60, "two"))
    assert said(desk.second) == [(0, 30, "one"), (30, 60, "two")]
    history = desk.histories[desk.second]
    history.do(ResizeSpan(desk.second.spans()[1].entity_id, 40, 60))
    history.undo()
    history.undo()
    assert said(desk.second) == [(0, 30, "one")]
    history.redo()
    history.do(DeleteSpan(desk.second.spans()[0].entity_id))
    assert said(Document(SecondLog(desk.log, "bob"), SESSION, "bob", CLOCK)) == [(30, 60, "two")]
    assert said(Document(FirstLog(desk.log), SESSION, "ann", CLOCK)) == [(0, 50, "go in")]


def test_the_state_and_the_note_of_a_reading_are_its_own(desk) -> None:
    desk.histories[desk.first].do(WriteNote(SESSION, "mine"))
    desk.second.refresh()
    assert desk.second.note(SESSION) == ""
    desk.histories[desk.second].do(WriteNote(SESSION, "theirs"))
    desk.histories[desk.second].do(ChangeReview(Review.LABELLED))
    desk.first.refresh()
    assert (desk.first.note(SESSION), desk.first.review) == ("mine", Review.UNLABELLED)
    again = Document(SecondLog(desk.log, "bob"), SESSION, "bob", CLOCK)
    assert (again.note(SESSION), again.review) == ("theirs", Review.LABELLED)
    assert review_of(desk.log.edits(SESSION)) is Review.UNLABELLED


def test_what_differs_is_listed_with_figures_and_what_agrees_is_settled_at_once(desk) -> None:
    desk.say(desk.first, (TEXT, 0, 50, "go in"), (TEXT, 60, 80, "shoot"), (FLAG, 5, 10, "idle"))
    desk.say(desk.second, (TEXT, 10, 50, "go in"), (TEXT, 60, 80, "Shoot!"), (FLAG, 90, 95, "menu"))
    document, history = desk.end()
    only = only_first(desk.log.edits(SESSION))
    places = compare(document, "bob", only)
    assert [(p.kind, p.start, p.stop) for p in places] == [(TEXT, 0, 50), (FLAG, 5, 10), (TEXT, 60, 80), (FLAG, 90, 95)]
    assert (places[0].iou, places[0].boundary_errors, places[0].says_the_same) == (0.8, (10, 0), True)
    assert places[2].agrees
    assert places[1].second is None
    history.do(SettleAgreed("bob"))
    assert len(compare(document, "bob", only)) == 3
    with pytest.raises(BadArgument, match="2 places"):
        history.do(EndComparison("bob"))


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        (Choice.FIRST, [(0, 50, "go in")]),
        (Choice.SECOND, [(10, 60, "enter")]),
        (Choice.BOTH, [(0, 50, "go in"), (50, 60, "enter")]),
        (Choice.NEITHER, []),
    ],
)
def test_a_place_is_settled_and_taken_back(desk, choice, left) -> None:
    desk.say(desk.first, (TEXT, 0, 50, "go in"))
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    document, history = desk.end()
    (place,) = compare(document, "bob", only_first(desk.log.edits(SESSION)))
    history.do(Settle(place, choice))
    assert compare(document, "bob", only_first(desk.log.edits(SESSION))) == []
    desk.first.refresh()
    assert said(document) == said(desk.first) == left
    history.undo()
    desk.first.refresh()
    assert said(desk.first) == [(0, 50, "go in")]
    assert len(compare(document, "bob")) == 1
    history.redo()
    history.do(EndComparison("bob"))
    desk.first.refresh()
    assert (document.review, desk.first.review) == (Review.LABELLED, Review.LABELLED)
    history.undo()
    assert Document(SecondLog(desk.log, "bob"), SESSION, "bob", CLOCK).review is Review.LABELLED


def test_what_only_the_first_has_is_kept_or_goes(desk) -> None:
    desk.say(desk.first, (TEXT, 0, 20, "a"), (TEXT, 30, 40, "b"))
    document, history = desk.end()
    only = only_first(desk.log.edits(SESSION))
    for choice in (Choice.FIRST, Choice.NEITHER):
        history.do(Settle(compare(document, "bob", only)[0], choice))
    assert said(document) == [(0, 20, "a")]
    assert compare(document, "bob", only) == []


def test_agreement_is_of_the_readings_as_they_were(desk) -> None:
    assert pair(desk.log.edits(SESSION)) is None
    desk.say(desk.first, (TEXT, 0, 50, "go in"))
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    document, history = desk.end()
    before = pair(desk.log.edits(SESSION))
    (place,) = compare(document, "bob")
    history.do(Settle(place, Choice.SECOND))
    history.do(EndComparison("bob"))
    after = pair(desk.log.edits(SESSION))
    assert before == after
    assert after is not None
    assert (after[0].person, after[1].person) == ("ann", "bob")
    figures = agreement_of(after[0].spans, after[1].spans, 100).instructions
    assert (figures.matched, figures.boundary_error_frames) == (1, 10.0)


def test_a_reading_is_undone_after_a_restart_and_only_as_that_reading(desk) -> None:
    desk.say(desk.second, (TEXT, 0, 30, "one"))
    same_person = Document(FirstLog(desk.log), SESSION, "bob", CLOCK)
    assert History(same_person).undo_name == ""
    again = Document(SecondLog(desk.log, "bob"), SESSION, "bob", CLOCK)
    history = History(again)
    assert history.undo_name == "add the instruction"
    history.undo()
    assert said(again) == []
    history.redo()
    assert said(Document(SecondLog(desk.log, "bob"), SESSION, "bob", CLOCK)) == [(0, 30, "one")]


def test_settling_is_undone_after_a_restart(desk) -> None:
    desk.say(desk.first, (TEXT, 0, 50, "go in"))
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    document, history = desk.end()
    (place,) = compare(document, "bob")
    history.do(Settle(place, Choice.SECOND))
    again = Document(ComparedLog(desk.log, "bob"), SESSION, "eve", CLOCK)
    History(again).undo()
    assert said(again) == [(0, 50, "go in")]
    assert len(compare(again, "bob")) == 1


@pytest.mark.parametrize("choice", list(Choice))
def test_what_was_settled_is_not_taken_back_by_who_does_not_see_both(desk, choice) -> None:
    desk.say(desk.first, (TEXT, 0, 20, "go in"))
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    document, history = desk.end()
    (place,) = compare(document, "bob")
    history.do(Settle(place, choice))
    history.do(EndComparison("bob"))
    before = [(e.value, e.suggested, e.deleted) for e in heads(desk.log.edits(SESSION))]
    plain = Document(FirstLog(desk.log), SESSION, "eve", CLOCK)
    assert History(plain).undo_name == ""
    assert History(plain).undo() is None
    assert [(e.value, e.suggested, e.deleted) for e in heads(desk.log.edits(SESSION))] == before
    again = Document(ComparedLog(desk.log, "bob"), SESSION, "eve", CLOCK)
    earlier = History(again)
    earlier.undo()
    earlier.undo()
    assert len(compare(again, "bob")) == 1
    assert History(Document(FirstLog(desk.log), SESSION, "eve", CLOCK)).undo_name == ""


def test_a_settled_label_that_is_changed_later_can_be_changed_back(desk) -> None:
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    document, history = desk.end()
    history.do(Settle(compare(document, "bob")[0], Choice.SECOND))
    plain = Document(FirstLog(desk.log), SESSION, "eve", CLOCK)
    later = History(plain)
    later.do(ResizeSpan(plain.spans()[0].entity_id, 12, 60))
    later.undo()
    assert said(plain) == [(10, 60, "enter")]
    assert later.undo_name == ""


def test_no_other_readers_spans_are_seen_while_comparing(desk) -> None:
    desk.say(desk.first, (TEXT, 0, 50, "go in"))
    desk.say(desk.second, (TEXT, 10, 60, "enter"))
    third = Document(SecondLog(desk.log, "carl"), SESSION, "carl", CLOCK)
    History(third).do(CreateSpan(TEXT, 5, 9, "carl says"))
    document, _ = desk.end()
    assert sorted(span.value for span in document.spans()) == ["enter", "go in"]
    third.refresh()
    assert said(third) == [(5, 9, "carl says")]
