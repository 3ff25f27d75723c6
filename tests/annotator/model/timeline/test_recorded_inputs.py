"""Imputed stretches come and go one by one; the lanes are at any time what all that are confirmed make at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.model.document import Document
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.lanes import KeyLane, Lanes, build
from db.clock import FrameClock
from db.labelling.labels import Edit, LabelKind, new_id, spans
from db.recording.actions import InputFacts
from db.recording.corrections import (
    Correction,
    ImputedCorrection,
    KeyCorrection,
    MotionCorrection,
    correct,
    corrections_of,
    imputed,
)
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, Origin, to_array

W, A, LMB = 17, 30, 0x110
FRAMES, FRAME_NS, START_NS = 14, 10, 1000
STOP_NS = START_NS + FRAMES * FRAME_NS
CLOCK = FrameClock(START_NS + np.arange(FRAMES, dtype=np.int64) * FRAME_NS, STOP_NS)
ACTORS = [Actor(kind=ActorKind.SCRIPT), Actor(kind=ActorKind.PERSON)]

instants = st.integers(START_NS - 15, STOP_NS + 15)
event_lists = st.lists(
    st.builds(
        InputEvent,
        t_ns=instants,
        kind=st.sampled_from([EventKind.KEY, EventKind.KEY, EventKind.MOTION, EventKind.SCROLL, EventKind.POSITION]),
        code=st.sampled_from([W, A]),
        value=st.integers(0, 1),
        x=st.integers(0, 5).map(float),
        origin=st.sampled_from(list(Origin)),
        actor=st.integers(0, 1),
    ),
    max_size=16,
)
gap_lists = st.lists(
    st.builds(lambda start, length: Gap(start, start + length, GapReason.LOST), instants, st.integers(1, 5 * FRAME_NS)),
    max_size=3,
)
holds = st.lists(instants, max_size=6, unique=True).map(sorted).map(lambda t: tuple(pairwise(t))[::2])
places = st.tuples(st.integers(0, FRAMES - 1), st.integers(1, 5)).map(lambda p: (p[0], p[0] + p[1]))
pieces = st.builds(
    lambda w, button, moves: ImputedCorrection(
        confidence=0.9,
        keys=(KeyCorrection(code=W, holds_ns=w), KeyCorrection(code=LMB, holds_ns=button)),
        moves=tuple((t_ns, float(i + 1), 1.0) for i, t_ns in enumerate(sorted(moves))),
    ),
    holds,
    holds,
    st.lists(instants, max_size=5),
)
by_hand = st.builds(lambda code, held: KeyCorrection(code=code, holds_ns=held), st.sampled_from([W, A]), holds)
still = st.just(MotionCorrection(scale=(0.5, 0.0)))
turns = st.lists(st.tuples(st.integers(0, 20), st.none() | places), max_size=10)


@settings(max_examples=300, deadline=None)
@given(
    event_lists,
    gap_lists,
    st.lists(st.tuples(places, pieces), min_size=1, max_size=6),
    st.lists(st.tuples(places, by_hand | still), max_size=2),
    turns,
)
def test_in_any_order_they_make_the_same_as_all_at_once(events, gaps, imputations, corrections, turns) -> None:
    facts = InputFacts(to_array(events), gaps, ACTORS, START_NS, STOP_NS)
    log = MemoryLog()
    document = Document(log, new_id(), "ann", CLOCK)
    edits = [_edit(document, place, said, suggested=True) for place, said in imputations]
    log.commit([*edits, *(_edit(document, place, said, suggested=False) for place, said in corrections)])
    document.refresh()
    inputs = Inputs(facts, document)
    inputs.prepare()
    for number, place in turns:
        at = number % len(edits)
        start, stop = place or (edits[at].start, edits[at].stop)
        edits[at] = edits[at].revised("ann", suggested=not edits[at].suggested, start=start, stop=stop)
        log.commit([edits[at]])
        document.refresh()
        overlays = corrections_of(spans(log.edits(document.session_id)))
        recorded = correct(facts, CLOCK, imputed(overlays))
        _compare(inputs.raw, build(recorded, CLOCK))
        whole = build(correct(facts, CLOCK, overlays), CLOCK)
        assert [_said(lane) for lane in inputs.keys if len(lane)] == sorted(
            map(_said, whole.keys), key=lambda said: inputs.codes.index(said[0])
        )
        assert inputs.dx.values.tolist() == whole.dx.values.tolist()
        assert inputs.press_frames.tolist() == whole.press_frames.tolist()
        for t_ns in range(START_NS, STOP_NS, FRAME_NS // 2):
            assert (inputs.known_around(t_ns) is None) == any(g.start_ns <= t_ns < g.stop_ns for g in recorded.gaps)


def test_what_a_stretch_does_not_reach_stays_the_same_object() -> None:
    log = MemoryLog()
    document = Document(log, new_id(), "ann", CLOCK)
    events = [InputEvent(START_NS + 5, EventKind.KEY, A, 1), InputEvent(START_NS + 8, EventKind.KEY, A, 0)]
    inputs = Inputs(InputFacts(to_array(events), [], ACTORS, START_NS, STOP_NS), document)
    held = KeyCorrection(code=W, holds_ns=((START_NS + 45, START_NS + 61),))
    first = _edit(document, (4, 7), ImputedCorrection(confidence=0.9, keys=(held,)), suggested=False)
    log.commit([first])
    document.refresh()
    key, motion, known = inputs.key(A), inputs.dx, inputs.raw.known
    assert [lane.code for lane in inputs.raw.keys] == [W, A]
    clicked = KeyCorrection(code=LMB, holds_ns=((START_NS + 105, START_NS + 111),))
    moved = ImputedCorrection(confidence=0.9, keys=(clicked,), moves=((START_NS + 101, 3.0, 0.0),))
    pressed = inputs.key(W)
    log.commit([second := _edit(document, (10, 12), moved, suggested=False)])
    document.refresh()
    assert [lane.code for lane in inputs.keys] == [W, A, LMB]
    assert (inputs.key(W), inputs.key(A)) == (pressed, key)
    assert inputs.raw.known is known
    assert inputs.dx is not motion
    assert inputs.motion(10) == (3.0, 0.0)
    log.commit([second.revised("ann", deleted=True)])
    document.refresh()
    assert inputs.key(A) is key
    assert inputs.motion(10) == (0.0, 0.0)


def _edit(document: Document, place: tuple[int, int], said: Correction, *, suggested: bool) -> Edit:
    return Edit(
        session_id=document.session_id,
        kind=LabelKind.ACTION,
        start=place[0],
        stop=place[1],
        value=said.model_dump_json(),
        author="ann",
        suggested=suggested,
    )


def _said(lane: KeyLane) -> tuple[int, list[float], list[float], list[bool]]:
    return lane.code, lane.start.tolist(), lane.stop.tolist(), lane.pressed.tolist()


def _compare(found: Lanes, wanted: Lanes) -> None:
    assert list(map(_said, found.keys)) == list(map(_said, wanted.keys))
    assert found.press_frames.tolist() == wanted.press_frames.tolist()
    for axis in ("dx", "dy"):
        mine, theirs = getattr(found, axis), getattr(wanted, axis)
        assert mine.values.tolist() == theirs.values.tolist()
        assert [low.tolist() for low, _ in mine.levels] == [low.tolist() for low, _ in theirs.levels]
    for name in ("scroll", "known", "gaps"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
