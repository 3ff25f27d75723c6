"""Corrections over raw events: exactly the span changes, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.actions import resolve
from db.recording.corrections import (
    KeyCorrection,
    MotionCorrection,
    ScrollCorrection,
    correct,
    corrections_of,
    holds_of,
    read_correction,
)
from db.recording.events import EventKind, InputEvent, Origin
from recordings import KEY_A, KEY_W, facts_of, found_down, key, move

COUNT = 20
EDGES = np.arange(COUNT + 1, dtype=np.int64) * 100
CLOCK = FrameClock(EDGES[:-1], int(EDGES[-1]))


def span(start, stop, correction, **more):
    value = correction if isinstance(correction, str) else correction.model_dump_json()
    return Edit(session_id="s", kind=LabelKind.ACTION, start=start, stop=stop, value=value, author="ann", **more)


def track(events, *edits):
    facts = facts_of(events, stop_ns=int(EDGES[-1]))
    return resolve(correct(facts, CLOCK, corrections_of(edits)), EDGES, codes=[KEY_W, KEY_A])


def held(events, *edits, code=KEY_W):
    resolved = track(events, *edits)
    return np.flatnonzero(resolved.held[:, resolved.codes.index(code)]).tolist()


PLAY = [key(310, KEY_W, 1), key(890, KEY_W, 0)]


def test_a_press_is_added():
    assert held([], span(0, 20, KeyCorrection(code=KEY_W, holds_ns=((510, 790),)))) == [5, 6]
    assert held(PLAY) == [3, 4, 5, 6, 7]


def test_a_press_is_removed_in_part_and_goes_on_after_it():
    edit = span(5, 7, KeyCorrection(code=KEY_W))
    assert held(PLAY, edit) == [3, 4, 7]
    assert track(PLAY, edit).presses.sum() == 1, "what goes on after the span is no second press"


def test_a_press_is_moved():
    edit = span(3, 9, KeyCorrection(code=KEY_W, holds_ns=((410, 690),)))
    moved = track(PLAY, edit)
    assert held(PLAY, edit) == [4, 5]
    assert (moved.presses[4].sum(), moved.releases[6].sum()) == (1, 1)


def test_a_hold_that_reaches_over_the_span_is_joined_to_what_the_recording_holds():
    edit = span(5, 12, KeyCorrection(code=KEY_W, holds_ns=((0, 1150),)))
    assert held(PLAY, edit) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert track(PLAY, edit).presses.sum() == 1


def test_a_hold_to_the_end_of_the_span_is_released_there():
    edit = span(10, 15, KeyCorrection(code=KEY_W, holds_ns=((1050, 5000),)))
    assert held(PLAY, edit) == [3, 4, 5, 6, 7, 10, 11, 12, 13, 14]


def test_other_keys_and_motion_stay():
    play = [*PLAY, key(320, KEY_A, 1), key(880, KEY_A, 0), move(550, 3, 4)]
    edit = span(0, 20, KeyCorrection(code=KEY_W))
    assert held(play, edit, code=KEY_A) == [3, 4, 5, 6, 7]
    assert track(play, edit).motion[5].tolist() == [3, 4]


def test_motion_is_scaled_or_cleared_within_the_span():
    play = [move(150, 4, 2), move(250, 4, 2), InputEvent(260, EventKind.SCROLL, y=1)]
    scaled = track(play, span(2, 3, MotionCorrection(scale=(0.5, -1))))
    assert scaled.motion[1:3].tolist() == [[4, 2], [2, -2]]
    assert track(play, span(2, 3, MotionCorrection())).motion[2].tolist() == [0, 0]
    assert track(play, span(2, 3, ScrollCorrection())).scroll.sum() == 0
    assert track(play, span(0, 2, ScrollCorrection())).scroll.sum() == 1


def test_the_later_correction_counts_where_two_overlap():
    first = span(0, 10, KeyCorrection(code=KEY_W, holds_ns=((0, 1000),)))
    later = span(4, 6, KeyCorrection(code=KEY_W))
    for edits in ((first, later), (later, first)):
        assert held([], *edits) == [0, 1, 2, 3, 6, 7, 8, 9]


def test_the_later_of_two_about_the_same_motion_counts_and_they_are_not_multiplied():
    play = [move(150, 4, 2), move(250, 4, 2), move(350, 4, 2)]
    first = span(0, 3, MotionCorrection(scale=(2, 2)))
    later = span(2, 4, MotionCorrection(scale=(0.5, 1)))
    assert track(play, first, later).motion[1:4].tolist() == [[8, 4], [2, 2], [2, 2]]
    back = span(0, 20, MotionCorrection(scale=(1, 1)))
    assert track(play, first, back).motion[1:4].tolist() == [[4, 2]] * 3


def test_suggestions_and_withdrawn_corrections_do_not_count():
    made = span(0, 20, KeyCorrection(code=KEY_W), suggested=True)
    gone = span(0, 20, KeyCorrection(code=KEY_W))
    assert corrections_of(spans([made, gone, gone.revised("ann", deleted=True)])) == []
    assert held(PLAY, made) == [3, 4, 5, 6, 7]


def test_a_span_beyond_the_recording_is_cut_off():
    assert held([], span(18, 999, KeyCorrection(code=KEY_W, holds_ns=((0, 10**6),)))) == [18, 19]


def test_raw_facts_are_never_changed():
    facts = facts_of([*PLAY, move(550, 3, 4)])
    before = facts.events.copy()
    edits = [span(0, 20, MotionCorrection(scale=(2, 2))), span(0, 20, KeyCorrection(code=KEY_W))]
    correct(facts, CLOCK, corrections_of(edits))
    assert (facts.events == before).all()


@pytest.mark.parametrize(
    "value",
    ["", "{}", "[]", '{"kind": "key"}', '{"kind": "key", "code": 17, "holds_ns": [[5, 5]]}',
     '{"kind": "key", "code": 17, "holds_ns": [[5, 9], [9, 12]]}', '{"kind": "motion", "scale": [NaN, 1]}',
     '{"kind": "motion", "scale": [1e9, 1]}', '{"kind": "wish"}', '{"kind": "scroll", "more": 1}'],
)  # fmt: skip
def test_what_is_no_correction_is_refused(value):
    with pytest.raises(BadArgument, match="not a correction"):
        read_correction(value)


times = st.lists(st.integers(0, 1999), max_size=12, unique=True).map(sorted)


@given(times, times, st.integers(0, 19), st.integers(1, 20), st.booleans())
def test_exactly_the_span_changes(changes, wanted, start, length, starts_down):
    """Outside the span the track is the recording's; inside it is the correction's; no press is invented at its end."""
    events = [found_down(0, KEY_W)] if starts_down else []
    events += [key(t, KEY_W, (i + starts_down + 1) % 2) for i, t in enumerate(changes) if t]
    stop = min(start + length, COUNT)
    holds = tuple(zip(wanted[0::2], wanted[1::2], strict=False))
    edit = span(start, stop, KeyCorrection(code=KEY_W, holds_ns=holds))
    raw, corrected = track(events), track(events, edit)
    truth = track([key(t, KEY_W, (i + 1) % 2) for i, t in enumerate(e for hold in holds for e in hold)])
    outside = np.r_[0:start, stop:COUNT]
    assert np.array_equal(corrected.held[outside], raw.held[outside])
    assert np.array_equal(corrected.held[start:stop], truth.held[start:stop])
    presses = [slice(0, start), slice(stop, COUNT)]
    assert all((corrected.presses[part].sum() <= raw.presses[part].sum()) for part in presses)


@given(times, st.integers(0, 19), st.integers(1, 20))
def test_what_an_editor_begins_with_changes_nothing(changes, start, length):
    events = [key(t, KEY_W, (i + 1) % 2) for i, t in enumerate(changes)]
    facts = facts_of(events, stop_ns=int(EDGES[-1]))
    stop = min(start + length, COUNT)
    holds = holds_of(facts.events, KEY_W, int(EDGES[start]), int(EDGES[stop]))
    same = track(events, span(start, stop, KeyCorrection(code=KEY_W, holds_ns=holds)))
    raw = track(events)
    assert np.array_equal(same.held, raw.held)
    assert np.array_equal(same.tapped, raw.tapped)
    assert np.array_equal(same.presses, raw.presses)
    assert np.array_equal(same.releases, raw.releases)


def test_origins():
    facts = facts_of(PLAY)
    rows = correct(facts, CLOCK, corrections_of([span(5, 7, KeyCorrection(code=KEY_W))])).events
    assert rows["origin"].tolist() == [Origin.DEVICE, Origin.DEVICE, Origin.SNAPSHOT, Origin.DEVICE]
