from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from db.specs import ActionSpace, ClipSpec
from trainer.configs import AugmentConfig
from trainer.data.augment import Draws, augment, to_unit
from trainer.nets.heads import Outputs, Targets, edges, head_losses, soft_bins, total_loss
from trainer.nets.idm import Idm
from trainer.nets.policy import Policy, PolicyState

CLIP = ClipSpec(size_px=(64, 48), rate_hz=15)
SPACE = ActionSpace(codes=(30, 32), dx_edges=(-5.0, -0.5, 0.5, 5.0), dx_values=(-9.0, -2.0, 0.0, 2.0, 9.0))

Configs = dict[str, Callable[..., Any]]


@pytest.fixture
def policy(configs: Configs) -> Policy:
    torch.manual_seed(0)
    net = Policy(configs["policy"](), CLIP, SPACE)
    for parameter in net.heads.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net.eval()


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.rand(2, 9, 3, 48, 64, generator=torch.Generator().manual_seed(1))


def assert_same(one: Outputs, other: Outputs, upto: int | None = None) -> None:
    for a, b in ((one.keys, other.keys), (one.dx, other.dx), (one.dy, other.dy)):
        torch.testing.assert_close(a[:, :upto], b[:, :upto], rtol=1e-4, atol=1e-5)


def test_the_policy_never_sees_the_future(policy: Policy, frames: torch.Tensor) -> None:
    text = policy.encode_texts(["go", "stop"])[:, None].expand(2, 9, -1)
    changed = frames.clone()
    changed[:, 5:] = torch.rand_like(changed[:, 5:])
    assert_same(policy(frames, text), policy(changed, text), upto=5)
    assert (policy(frames, text).keys[:, 5] - policy(changed, text).keys[:, 5]).abs().max() > 1e-3


def test_the_policy_forgets_what_is_older_than_its_history(policy: Policy, frames: torch.Tensor) -> None:
    text = policy.encode_texts(["go", "stop"])[:, None].expand(2, 9, -1)
    changed = frames.clone()
    reach = policy.config.history + 1  # the oldest frame in reach is seen with its difference to the one before it
    changed[:, : 9 - reach] = 0
    torch.testing.assert_close(policy(frames, text).keys[:, -1], policy(changed, text).keys[:, -1])


def test_streaming_equals_the_whole_clip(policy: Policy, frames: torch.Tensor) -> None:
    texts = policy.encode_texts(["go left", "go right"])
    told = torch.stack([texts[0]] * 4 + [texts[1]] * 5)[None]
    whole = policy(frames[:1], told)
    state: PolicyState | None = None
    parts = []
    for i in range(9):
        outputs, state = policy.step(frames[0, i : i + 1], told[0, i : i + 1], state)
        parts.append(outputs)
    streamed = Outputs(
        *(torch.cat(column)[None] for column in zip(*((p.keys, p.dx, p.dy) for p in parts), strict=True))
    )
    assert_same(whole, streamed)


def test_without_history_only_the_present_frame_counts(policy: Policy, frames: torch.Tensor) -> None:
    text = policy.encode_texts(["go", "stop"])[:, None].expand(2, 9, -1)
    alone = policy(frames, text, torch.zeros(2))
    single = policy(frames[:, 8:9], text[:, 8:9])
    torch.testing.assert_close(alone.keys[:, 8], single.keys[:, 0], rtol=1e-4, atol=1e-5)


def test_the_text_matters_to_the_policy(policy: Policy, frames: torch.Tensor) -> None:
    go, stop = (policy.encode_texts([text])[:, None].expand(2, 9, -1) for text in ("go", "stop"))
    assert (policy(frames, go).keys - policy(frames, stop).keys).abs().max() > 1e-3


def test_the_idm_sees_both_ways_and_never_gives_nan(configs: Configs, frames: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = Idm(configs["idm"](), CLIP, SPACE).eval()
    torch.nn.init.normal_(net.heads.keys.weight, std=0.3)
    plain = net(frames)
    assert plain.keys.shape == (2, 9, 2)
    assert plain.dx.shape == (2, 9, 5)
    assert plain.dy.shape == (2, 9, 1)
    changed = frames.clone()
    changed[:, 7] = 0
    assert (plain.keys - net(changed).keys)[:, 4].abs().max() > 1e-5
    assert all(torch.isfinite(t).all() for t in (net(torch.zeros_like(frames)).keys, net(frames[:, :1]).dx))


def test_nothing_known_is_no_loss_and_no_nan() -> None:
    outputs = Outputs(torch.randn(2, 3, 2, requires_grad=True), torch.randn(2, 3, 5), torch.zeros(2, 3, 1))
    zeros = torch.zeros(2, 3, dtype=torch.long)
    losses = head_losses(outputs, Targets(torch.ones(2, 3, 2), zeros, zeros, torch.zeros(2, 3)), SPACE, 0.5)
    total = total_loss(losses, outputs)
    total.backward()
    assert total.item() == 0.0
    assert outputs.keys.grad is not None
    assert torch.equal(outputs.keys.grad, torch.zeros(2, 3, 2))


def test_unknown_rows_do_not_touch_the_loss() -> None:
    keys = torch.randn(1, 4, 2)
    dx, dy, zeros = torch.randn(1, 4, 5), torch.zeros(1, 4, 1), torch.zeros(1, 4, dtype=torch.long)
    known = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    wild = keys.clone()
    wild[:, 2:] = 50
    one, other = (
        total_loss(head_losses(o, Targets(torch.zeros(1, 4, 2), zeros, zeros, known), SPACE), o)
        for o in (Outputs(keys, dx, dy), Outputs(wild, dx, dy))
    )
    assert one.item() == pytest.approx(other.item())


def test_presses_and_releases_weigh_more() -> None:
    keys = torch.tensor([[0.0, 0, 1, 1, 1, 0]]).T[None]
    assert edges(keys)[0, :, 0].tolist() == [0, 1, 1, 0, 1, 1]
    zeros = torch.zeros(1, 6, dtype=torch.long)
    outputs = Outputs(torch.zeros(1, 6, 1), torch.zeros(1, 6, 5), torch.zeros(1, 6, 1))
    plain, weighted = (
        head_losses(outputs, Targets(keys, zeros, zeros, torch.ones(1, 6)), SPACE, edge_weight=weight)["keys"]
        for weight in (0.0, 1.5)
    )
    assert weighted.item() == pytest.approx(plain.item() * (1 + 1.5 * 4 / 6))


def test_soft_bins_sum_to_one_around_the_true_bin() -> None:
    soft = soft_bins(torch.tensor([0, 1, 2, 3]), 5, 0.7, zero=2)
    torch.testing.assert_close(soft.sum(dim=-1), torch.ones(4))
    assert soft.argmax(dim=-1).tolist() == [0, 1, 2, 3]
    assert soft[2].tolist() == [0, 0, 1, 0, 0], "standing still is exact"
    assert soft[[0, 1, 3], 2].tolist() == [0, 0, 0], "and nothing else is nearly standing still"
    assert torch.equal(soft_bins(torch.tensor([1]), 3, 0.0, zero=0), torch.tensor([[0.0, 1.0, 0.0]]))


def test_augmentation_is_one_draw_a_clip_and_mirrors_exactly() -> None:
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 8, 10, 3), dtype=np.uint8))
    frames = to_unit(pictures)
    assert frames.shape == (2, 3, 3, 8, 10)
    still = pictures[:, :1].expand(2, 3, 8, 10, 3)
    varied = augment(still, Draws.of(AugmentConfig(mirror=0), 2, (10, 8), np.random.default_rng(0)))
    assert torch.equal(varied[:, 0], varied[:, 2]), "what stood still stands still"
    assert varied.min() >= 0
    assert varied.max() <= 1
    none = AugmentConfig(brightness=0, contrast=0, saturation=0, shift_share=0)
    draws = Draws.of(none, 2, (10, 8), np.random.default_rng(0))
    flipped = augment(pictures, replace(draws, mirrored=np.array([False, True])))
    torch.testing.assert_close(flipped[0], frames[0])
    torch.testing.assert_close(flipped[1], frames[1].flip(-1))
