from __future__ import annotations

import numpy as np
import pytest

from trainer.data.space import fit_space
from trainer.scoring.baselines import Marginal, Truth, always_released, from_marginal, repeat_last
from trainer.scoring.scores import score, tune_thresholds


@pytest.fixture
def truth() -> Truth:
    rng = np.random.default_rng(3)
    holds = np.repeat(rng.random((60, 2)) < 0.4, 5, axis=0)
    motion = np.stack([np.repeat(rng.integers(-20, 21, 60), 5), np.zeros(300)], axis=1).astype(np.float32)
    return Truth(holds, motion, np.ones(300, np.bool_))


def test_the_baselines_score_as_they_must(truth: Truth) -> None:
    space = fit_space([30, 32], truth.motion)
    marginal = Marginal.fit([truth], space)
    released = score([truth], [always_released(truth, marginal)], space)
    repeated = score([truth], [repeat_last(truth, marginal, space)], space)
    drawn = score([truth], [from_marginal(truth, marginal, np.random.default_rng(0))], space)
    assert released["onset_f1"] == {"0": 0.0, "1": 0.0, "2": 0.0}
    assert released["accuracy"] == pytest.approx(1 - truth.keys.mean())
    assert repeated["onset_f1"]["0"] == 0.0
    assert repeated["onset_f1"]["1"] == 1.0
    assert repeated["release_f1"]["1"] == 1.0
    assert released["macro_ap"] == pytest.approx(truth.keys.mean(axis=0).mean())
    assert drawn["macro_ap"] == pytest.approx(truth.keys.mean(axis=0).mean())
    assert drawn["mouse"]["dx"]["r2"] == pytest.approx(0.0, abs=1e-6)
    assert drawn["cross_entropy"]["all"] < released["cross_entropy"]["all"]


def test_the_marginal_leaves_nothing_impossible(truth: Truth) -> None:
    space = fit_space([30, 32], truth.motion)
    marginal = Marginal.fit([Truth(np.zeros_like(truth.keys), np.zeros_like(truth.motion), truth.known)], space)
    assert (marginal.keys > 0).all()
    assert all((share > 0).all() and share.sum() == pytest.approx(1.0) for share in marginal.bins)


def test_unknown_rows_count_for_nothing(truth: Truth) -> None:
    space = fit_space([30, 32], truth.motion)
    marginal = Marginal.fit([truth], space)
    known = np.arange(300) < 150
    half = Truth(truth.keys[:150], truth.motion[:150], truth.known[:150])
    masked = Truth(truth.keys, truth.motion, known)
    full, part = (score([t], [repeat_last(t, marginal, space)], space) for t in (masked, half))
    assert str(full) == str(part), "as text, since NaN is not equal to itself"


def test_thresholds_are_tuned_per_key(truth: Truth) -> None:
    said = repeat_last(
        truth, Marginal.fit([truth], fit_space([30, 32], truth.motion)), fit_space([30, 32], truth.motion)
    )
    assert len(tune_thresholds([truth], [said])) == 2
