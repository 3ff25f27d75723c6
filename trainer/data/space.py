"""Fits an ActionSpace to data and turns mouse motion into bins and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.specs import ActionSpace

Floats = NDArray[np.float32]

ZERO_WIDTH = 0.5
"""Motion closer to zero than this (device counts, which are whole numbers on nearly every device) is the zero bin."""


def fit_space(codes: Sequence[int], motion: Floats, bins_per_sign: int = 15) -> ActionSpace:
    """An ActionSpace of these keys, in this order, with mouse bins fitted to `motion` (N, 2).

    Each sign of each axis gets up to `bins_per_sign` bins; an axis that never moves has one bin.
    """
    dx_edges, dx_values = _fit_axis(motion[:, 0], bins_per_sign)
    dy_edges, dy_values = _fit_axis(motion[:, 1], bins_per_sign)
    return ActionSpace(
        codes=tuple(codes), dx_edges=dx_edges, dx_values=dx_values, dy_edges=dy_edges, dy_values=dy_values
    )


def _fit_axis(counts: Floats, bins_per_sign: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    moved = counts[np.abs(counts) >= ZERO_WIDTH].astype(np.float64)
    if not len(moved):
        return (), (0.0,)
    edges: list[float] = [-ZERO_WIDTH, ZERO_WIDTH]
    for side in (moved[moved < 0], moved[moved > 0]):
        if len(side):
            edges.extend(_inner_edges(side, bins_per_sign))
    ascending = tuple(sorted(set(edges)))
    index = bin_index(counts, ascending)
    values = []
    for i in range(len(ascending) + 1):
        inside = counts[index == i]
        if ascending[i - 1 : i] == (-ZERO_WIDTH,):
            values.append(0.0)
        elif len(inside):
            values.append(float(np.mean(inside, dtype=np.float64)))
        else:  # only the outer bin of a sign that never occurred, or one emptied by a tie
            values.append(ascending[min(i, len(ascending) - 1)])
    return ascending, tuple(values)


def _inner_edges(side: NDArray[np.float64], bins: int) -> list[float]:
    """Edges between bins that hold equal shares of the square root of the motion.

    Plain quantiles leave all fast turns to one bin, equal widths all aiming; this lies between.
    """
    ordered = side[np.argsort(np.abs(side))]
    share = np.cumsum(np.sqrt(np.abs(ordered)))
    at = np.searchsorted(share, share[-1] * np.arange(1, bins) / bins)
    return [float(edge) for edge in np.unique(ordered[np.minimum(at, len(ordered) - 1)])]


def bin_index(counts: Floats, edges: Sequence[float]) -> NDArray[np.int64]:
    """The bin of each motion, (N,): edges[b - 1] <= counts < edges[b]."""
    return np.digitize(counts, np.asarray(edges, np.float64)).astype(np.int64)


def mirrored_codes(codes: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each column of `codes`, the column that holds it in a mirrored world; columns without a partner stay."""
    partner = {a: b for left, right in pairs for a, b in ((left, right), (right, left))}
    column = {code: i for i, code in enumerate(codes)}
    return [column.get(partner.get(code, code), i) for i, code in enumerate(codes)]
