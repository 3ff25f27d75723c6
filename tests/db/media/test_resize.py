from __future__ import annotations

import numpy as np
import pytest

from db.media.resize import resize


def test_whole_factors_give_the_mean_of_each_block() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    small = resize(rgb, (16, 12))
    assert small.shape == (12, 16, 3)
    means = rgb.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 1


def test_the_same_picture_gives_the_same_bits_whatever_its_layout() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (50, 70, 4), dtype=np.uint8)
    view = rgb[..., :3]
    assert not view.flags.c_contiguous
    assert (resize(view, (33, 21)) == resize(np.ascontiguousarray(view), (33, 21))).all()


def test_its_own_size_changes_nothing() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    assert (resize(rgb, (10, 8)) == rgb).all()


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_what_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        resize(wrong, (2, 2))
