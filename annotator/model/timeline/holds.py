"""When a key was down, as an (H, 2) int64 array of stretches [down_ns, up_ns): ascending, none empty, none touching.

Pure functions; every one returns a new array of the same kind.
"""

from __future__ import annotations

import numpy as np

from db.clock import Int64

Holds = Int64


def tidied(starts_ns: Int64, stops_ns: Int64, first_ns: int, last_ns: int) -> Holds:
    """Holds of these ascending stretches (H,) within [first_ns, last_ns): empty ones last 1 ns, touching ones are one."""
    starts, stops = np.maximum(starts_ns, first_ns), np.minimum(np.maximum(stops_ns, starts_ns + 1), last_ns)
    inside = starts < stops
    starts, stops = starts[inside], stops[inside]
    begins = np.ones(len(starts), np.bool_)
    begins[1:] = starts[1:] > np.maximum.accumulate(stops)[:-1]
    ends = np.append(begins[1:], True)[: len(starts)]
    return np.stack([starts[begins], np.maximum.accumulate(stops)[ends]], axis=1).astype(np.int64)


def index_at(holds: Holds, t_ns: int) -> int | None:
    """The hold that is down at `t_ns`."""
    at = int(np.searchsorted(holds[:, 0], t_ns, "right")) - 1
    return at if at >= 0 and t_ns < holds[at, 1] else None


def united(holds: Holds, down_ns: int, up_ns: int) -> Holds:
    """With one more stretch, which must not be empty; what it touches becomes one hold with it."""
    first = int(np.searchsorted(holds[:, 1], down_ns, "left"))
    last = int(np.searchsorted(holds[:, 0], up_ns, "right"))
    touched = holds[first:last].reshape(-1).tolist()
    fresh = np.array([[min([down_ns, *touched[:1]]), max([up_ns, *touched[-1:]])]], np.int64)
    return np.concatenate([holds[:first], fresh, holds[last:]])


def without(holds: Holds, index: int) -> Holds:
    return np.delete(holds, index, axis=0)


def within(holds: Holds, start_ns: int, stop_ns: int) -> Holds:
    """What of them lies in [start_ns, stop_ns), cut off at its ends."""
    first = int(np.searchsorted(holds[:, 1], start_ns, "right"))
    last = int(np.searchsorted(holds[:, 0], stop_ns, "left"))
    part = np.clip(holds[first : max(first, last)], start_ns, stop_ns)
    return part[part[:, 0] < part[:, 1]]


def difference(a: Holds, b: Holds) -> tuple[int, int] | None:
    """The smallest stretch [start_ns, stop_ns) outside of which both say the same; None where they are equal."""
    one, other = a.reshape(-1), b.reshape(-1)
    head = _common(one, other)
    if head == len(one) == len(other):
        return None
    tail = _common(one[::-1], other[::-1])
    firsts = [int(edges[head]) for edges in (one, other) if head < len(edges)]
    lasts = [int(edges[-1 - tail]) for edges in (one, other) if tail < len(edges)]
    return min(firsts), max(lasts)


def differing(a: Holds, b: Holds) -> Holds:
    """Every stretch in which one is down and the other is not."""
    edges, counts = np.unique(np.concatenate([a.reshape(-1), b.reshape(-1)]), return_counts=True)
    changes: Holds = edges[counts == 1].reshape(-1, 2)  # where both change together, the difference goes on
    return changes


def _common(a: Int64, b: Int64) -> int:
    """How many edges they begin with alike."""
    length = min(len(a), len(b))
    unequal = np.flatnonzero(a[:length] != b[:length])
    return int(unequal[0]) if len(unequal) else length
