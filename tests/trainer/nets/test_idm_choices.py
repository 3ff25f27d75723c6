"""What an IDM can be built without, and its rival."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch

from db.specs import ActionSpace, ClipSpec
from trainer.configs import MouseHead, VptConfig, named_config
from trainer.models import build
from trainer.nets.heads import ActionHeads, Outputs, Targets, head_losses, total_loss
from trainer.nets.mouse import FoveatedAxis

CLIP = ClipSpec(size_px=(64, 48), rate_hz=15)
VALUES = (-40.0, -20.0, -9.0, -2.0, 0.0, 2.0, 9.0, 20.0, 40.0)
EDGES = (-30.0, -15.0, -5.0, -0.5, 0.5, 5.0, 15.0, 30.0)
SPACE = ActionSpace(codes=(30, 32), dx_edges=EDGES, dx_values=VALUES)
SMALL = VptConfig(stem=4, widths=(4, 8), frame_features=16, width=32, layers=2, heads=4)

Configs = dict[str, Callable[..., Any]]


def run_twice(config: Any, changed: int) -> tuple[Outputs, Outputs]:
    """Outputs of a fresh model over 9 frames, and over the same with one of them black."""
    torch.manual_seed(0)
    net = build(config, CLIP, SPACE).eval()
    for parameter in net.heads.parameters():  # type: ignore[union-attr]
        torch.nn.init.normal_(parameter, std=0.3)
    frames = torch.rand(2, 9, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    other = frames.clone()
    other[:, changed] = 0
    with torch.no_grad():
        return net(frames), net(other)


def differs(one: Outputs, other: Outputs) -> list[bool]:
    """Per interval, whether its keys are said otherwise."""
    return [bool(far > 1e-5) for far in (one.keys - other.keys).abs().amax(dim=(0, 2))]


def test_each_context_reaches_as_far_as_it_says(configs: Configs) -> None:
    assert all(differs(*run_twice(configs["idm"](context="both"), 6)))
    past = differs(*run_twice(configs["idm"](context="past"), 6))
    assert past == [False] * 5 + [True] * 4, "interval 5 ends with frame 6; nothing before it may know of frame 6"
    near = differs(*run_twice(configs["idm"](context="near"), 4))
    assert near[0] is near[8] is False
    assert near[3] is near[4] is True


@pytest.mark.parametrize("without", [{"sees_changes": False}, {"sees_shifts": False}])
def test_what_is_taken_away_is_not_there(configs: Configs, without: dict[str, bool]) -> None:
    whole, less = (build(configs["idm"](**change), CLIP, SPACE) for change in ({}, without))
    assert sum(p.numel() for p in less.parameters()) < sum(p.numel() for p in whole.parameters())
    assert less(torch.rand(1, 4, 3, 48, 64)).keys.shape == (1, 4, 2)


def test_the_rival_sees_both_ways_and_learns() -> None:
    first = run_twice(SMALL, 6)
    assert all(differs(*first)), "all frames attend to all"
    torch.manual_seed(0)
    net = build(SMALL, CLIP, SPACE)
    assert sum(p.numel() for p in build(named_config("idm", "vpt-style"), CLIP, SPACE).parameters()) > 1_000_000
    frames = torch.rand(2, 6, 3, 48, 64)
    frames[:, ::2] *= 0.2
    keys = torch.zeros(2, 6, 2)
    keys[:, ::2, 0] = 1
    targets = Targets(keys, keys[..., 0].long() * 7, torch.zeros(2, 6, dtype=torch.long), torch.ones(2, 6))
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        outputs = net(frames)
        loss = total_loss(head_losses(outputs, targets, SPACE), outputs)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("kind", ["bins", "foveated", "number"])
def test_every_mouse_head_begins_at_the_frequencies_and_is_scored_alike(kind: MouseHead) -> None:
    torch.manual_seed(0)
    heads = ActionHeads(8, SPACE, kind)
    share = torch.tensor([1.0, 2, 3, 4, 20, 4, 3, 2, 4])
    share = share / share.sum()
    heads.start_from(torch.tensor([0.1, 0.5]), share, torch.ones(1))
    said = heads(torch.zeros(3, 8)).dx.softmax(dim=-1)
    assert said.shape == (3, 9)
    expected = (said[0] * torch.tensor(VALUES)).sum().item()
    assert expected == pytest.approx((share * torch.tensor(VALUES)).sum().item(), abs=1.0)
    if kind != "number":
        torch.testing.assert_close(said[0], share)
    assert heads(torch.zeros(3, 8)).dy.shape == (3, 1)


def test_foveated_bins_are_fine_near_zero_and_eleven_at_most() -> None:
    values = [float(v) for v in range(-60, 61)]
    axis = FoveatedAxis(4, values)
    assert axis.out.out_features == 11
    sizes = torch.bincount(axis.group).tolist()
    assert sizes == sizes[::-1], "left and right are alike"
    assert sizes[5] < sizes[4] < sizes[3] < sizes[2] < sizes[1]


@pytest.mark.parametrize("head", get_args(MouseHead))
def test_its_outline_can_be_had_without_memory_for_it(head: MouseHead, configs: Configs) -> None:
    for config in (configs["idm"](mouse_head=head), SMALL.model_copy(update={"mouse_head": head})):
        with torch.device("meta"):
            outline = build(config, CLIP, SPACE).state_dict()
        whole = build(config, CLIP, SPACE).state_dict()
        assert {name: value.shape for name, value in outline.items()} == {n: value.shape for n, value in whole.items()}
