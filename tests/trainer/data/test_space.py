from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from db.recording.keys import CODES
from trainer.data.space import bin_index, fit_space, mirrored_codes

counts = arrays(np.float32, st.tuples(st.integers(1, 60), st.just(2)), elements=st.integers(-500, 500).map(float))


@given(counts)
def test_every_motion_has_a_bin_and_zero_its_own(motion: np.ndarray) -> None:
    space = fit_space([30], motion)
    for axis, (edges, values) in enumerate(((space.dx_edges, space.dx_values), (space.dy_edges, space.dy_values))):
        index = bin_index(motion[:, axis], edges)
        assert index.min() >= 0
        assert index.max() < len(values)
        still = motion[:, axis] == 0
        assert all(values[i] == 0.0 for i in index[still]), "zero is exactly zero"
        assert all(values[i] != 0.0 for i in index[~still])
        for i in set(index.tolist()):
            np.testing.assert_allclose(values[i], motion[index == i, axis].mean(), rtol=1e-5)
        assert list(values) == sorted(values)


def test_a_mouse_that_never_moved_has_one_bin() -> None:
    space = fit_space([], np.zeros((5, 2), np.float32))
    assert space.dx_edges == ()
    assert space.dx_values == (0.0,)


def test_bins_follow_the_data() -> None:
    rng = np.random.default_rng(0)
    motion = np.stack([rng.normal(0, 60, 5000).round(), np.zeros(5000)], axis=1).astype(np.float32)
    space = fit_space([], motion)
    decoded = np.asarray(space.dx_values)[bin_index(motion[:, 0], space.dx_edges)]
    assert 1 - np.var(decoded - motion[:, 0]) / np.var(motion[:, 0]) > 0.98
    assert len(space.dx_values) == 31


def test_mirrored_codes_swap_pairs_and_keep_the_rest() -> None:
    a, d, w = CODES["KEY_A"], CODES["KEY_D"], CODES["KEY_W"]
    assert mirrored_codes([a, w, d], [(a, d)]) == [2, 1, 0]
    assert mirrored_codes([a, w], [(a, d)]) == [0, 1], "without its partner a key stays"
