from __future__ import annotations

import pytest
import torch

from trainer.nets.shift import shift_count, shift_volume

REACH, CELLS = (12, 3), (3, 2)


def moved(shift: int, *, down: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    world = torch.rand(1, 60, 120, generator=generator)
    return world[:, 10:46, 30:94], world[:, 10 + down : 46 + down, 30 + shift : 94 + shift]


@pytest.mark.parametrize("shift", [-7, -1, 0, 3, 8])
def test_the_curve_peaks_at_the_shift_across(shift: int) -> None:
    volume = shift_volume(*moved(shift), REACH, CELLS)
    assert volume.shape == (1, shift_count(REACH, CELLS))
    fine = volume[0, : 6 * 17].view(6, 17)
    assert (fine.argmax(dim=1) - 8 == shift).all()
    peaks = volume[0, 6 * 17 : 6 * 18]
    torch.testing.assert_close(peaks, torch.full((6,), shift / 8), atol=0.15, rtol=0)


def test_far_shifts_are_found_at_half_resolution() -> None:
    volume = shift_volume(*moved(10), REACH, CELLS)
    coarse = volume[0, 6 * 18 : 6 * 18 + 6 * 13].view(6, 13)
    assert (coarse.argmax(dim=1) - 6 == 5).sum() >= 4, "the cells at the border lose what moved out of the picture"


def test_the_curve_peaks_at_the_shift_down() -> None:
    volume = shift_volume(*moved(0, down=2), REACH, CELLS)
    down = volume[0, 6 * 18 + 6 * 14 :][: 6 * 7].view(6, 7)
    assert (down.argmax(dim=1) - 3 == 2).all()


def test_brightness_and_contrast_change_nothing_much() -> None:
    before, after = moved(3)
    plain = shift_volume(before, after, REACH, CELLS)
    dim = shift_volume(before * 0.5 + 0.2, after * 0.5 + 0.2, REACH, CELLS)
    assert torch.corrcoef(torch.cat([plain, dim]))[0, 1] > 0.99


def test_pictures_without_anything_to_match_stay_finite() -> None:
    flat = torch.full((2, 36, 64), 0.5)
    torch.testing.assert_close(shift_volume(flat, flat, REACH, CELLS), torch.zeros(2, shift_count(REACH, CELLS)))
