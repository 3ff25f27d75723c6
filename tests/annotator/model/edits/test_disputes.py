"""Undo after a restart and beside other people; what two people changed apart from each other, and how it is settled."""

from __future__ import annotations

import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan, DeleteSpan, EditValue, MoveSpan, ResizeSpan, WriteNote
from annotator.model.edits.disputes import Choice, Settle, collided, disputes
from annotator.model.edits.edge_commands import MergeNext
from annotator.model.edits.history import Collision, History
from annotator.model.edits.session_commands import AddTag
from db.errors import BadArgument, Conflict
from db.labelling.edits import read_mirror
from db.labelling.labels import Edit, LabelKind, conflicts, heads

INSTRUCTION = LabelKind.INSTRUCTION


@pytest.fixture
def session_id(store, make_session) -> str:
    return make_session(store, count=100)


@pytest.fixture
def at_work(store, session_id):
    """at_work(person) -> a document and a history of their own, as another program would have."""

    def begin(person: str) -> tuple[Document, History]:
        document = Document(store, session_id, person, store.recording(session_id).clock)
        return document, History(document)

    return begin


def texts(document: Document) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, s.value) for s in document.spans(INSTRUCTION)]


def add(history: History, start: int, stop: int, text: str) -> str:
    return history.do(CreateSpan(INSTRUCTION, start, stop, text))[0].entity_id


def test_what_was_done_yesterday_is_undone_today_step_by_step_with_its_name(at_work) -> None:
    _, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    for stop in range(21, 26):
        history.do(ResizeSpan(span, 10, stop, merge_key="stop"))
    history.do(EditValue(span, "run"))
    history.undo()
    document, later = at_work("ann")
    assert later.done_names == ["resize the span", "add the instruction"]
    assert later.redo_name == "edit the text"
    later.redo()
    assert texts(document) == [(10, 25, "run")]
    names = []
    while step := later.undo():
        names.append((step.name, texts(document)))
    assert names == [
        ("edit the text", [(10, 25, "walk")]),
        ("resize the span", [(10, 20, "walk")]),
        ("add the instruction", []),
    ]
    document, last = at_work("ann")
    while last.redo():
        pass
    assert texts(document) == [(10, 25, "run")]


def test_undo_is_each_persons_own(at_work) -> None:
    _, anns = at_work("ann")
    add(anns, 10, 20, "walk")
    document, bobs = at_work("bob")
    assert bobs.undo_name == ""
    add(bobs, 30, 40, "wait")
    bobs.undo()
    assert texts(document) == [(10, 20, "walk")]
    assert at_work("ann")[1].undo_name == "add the instruction"


def test_two_windows_of_one_person_share_what_can_be_undone(at_work) -> None:
    here, first = at_work("ann")
    there, second = at_work("ann")
    add(first, 10, 20, "walk")
    there.refresh()
    assert second.undo_name == "add the instruction"
    second.undo()
    here.refresh()
    assert texts(here) == []
    assert (first.undo_name, first.redo_name) == ("", "add the instruction")


def test_what_somebody_changed_since_is_skipped_and_says_who(at_work) -> None:
    document, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    add(history, 50, 60, "jump")
    history.do(MoveSpan(span, 30))
    _, bobs = at_work("bob")
    bobs.do(EditValue(span, "swim"))
    document, later = at_work("ann")
    with pytest.raises(Conflict, match="“Move the span” was skipped: bob has changed"):
        later.undo()
    assert later.undo().name == "add the instruction"
    with pytest.raises(Conflict, match="“Add the instruction” was skipped: bob"):
        later.undo()
    assert texts(document) == [(30, 40, "swim")]
    assert later.undo() is None


def test_versions_that_were_destroyed_take_their_steps_with_them(store, at_work, session_id) -> None:
    document, history = at_work("ann")
    add(history, 10, 20, "walk")
    edit = Edit(session_id=session_id, kind=LabelKind.ACTION, start=40, stop=50, value="{}", author="bob")
    store.commit([edit])
    document.refresh()
    assert document.head(edit.entity_id)
    store.redact(session_id, [(40, 50)])
    assert edit.entity_id in document.refresh()
    assert document.head(edit.entity_id) is None
    other, _ = at_work("bob")
    other.commit([])
    add(at_work("bob")[1], 70, 80, "later")
    document.refresh()
    assert texts(document) == [(10, 20, "walk"), (70, 80, "later")]
    assert history.undo().name == "add the instruction"


def test_only_what_is_new_is_read(at_work, store, monkeypatch) -> None:
    document, _ = at_work("ann")
    _, bobs = at_work("bob")
    for start in range(0, 50, 10):
        add(bobs, start, start + 5, "go")
    document.refresh()
    read: list[int] = []
    asked = store.edits_after

    def count(session_id: str, place: int = 0):
        tail = asked(session_id, place)
        read.append(len(tail.edits))
        return tail

    monkeypatch.setattr(store, "edits_after", count)
    assert document.refresh() == frozenset()
    span = add(bobs, 60, 70, "stop")
    assert document.refresh() == {span}
    assert max(read) == 1


# Somebody was quicker


def test_typed_text_does_not_overwrite_what_somebody_wrote_meanwhile(at_work) -> None:
    document, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    seen = {span: document.head(span).id}
    _, bobs = at_work("bob")
    bobs.do(EditValue(span, "crawl"))
    with pytest.raises(Collision) as caught:
        history.do(EditValue(span, "run"), seen)
    dispute = collided(document, caught.value.deltas)
    assert (dispute.mine.value, dispute.theirs.value, dispute.theirs_by) == ("run", "crawl", "bob")
    assert texts(document) == [(10, 20, "crawl")]
    assert history.do(Settle(dispute, Choice.THEIRS)) == ()
    history.do(Settle(dispute, Choice.MINE))
    assert texts(document) == [(10, 20, "run")]
    history.undo()
    assert texts(document) == [(10, 20, "crawl")]


def test_what_does_not_touch_is_no_conflict(at_work) -> None:
    document, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    seen = {span: document.head(span).id}
    _, bobs = at_work("bob")
    bobs.do(MoveSpan(span, 40))
    history.do(EditValue(span, "run"), seen)
    assert texts(document) == [(40, 50, "run")]


def test_a_span_that_somebody_deleted_can_be_kept(at_work, store, session_id) -> None:
    _, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    stale, slow = at_work("ann")
    _, bobs = at_work("bob")
    bobs.do(DeleteSpan(span))
    with pytest.raises(Collision) as caught:
        slow.do(EditValue(span, "run"))
    dispute = collided(stale, caught.value.deltas)
    assert dispute.theirs.deleted
    assert dispute.choices == (Choice.THEIRS, Choice.MINE)
    slow.do(Settle(dispute, Choice.MINE))
    assert texts(stale) == [(10, 20, "run")]
    assert conflicts(store.edits(session_id)) == {}


def test_both_are_kept_side_by_side_where_there_is_room(at_work) -> None:
    document, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    _, bobs = at_work("bob")
    bobs.do(ResizeSpan(span, 10, 15))
    stale = document
    with pytest.raises(Collision) as caught:
        history.do(ResizeSpan(span, 5, 30))
    dispute = collided(stale, caught.value.deltas)
    history.do(Settle(dispute, Choice.BOTH))
    assert texts(document) == [(5, 10, "walk"), (10, 15, "walk")]


def test_notes_that_two_wrote_at_once_are_joined(at_work) -> None:
    document, history = at_work("ann")
    _, bobs = at_work("bob")
    bobs.do(WriteNote(document.session_id, "dark"))
    with pytest.raises(Collision) as caught:
        history.do(WriteNote(document.session_id, "foggy"))
    history.do(Settle(collided(document, caught.value.deltas), Choice.BOTH))
    assert document.note(document.session_id) == "dark\n\nfoggy"


def test_a_change_of_several_spans_is_kept_or_dropped_as_one(at_work) -> None:
    document, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    other = add(history, 30, 40, "run")
    _, bobs = at_work("bob")
    bobs.do(EditValue(other, "swim"))
    with pytest.raises(Collision) as caught:
        history.do(MergeNext(span))
    dispute = collided(document, caught.value.deltas)
    assert dispute.entity_id == other
    assert Choice.BOTH not in dispute.choices
    history.do(Settle(dispute, Choice.MINE))
    assert [(start, stop) for start, stop, _ in texts(document)] == [(10, 40)]


# Annotations that come back from elsewhere


@pytest.fixture
def merged(store, at_work, session_id):
    """ann and bob changed one span apart from each other; bob's came in later."""
    document, history = at_work("ann")
    span = add(history, 10, 20, "walk")
    first = document.head(span)
    history.do(EditValue(span, "run"))
    theirs = first.revised("bob", value="crawl", start=12, stop=24)
    assert store.merge(session_id, [theirs]) == 1
    document.refresh()
    return document, history, span


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice.MINE, [(10, 20, "run")]),
        (Choice.THEIRS, [(12, 24, "crawl")]),
        (Choice.BOTH, [(10, 12, "run"), (12, 24, "crawl")]),
    ],
)
def test_competing_versions_are_settled_by_one_that_supersedes_both(
    merged, store, session_id, choice, expected
) -> None:
    document, history, _ = merged
    (dispute,) = disputes(document)
    assert (dispute.mine.value, dispute.mine_by, dispute.theirs.value, dispute.theirs_by) == (
        "run",
        "ann",
        "crawl",
        "bob",
    )
    history.do(Settle(dispute, choice))
    assert texts(document) == expected
    log = store.edits(session_id)
    assert conflicts(log) == {}
    assert {"run", "crawl"} <= {edit.value for edit in log}
    assert read_mirror(store.session_folder(session_id)) == log
    assert [e.entity_id for e in heads(log) if not e.deleted and e.kind is INSTRUCTION] == sorted(
        s.entity_id for s in document.spans(INSTRUCTION)
    )
    with pytest.raises(BadArgument, match="settled meanwhile"):
        history.do(Settle(dispute, choice))
    assert store.merge(session_id, log) == 0


def test_a_settled_conflict_is_not_undone_and_what_was_before_it_can_be(merged) -> None:
    document, history, _ = merged
    history.do(AddTag("hard"))
    (dispute,) = disputes(document)
    history.do(Settle(dispute, Choice.THEIRS))
    with pytest.raises(Conflict, match="stays settled"):
        history.undo()
    assert history.undo().name == "tag it hard"
    assert texts(document) == [(12, 24, "crawl")]


def test_two_who_settle_it_at_once_do_not_overwrite_each_other(merged, at_work) -> None:
    document, history, _ = merged
    other, bobs = at_work("bob")
    bobs.do(Settle(disputes(other)[0], Choice.MINE))
    with pytest.raises(Collision):
        history.do(Settle(disputes(document)[0], Choice.MINE))
    assert texts(document) == [(12, 24, "crawl")]
    assert document.disputed == {}


def test_three_versions_are_settled_two_at_a_time(merged, store, session_id) -> None:
    document, history, _ = merged
    first = store.edits(session_id)[0]
    store.merge(session_id, [first.revised("eve", value="fly")])
    document.refresh()
    history.do(Settle(disputes(document)[0], Choice.THEIRS))
    assert len(disputes(document)) == 1
    history.do(Settle(disputes(document)[0], Choice.MINE))
    assert document.disputed == {}


def test_a_ring_of_versions_from_a_hostile_file_shows_nothing_and_breaks_nothing(at_work, store, session_id) -> None:
    place = {"session_id": session_id, "kind": INSTRUCTION, "start": 1, "stop": 5, "author": "eve"}
    first, second = Edit(**place), Edit(**place)
    second = second.model_copy(update={"entity_id": first.entity_id, "parent": first.id})
    store.merge(session_id, [first.model_copy(update={"parent": second.id}), second])
    document, history = at_work("ann")
    assert texts(document) == []
    add(history, 1, 5, "go")
    assert texts(document) == [(1, 5, "go")]
