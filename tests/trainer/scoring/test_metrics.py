from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.recording.stretches import stretches_of
from trainer.scoring.metrics import (
    Counts,
    average_precision,
    best_threshold,
    binary_cross_entropy,
    count_events,
    count_frames,
    cross_entropy,
    joint_accuracy,
    match_events,
    mean_known,
    onsets,
    pearson,
    r2,
    scale_ratio,
    sign_accuracy,
)


def bits(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text])


def test_counts_and_their_shares() -> None:
    counts = count_frames(bits("110010"), bits("101010"))
    assert counts == Counts(hits=2, extra=1, missed=1)
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.f1 == pytest.approx(2 / 3)
    assert math.isnan(Counts().f1)
    assert Counts(missed=3).f1 == 0.0
    assert Counts(1, 2, 3) + Counts(1, 1, 1) == Counts(2, 3, 4)


def test_average_precision_by_hand() -> None:
    # Ranked: 1 0 1 0 -> precision 1 at recall 1/2, 2/3 at recall 1.
    assert average_precision(bits("1010"), np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(bits("0110"), np.array([0.1, 0.9, 0.8, 0.2])) == pytest.approx(1.0)
    assert average_precision(bits("1000"), np.full(4, 0.3)) == pytest.approx(0.25), "ties give the prevalence"
    assert math.isnan(average_precision(bits("000"), np.zeros(3)))


def test_best_threshold_by_hand() -> None:
    true, score = bits("1100"), np.array([0.9, 0.3, 0.2, 0.1])
    assert best_threshold(true, score) == pytest.approx(0.25)
    assert best_threshold(bits("000"), np.zeros(3)) == 0.5


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=30))
def test_no_threshold_beats_the_best_one(rows: list[tuple[bool, int]]) -> None:
    true, score = np.array([r[0] for r in rows]), np.array([r[1] / 10 for r in rows])
    if not true.any():
        return
    best = count_frames(true, score >= best_threshold(true, score)).f1
    for cut in np.linspace(0, 1.05, 22):
        assert best >= count_frames(true, score >= cut).f1 - 1e-12


def test_stretches_and_onsets() -> None:
    assert stretches_of(bits("0110111")) == [(1, 3), (4, 7)]
    assert stretches_of(bits("")) == []
    assert onsets(bits("1101001")).tolist() == [3, 6]


@pytest.mark.parametrize(
    ("true", "said", "tolerance", "counts"),
    [
        ([5], [5], 0, (1, 0, 0)),
        ([5], [6], 0, (0, 1, 1)),
        ([5], [6], 1, (1, 0, 0)),
        ([5, 6], [6], 1, (1, 0, 1)),
        ([5], [4, 6], 1, (1, 1, 0)),
        ([5, 7], [6, 8], 1, (2, 0, 0)),
        ([1, 10], [], 2, (0, 0, 2)),
        ([], [3], 2, (0, 1, 0)),
    ],
)
def test_matching_by_hand(true: list[int], said: list[int], tolerance: int, counts: tuple[int, int, int]) -> None:
    assert match_events(np.array(true, np.int64), np.array(said, np.int64), tolerance) == Counts(*counts)


@given(st.sets(st.integers(0, 12), max_size=5), st.sets(st.integers(0, 12), max_size=5), st.integers(0, 2))
def test_matching_is_a_largest_one(true: set[int], said: set[int], tolerance: int) -> None:
    small, large = sorted([sorted(true), sorted(said)], key=len)
    largest = max(
        sum(abs(a - b) <= tolerance for a, b in zip(small, picked, strict=True))
        for picked in itertools.permutations(large, len(small))
    )
    found = match_events(np.array(sorted(true), np.int64), np.array(sorted(said), np.int64), tolerance)
    assert (found.hits, found.extra, found.missed) == (largest, len(said) - largest, len(true) - largest)


def test_events_over_keys_and_stretches() -> None:
    true = np.stack([bits("0011100110"), bits("0000011000")], axis=1)
    said = np.stack([bits("0001100110"), bits("0000011000")], axis=1)
    everything = np.ones(10, np.bool_)
    assert count_events(true, said, everything, 0) == Counts(2, 1, 1)
    assert count_events(true, said, everything, 1) == Counts(3, 0, 0)
    assert count_events(true, said, everything, 0, release=True) == Counts(3, 0, 0)
    hidden = bits("1100111111")
    assert count_events(true, said, hidden, 1) == Counts(2, 0, 0), "an onset in or across an unknown row is nobody's"


@given(st.lists(st.booleans(), min_size=2, max_size=40))
def test_truth_scores_one_and_its_echo_zero(down: list[bool]) -> None:
    true = np.array(down)[:, None]
    known = np.ones(len(down), np.bool_)
    echo = np.vstack([true[:1], true[:-1]])
    if len(onsets(true[:, 0])):
        assert count_events(true, true, known, 0).f1 == 1.0
        assert count_events(true, echo, known, 0).hits == 0


def test_mouse_figures_by_hand() -> None:
    true = np.array([0.0, 2.0, -2.0, 4.0])
    assert r2(true, true) == 1.0
    assert r2(true, np.full(4, true.mean())) == 0.0
    assert r2(true, np.zeros(4)) == pytest.approx(1 - 24 / 20)
    assert pearson(true, 3 * true + 1) == pytest.approx(1.0)
    assert scale_ratio(true, true / 2) == pytest.approx(0.5)
    assert sign_accuracy(true, np.array([9.0, 1.0, 1.0, 0.0])) == pytest.approx(1 / 3)
    constant = np.zeros(4)
    assert all(math.isnan(f(constant, true)) for f in (r2, pearson, scale_ratio, sign_accuracy))


def test_entropies_by_hand() -> None:
    assert binary_cross_entropy(bits("10"), np.array([0.5, 0.25])) == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    assert cross_entropy(np.array([0, 1]), np.array([[0.5, 0.5], [0.75, 0.25]])) == pytest.approx(
        (math.log(2) + math.log(4)) / 2
    )
    assert math.isfinite(binary_cross_entropy(bits("1"), np.array([0.0])))


def test_joint_accuracy_and_means() -> None:
    true = np.array([[True, False], [True, True]])
    assert joint_accuracy(true, np.array([[True, False], [True, False]])) == 0.5
    assert mean_known([1.0, math.nan, 3.0]) == 2.0
    assert math.isnan(mean_known([math.nan]))
