"""A session at a constant rate: each frame once at its own rate, and nothing done later is ever seen earlier."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import FrameClock
from db.formats.sampling import sample

STEP_NS = 33_333_333


def clock_of(steps_ns: list[int]) -> FrameClock:
    times = np.cumsum([1_000_000_000, *steps_ns]).astype(np.int64)
    return FrameClock(times[:-1], int(times[-1]))


def test_frames_that_come_early_and_late_are_each_shown_once_at_their_own_rate():
    true = np.arange(300) * STEP_NS + np.random.default_rng(3).integers(-12_000_000, 12_000_000, 300)
    true[0] = 0
    found = sample(FrameClock(true.astype(np.int64), 300 * STEP_NS), 30)
    assert found.frames.tolist() == list(range(300))
    assert found.edges_ns[:-1].tolist() == true.tolist()
    assert found.edges_ns[-1] == 300 * STEP_NS
    assert found.repeated == 0


def test_a_slower_recording_shows_frames_again():
    found = sample(clock_of([100_000_000] * 10), 30)
    assert len(found) == 30
    assert found.frames.tolist() == np.repeat(np.arange(10), 3).tolist()
    assert found.repeated == 20


def test_a_stretch_ends_where_it_is_told_to():
    clock = clock_of([STEP_NS] * 90)
    found = sample(clock, 10, 30, 60)
    assert found.frames.tolist() == list(range(31, 60, 3))
    assert found.edges_ns[-1] == clock.t_ns[60]


def test_stretches_and_rates_that_cannot_be_are_refused():
    clock = clock_of([STEP_NS] * 3)
    for start, stop, rate_hz in ((0, 4, 30), (2, 2, 30), (-1, 2, 30), (0, 3, 0), (0, 3, float("nan"))):
        with pytest.raises(ValueError, match="frames"):
            sample(clock, rate_hz, start, stop)


@given(
    st.lists(st.integers(1_000_000, 400_000_000), min_size=1, max_size=60),
    st.floats(0.5, 240),
    st.data(),
)
def test_a_tick_never_shows_what_was_done_in_it(steps, rate_hz, data):
    clock = clock_of(steps)
    start = data.draw(st.integers(0, len(clock) - 1))
    stop = data.draw(st.integers(start + 1, len(clock)))
    found = sample(clock, rate_hz, start, stop)
    assert np.all(np.diff(found.edges_ns) > 0)
    assert np.all(np.diff(found.frames) >= 0)
    assert np.all((found.frames >= start) & (found.frames < stop))
    assert np.all(clock.t_ns[found.frames] <= found.edges_ns[:-1])
    assert found.edges_ns[0] >= clock.t_ns[start]
    assert found.edges_ns[-1] <= clock.edges_ns[stop]
    # All that was done between two shown frames stands in the ticks between them: no interval is left out.
    assert np.all(clock.t_ns[found.frames[1:]] <= found.edges_ns[1:-1])
