"""The figures that only a card shows, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.specs import ActionSpace
from trainer.scoring.baselines import Prediction, Truth
from trainer.scoring.details import REACH, SQUARES, describe
from trainer.scoring.metrics import (
    average_precision,
    confusion,
    count_frames,
    event_offsets,
    match_events,
    precision_recall,
    reliability,
)


def bits(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text])


def test_precision_and_recall_by_hand() -> None:
    recall, precision = precision_recall(bits("1010"), np.array([0.9, 0.8, 0.7, 0.1]))
    assert list(zip(recall, precision, strict=True)) == [(0.5, 1.0), (1.0, pytest.approx(2 / 3))]
    assert precision_recall(bits("00"), np.zeros(2)) == ([], [])
    assert precision_recall(bits("10"), np.full(2, 0.3)) == ([1.0], [0.5]), "ties enter together"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=60), st.integers(2, 9))
def test_a_curve_has_the_points_that_were_asked_for_and_true_ones(rows: list[tuple[bool, int]], points: int) -> None:
    true, score = np.array([r[0] for r in rows]), np.array([r[1] / 20 for r in rows])
    recall, precision = precision_recall(true, score, points)
    assert len(recall) == len(precision) <= points
    if not true.any():
        return
    there = [count_frames(true, score >= cut) for cut in np.unique(score)]
    assert set(zip(recall, precision, strict=True)) <= {(c.recall, c.precision) for c in there}
    assert recall == sorted(recall)
    assert recall[-1] == 1.0
    assert 0 < average_precision(true, score) <= 1


def test_reliability_by_hand() -> None:
    found = reliability(bits("00110"), np.array([0.1, 0.2, 0.9, 1.0, 0.8]), bins=2)
    assert found.counts == (2, 3)
    assert found.said == (pytest.approx(0.15), pytest.approx(0.9))
    assert found.came == (0.0, pytest.approx(2 / 3))
    assert found.error == pytest.approx(2 / 5 * 0.15 + 3 / 5 * (0.9 - 2 / 3))
    assert math.isnan(reliability(bits(""), np.zeros(0)).error)
    assert reliability(bits("1111"), np.ones(4)).error == 0.0


def test_late_and_early_events_by_hand() -> None:
    def rows(*numbers: int) -> np.ndarray:
        return np.array(numbers, np.int64)

    assert event_offsets(rows(10, 20), rows(10, 22), 5) == ([0, 2], 0, 0)
    assert event_offsets(rows(10), rows(9, 12), 5) == ([-1], 0, 1)
    assert event_offsets(rows(10, 40), rows(20), 5) == ([], 2, 1)
    assert event_offsets(rows(10, 11), rows(11), 5) == ([0], 1, 0), "the nearest first"


@given(st.sets(st.integers(0, 30), max_size=8), st.sets(st.integers(0, 30), max_size=8), st.integers(0, 5))
def test_every_event_is_told_once(true: set[int], said: set[int], reach: int) -> None:
    one, two = (np.array(sorted(part), np.int64) for part in (true, said))
    offsets, missed, extra = event_offsets(one, two, reach)
    assert len(offsets) + missed == len(true)
    assert len(offsets) + extra == len(said)
    assert all(abs(offset) <= reach for offset in offsets)
    assert len(offsets) <= match_events(one, two, reach).hits


def test_confusion_by_hand() -> None:
    true = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 0], [0, 0]], np.bool_)
    said = np.array([[1, 0], [0, 1], [0, 0], [0, 1], [1, 0], [0, 0]], np.bool_)
    shares, rows = confusion(true, said)
    assert rows.tolist() == [3, 1, 2]
    assert shares[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert shares[1].tolist() == [0.0, 1.0, 0.0]
    assert shares[2].tolist() == [0.5, 0.0, 0.5]
    shares, rows = confusion(np.ones((2, 1), np.bool_), np.ones((2, 1), np.bool_))
    assert rows.tolist() == [2, 0]
    assert np.isnan(shares[1]).all(), "no frame with nothing down, so nothing is known of them"


def test_what_plots_need_counts_known_rows_alone() -> None:
    space = ActionSpace(codes=(30,), dx_edges=(-0.5, 0.5), dx_values=(-2.0, 0.0, 2.0))
    keys = bits("00110011")[:, None]
    motion = np.array([[2.0, 0.0]] * 8, np.float32)
    truth = Truth(keys, motion, bits("11111100"))
    bins = (np.full((8, 3), 1 / 3, np.float32), np.ones((8, 1), np.float32))
    said = Prediction(keys.astype(np.float32), np.roll(keys, 1, axis=0), motion, bins)
    found = describe([truth], [said], space)
    assert sum(found["reliability"]["counts"]) == 6
    assert found["onsets"]["offsets"]["1"] == 1
    assert len(found["onsets"]["offsets"]) == 2 * REACH + 1
    assert (found["onsets"]["missed"], found["onsets"]["extra"]) == (0, 0)
    squares = np.array(found["mouse"]["dx"]["counts"])
    assert squares.shape == (SQUARES, SQUARES)
    assert squares.sum() == 6
    assert squares[-1, -1] == 6
    assert found["mouse"]["dy"] == {"limit": 0.0, "counts": []}
