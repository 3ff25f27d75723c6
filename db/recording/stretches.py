"""Stretches of frames or ticks, [start, stop)."""

from __future__ import annotations

import numpy as np

from db.recording.actions import Bools


def stretches_of(mask: Bools) -> list[tuple[int, int]]:
    """The stretches of (N,) that are set, ascending, neither overlapping nor touching."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
