from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.model.timeline.axis import Axis, positions
from annotator.model.timeline.lanes import KeyLane, MotionLane, build
from db.clock import FrameClock
from db.recording.actions import InputFacts, resolve
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, Origin, to_array

W, LMB = 17, 0x110
FRAME_NS = 100


def facts(events: list[InputEvent], gaps: list[Gap], frames: int) -> InputFacts:
    return InputFacts(to_array(events), gaps, [Actor(kind=ActorKind.PERSON)], 0, frames * FRAME_NS)


key_events = st.builds(
    InputEvent,
    t_ns=st.integers(-50, 1100),
    kind=st.just(EventKind.KEY),
    code=st.sampled_from([W, LMB]),
    value=st.integers(0, 1),
    origin=st.sampled_from([Origin.DEVICE, Origin.SNAPSHOT]),
)
gap_lists = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 200)), max_size=2).map(
    lambda pairs: [Gap(start, start + length, GapReason.UNFOCUSED) for start, length in pairs]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(key_events, min_size=1, max_size=20), gap_lists)
def test_lanes_agree_with_resolve(events, gaps) -> None:
    clock = FrameClock(np.arange(10, dtype=np.int64) * FRAME_NS, 1000)
    these = facts(events, gaps, 10)
    lanes = build(these, clock)
    track = resolve(these, clock.edges_ns)
    by_code = {lane.code: lane for lane in lanes.keys}
    for column, code in enumerate(track.codes):
        lane = by_code.get(code)
        for frame in range(10):
            just_before_the_end = frame + 1 - 1e-7
            held = lane is not None and lane.is_held(just_before_the_end)
            assert held == track.held[frame, column]


def test_a_tap_shorter_than_a_frame_is_a_hold_and_a_press() -> None:
    clock = FrameClock(np.arange(10, dtype=np.int64) * FRAME_NS, 1000)
    down = InputEvent(340, EventKind.KEY, W, 1)
    up = InputEvent(360, EventKind.KEY, W, 0)
    lanes = build(facts([down, up], [], 10), clock)
    (lane,) = lanes.keys
    np.testing.assert_allclose((lane.start[0], lane.stop[0]), (3.4, 3.6))
    assert lanes.press_frames.tolist() == [3]
    assert lanes.active(3) == [W]
    assert lanes.active(4) == []
    assert lane.coverage(np.array([0.0, 10.0])).tolist() == [np.float32(0.35)]


def test_a_hold_found_down_is_no_press_and_keys_stand_before_buttons() -> None:
    clock = FrameClock(np.arange(10, dtype=np.int64) * FRAME_NS, 1000)
    events = [
        InputEvent(0, EventKind.KEY, W, 1, origin=Origin.SNAPSHOT),
        InputEvent(100, EventKind.KEY, LMB, 1),
        InputEvent(200, EventKind.KEY, W, 0),
    ]
    lanes = build(facts(events, [], 10), clock)
    assert [lane.code for lane in lanes.keys] == [W, LMB]
    assert lanes.press_frames.tolist() == [1]
    assert lanes.keys[1].stop.tolist() == [10.0]


@given(
    st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.01, 5)), min_size=1, max_size=30),
    st.integers(1, 50),
    st.floats(0, 40),
    st.floats(1, 60),
)
def test_coverage_is_the_held_share_of_each_column(pairs, columns, left, width) -> None:
    gaps_and_holds = np.cumsum(np.array(pairs).reshape(-1))
    lane = KeyLane(W, gaps_and_holds[::2], gaps_and_holds[1::2], np.ones(len(pairs), np.bool_))
    edges = np.linspace(left, left + width, columns + 1)
    covered = lane.coverage(edges)
    for i, (low, high) in enumerate(pairwise(edges)):
        shares = np.clip(np.minimum(lane.stop, high) - np.maximum(lane.start, low), 0, None).sum() / (high - low)
        seen = lane.visible(low, high)
        assert (covered[i] > 0) == (seen.stop > seen.start)
        if shares > 0.36:
            np.testing.assert_allclose(covered[i], min(shares, 1), atol=1e-4)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=300), st.integers(1, 80), st.floats(0, 1), st.floats(0, 1))
def test_the_envelope_holds_every_visible_motion(values, columns, a, b) -> None:
    lane = MotionLane(np.array(values, np.float32))
    left, right = sorted((a * len(values), b * len(values)))
    edges = np.linspace(left, right + 0.01, columns + 1)
    low, high = lane.envelope(edges)
    for i in range(columns):
        first = min(int(edges[i]), len(values) - 1)
        last = min(max(int(np.ceil(edges[i + 1])) - 1, first), len(values) - 1)
        assert low[i] <= min(values[first : last + 1])
        assert high[i] >= max(values[first : last + 1])
        assert low[i] in values
        assert high[i] in values


def test_positions_count_frames_of_any_length() -> None:
    edges = np.array([0, 100, 1000, 1010], np.int64)
    assert positions(np.array([-5, 0, 50, 550, 1005, 2000]), edges).tolist() == [0.0, 0.0, 0.5, 1.5, 2.5, 3.0]


@given(st.integers(1, 100_000), st.integers(50, 4000), st.floats(0.1, 20), st.floats(0, 1))
def test_zoom_keeps_the_frame_under_the_cursor(frames, width, factor, share) -> None:
    axis = Axis.whole(frames, width)
    x = share * width
    closer = axis.zoomed(3.0, x)
    assert closer.frame_count == frames
    assert abs(closer.x(axis.position(x)) - x) < 1e-6 * width + 1e-6
    again = closer.zoomed(factor, x)
    assert again.left >= 0
    assert again.right <= max(frames, again.left + again.span) + 1e-6
    assert abs(again.position(again.x(frames / 3)) - frames / 3) < 1e-6


def test_the_axis_follows_shows_and_resizes() -> None:
    axis = Axis.whole(1000, 500)
    assert axis.is_whole
    assert axis.resized(800).is_whole
    close = axis.zoomed(10, 0)
    assert close.followed(20) == close
    assert close.followed(500).left <= 500 <= close.followed(500).right
    shown = close.showing(300, 320)
    assert shown.left <= 300
    assert shown.right >= 320
    assert shown.px_per_frame == close.px_per_frame
    wide = close.showing(100, 900)
    assert wide.left <= 100
    assert wide.right >= 900
    assert axis.frame(-10) == 0
    assert axis.frame(5000) == 999
    assert axis.edge(5000) == 1000
