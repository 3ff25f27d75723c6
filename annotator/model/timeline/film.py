"""Which pictures a strip along the axis shows. Qt-free.

Only keyframes are shown, and of these every 2**k-th one: zooming in keeps those that are there and puts others between.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from annotator.model.timeline.axis import Axis
from db.clock import Int64

LEAST_SHARE = 0.6
"""Pictures stand at least this share of their width apart; what does not fit is cut off at the sides."""


@dataclass(frozen=True)
class Slot:
    """The room of one picture: pixels [left, right) from the axis's left end, which may lie out of view."""

    frame: int
    left: float
    right: float


def slots(axis: Axis, keyframes: Int64, picture_px: float) -> list[Slot]:
    """The slots in view, from the left. keyframes: ascending, at least one; picture_px: how wide a picture is."""
    apart_px = axis.px_per_frame * axis.frame_count / len(keyframes)
    step = 2 ** max(ceil(log2(max(LEAST_SHARE * picture_px / apart_px, 1.0))), 0)
    shown = keyframes[::step]
    ends = np.append(shown[1:], axis.frame_count)
    first = max(int(np.searchsorted(shown, axis.left, "right")) - 1, 0)
    last = int(np.searchsorted(shown, axis.right, "left"))
    lefts, rights = (
        (shown[first:last] - axis.left) * axis.px_per_frame,
        (ends[first:last] - axis.left) * axis.px_per_frame,
    )
    return [Slot(*slot) for slot in zip(shown[first:last].tolist(), lefts.tolist(), rights.tolist(), strict=True)]


def keyframe_at(keyframes: Int64, frame: int) -> int:
    """The keyframe that a frame is decoded from."""
    return int(keyframes[max(int(np.searchsorted(keyframes, frame, "right")) - 1, 0)])
