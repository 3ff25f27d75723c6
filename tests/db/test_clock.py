from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import ClockAnchor, FrameClock, ServerClock, now_ns

STEPS = st.lists(st.integers(1, 10**9), min_size=0, max_size=60)


@st.composite
def clocks(draw: st.DrawFn) -> FrameClock:
    start, steps = draw(st.integers(0, 10**15)), draw(STEPS)
    times = np.cumsum([start, *steps]).astype(np.int64)
    return FrameClock(times, int(times[-1]) + draw(st.integers(1, 10**9)))


@given(clocks())
def test_spans_tile_the_session(clock: FrameClock) -> None:
    spans = [clock.span(i) for i in range(len(clock))]
    assert spans[0][0] == clock.t_ns[0]
    assert spans[-1][1] == clock.t_stop_ns
    assert all(stop == following for (_, stop), (following, _) in itertools.pairwise(spans))
    assert sum(stop - start for start, stop in spans) == clock.duration_ns
    assert clock.edges_ns.tolist() == [start for start, _ in spans] + [clock.t_stop_ns]


@given(clocks(), st.integers(-(10**9), 10**11))
def test_index_at_is_the_last_frame_at_or_before(clock: FrameClock, offset: int) -> None:
    t_ns = int(clock.t_ns[0]) + offset
    before = [i for i, t in enumerate(clock.t_ns) if t <= t_ns]
    assert clock.index_at(t_ns) == (before[-1] if before else 0)


@given(clocks(), st.floats(0.5, 60))
def test_every_tick_is_the_last_frame_at_or_before_its_time(clock: FrameClock, rate_hz: float) -> None:
    ticks = clock.ticks(rate_hz)
    assert ticks[0] == 0
    assert (np.diff(ticks) > 0).all()
    assert ticks[-1] < len(clock)
    period = 1e9 / rate_hz
    expected = set()
    k = 0
    while (wanted := int(clock.t_ns[0]) + round(k * period)) < clock.t_stop_ns:
        expected.add(clock.index_at(wanted))
        k += 1
    assert ticks.tolist() == sorted(expected)


def test_ticks_of_an_even_recording() -> None:
    clock = FrameClock(np.arange(0, 30, dtype=np.int64) * 100_000_000, 3_000_000_000)
    assert clock.ticks(5).tolist() == list(range(0, 30, 2))
    assert clock.ticks(10).tolist() == list(range(30))
    assert clock.ticks(100).tolist() == list(range(30))  # slower than asked for: every frame once


@pytest.mark.parametrize(
    ("times", "stop"), [([], 5), ([1, 1], 5), ([2, 1], 5), ([1, 2], 2), ([1.0, 2.0], 5), ([[1, 2]], 5)]
)
def test_times_that_make_no_clock_are_refused(times: list[int], stop: int) -> None:
    array = np.array(times) if times and isinstance(times[0], float) else np.array(times, np.int64)
    with pytest.raises(ValueError, match=r"FrameClock|increase"):
        FrameClock(array, stop)


def test_what_lies_outside_is_refused() -> None:
    clock = FrameClock(np.array([5], np.int64), 9)
    assert clock.span(0) == (5, 9)
    for index in (-1, 1):
        with pytest.raises(IndexError):
            clock.span(index)
    with pytest.raises(ValueError, match="rate_hz"):
        clock.ticks(0)


def test_the_anchor_maps_to_wall_time() -> None:
    anchor = ClockAnchor(mono_ns=5_000_000_000, wall_ns=1_700_000_000_000_000_000, boot_ns=0)
    assert anchor.wall_time(5_000_000_000).isoformat() == "2023-11-14T22:13:20+00:00"
    assert anchor.wall_time(6_500_000_000).isoformat() == "2023-11-14T22:13:21.500000+00:00"
    assert abs(ClockAnchor.take().suspended_ns()) < 10**9


@given(
    start_ms=st.integers(0, 2**33),
    steps_ms=st.lists(st.integers(0, 2**30), min_size=1, max_size=40),
    delays_ns=st.data(),
)
def test_server_stamps_map_through_every_wrap(start_ms: int, steps_ms: list[int], delays_ns: st.DataObject) -> None:
    clock, true_ms, offset_ns = ServerClock(), start_ms, 777
    for step in [0, *steps_ms]:
        true_ms += step
        delay = delays_ns.draw(st.integers(0, 10**7))
        arrival = true_ms * 1_000_000 + offset_ns + delay
        mapped = clock.observe(true_ms % 2**32, arrival)
        assert mapped <= arrival
        assert 0 <= mapped - (true_ms * 1_000_000 + offset_ns) <= 10**7  # off by no more than the largest delay
    assert clock.jitter_ns <= 10**7


def test_the_smallest_delay_sets_the_offset() -> None:
    clock = ServerClock()
    assert clock.observe(1000, 1_005_000_000) == 1_005_000_000
    assert clock.observe(2000, 2_001_000_000) == 2_001_000_000
    assert clock.observe(3000, 3_009_000_000) == 3_001_000_000
    assert clock.jitter_ns == 8_000_000


@pytest.mark.parametrize("first", [2**32 - 10, 5])
def test_a_straggler_from_before_the_wrap_stays_before_it(first: int) -> None:
    clock = ServerClock()
    base_ns = 10**15
    if first > 5:
        clock.observe(first, base_ns)
        clock.observe(5, base_ns + 15_000_000)
    else:  # watching began just after the wrap
        clock.observe(5, base_ns + 15_000_000)
    assert clock.observe(2**32 - 2, base_ns + 16_000_000) == base_ns + 8_000_000
    assert clock.observe(20, base_ns + 30_000_000) == base_ns + 30_000_000


def test_now_advances() -> None:
    assert now_ns() <= now_ns()
