"""The figures the field quotes, as small pure numpy functions. Rows are intervals, columns are keys.

Scores that a set of rows cannot support (no positives, no variance) are NaN, never 0 by accident.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.recording.stretches import stretches_of

Bools = NDArray[np.bool_]
Reals = NDArray[np.floating]
Ints = NDArray[np.int64]

TOLERANCES = (0, 1, 2)
"""Frames an event may be off: exact, +-1, +-2."""


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives and false negatives; they add up over keys and stretches."""

    hits: int = 0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.hits + other.hits, self.extra + other.extra, self.missed + other.missed)

    @property
    def precision(self) -> float:
        return _share(self.hits, self.hits + self.extra)

    @property
    def recall(self) -> float:
        return _share(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """2TP / (2TP + FP + FN): 0 where something was there and nothing was hit, NaN where nothing was there at all."""
        return _share(2 * self.hits, 2 * self.hits + self.extra + self.missed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def count_frames(true: Bools, predicted: Bools) -> Counts:
    """Frame-wise counts of one key (N,), or of many (N, K) added up."""
    return Counts(int(np.sum(true & predicted)), int(np.sum(~true & predicted)), int(np.sum(true & ~predicted)))


def average_precision(true: Bools, score: Reals) -> float:
    """Area under the precision-recall steps, sum over thresholds of (R_n - R_n-1) P_n; ties enter together.

    true: (N,), score: (N,). NaN without a positive. A constant score gives the prevalence.
    """
    positives = int(true.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(true[order])
    last_of_tie = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    hits, shown = hits[last_of_tie], last_of_tie + 1
    return float(np.sum(np.diff(hits, prepend=0) / positives * hits / shown))


def best_threshold(true: Bools, score: Reals) -> float:
    """The score at and above which calling a key pressed gives the highest F1; 0.5 without a positive.

    The threshold lies midway between two scores, so that it does not hang on one row.
    """
    if not true.any():
        return 0.5
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    hits = np.cumsum(true[order])
    last_of_tie = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    f1 = 2 * hits[last_of_tie] / (last_of_tie + 1 + int(true.sum()))
    best = int(last_of_tie[int(np.argmax(f1))])
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)


def onsets(down: Bools) -> Ints:
    """Rows where a key (N,) goes from up to down. Row 0 is never one: what came before it is not known."""
    return np.flatnonzero(down[1:] & ~down[:-1]) + 1


def match_events(true: Ints, predicted: Ints, tolerance: int) -> Counts:
    """Greedy one-to-one matching of ascending event rows: each true event takes the earliest free prediction within
    `tolerance` rows, which for points on a line is a largest matching.
    """
    hits = i = j = 0
    while i < len(true) and j < len(predicted):
        if predicted[j] < true[i] - tolerance:
            j += 1
        elif predicted[j] > true[i] + tolerance:
            i += 1
        else:
            hits, i, j = hits + 1, i + 1, j + 1
    return Counts(hits, len(predicted) - hits, len(true) - hits)


def count_events(true: Bools, predicted: Bools, known: Bools, tolerance: int, *, release: bool = False) -> Counts:
    """Onset (or release) counts added up over keys (N, K) and over the stretches of known rows (N,)."""
    if release:
        true, predicted = ~true, ~predicted
    total = Counts()
    for start, stop in stretches_of(known):
        for key in range(true.shape[1]):
            a, b = onsets(true[start:stop, key]), onsets(predicted[start:stop, key])
            total += match_events(a, b, tolerance)
    return total


def joint_accuracy(true: Bools, predicted: Bools) -> float:
    """Share of rows with every key right, (N, K)."""
    return float(np.mean(np.all(true == predicted, axis=1))) if len(true) else float("nan")


def r2(true: Reals, predicted: Reals) -> float:
    """1 - SSE / SST; below 0 where the mean would do better. NaN without variance."""
    total = float(np.sum((true - true.mean()) ** 2)) if len(true) else 0.0
    return 1.0 - float(np.sum((true - predicted) ** 2)) / total if total > 0 else float("nan")


def pearson(true: Reals, predicted: Reals) -> float:
    """Linear correlation in [-1, 1]; NaN where either side is constant."""
    if len(true) < 2 or np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(true, predicted)[0, 1])


def scale_ratio(true: Reals, predicted: Reals) -> float:
    """Standard deviation predicted / true: 1 is a mouse as lively as the person's."""
    spread = float(np.std(true)) if len(true) else 0.0
    return float(np.std(predicted)) / spread if spread > 0 else float("nan")


def sign_accuracy(true: Reals, predicted: Reals) -> float:
    """Share of the rows that moved whose direction is right; a prediction of 0 there is wrong."""
    moved = true != 0
    return float(np.mean(np.sign(true[moved]) == np.sign(predicted[moved]))) if moved.any() else float("nan")


def binary_cross_entropy(true: Bools, probability: Reals) -> float:
    """Mean nats per row of one key (N,) with probabilities in [0, 1]."""
    p = np.clip(probability.astype(np.float64), 1e-6, 1 - 1e-6)
    return float(np.mean(np.where(true, -np.log(p), -np.log1p(-p)))) if len(true) else float("nan")


def cross_entropy(true: Ints, probability: Reals) -> float:
    """Mean nats per row: true (N,) classes, probability (N, B)."""
    if not len(true):
        return float("nan")
    picked = probability[np.arange(len(true)), true].astype(np.float64)
    return float(np.mean(-np.log(np.clip(picked, 1e-6, 1.0))))


def mean_known(values: list[float]) -> float:
    """The mean of what is not NaN; NaN of nothing."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def precision_recall(true: Bools, score: Reals, points: int = 60) -> tuple[list[float], list[float]]:
    """(recall, precision) from the surest rows to all of them, at most `points` of each; empty without a positive.

    true: (N,), score: (N,). Ties enter together, as in `average_precision`; the points are evenly spread in recall.
    """
    positives = int(true.sum())
    if positives == 0:
        return [], []
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(true[order])
    last_of_tie = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    recall, precision = hits[last_of_tie] / positives, hits[last_of_tie] / (last_of_tie + 1)
    wanted = np.unique(np.searchsorted(recall, np.linspace(recall[0], 1.0, points)).clip(0, len(recall) - 1))
    return [float(value) for value in recall[wanted]], [float(value) for value in precision[wanted]]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Rows put into equal bins of the probability that was said, [i / B, (i + 1) / B), 1 in the last one."""

    counts: tuple[int, ...]
    said: tuple[float, ...]
    """Mean probability in each bin; NaN in an empty one."""
    came: tuple[float, ...]
    """Share that really was pressed; NaN in an empty one."""

    @property
    def error(self) -> float:
        """The expected calibration error: the mean over rows of how far a bin's share lies from what was said of it."""
        total = sum(self.counts)
        parts = [n * abs(a - b) for n, a, b in zip(self.counts, self.said, self.came, strict=True) if n]
        return sum(parts) / total if total else float("nan")


def reliability(true: Bools, probability: Reals, bins: int = 10) -> Reliability:
    """How far a probability can be taken at its word; true and probability of one shape, any."""
    true, p = true.ravel(), probability.ravel().astype(np.float64)
    index = np.minimum((p * bins).astype(np.int64), bins - 1)
    counts = np.bincount(index, minlength=bins)
    sums = (np.bincount(index, weights=part, minlength=bins) for part in (p, true.astype(np.float64)))
    said, came = (
        tuple(float(s / n) if n else float("nan") for s, n in zip(part, counts, strict=True)) for part in sums
    )
    return Reliability(tuple(int(n) for n in counts), said, came)


def event_offsets(true: Ints, predicted: Ints, reach: int) -> tuple[list[int], int, int]:
    """Rows by which predicted events are late (negative: early), how many true ones have none, and how many are extra.

    Pairs are made one-to-one, nearest first, at most `reach` rows apart.
    """
    open_true, open_predicted, offsets = set(true.tolist()), set(predicted.tolist()), []
    for offset in sorted(range(-reach, reach + 1), key=abs):
        for row in sorted(open_true):
            if row + offset in open_predicted:
                open_true.remove(row)
                open_predicted.remove(row + offset)
                offsets.append(offset)
    return offsets, len(open_true), len(open_predicted)


def confusion(true: Bools, predicted: Bools) -> tuple[Reals, Ints]:
    """Which key is taken for which: shares (K + 1, K + 1) and the rows (K + 1,) that each is a share of.

    Row i < K, over the rows in which key i was down: [i, i] it was said too, [i, j] it was missed while key j was said
    and not down, [i, K] it was missed and no other key was wrongly said. Several keys may be said at once, so a row
    may add up to more than 1. Row K, over the rows with no key down: [K, j] key j was said, [K, K] none was.
    """
    count = true.shape[1]
    extra = predicted & ~true
    shares = np.full((count + 1, count + 1), np.nan)
    rows = np.zeros(count + 1, np.int64)
    for i in range(count + 1):
        asked: Bools = true[:, i] if i < count else ~np.any(true, axis=1)
        rows[i] = int(asked.sum())
        if not rows[i]:
            continue
        missed: Bools = asked & ~predicted[:, i] if i < count else asked
        shares[i, :count] = (missed[:, None] & extra).sum(axis=0) / rows[i]
        shares[i, count] = np.sum(missed & ~extra.any(axis=1)) / rows[i]
        if i < count:
            shares[i, i] = np.sum(asked & predicted[:, i]) / rows[i]
    return shares, rows
