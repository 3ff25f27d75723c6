from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import (
    ChangeReview,
    ConfirmSpan,
    CreateSpan,
    DeleteSpan,
    EditValue,
    MoveSpan,
    ResizeSpan,
    SplitSpan,
    WriteNote,
)
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from db.clock import FrameClock
from db.errors import BadArgument, Conflict, NotFound
from db.labelling.labels import Edit, LabelKind, Review, new_id

FRAMES = 100
INSTRUCTION, FLAG = LabelKind.INSTRUCTION, LabelKind.FLAG


def clock(count: int = FRAMES) -> FrameClock:
    return FrameClock(np.arange(count, dtype=np.int64) * 33_000_000, count * 33_000_000)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def session_id() -> str:
    return new_id()


@pytest.fixture
def document(log, session_id) -> Document:
    return Document(log, session_id, "ann", clock())


@pytest.fixture
def history(document) -> History:
    return History(document)


def add(history: History, start: int, stop: int, value: str = "go", kind: LabelKind = INSTRUCTION, **more) -> str:
    return history.do(CreateSpan(kind, start, stop, value, **more))[0].entity_id


def edges(document: Document, kind: LabelKind = INSTRUCTION) -> list[tuple[int, int]]:
    return [(span.start, span.stop) for span in document.spans(kind)]


def test_a_command_is_one_transaction(history, log, document) -> None:
    span = add(history, 10, 30)
    history.do(SplitSpan(span, 20))
    assert log.transactions == 2
    assert edges(document) == [(10, 20), (20, 30)]
    assert [s.value for s in document.spans()] == ["go", "go"]


def test_creating_over_a_neighbour_is_trimmed_to_its_edge(history, document) -> None:
    add(history, 40, 60)
    add(history, 30, 50)
    add(history, 55, 70)
    assert edges(document) == [(30, 40), (40, 60), (60, 70)]


def test_the_anchor_decides_which_side_of_a_neighbour_is_kept(history, document) -> None:
    add(history, 40, 60)
    add(history, 30, 80, anchor=79)
    assert edges(document) == [(40, 60), (60, 80)]


def test_creating_where_everything_is_taken_is_refused(history, document, log) -> None:
    add(history, 40, 60)
    with pytest.raises(BadArgument, match="taken"):
        add(history, 45, 50)
    assert log.transactions == 1


def test_spans_are_clamped_to_the_session_and_the_last_frame_can_be_labelled(history, document) -> None:
    add(history, 99, 500)
    add(history, -5, 1)
    assert edges(document) == [(0, 1), (99, 100)]


def test_flags_of_one_word_do_not_overlap_but_different_words_may(history, document) -> None:
    add(history, 10, 30, "idle", FLAG)
    add(history, 20, 40, "idle", FLAG)
    add(history, 15, 35, "menu", FLAG)
    assert edges(document, FLAG) == [(10, 30), (15, 35), (30, 40)]


def test_renaming_a_flag_is_trimmed_at_flags_of_that_word(history, document) -> None:
    add(history, 10, 30, "idle", FLAG)
    other = add(history, 20, 40, "menu", FLAG)
    history.do(EditValue(other, "idle"))
    assert edges(document, FLAG) == [(10, 30), (30, 40)]


def test_resizing_stops_at_neighbours_and_keeps_a_frame(history, document) -> None:
    span = add(history, 20, 30)
    add(history, 50, 60)
    history.do(ResizeSpan(span, 20, 55))
    assert edges(document)[0] == (20, 50)
    history.do(ResizeSpan(span, 70, 50))
    assert edges(document)[0] == (49, 50)
    history.do(ResizeSpan(span, 49, 10))
    assert edges(document)[0] == (49, 50)


def test_moving_keeps_the_length_and_jumps_only_where_it_fits(history, document) -> None:
    span = add(history, 10, 20)
    add(history, 30, 50)
    history.do(MoveSpan(span, 25))
    assert edges(document)[0] == (20, 30)
    history.do(MoveSpan(span, 60))
    assert edges(document) == [(30, 50), (60, 70)]
    history.do(MoveSpan(span, 1000))
    assert edges(document) == [(30, 50), (90, 100)]


def test_doing_nothing_commits_nothing(history, log) -> None:
    span = add(history, 10, 20)
    for command in (MoveSpan(span, 10), ResizeSpan(span, 10, 20), EditValue(span, " go "), WriteNote(span, " ")):
        assert history.do(command) == ()
    assert log.transactions == 1
    assert history.undo_name == "add the instruction"


def test_undo_and_redo_restore_text_and_place(history, document) -> None:
    span = add(history, 10, 20, "find the door")
    history.do(EditValue(span, "open the door"))
    history.do(MoveSpan(span, 50))
    history.do(DeleteSpan(span))
    states = []
    while history.undo():
        states.append([(s.start, s.stop, s.value) for s in document.spans()])
    assert states == [[(50, 60, "open the door")], [(10, 20, "open the door")], [(10, 20, "find the door")], []]
    while history.redo():
        pass
    assert document.spans() == []
    assert document.edit_count == 12


def test_a_run_of_nudges_is_one_step_of_undo(history, document) -> None:
    span = add(history, 10, 20)
    for stop in range(21, 26):
        history.do(ResizeSpan(span, 10, stop, merge_key=f"stop {span}"))
    assert edges(document) == [(10, 25)]
    history.undo()
    assert edges(document) == [(10, 20)]
    history.redo()
    assert edges(document) == [(10, 25)]


def test_a_change_by_somebody_else_is_a_conflict_and_earlier_steps_can_still_be_undone(
    history, document, log, session_id
) -> None:
    kept = add(history, 50, 60)
    span = add(history, 10, 20)
    other = Document(log, session_id, "bob", clock())
    History(other).do(MoveSpan(span, 30))
    with pytest.raises(Conflict, match="was skipped: bob has changed this"):
        history.undo()
    assert edges(document) == [(30, 40), (50, 60)]
    history.undo()
    assert edges(document) == [(30, 40)]
    history.redo()
    assert document.span(kept).start == 50


def test_what_somebody_else_put_in_its_place_keeps_a_deleted_span_from_coming_back(
    history, document, log, session_id
) -> None:
    span = add(history, 10, 20)
    history.do(DeleteSpan(span))
    other = Document(log, session_id, "bob", clock())
    History(other).do(CreateSpan(INSTRUCTION, 15, 30, "theirs"))
    with pytest.raises(Conflict, match="put there"):
        history.undo()
    assert [s.value for s in document.spans()] == ["theirs"]


def test_editing_a_stale_version_conflicts_and_shows_theirs(history, document, log, session_id) -> None:
    span = add(history, 10, 20)
    other = Document(log, session_id, "bob", clock())
    History(other).do(EditValue(span, "theirs"))
    with pytest.raises(Conflict):
        history.do(EditValue(span, "mine"))
    assert document.span(span).value == "theirs"
    history.do(EditValue(span, "mine"))
    assert document.span(span).value == "mine"


def test_a_failed_undo_can_be_tried_again(history, document, log, monkeypatch) -> None:
    add(history, 10, 20)
    with monkeypatch.context() as patch:
        patch.setattr(log, "commit", lambda edits: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            history.undo()
    assert history.undo()
    assert document.spans() == []


def test_confirming_a_suggestion_trims_it_and_makes_it_the_persons(history, document, log, session_id) -> None:
    add(history, 10, 20)
    log.commit(
        [
            Edit(
                session_id=session_id,
                kind=INSTRUCTION,
                start=15,
                stop=30,
                value="shoot",
                author="m",
                source="run:1",
                suggested=True,
            )
        ]
    )
    document.refresh()
    suggestion = document.spans(suggested=True)[0]
    assert document.instruction_at(25) == ""
    history.do(ConfirmSpan(suggestion.entity_id))
    confirmed = document.span(suggestion.entity_id)
    assert (confirmed.start, confirmed.stop, confirmed.source, confirmed.suggested) == (20, 30, "person", False)
    assert document.instruction_at(25) == "shoot"
    history.undo()
    assert document.span(suggestion.entity_id) == suggestion.__class__(
        **{**{f: getattr(suggestion, f) for f in suggestion.__dataclass_fields__}, "author": "ann"}
    )


def test_the_review_follows_its_transitions_and_can_be_undone(history, document) -> None:
    history.do(ChangeReview(Review.LABELLED))
    history.do(ChangeReview(Review.ACCEPTED))
    with pytest.raises(BadArgument, match="cannot become"):
        history.do(ChangeReview(Review.UNLABELLED))
    history.undo()
    assert document.review is Review.LABELLED
    history.undo()
    assert document.review is Review.UNLABELLED


def test_who_labelled_does_not_accept_where_the_library_says_so(history, log, session_id) -> None:
    add(history, 10, 20)
    with pytest.raises(BadArgument, match="themselves"):
        history.do(ChangeReview(Review.ACCEPTED, no_self_accept=True))
    history.do(ChangeReview(Review.LABELLED, no_self_accept=True))
    other = Document(log, session_id, "bob", clock())
    others = History(other)
    add(others, 12, 15, "look here", LabelKind.COMMENT)
    others.do(ChangeReview(Review.ACCEPTED, no_self_accept=True))
    assert other.review is Review.ACCEPTED


def test_who_made_what_somebody_else_changed_does_not_accept_it_either(history, log, session_id) -> None:
    made = add(history, 10, 20)
    other = Document(log, session_id, "bob", clock())
    History(other).do(EditValue(made, "go right"))
    for author in ("ann", "bob"):
        theirs = History(Document(log, session_id, author, clock()))
        with pytest.raises(BadArgument, match="themselves"):
            theirs.do(ChangeReview(Review.ACCEPTED, no_self_accept=True))
    History(Document(log, session_id, "eve", clock())).do(ChangeReview(Review.ACCEPTED, no_self_accept=True))


def test_a_note_belongs_to_its_span_for_everybody(history, document, log, session_id) -> None:
    span = add(history, 10, 20)
    history.do(WriteNote(span, "door is on the left"))
    assert Document(log, session_id, "bob", clock()).note(span) == "door is on the left"
    history.do(WriteNote(span, ""))
    assert document.note(span) == ""
    history.undo()
    assert document.note(span) == "door is on the left"


def test_splitting_outside_and_touching_a_gone_span_are_sentences(history) -> None:
    span = add(history, 10, 20)
    for at in (10, 20, 90):
        with pytest.raises(BadArgument, match="inside"):
            history.do(SplitSpan(span, at))
    with pytest.raises(NotFound, match="no longer"):
        history.do(DeleteSpan(new_id()))


def test_views_hear_what_changed(history, document) -> None:
    heard: list[frozenset[str]] = []
    end = document.subscribe(heard.append)
    span = add(history, 10, 20)
    end()
    history.do(DeleteSpan(span))
    assert heard == [frozenset({span})]
