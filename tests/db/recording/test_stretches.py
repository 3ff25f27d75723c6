from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.recording.stretches import stretches_of


def test_the_first_and_the_last_belong_to_their_stretches():
    assert stretches_of(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert stretches_of(np.zeros(0, np.bool_)) == []


@given(st.lists(st.booleans(), max_size=40))
def test_they_hold_what_is_set_and_nothing_else(values: list[bool]):
    mask = np.zeros(len(values), np.bool_)
    found = stretches_of(np.array(values, np.bool_))
    for start, stop in found:
        mask[start:stop] = True
    assert mask.tolist() == values
    assert all(first[1] < second[0] for first, second in itertools.pairwise(found))
