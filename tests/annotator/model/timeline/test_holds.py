from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotator.model.timeline.holds import Holds, difference, differing, index_at, tidied, united, within, without

LAST = 60
stretches = st.lists(st.integers(0, LAST), max_size=12, unique=True).map(sorted)


def made(edges: list[int]) -> Holds:
    return np.array(edges[: len(edges) // 2 * 2], np.int64).reshape(-1, 2)


def instants(holds: Holds) -> set[int]:
    return {t for a, b in holds.tolist() for t in range(a, b)}


def is_tidy(holds: Holds) -> bool:
    return all(later > earlier for earlier, later in pairwise(holds.reshape(-1).tolist()))


@given(stretches, st.integers(0, LAST), st.integers(1, 30))
def test_uniting_is_a_union(edges, down, length) -> None:
    holds = united(made(edges), down, down + length)
    assert is_tidy(holds)
    assert instants(holds) == instants(made(edges)) | set(range(down, down + length))


@given(stretches, st.integers(0, LAST), st.integers(0, 30))
def test_within_is_an_intersection(edges, start, length) -> None:
    holds = within(made(edges), start, start + length)
    assert is_tidy(holds)
    assert instants(holds) == instants(made(edges)) & set(range(start, start + length))


@given(stretches, stretches)
def test_differences_are_exact(one, other) -> None:
    a, b = made(one), made(other)
    expected = instants(a) ^ instants(b)
    assert instants(differing(a, b)) == expected
    assert difference(a, b) == ((min(expected), max(expected) + 1) if expected else None)


@given(stretches, st.integers(0, LAST))
def test_a_hold_is_found_and_removed(edges, at) -> None:
    holds = made(edges)
    found = index_at(holds, at)
    assert (found is not None) == (at in instants(holds))
    if found is not None:
        assert at not in instants(without(holds, found))


@given(st.lists(st.tuples(st.integers(-10, 70), st.integers(0, 9)), max_size=12))
def test_tidying_keeps_taps_and_joins_what_touches(pairs) -> None:
    pairs.sort()
    starts = np.array([a for a, _ in pairs], np.int64)
    stops = starts + np.array([length for _, length in pairs], np.int64)
    stops = np.minimum(stops, np.append(starts[1:], 10**6)) if len(pairs) else stops
    holds = tidied(starts, stops, 0, LAST)
    assert is_tidy(holds)
    expected = {t for a, b in zip(starts.tolist(), stops.tolist(), strict=True) for t in range(a, max(b, a + 1))}
    assert instants(holds) == expected & set(range(LAST))
