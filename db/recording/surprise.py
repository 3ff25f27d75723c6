"""How far a recording disagrees with what an IDM expects from the pictures: one definition for all who show or measure it.

Per tick t and key k, with a the key's recorded action (active or not) and p the IDM's probability that it is active,
clipped to [FLOOR, 1 - FLOOR]:

    nll(a | p)  = -log p where a, -log(1 - p) where not                 nats; the Bernoulli negative log-likelihood
    recorded    = the least of nll(a[t] | p[u])                         is what was recorded expected nearby?
    expected    = the least of nll(a[u] | p[t])                         was what is expected recorded nearby?
    surprise    = the greater of the two

where u runs over t - 1, t and t + 1: a press that the pictures show one tick earlier or later is none the worse, while one
that was never recorded, or that nothing shows, counts in full, even where it lasts one tick. Neighbours that are unknown,
or of which the IDM has said nothing, are left out.

A mouse axis is the same with -log q, where q is the probability of the bin that the recorded motion of the tick falls into
and of the bins beside it, at least FLOOR: bins lie close, and the next one is no contradiction.

The surprise of a tick is the sum over all keys and buttons that the IDM knows and both axes; nothing else goes in, and
keys that it does not know are not judged. The disagreement at a tick is

    (mean surprise of the known ticks within HALF_S - median) / (99th percentile - median), at least 0

with the median and the percentile of that same mean over play that the IDM was not trained on (`Scale`): 0 is as expected, 1
is what 99 of 100 ticks of such play stay below. It is NaN where the actions are unknown or the IDM has said nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64
from db.recording.actions import Bools, Floats

FLOOR = 1e-3
HALF_S = 0.5
_LEAST_RANGE = 1e-6

Shares = NDArray[np.floating]


@dataclass(frozen=True)
class Scale:
    """What is usual: the median and the 99th percentile of the mean surprise around a tick, in nats."""

    median: float
    high: float

    @classmethod
    def of(cls, means: Sequence[Floats]) -> Scale | None:
        """Of the means around ticks (T,), NaN left out; None where there are none."""
        found = np.concatenate([np.zeros(0, np.float32), *means])
        found = found[np.isfinite(found)]
        if not len(found):
            return None
        median, high = np.percentile(found, (50, 99))
        return cls(float(median), float(high))

    def disagreement(self, mean: Floats) -> Floats:
        """(T,) nats -> (T,), at least 0; NaN stays."""
        whole: Floats = np.maximum((mean - self.median) / max(self.high - self.median, _LEAST_RANGE), 0)
        return whole.astype(np.float32)


def key_surprise(probability: Shares, active: Bools, known: Bools, said: Bools) -> Floats:
    """(T, K) nats. probability, active: (T, K). known: (T,) where actions are. said: (T,) where the IDM has spoken.

    0 where either is missing.
    """
    p = np.clip(probability.astype(np.float32), FLOOR, 1 - FLOOR)
    on, off = -np.log(p), -np.log1p(-p)
    recorded = np.where(active, _nearby(on, said), _nearby(off, said))
    was_on, was_off = _any_nearby(active & known[:, None]), _any_nearby(~active & known[:, None])
    expected = np.minimum(np.where(was_on, on, np.inf), np.where(was_off, off, np.inf))
    return _where_both(np.maximum(recorded, expected), known & said)


def motion_surprise(shares: Shares, edges: Sequence[float], counts: Floats, known: Bools, said: Bools) -> Floats:
    """(T,) nats of one mouse axis. shares: (T, B) of its bins. edges: (B - 1,) ascending. counts: (T,) device counts."""
    found = np.clip(np.digitize(counts, np.asarray(edges, np.float64)), 0, shares.shape[1] - 1)
    padded = np.pad(shares.astype(np.float32), ((0, 0), (1, 1)))
    mass = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    rows, least = np.arange(len(counts)), np.full((2, len(counts)), np.inf, np.float32)
    for step in (-1, 0, 1):
        there = rows + step
        inside = (there >= 0) & (there < len(rows))
        near = np.clip(there, 0, max(len(rows) - 1, 0))
        spoken, acted = inside & said[near], inside & known[near]
        least[0, spoken] = np.minimum(least[0], _surprise(mass[near, found]))[spoken]
        least[1, acted] = np.minimum(least[1], _surprise(mass[rows, found[near]]))[acted]
    return _where_both(least.max(axis=0)[:, None], known & said)[:, 0]


def mean_around(surprise: Floats, edges_ns: Int64, counted: Bools) -> Floats:
    """The mean of (T,) over the counted ticks that begin within HALF_S of each tick's own beginning; NaN where not counted."""
    starts, half_ns = edges_ns[:-1], int(HALF_S * 1e9)
    first, last = np.searchsorted(starts, starts - half_ns, "left"), np.searchsorted(starts, starts + half_ns, "right")
    sums = np.concatenate([[0.0], np.cumsum(np.where(counted, surprise, 0), dtype=np.float64)])
    counts = np.concatenate([[0], np.cumsum(counted)])
    mean = (sums[last] - sums[first]) / np.maximum(counts[last] - counts[first], 1)
    return np.where(counted, mean, np.nan).astype(np.float32)


def _surprise(mass: Floats) -> Floats:
    whole: Floats = -np.log(np.clip(mass, FLOOR, 1.0))
    return whole


def _nearby(values: Floats, counted: Bools) -> Floats:
    """(T, K): the least over the counted ones of the tick before, the tick and the tick after."""
    kept = np.where(counted[:, None], values, np.inf).astype(np.float32)
    least = kept.copy()
    least[1:] = np.minimum(least[1:], kept[:-1])
    least[:-1] = np.minimum(least[:-1], kept[1:])
    return least


def _any_nearby(values: Bools) -> Bools:
    found = values.copy()
    found[1:] |= values[:-1]
    found[:-1] |= values[1:]
    return found


def _where_both(values: Floats, counted: Bools) -> Floats:
    return np.where(counted[:, None], values, 0).astype(np.float32)
