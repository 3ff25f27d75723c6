"""Local frame-shift correlation: where each part of a picture went in the next one.

A turning camera moves the whole picture sideways, walking makes it flow apart. Measured explicitly, over every
displacement at once, this is learnt from minutes of data; a small convolution has to discover it. Nothing in here is
learnt and nothing depends on brightness or contrast.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_STRIP_PX = 4
"""Pictures are averaged over this many pixels across the direction of the shift."""
_FINE_PX = 8
"""Displacements up to this are tried pixel by pixel; where the reach is larger, all of them at a quarter of the resolution too."""
_COARSE = 4
_LEVELS = 1024
"""Steps of luminance. Whole numbers of 16 bits are compared in half the time that floats take."""
_MOST_SUMMED = (2**15 - 1) // (_LEVELS * _STRIP_PX)

_SHARPNESS = 4.0


def shift_volume(pictures: Tensor, shift_px: tuple[int, int], cells: tuple[int, int]) -> Tensor:
    """How well each picture's next matches it displaced, per cell of the picture, for every displacement tried.

    pictures: (B, T, H, W) luminance in [0, 1]; the last of each B is matched with itself. shift_px: largest displacement
    (across, down). cells: (columns, rows). Returns (B * T, F), F as `shift_count` tells: per axis and resolution the curves,
    then where each peaks. A curve over displacements has mean 0 and, where there is anything to match, standard deviation 1;
    higher is a better match. A peak lies in [-1, 1], as a share of the reach, negative where the picture moved to the right
    or down.
    """
    columns, rows = cells
    levels = (pictures * _LEVELS).round_().to(torch.int16)
    across = _axis(levels, shift_px[0], (rows, columns))
    down = _axis(levels.transpose(2, 3), shift_px[1], (columns, rows))
    return torch.cat(across + down, dim=1)


def shift_count(shift_px: tuple[int, int], cells: tuple[int, int]) -> int:
    """F of `shift_volume`."""
    tried = [min(reach, _FINE_PX) for reach in shift_px]
    tried += [reach // _COARSE for reach in shift_px if reach > _FINE_PX]
    return cells[0] * cells[1] * sum(2 * reach + 2 for reach in tried)


def _axis(levels: Tensor, reach: int, grid: tuple[int, int]) -> list[Tensor]:
    """Curves of shifts along the last axis, fine and, for a reach that needs it, coarse."""
    strips = _strips(levels)
    found = [_curves(strips, min(reach, _FINE_PX), grid)]
    if reach > _FINE_PX:
        small = functional.avg_pool1d(strips.flatten(0, 1).float(), _COARSE, ceil_mode=True).round_().to(torch.int16)
        found.append(_curves(small.view(*strips.shape[:3], -1), reach // _COARSE, grid))
    return [part for curves in found for part in (curves.flatten(1), _peaks(curves))]


def _strips(levels: Tensor) -> Tensor:
    """(B, T, H, W) -> (B, T, H // 4, W): added down strips, what is left over at the bottom dropped.

    Adding slices is several times faster than a pooling of one channel.
    """
    height = levels.shape[2] // _STRIP_PX * _STRIP_PX
    total = levels[:, :, 0:height:_STRIP_PX].contiguous()
    for offset in range(1, _STRIP_PX):
        total += levels[:, :, offset:height:_STRIP_PX]
    return total


def _curves(strips: Tensor, reach: int, grid: tuple[int, int]) -> Tensor:
    """(B, T, R, L) -> (B * T, rows * columns, 2 * reach + 1): mean absolute difference, negated and standardised."""
    count, length = strips.shape[2:]
    after = torch.cat([strips[:, 1:], strips[:, -1:]], dim=1).flatten(0, 1)
    before = strips.flatten(0, 1)
    ends = [before[..., at : at + 1].expand(-1, -1, reach) for at in (0, length - 1)]
    padded = torch.cat([ends[0], before, ends[1]], dim=-1)
    rows = _cells(count, grid[0])
    columns = torch.zeros(length, grid[1], device=strips.device)
    for number, cell in enumerate(_cells(length, grid[1])):
        columns[cell, number] = 1 / (cell.stop - cell.start)
    costs = []
    for offset in range(2 * reach + 1):
        difference = (padded[..., offset : offset + length] - after).abs_()
        costs.append(torch.stack([_mean_rows(difference[:, cell]) for cell in rows], dim=1) @ columns)
    curves = -torch.stack(costs, dim=-1).flatten(1, 2) / (_LEVELS * _STRIP_PX)
    spread = curves.std(dim=-1, keepdim=True)
    return (curves - curves.mean(dim=-1, keepdim=True)) / (spread + 0.003)


def _cells(length: int, count: int) -> list[slice]:
    """`count` stretches of nearly one length that together cover [0, length)."""
    return [slice(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


def _mean_rows(difference: Tensor) -> Tensor:
    """(N, R, L) int16 -> (N, L) float32: as many rows at a time as 16 bits hold."""
    count = difference.shape[1]
    total = difference.new_zeros((), dtype=torch.float32)
    for first in range(0, count, _MOST_SUMMED):
        total = total + difference[:, first : first + _MOST_SUMMED].sum(dim=1, dtype=torch.int16)
    return total / count


def _peaks(curves: Tensor) -> Tensor:
    """(N, C, 2 * reach + 1) -> (N, C): the displacement of the best match, softly, as a share of the reach."""
    places = torch.linspace(-1, 1, curves.shape[-1], device=curves.device)
    return ((_SHARPNESS * curves).softmax(dim=-1) * places).sum(dim=-1)
