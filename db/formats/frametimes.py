"""When frames were shown, as a source tells it: millions of numbers, changed where they lie, some thousand at a time.

A recording of ten hours has 720,000 frames. Whole arrays for each step of a calculation would be most of what an import takes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64

_AT_ONCE = 1 << 15
_ENOUGH = 1 << 16


def parts_of(count: int) -> Iterator[slice]:
    """Slices of some thousand that make up [0, count), in order."""
    for first in range(0, count, _AT_ONCE):
        yield slice(first, min(first + _AT_ONCE, count))


def usual_step(times: NDArray[Any]) -> int:
    """How far apart two of (N,) ascending times usually are, by the first hour or so; 0 of one."""
    return int(np.median(np.diff(times[:_ENOUGH]))) if len(times) > 1 else 0


def first_not_after(times: NDArray[Any], *, equal_is_wrong: bool) -> int | None:
    """The first of (N,) times that is before the one before it (or no later), by its number."""
    for part in parts_of(len(times) - 1):
        later, earlier = times[part.start + 1 : part.stop + 1], times[part]
        wrong = np.flatnonzero(later <= earlier if equal_is_wrong else later < earlier)
        if len(wrong):
            return int(part.start + wrong[0]) + 1
    return None


def offsets_of(times: array[float], unit_ns: float) -> Int64:
    """(N,) the same in ns after the first, rounded, in the memory of `times`, which hold doubles and are no more after it."""
    values = np.frombuffer(times, np.float64)
    offsets: Int64 = values.view(np.int64)
    first = values[0] if len(values) else 0.0
    for part in parts_of(len(values)):
        offsets[part] = np.round((values[part] - first) * unit_ns)
    return offsets


def never_fall(times: Int64) -> None:
    """Makes each time at least the one before, in place."""
    latest = None
    for part in parts_of(len(times)):
        if latest is not None:
            times[part.start] = max(times[part.start], latest)
        np.maximum.accumulate(times[part], out=times[part])
        latest = times[part.stop - 1]
