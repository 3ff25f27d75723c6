"""The model on a real library: what is corrected there reaches the trainer, and what looks wrong reaches the queue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotator.model.document import Document
from annotator.model.edits.commands import ChangeReview, CreateSpan
from annotator.model.edits.comparison import Choice, EndComparison, Settle, compare
from annotator.model.edits.history import History
from annotator.model.edits.key_commands import AddPress, MovePress, RemovePress
from annotator.model.edits.motion_commands import ClearScroll, ScaleMotion
from annotator.model.edits.session_commands import AddTag, Assign
from annotator.model.edits.suggesting import RejectAll, Suggest, suggestions
from annotator.model.library.queue import queue_of, queues_of, review_queue
from annotator.model.proposals import measure, propose
from annotator.model.timeline.inputs import Inputs
from db.labelling.annotations import rows_of
from db.labelling.labels import LabelKind, Review, spans
from db.labelling.readings import ComparedLog, SecondLog
from db.library.catalogue import Wanted
from db.recording.corrections import corrections_of
from db.settings import LibrarySettings, write_settings

W, A = 17, 30


def test_corrections_reach_the_trainers_actions(store, make_session) -> None:
    session_id = make_session(store, variable=True)
    recording = store.recording(session_id)
    document = Document(store, session_id, "ann", recording.clock)
    history, inputs = History(document), Inputs(recording.facts, document)
    history.do(AddPress.over(inputs, A, 40, 44))
    history.do(RemovePress.under(inputs, W, 7))
    history.do(MovePress(inputs, W, inputs.hold_in(W, 30)[0], up_ns=int(recording.clock.t_ns[38])))
    history.do(ScaleMotion(50, 60))
    history.do(ClearScroll(0, 90))
    history.undo()
    corrections = corrections_of(spans(store.edits(session_id)))
    track = recording.resolve(corrections=corrections)
    for frame in range(len(track)):
        assert sorted(inputs.active(frame)) == sorted(np.array(track.codes)[track.active[frame]].tolist())
        np.testing.assert_allclose(inputs.motion(frame), track.motion[frame])
    assert not track.motion[50:60].any()
    again = Inputs(recording.facts, Document(store, session_id, "bob", recording.clock))
    np.testing.assert_array_equal(again.holds(W), inputs.holds(W))
    while history.undo():
        pass
    np.testing.assert_array_equal(inputs.holds(W), inputs.recorded_holds(W))


def test_an_idle_recording_is_proposed_to_be_trimmed_and_rejecting_lasts(store, make_session) -> None:
    session_id = make_session(store, count=300, events=[])
    recording = store.recording(session_id)
    shown = measure(np.zeros((4, 4), np.uint8) + 128 for _ in range(300))
    proposals = propose(recording.resolve(), shown.with_duplicates(recording.frames["duplicate"]), recording.clock)
    document = Document(store, session_id, "ann", recording.clock)
    history = History(document)
    history.do(Suggest(proposals))
    assert [(s.value, s.start, s.stop) for s in suggestions(document)] == [("idle", 0, 300)]
    assert list(rows_of(store.edits(session_id), recording.clock, "Maze", "ann")) == []
    history.do(RejectAll())
    later = Document(store, session_id, "bob", recording.clock)
    assert Suggest(proposals).plan(later) == []


def test_a_tag_and_an_assignee_can_be_searched_for(store, make_session) -> None:
    session_id = make_session(store)
    history = History(Document(store, session_id, "ann", store.recording(session_id).clock))
    history.do(AddTag("boss"))
    history.do(Assign("bob"))
    assert [line.id for line in store.search(Wanted(tag="boss", assignee="bob"))] == [session_id]


def test_a_flagged_session_is_reviewed_first(store, make_session) -> None:
    plain = make_session(store, player="bob")
    flagged = make_session(store, player="eve", labels=[(LabelKind.FLAG, 0, 5, "bad capture")])
    unlabelled = make_session(store)
    for session_id in (plain, flagged):
        store.set_review(session_id, Review.LABELLED, "ann")
    found = [turn.session_id for turn in queue_of(store)]
    assert set(found) == {plain, flagged}
    assert unlabelled not in found
    lines = [replace(line, grade="good") for line in store.search()]
    first = review_queue(lines, {flagged: frozenset({"bad capture"})})[0]
    assert (first.session_id, first.reason) == (flagged, "flagged: bad capture")


def test_a_second_reading_goes_from_drawn_to_compared(store, make_session) -> None:
    session_id = make_session(store, labels=[(LabelKind.INSTRUCTION, 0, 20, "go in")])
    write_settings(store.root, LibrarySettings(double_label_share=1.0, least_share=0.0))
    assert queues_of(store, "bob").second == ()
    store.set_review(session_id, Review.LABELLED, "ann")
    assert queues_of(store, "ann").second == ()
    assert [turn.session_id for turn in queues_of(store, "bob").second] == [session_id]
    clock = store.recording(session_id).clock
    reading = Document(SecondLog(store, "bob"), session_id, "bob", clock)
    history = History(reading)
    history.do(CreateSpan(LabelKind.INSTRUCTION, 5, 20, "enter"))
    assert queues_of(store, "eve").second == ()
    assert queues_of(store, "bob").second[0].reason == "you have begun to read it"
    history.do(ChangeReview(Review.LABELLED))
    queues = queues_of(store, "eve")
    assert (queues.second, [turn.reason for turn in queues.compare]) == ((), ["read by bob, 1 span to settle"])
    assert store.summary(session_id).review is Review.LABELLED
    compared = Document(ComparedLog(store, "bob"), session_id, "eve", clock)
    history = History(compared)
    history.do(Settle(compare(compared, "bob")[0], Choice.SECOND))
    history.do(EndComparison("bob"))
    assert queues_of(store, "eve").compare == ()
    assert [(e.start, e.value) for e in spans(store.edits(session_id)) if not e.suggested] == [(5, "enter")]
    store.set_review(session_id, Review.ACCEPTED, "eve")
    assert store.summary(session_id).review is Review.ACCEPTED
    store.rebuild()
    assert store.summary(session_id).review is Review.ACCEPTED
