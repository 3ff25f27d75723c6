"""Whatever is corrected: the lanes say it, the trainer's `resolve` says the same, and undoing all gives the start back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from annotator.model.document import Document
from annotator.model.edits.commands import ConfirmSpan, DeleteSpan, MoveSpan
from annotator.model.edits.history import History
from annotator.model.edits.key_commands import AddPress, MovePress, RemovePress
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.motion_commands import ClearScroll, RestoreScroll, ScaleMotion
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.lanes import build
from db.clock import FrameClock
from db.errors import BadArgument, Conflict
from db.labelling.labels import Edit, LabelKind, new_id, spans
from db.recording.actions import InputFacts, resolve
from db.recording.corrections import KeyCorrection, correct, corrections_of, read_correction
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, Origin, to_array

W, A, Q = 17, 30, 16
FRAMES, FRAME_NS, START_NS = 12, 10, 1000
STOP_NS = START_NS + FRAMES * FRAME_NS


def make(events: list[InputEvent], gaps: list[Gap] | None = None) -> tuple[MemoryLog, Document, History, Inputs]:
    log = MemoryLog()
    clock = FrameClock(START_NS + np.arange(FRAMES, dtype=np.int64) * FRAME_NS, STOP_NS)
    document = Document(log, new_id(), "ann", clock)
    facts = InputFacts(to_array(events), gaps or [], [Actor(kind=ActorKind.PERSON)], START_NS, STOP_NS)
    return log, document, History(document), Inputs(facts, document)


def press(code: int, down: int, up: int) -> list[InputEvent]:
    return [
        InputEvent(START_NS + down, EventKind.KEY, code, 1),
        InputEvent(START_NS + up, EventKind.KEY, code, 0),
    ]


def holds(inputs: Inputs, code: int) -> list[tuple[int, int]]:
    return [(a - START_NS, b - START_NS) for a, b in inputs.holds(code).tolist()]


def overlays(document: Document) -> list[tuple[int, int]]:
    return [(span.start, span.stop) for span in document.spans(LabelKind.ACTION)]


def test_adding_a_press_is_one_edit_over_the_frames_it_changes() -> None:
    log, document, history, inputs = make(press(W, 5, 25))
    history.do(AddPress(inputs, W, START_NS + 41, START_NS + 58))
    assert holds(inputs, W) == [(5, 25), (41, 58)]
    assert overlays(document) == [(4, 6)]
    assert log.transactions == 1
    assert document.edit_count == 1
    assert history.undo_name == "add a press of W"


def test_a_correction_that_is_touched_is_revised() -> None:
    _, document, history, inputs = make(press(W, 5, 25))
    first = history.do(AddPress.over(inputs, W, 4, 6))[0].entity_id
    second = history.do(AddPress.over(inputs, W, 6, 7))[0].entity_id
    assert first == second
    assert holds(inputs, W) == [(5, 25), (40, 70)]
    assert overlays(document) == [(4, 7)]


def test_two_corrections_that_a_third_joins_become_one() -> None:
    _, document, history, inputs = make([])
    history.do(AddPress.over(inputs, W, 1, 2))
    history.do(AddPress.over(inputs, W, 8, 9))
    assert overlays(document) == [(1, 2), (8, 9)]
    history.do(AddPress.over(inputs, W, 2, 8))
    assert holds(inputs, W) == [(10, 90)]
    assert overlays(document) == [(1, 9)]
    history.undo()
    assert holds(inputs, W) == [(10, 20), (80, 90)]


def test_what_says_no_more_than_the_recording_is_deleted() -> None:
    _, document, history, inputs = make(press(W, 5, 25))
    history.do(AddPress.over(inputs, A, 3, 5))
    history.do(RemovePress.under(inputs, A, 4))
    assert overlays(document) == []
    history.do(RemovePress.under(inputs, W, 1))
    assert holds(inputs, W) == []
    history.do(AddPress(inputs, W, START_NS + 5, START_NS + 25))
    assert overlays(document) == []
    assert holds(inputs, W) == [(5, 25)]


def test_ends_stop_at_neighbours_and_short_of_each_other() -> None:
    _, _, history, inputs = make([*press(W, 20, 40), *press(W, 60, 80), *press(W, 90, 100)])
    middle = START_NS + 65
    history.do(MovePress(inputs, W, middle, down_ns=START_NS + 30))
    assert holds(inputs, W)[1] == (41, 80)
    history.do(MovePress(inputs, W, middle, up_ns=START_NS + 500))
    assert holds(inputs, W)[1] == (41, 89)
    history.do(MovePress(inputs, W, START_NS + 95, up_ns=START_NS + 10**9))
    assert holds(inputs, W)[2] == (90, 120)


def test_moving_the_release_earlier_changes_only_the_frames_between() -> None:
    _, document, history, inputs = make(press(W, 5, 75))
    history.do(MovePress(inputs, W, START_NS + 30, up_ns=START_NS + 45, least_ns=1))
    assert holds(inputs, W) == [(5, 45)]
    assert overlays(document) == [(4, 8)]
    history.do(MovePress(inputs, W, START_NS + 30, down_ns=START_NS + 60, least_ns=10))
    assert holds(inputs, W) == [(35, 45)]
    history.undo()
    history.undo()
    assert document.spans() == []


def test_a_press_stays_out_of_what_is_not_known() -> None:
    _, _, history, inputs = make(press(W, 5, 25), [Gap(START_NS + 50, START_NS + 70, GapReason.UNFOCUSED)])
    with pytest.raises(BadArgument, match="not recorded"):
        history.do(AddPress.over(inputs, W, 5, 6))
    history.do(AddPress.over(inputs, W, 4, 9))
    assert holds(inputs, W) == [(5, 25), (40, 50)]


def test_where_no_key_is_down_there_is_nothing_to_remove() -> None:
    _, _, history, inputs = make(press(W, 5, 25))
    with pytest.raises(BadArgument, match="W is not down here"):
        RemovePress.under(inputs, W, 5)
    with pytest.raises(BadArgument, match="W is not down here"):
        history.do(MovePress(inputs, W, START_NS + 60, up_ns=START_NS + 70))


def test_the_lanes_stand_side_by_side() -> None:
    _, _, history, inputs = make([*press(W, 5, 25), *press(0x110, 50, 60)])
    untouched = inputs.key(0x110)
    history.do(AddPress.over(inputs, Q, 7, 8))
    history.do(MovePress(inputs, W, START_NS + 10, up_ns=START_NS + 45))
    assert inputs.codes == (W, Q, 0x110)
    assert inputs.key(0x110) is untouched
    assert inputs.key(W).stop.tolist() == [4.5]
    assert inputs.recorded_key(W).stop.tolist() == [2.5]
    assert inputs.differing(W).tolist() == [[2.5, 4.5]]
    assert inputs.differing(Q).tolist() == [[7.0, 8.0]]
    assert inputs.raw.press_frames.tolist() == [0, 5]
    assert inputs.press_frames.tolist() == [0, 5, 7]
    assert inputs.active(3) == [W]
    assert inputs.snap_edges().tolist() == [0, 5, 7, 8 + 1]


def test_motion_is_scaled_over_frames_and_said_once() -> None:
    events = [InputEvent(START_NS + i * FRAME_NS, EventKind.MOTION, x=4.0, y=2.0) for i in range(FRAMES)]
    _, document, history, inputs = make(events)
    history.do(ScaleMotion(0, 12, 0.5, 1))
    history.do(ScaleMotion(4, 8))
    assert inputs.dx.values.tolist() == [2.0] * 4 + [0.0] * 4 + [2.0] * 4
    assert inputs.dy.values.tolist() == [2.0] * 4 + [0.0] * 4 + [2.0] * 4
    assert inputs.differing_motion().tolist() == [[0, 12]]
    history.do(ScaleMotion(2, 10, 1, 1))
    assert overlays(document) == [(0, 2), (10, 12)]
    assert inputs.raw.dx.values.tolist() == [4.0] * 12
    history.do(ScaleMotion(1, 11, 0.5, 1))
    assert overlays(document) == [(0, 12)]
    with pytest.raises(BadArgument, match="-100 to 100"):
        history.do(ScaleMotion(0, 5, 1000))


def test_scrolling_is_cleared_and_given_back() -> None:
    events = [InputEvent(START_NS + i * FRAME_NS, EventKind.SCROLL, y=1.0) for i in range(FRAMES)]
    _, _, history, inputs = make(events)
    history.do(ClearScroll(2, 6))
    assert [inputs.scroll(i)[1] for i in range(8)] == [1, 1, 0, 0, 0, 0, 1, 1]
    history.do(RestoreScroll(0, 4))
    assert [inputs.scroll(i)[1] for i in range(8)] == [1, 1, 1, 1, 0, 0, 1, 1]


def test_a_correction_is_not_moved_like_a_label_but_can_be_deleted() -> None:
    _, _, history, inputs = make(press(W, 5, 25))
    span = history.do(AddPress.over(inputs, W, 4, 6))[0].entity_id
    with pytest.raises(BadArgument, match="lane of their key"):
        history.do(MoveSpan(span, 8))
    history.do(DeleteSpan(span))
    assert holds(inputs, W) == [(5, 25)]


def test_a_suggested_correction_counts_once_it_is_confirmed() -> None:
    log, document, history, inputs = make(press(W, 5, 25))
    value = KeyCorrection(code=W, holds_ns=((START_NS + 40, START_NS + 60),)).model_dump_json()
    log.commit(
        [
            Edit(
                session_id=document.session_id,
                kind=LabelKind.ACTION,
                start=4,
                stop=6,
                value=value,
                author="model",
                source="run:1",
                suggested=True,
            )
        ]
    )
    document.refresh()
    assert holds(inputs, W) == [(5, 25)]
    history.do(ConfirmSpan(document.spans()[0].entity_id))
    assert holds(inputs, W) == [(5, 25), (40, 60)]


def test_what_somebody_else_corrected_there_is_not_undone_over() -> None:
    log, document, history, inputs = make(press(W, 5, 25))
    history.do(RemovePress.under(inputs, W, 1))
    other = Document(log, document.session_id, "bob", document.clock)
    others = History(other)
    others.do(DeleteSpan(document.spans()[0].entity_id))
    others.do(AddPress.over(Inputs(inputs._facts, other), W, 1, 4))
    with pytest.raises(Conflict):
        history.undo()
    assert holds(inputs, W) == [(5, 40)]


def test_a_correction_that_cannot_be_read_counts_for_nothing() -> None:
    log, document, _, inputs = make(press(W, 5, 25))
    edit = Edit(session_id=document.session_id, kind=LabelKind.ACTION, start=0, stop=5, value="{}", author="bob")
    log.commit([edit])
    document.refresh()
    assert holds(inputs, W) == [(5, 25)]
    assert inputs.codes == (W,)


codes = st.sampled_from([W, A])
instants = st.integers(-5, FRAMES * FRAME_NS + 5)


edges = st.lists(instants, max_size=8, unique=True).map(sorted)
gap_stretches = st.none() | st.tuples(st.integers(0, 100), st.integers(1, 40))


def recorded(edges_of: dict[int, list[int]], gap: tuple[int, int] | None) -> tuple[list[InputEvent], list[Gap]]:
    """A clean recording: presses alternate with releases, a gap closes what is down and finds it again by a snapshot."""
    gaps = [Gap(START_NS + gap[0], START_NS + sum(gap), GapReason.UNFOCUSED)] if gap else []
    events = [InputEvent(START_NS + i * FRAME_NS + 3, EventKind.MOTION, x=float(i), y=1.0) for i in range(FRAMES)]
    for code, edges in edges_of.items():
        for down, up in zip(edges[::2], edges[1::2], strict=False):
            events += _recorded(code, START_NS + down, START_NS + up, gaps)
    return events, gaps


def _recorded(code: int, down_ns: int, up_ns: int, gaps: list[Gap]) -> list[InputEvent]:
    parts = [(down_ns, up_ns, Origin.DEVICE, Origin.DEVICE)]
    for gap in gaps:
        before = (
            down_ns,
            min(up_ns, gap.start_ns),
            Origin.DEVICE,
            Origin.DEVICE if up_ns <= gap.start_ns else Origin.CLOSING,
        )
        found = Origin.SNAPSHOT if down_ns < gap.stop_ns else Origin.DEVICE
        parts = [before, (max(down_ns, gap.stop_ns), up_ns, found, Origin.DEVICE)]
    return [
        event
        for start, stop, first, last in parts
        if start < stop
        for event in (
            InputEvent(start, EventKind.KEY, code, 1, origin=first),
            InputEvent(stop, EventKind.KEY, code, 0, origin=last),
        )
    ]


messy_events = st.lists(
    st.builds(
        InputEvent,
        t_ns=st.integers(START_NS - 5, STOP_NS + 5),
        kind=st.just(EventKind.KEY),
        code=codes,
        value=st.integers(0, 1),
        origin=st.sampled_from(list(Origin)),
    ),
    max_size=16,
)
foreign = st.tuples(codes, st.integers(0, FRAMES), st.integers(1, 5), edges)


@settings(max_examples=200, deadline=None)
@given(messy_events, st.lists(foreign, max_size=6), gap_stretches)
def test_overlapping_corrections_from_elsewhere_apply_as_the_trainer_applies_them(events, said, gap) -> None:
    log, document, _, inputs = make(events, recorded({}, gap)[1])
    for code, start, length, downs in said:
        assert inputs.key(code) is not None, "asked for in between, so that only what changes is made anew"
        stamps = [START_NS + max(edge, 0) for edge in downs[: len(downs) // 2 * 2]]
        pairs = tuple(zip(stamps[::2], stamps[1::2], strict=True))
        if any(b <= a for a, b in pairwise(stamps)):
            continue
        value = KeyCorrection(code=code, holds_ns=pairs).model_dump_json()
        place = {"session_id": document.session_id, "start": start, "stop": start + length}
        log.commit([Edit(kind=LabelKind.ACTION, value=value, author="bob", **place)])
        document.refresh()
    overlays = corrections_of(spans(log.edits(document.session_id)))
    lanes = {lane.code: lane for lane in build(correct(inputs._facts, document.clock, overlays), document.clock).keys}
    for code in (W, A):
        found, expected = inputs.key(code), lanes.get(code)
        assert found.start.tolist() == (expected.start.tolist() if expected else [])
        assert found.stop.tolist() == (expected.stop.tolist() if expected else [])
        assert found.pressed.tolist() == (expected.pressed.tolist() if expected else [])


class Correcting(RuleBasedStateMachine):
    @initialize(w=edges, a=edges, gap=gap_stretches)
    def open(self, w, a, gap) -> None:
        self.log, self.document, self.history, self.inputs = make(*recorded({W: w, A: a}, gap))
        self.facts = self.inputs._facts
        self.past = [self.state()]
        self.at = 0

    def state(self) -> list[object]:
        moved = [self.inputs.dx.values.tolist(), self.inputs.dy.values.tolist()]
        return [self.document.spans(), *(self.inputs.holds(code).tolist() for code in (W, A)), moved]

    def do(self, command) -> bool:
        before, transactions = self.state(), self.log.transactions
        try:
            changed = self.history.do(command)
        except BadArgument:
            assert self.state() == before
            return False
        assert self.log.transactions == transactions + bool(changed)
        if changed:
            self.past = [*self.past[: self.at + 1], self.state()]
            self.at += 1
        return True

    @rule(code=codes, down=instants, length=st.integers(1, 60))
    def add(self, code, down, length) -> None:
        known = self.inputs.known_around(START_NS + down)
        before = self.held(code)
        if self.do(AddPress(self.inputs, code, START_NS + down, START_NS + down + length)):
            stop_ns = min(START_NS + down + length, known[1])
            assert self.held(code) == before | set(range(START_NS + down, stop_ns))

    @rule(code=codes, at=instants)
    def remove(self, code, at) -> None:
        before = self.inputs.holds(code).tolist()
        if self.do(RemovePress(self.inputs, code, START_NS + at)):
            hold = next([a, b] for a, b in before if a <= START_NS + at < b)
            assert self.inputs.holds(code).tolist() == [h for h in before if h != hold]

    @rule(code=codes, at=instants, down=st.none() | instants, up=st.none() | instants)
    def move(self, code, at, down, up) -> None:
        count = len(self.inputs.holds(code))
        ends = [None if end is None else START_NS + end for end in (down, up)]
        self.do(MovePress(self.inputs, code, START_NS + at, *ends, least_ns=1))
        assert len(self.inputs.holds(code)) == count

    @rule(start=st.integers(-2, 14), length=st.integers(0, 8), scale=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
    def scale(self, start, length, scale) -> None:
        self.do(ScaleMotion(start, start + length, scale, 1.0))

    @rule(data=st.data())
    def delete(self, data) -> None:
        if self.document.spans():
            self.do(DeleteSpan(data.draw(st.sampled_from(self.document.spans())).entity_id))

    @rule()
    def undo(self) -> None:
        self.at -= bool(self.history.undo())
        self.look()

    @rule()
    def redo(self) -> None:
        self.at += bool(self.history.redo())
        self.look()

    @rule()
    def undo_all(self) -> None:
        while self.history.undo():
            pass
        self.at = 0
        self.look()
        assert self.document.spans() == []

    def look(self) -> None:
        found, expected = self.state(), self.past[self.at]
        assert found[1:] == expected[1:]
        assert [(s.entity_id, s.start, s.stop, s.value) for s in found[0]] == [
            (s.entity_id, s.start, s.stop, s.value) for s in expected[0]
        ]

    def held(self, code: int) -> set[int]:
        return {t for a, b in self.inputs.holds(code).tolist() for t in range(a, b)}

    @invariant()
    def the_trainer_sees_the_same(self) -> None:
        if not hasattr(self, "log"):
            return
        replayed = spans(self.log.edits(self.document.session_id))
        facts = correct(self.facts, self.document.clock, corrections_of(replayed))
        track = resolve(facts, self.document.clock.edges_ns)
        lanes = build(facts, self.document.clock)
        for frame in range(FRAMES):
            assert sorted(self.inputs.active(frame)) == sorted(lanes.active(frame))
        np.testing.assert_allclose(
            np.stack([self.inputs.dx.values, self.inputs.dy.values], axis=1), track.motion, rtol=1e-6
        )
        np.testing.assert_array_equal(self.inputs.press_frames, lanes.press_frames)

    @invariant()
    def corrections_of_one_key_do_not_touch(self) -> None:
        if not hasattr(self, "log"):
            return
        said = [(s, read_correction(s.value)) for s in self.document.spans(LabelKind.ACTION)]
        for code in (W, A):
            own = [s for s, c in said if isinstance(c, KeyCorrection) and c.code == code]
            assert all(a.stop < b.start for a, b in pairwise(own))


TestCorrecting = Correcting.TestCase
TestCorrecting.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)
