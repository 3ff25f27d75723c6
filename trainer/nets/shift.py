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
"""Displacements up to this are tried pixel by pixel, and all of them at half resolution too."""

_SHARPNESS = 4.0


def shift_volume(before: Tensor, after: Tensor, shift_px: tuple[int, int], cells: tuple[int, int]) -> Tensor:
    """How well `after` matches `before` displaced, per cell of the picture, for every displacement tried.

    before, after: (N, H, W) luminance in [0, 1]. shift_px: largest displacement (across, down). cells: (columns, rows).
    Returns (N, F), F as `shift_count` tells: per axis and resolution the curves, then where each peaks. A curve over
    displacements has mean 0 and, where there is anything to match, standard deviation 1; higher is a better match. A
    peak lies in [-1, 1], as a share of the reach, negative where the picture moved to the right or down.
    """
    columns, rows = cells
    across = _axis(before, after, shift_px[0], (rows, columns))
    down = _axis(before.transpose(1, 2), after.transpose(1, 2), shift_px[1], (columns, rows))
    return torch.cat(across + down, dim=1)


def shift_count(shift_px: tuple[int, int], cells: tuple[int, int]) -> int:
    """F of `shift_volume`."""
    tried = sum(2 * min(reach, _FINE_PX) + 2 + (2 * (reach // 2) + 2 if reach > _FINE_PX else 0) for reach in shift_px)
    return cells[0] * cells[1] * tried


def _axis(before: Tensor, after: Tensor, reach: int, grid: tuple[int, int]) -> list[Tensor]:
    """Curves of shifts along the last axis, fine and, for a reach that needs it, coarse."""
    strips = [_strips(picture) for picture in (before, after)]
    found = [_curves(strips[0], strips[1], min(reach, _FINE_PX), grid)]
    if reach > _FINE_PX:
        halves = [functional.avg_pool1d(strip, 2, ceil_mode=True) for strip in strips]
        found.append(_curves(halves[0], halves[1], reach // 2, grid))
    return [part for curves in found for part in (curves.flatten(1), _peaks(curves))]


def _strips(picture: Tensor) -> Tensor:
    """(N, H, W) -> (N, H // 4, W): averaged down strips, what is left over at the bottom dropped.

    Adding slices is several times faster than a pooling of one channel.
    """
    height = picture.shape[1] // _STRIP_PX * _STRIP_PX
    total = picture[:, 0:height:_STRIP_PX]
    for offset in range(1, _STRIP_PX):
        total = total + picture[:, offset:height:_STRIP_PX]
    return total / _STRIP_PX


def _curves(before: Tensor, after: Tensor, reach: int, grid: tuple[int, int]) -> Tensor:
    """(N, R, L) twice -> (N, rows * columns, 2 * reach + 1): mean absolute difference, negated and standardised."""
    length = before.shape[-1]
    padded = functional.pad(before, (reach, reach), mode="replicate")
    costs = []
    for offset in range(2 * reach + 1):
        difference = (padded[..., offset : offset + length] - after).abs_()
        costs.append(functional.adaptive_avg_pool2d(difference[:, None], grid)[:, 0])
    curves = -torch.stack(costs, dim=-1).flatten(1, 2)
    spread = curves.std(dim=-1, keepdim=True)
    return (curves - curves.mean(dim=-1, keepdim=True)) / (spread + 0.003)


def _peaks(curves: Tensor) -> Tensor:
    """(N, C, 2 * reach + 1) -> (N, C): the displacement of the best match, softly, as a share of the reach."""
    places = torch.linspace(-1, 1, curves.shape[-1], device=curves.device)
    return ((_SHARPNESS * curves).softmax(dim=-1) * places).sum(dim=-1)
