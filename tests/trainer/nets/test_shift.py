from __future__ import annotations

import pytest
import torch

from trainer.nets.shift import shift_count, shift_volume

REACH, CELLS = (12, 3), (3, 2)


def moved(shift: int, *, down: int = 0) -> torch.Tensor:
    """(1, 2, H, W): a picture, and the same moved to the left and up."""
    generator = torch.Generator().manual_seed(0)
    world = torch.rand(1, 60, 120, generator=generator)
    return torch.stack([world[:, 10:46, 30:94], world[:, 10 + down : 46 + down, 30 + shift : 94 + shift]], dim=1)


@pytest.mark.parametrize("shift", [-7, -1, 0, 3, 8])
def test_the_curve_peaks_at_the_shift_across(shift: int) -> None:
    volume = shift_volume(moved(shift), REACH, CELLS)
    assert volume.shape == (2, shift_count(REACH, CELLS))
    fine = volume[0, : 6 * 17].view(6, 17)
    assert (fine.argmax(dim=1) - 8 == shift).all()
    peaks = volume[0, 6 * 17 : 6 * 18]
    torch.testing.assert_close(peaks, torch.full((6,), shift / 8), atol=0.15, rtol=0)


def test_far_shifts_are_found_at_a_quarter_of_the_resolution() -> None:
    volume = shift_volume(moved(12), REACH, CELLS)
    coarse = volume[0, 6 * 18 : 6 * 18 + 6 * 7].view(6, 7)
    assert (coarse.argmax(dim=1) - 3 == 3).sum() >= 4, "the cells at the border lose what moved out of the picture"


def test_the_curve_peaks_at_the_shift_down() -> None:
    volume = shift_volume(moved(0, down=2), REACH, CELLS)
    down = volume[0, 6 * 18 + 6 * 8 :][: 6 * 7].view(6, 7)
    assert (down.argmax(dim=1) - 3 == 2).all()


def test_brightness_and_contrast_change_nothing_much() -> None:
    pictures = moved(3)
    plain = shift_volume(pictures, REACH, CELLS)
    dim = shift_volume(pictures * 0.5 + 0.2, REACH, CELLS)
    assert torch.corrcoef(torch.stack([plain[0], dim[0]]))[0, 1] > 0.99


def test_pictures_without_anything_to_match_stay_finite() -> None:
    flat = torch.full((1, 2, 36, 64), 0.5)
    torch.testing.assert_close(shift_volume(flat, REACH, CELLS), torch.zeros(2, shift_count(REACH, CELLS)))


def test_bright_pictures_against_dark_ones_do_not_overflow() -> None:
    white_and_black = torch.stack([torch.ones(1, 200, 64), torch.zeros(1, 200, 64)], dim=1)
    white_and_black[0, 0, :, :20] = 0
    volume = shift_volume(white_and_black, REACH, (1, 1))
    curve = volume[0, :17]
    assert (curve.diff() >= 0).all() or (curve.diff() <= 0).all(), "the further the white is pushed out, the better"
