from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.model.proposals import Limits, Pictures, Proposal, measure, propose
from db.clock import FrameClock
from db.labelling.labels import Flag, LabelKind
from db.recording.actions import InputFacts, resolve
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, to_array

W, LMB = 17, 0x110
HZ, SECONDS = 10, 60
FRAMES = HZ * SECONDS
STEP_NS = 10**9 // HZ
CLOCK = FrameClock(np.arange(FRAMES, dtype=np.int64) * STEP_NS, FRAMES * STEP_NS)


def at(second: float) -> int:
    return int(second * 10**9)


def hold(code: int, start_s: float, stop_s: float) -> list[InputEvent]:
    return [InputEvent(at(start_s), EventKind.KEY, code, 1), InputEvent(at(stop_s), EventKind.KEY, code, 0)]


def moves(start_s: float, stop_s: float) -> list[InputEvent]:
    return [InputEvent(at(i / HZ), EventKind.MOTION, x=3.0) for i in range(int(start_s * HZ), int(stop_s * HZ))]


def track(events: list[InputEvent], gaps: list[Gap] | None = None):
    facts = InputFacts(to_array(events), gaps or [], [Actor(kind=ActorKind.PERSON)], 0, CLOCK.t_stop_ns)
    return resolve(facts, CLOCK.edges_ns)


def pictures(change: float = 0.1, brightness: float = 0.5) -> Pictures:
    return Pictures(np.full(FRAMES, change, np.float32), np.full(FRAMES, brightness, np.float32))


def seconds(proposals: list[Proposal], value: str) -> list[tuple[float, float]]:
    return [(p.start / HZ, p.stop / HZ) for p in proposals if p.value == value]


def test_no_input_over_a_still_picture_is_idle() -> None:
    shown = pictures()
    shown.change[200:300] = 0.001
    shown.change[240:243] = 0.2  # a flicker
    found = propose(track([*hold(W, 0, 20), *hold(W, 30, 60)]), shown, CLOCK)
    assert found == [Proposal(LabelKind.FLAG, Flag.IDLE.value, 200, 300)]


def test_a_picture_that_moves_or_an_input_is_not_idle() -> None:
    assert propose(track([*hold(W, 0, 20), *hold(W, 30, 60)]), pictures(), CLOCK) == []
    assert propose(track(hold(W, 0, 60)), pictures(change=0.0), CLOCK) == []


def test_nothing_is_proposed_where_inputs_are_not_known() -> None:
    gap = Gap(at(20), at(30), GapReason.UNFOCUSED)
    assert propose(track([*hold(W, 0, 20), *hold(W, 30, 60)], [gap]), pictures(change=0.0), CLOCK) == []


def test_clicks_with_a_pointer_over_a_quiet_picture_are_a_menu() -> None:
    events = [*hold(W, 0, 20), *hold(LMB, 24, 24.1), *hold(LMB, 27, 27.1), *moves(20, 30), *hold(W, 30, 60)]
    shown = pictures()
    shown.change[200:300] = 0.005
    assert seconds(propose(track(events), shown, CLOCK), "menu") == [(22, 29.1)]


def test_clicks_while_the_view_turns_with_the_mouse_are_play() -> None:
    events = [*hold(W, 0, 20), *hold(LMB, 24, 24.1), *moves(20, 30), *hold(W, 30, 60)]
    assert propose(track(events), pictures(), CLOCK) == []


def test_a_black_picture_without_keys_is_loading() -> None:
    shown = pictures()
    shown.brightness[200:250] = 0.01
    found = propose(track([*hold(W, 0, 20), *hold(W, 25, 60)]), shown, CLOCK)
    assert seconds(found, "loading") == [(20, 25)]
    assert seconds(found, "idle") == []


def test_what_leads_up_and_what_follows_is_to_be_trimmed() -> None:
    shown = pictures(change=0.0)
    found = propose(track([*hold(W, 10, 40)]), shown, CLOCK)
    assert [(p.start, p.stop) for p in found if p.kind is LabelKind.TRIM] == [(0, 100), (400, 600)]
    assert propose(track([*hold(W, 1, 59)]), shown, CLOCK) == []
    assert not [p for p in propose(track([]), shown, CLOCK) if p.kind is LabelKind.TRIM]


def test_the_measure_of_pictures() -> None:
    black, white = np.zeros((4, 6, 3), np.uint8), np.full((4, 6, 3), 255, np.uint8)
    found = measure(iter([black, white, white]))
    assert found.change.tolist() == [0, 1, 0]
    assert found.brightness.tolist() == [0, 1, 1]
    marked = found.with_duplicates(np.array([False, True, False]))
    assert marked.change.tolist() == [0, 0, 0]
    assert len(measure([]).change) == 0


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="every frame"):
        propose(track([]), Pictures(np.zeros(3, np.float32), np.zeros(3, np.float32)), CLOCK)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([W, LMB]), st.integers(0, 58), st.integers(1, 20)), max_size=6),
    st.lists(st.tuples(st.integers(0, FRAMES), st.integers(1, 200), st.sampled_from([0.0, 0.005, 0.3])), max_size=6),
    st.lists(st.tuples(st.integers(0, FRAMES), st.integers(1, 100)), max_size=3),
)
def test_flags_never_overlap_and_last_as_long_as_they_must(presses, changes, darkness) -> None:
    shown = pictures()
    for start, length, change in changes:
        shown.change[start : start + length] = change
    for start, length in darkness:
        shown.brightness[start : start + length] = 0
    found = propose(track([e for code, a, length in presses for e in hold(code, a, a + length)]), shown, CLOCK)
    covered = np.zeros(FRAMES, int)
    for proposal in found:
        assert 0 <= proposal.start < proposal.stop <= FRAMES
        if proposal.kind is LabelKind.FLAG:
            covered[proposal.start : proposal.stop] += 1
        least_s = {"idle": Limits.idle_s, "loading": Limits.loading_s, "": Limits.trim_s, "menu": 0}[proposal.value]
        assert (proposal.stop - proposal.start) / HZ >= least_s
    assert covered.max() <= 1
