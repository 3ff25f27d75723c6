from __future__ import annotations

from annotator.bulk import undo
from annotator.sending_back import send_back
from db.labelling.labels import LabelKind, Review, new_id, spans


def test_what_is_sent_back_has_a_comment_and_can_be_taken_back(store, make_session) -> None:
    ids = [make_session(store) for _ in range(2)]
    for session_id in ids:
        store.set_review(session_id, Review.LABELLED, "ann")
    outcome = send_back(store, [*ids, new_id()], "eve", "  the end \n is black ")
    assert (outcome.done, len(outcome.refused)) == (ids, 1)
    for session_id in ids:
        comments = spans(store.edits(session_id), LabelKind.COMMENT)
        assert [(e.start, e.stop, e.value, e.author) for e in comments] == [(0, 90, "the end is black", "eve")]
        assert store.summary(session_id).review is Review.REJECTED
    undone = undo(store, outcome, "eve")
    assert undone.refused == {}
    for session_id in ids:
        assert spans(store.edits(session_id)) == []
        assert store.summary(session_id).review is Review.LABELLED


def test_it_can_be_cancelled_and_needs_no_comment(store, make_session) -> None:
    ids = [make_session(store) for _ in range(2)]
    heard: list[int] = []
    outcome = send_back(store, ids, "eve", " ", lambda done, total: heard.append(done), lambda: len(heard) == 1)
    assert (outcome.done, heard) == (ids[:1], [1])
    assert spans(store.edits(ids[0])) == []
