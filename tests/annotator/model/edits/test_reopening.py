"""A change of what was accepted goes back to be reviewed, and undo brings back no more than what was accepted."""

from __future__ import annotations

import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import ChangeReview, ConfirmSpan, CreateSpan, DeleteSpan, EditValue, WriteNote
from annotator.model.edits.history import History
from annotator.model.edits.session_commands import AddComment, AddTag, Assign
from db.errors import Conflict
from db.labelling.labels import Edit, LabelKind, Review

INSTRUCTION = LabelKind.INSTRUCTION


@pytest.fixture
def session_id(store, make_session) -> str:
    session = make_session(store, count=100, labels=[("instruction", 20, 50, "walk on")])
    store.set_review(session, Review.LABELLED, "ann")
    store.set_review(session, Review.ACCEPTED, "bob")
    return session


@pytest.fixture
def at_work(store, session_id):
    def begin(person: str) -> tuple[Document, History]:
        document = Document(store, session_id, person, store.recording(session_id).clock)
        return document, History(document)

    return begin


def test_a_change_of_a_label_and_the_review_state_are_one_step(store, session_id, at_work) -> None:
    document, history = at_work("ann")
    history.do(EditValue(document.spans()[0].entity_id, "run"))
    assert store.summary(session_id).review is Review.LABELLED
    history.do(CreateSpan(LabelKind.FLAG, 60, 70, "menu"))
    history.undo()
    assert document.review is Review.LABELLED
    history.undo()
    assert (document.spans()[0].value, document.review) == ("walk on", Review.ACCEPTED)
    assert store.summary(session_id).review is Review.ACCEPTED
    history.redo()
    assert (document.spans()[0].value, document.review) == ("run", Review.LABELLED)


def test_what_training_does_not_take_leaves_it_accepted(store, session_id, at_work) -> None:
    seen = Edit(session_id=session_id, kind=INSTRUCTION, start=60, stop=80, value="turn", author="run", suggested=True)
    store.commit([seen])
    document, history = at_work("ann")
    for command in (
        AddComment(10, 20, "well done"),
        WriteNote(session_id, "a good one"),
        AddTag("night"),
        Assign("bob"),
        EditValue(seen.entity_id, "turn left"),
    ):
        assert history.do(command)
        assert document.review is Review.ACCEPTED
    history.do(ConfirmSpan(seen.entity_id))
    assert document.review is Review.LABELLED
    history.undo()
    history.do(DeleteSpan(seen.entity_id))
    assert document.review is Review.ACCEPTED


def test_undoing_an_older_edit_sends_it_back_too(store, session_id, at_work) -> None:
    store.set_review(session_id, Review.LABELLED, "bob")
    document, history = at_work("ann")
    span = history.do(CreateSpan(INSTRUCTION, 60, 70, "jump"))[0].entity_id
    store.set_review(session_id, Review.ACCEPTED, "bob")
    history.undo()
    assert document.head(span).deleted
    assert document.review is Review.LABELLED
    history.redo()
    assert (len(document.spans()), document.review) == (2, Review.LABELLED)


def test_undo_accepts_nothing_that_nobody_reviewed(at_work) -> None:
    document, history = at_work("ann")
    _, others = at_work("bob")
    span = history.do(CreateSpan(INSTRUCTION, 60, 70, "jump"))[0].entity_id
    others.do(CreateSpan(LabelKind.FLAG, 0, 9, "menu"))
    history.undo()
    assert document.head(span).deleted
    assert document.review is Review.LABELLED


def test_an_acceptance_that_was_taken_back_does_not_return_over_changed_labels(store, session_id, at_work) -> None:
    document, history = at_work("bob")
    history.do(ChangeReview(Review.REJECTED))
    _, others = at_work("ann")
    others.do(CreateSpan(INSTRUCTION, 60, 70, "jump"))
    with pytest.raises(Conflict, match="labels were changed since"):
        history.undo()
    assert document.review is Review.REJECTED


def test_who_accepted_it_again_is_heeded(store, session_id, at_work) -> None:
    document, history = at_work("ann")
    span = history.do(CreateSpan(INSTRUCTION, 60, 70, "jump"))[0].entity_id
    store.set_review(session_id, Review.ACCEPTED, "bob")
    history.undo()
    assert document.head(span).deleted
    assert document.review is Review.LABELLED


def test_two_may_change_an_accepted_session_at_once(store, session_id, at_work) -> None:
    document, history = at_work("ann")
    _, others = at_work("eve")
    others.do(CreateSpan(LabelKind.FLAG, 0, 9, "menu"))
    assert document.review is Review.ACCEPTED  # as far as this window knows
    history.do(CreateSpan(INSTRUCTION, 60, 70, "jump"))
    assert document.review is Review.LABELLED
    assert len(document.spans()) == 3
