"""How much a policy looks at its pictures, and the toy in which that can be told exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from db.store import Store
from trainer.__main__ import main
from trainer.configs import PolicyConfig
from trainer.data.clips import load_takes
from trainer.models import build
from trainer.nets.heads import Outputs
from trainer.scoring import brakelight
from trainer.scoring.causality import causality_score, kl_of_logits, kl_of_outputs


def test_the_divergence_is_that_of_the_formula():
    one = Outputs(torch.tensor([0.5, -1.0]), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.0]))
    two = Outputs(torch.tensor([-0.2, 1.0]), torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0]))
    p, q = torch.sigmoid(one.keys).numpy(), torch.sigmoid(two.keys).numpy()
    wanted = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum()
    a, b = one.dx.softmax(-1).numpy(), two.dx.softmax(-1).numpy()
    wanted += (a * np.log(a / b)).sum()
    assert float(kl_of_outputs(one, two)) == pytest.approx(wanted, rel=1e-5)
    assert float(kl_of_outputs(one, one)) == 0
    assert float(kl_of_logits(one.dx, one.dx)) == 0


def test_a_policy_that_looks_scores_more_than_one_that_does_not(toy_store: Store, toy_manifest: Any, configs: Any):
    config = configs["policy"]()
    assert isinstance(config, PolicyConfig)
    takes = load_takes(toy_store, toy_manifest, toy_manifest.of("train"))
    torch.manual_seed(0)
    net = build(config, toy_manifest.clip, toy_manifest.space).eval()
    torch.nn.init.normal_(net.heads.keys.weight, std=1.0)
    looks = causality_score(net, takes, toy_manifest.space)
    assert looks.clips > 1
    assert looks.score > 5 * looks.error > 0
    assert causality_score(net, takes, toy_manifest.space) == looks  # the same swaps again
    for head in (net.heads.keys, net.heads.dx, net.heads.dy):
        torch.nn.init.zeros_(head.weight)
    assert causality_score(net, takes, toy_manifest.space).score == pytest.approx(0, abs=1e-6)


def test_the_road_ties_the_light_to_the_brake():
    features, brakes = brakelight.drive(20_000, np.random.default_rng(0))
    assert np.array_equal(features[:, 0], brakes)
    assert np.array_equal(features[1:, 1], brakes[:-1])
    assert (features[:, 1] == brakes).mean() == pytest.approx(brakelight.STAY, abs=0.01)


def test_depth_makes_the_toy_more_causal():
    curves = brakelight.study(depths=(0, 2), steps=3000, seeds=2, looks=3)
    linear, deep = curves
    assert linear.steps == (0, 1000, 2000, 3000)
    assert abs(linear.mean[0]) < 0.5
    assert deep.mean[-1] > linear.mean[-1] + 0.5


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_the_study_is_one_command(tmp_path: Any, capsys: Any, name: str):
    out = tmp_path / name
    assert main(["brake-light", "--out", str(out), "--steps", "60", "--seeds", "1"]) == 0
    assert out.stat().st_size > 2000
    assert "hidden layers" in capsys.readouterr().out
