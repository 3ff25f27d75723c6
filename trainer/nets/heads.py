"""What every model puts out, and the loss over it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.specs import ActionSpace
from trainer.configs import MouseHead
from trainer.nets.mouse import BinnedAxis, make_axis

MIN_KNOWN = 1.0


@dataclass(frozen=True, eq=False)
class Outputs:
    """Logits of N intervals, in any leading shape: keys (..., K), dx (..., Bx), dy (..., By)."""

    keys: Tensor
    dx: Tensor
    dy: Tensor


@dataclass(frozen=True, eq=False)
class Targets:
    """keys (..., K) in {0, 1}; dx, dy (...) bin indices; known (...) in {0, 1}: the rows that are learnt."""

    keys: Tensor
    dx: Tensor
    dy: Tensor
    known: Tensor


class ActionHeads(nn.Module):
    """One Bernoulli per key and one distribution per mouse axis over shared features."""

    def __init__(self, features: int, space: ActionSpace, mouse: MouseHead = "bins") -> None:
        super().__init__()
        self.keys = nn.Linear(features, len(space.codes))
        self.dx = make_axis(mouse, features, space.dx_values)
        self.dy = make_axis(mouse, features, space.dy_values)
        for head in (self.keys, *(a if isinstance(a, BinnedAxis) else a.out for a in (self.dx, self.dy))):
            if head.weight.numel():
                nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)

    def forward(self, features: Tensor) -> Outputs:
        return Outputs(self.keys(features), self.dx(features), self.dy(features))

    def start_from(self, pressed: Tensor, dx_share: Tensor, dy_share: Tensor) -> None:
        """Sets the biases to the training frequencies, so that training starts at the marginal and not above it."""
        with torch.no_grad():
            self.keys.bias.copy_(torch.logit(pressed.clamp(1e-4, 1 - 1e-4)))
            self.dx.start_from(dx_share)
            self.dy.start_from(dy_share)


def head_losses(
    outputs: Outputs, targets: Targets, space: ActionSpace, smoothing_bins: float = 0.0, edge_weight: float = 0.0
) -> dict[str, Tensor]:
    """Mean cross-entropy in nats per known row of each head: `keys` (summed over keys), `dx` and `dy`.

    smoothing_bins: standard deviation by which a mouse target is spread to its neighbours: a bin beside the true one
    is nearly right. edge_weight: how much more a key weighs in the intervals beside its presses and releases, which are few
    and which exact events hang on. Rows that are not known weigh nothing; with none known every loss is 0, never NaN.
    """
    known = targets.known.float()
    total = known.sum().clamp(min=MIN_KNOWN)
    losses = {}
    pressed = functional.binary_cross_entropy_with_logits(outputs.keys.float(), targets.keys.float(), reduction="none")
    if edge_weight:
        pressed = pressed * (1 + edge_weight * edges(targets.keys))
    losses["keys"] = (pressed.sum(dim=-1) * known).sum() / total
    for name, logits, index, values in (
        ("dx", outputs.dx, targets.dx, space.dx_values),
        ("dy", outputs.dy, targets.dy, space.dy_values),
    ):
        log_share = logits.float().log_softmax(dim=-1)
        wanted = soft_bins(index, len(values), smoothing_bins, zero=values.index(0.0))
        losses[name] = (-(wanted * log_share).sum(dim=-1) * known).sum() / total
    return losses


def edges(keys: Tensor) -> Tensor:
    """(..., T, K) in {0, 1} -> the same: the intervals on both sides of a press or a release."""
    changed = (keys[..., 1:, :] != keys[..., :-1, :]).float()
    return functional.pad(changed, (0, 0, 0, 1)).maximum(functional.pad(changed, (0, 0, 1, 0)))


def motion_error(outputs: Outputs, targets: Targets, space: ActionSpace) -> Tensor:
    """Mean squared error of the expected motion over known rows, each axis in units of its own bins' variance.

    The bins' cross-entropy alone does not say that a far bin is worse than a near one. An axis without motion adds 0.
    """
    known = targets.known.float()
    error = known.new_zeros(())
    for logits, index, values in (
        (outputs.dx, targets.dx, space.dx_values),
        (outputs.dy, targets.dy, space.dy_values),
    ):
        if len(values) > 1:
            counts = torch.tensor(values, dtype=torch.float32, device=logits.device)
            expected = (logits.float().softmax(dim=-1) * counts).sum(dim=-1)
            squared = ((expected - counts[index]) / counts.std()).square()
            error = error + (squared * known).sum() / known.sum().clamp(min=MIN_KNOWN)
    return error


def total_loss(losses: dict[str, Tensor], outputs: Outputs, mouse_weight: float = 1.0) -> Tensor:
    """Sum over heads of cross-entropy / ln(classes), as in Pixels2Play; each key is a head of two classes."""
    total = losses["keys"] / math.log(2)
    for name, logits in (("dx", outputs.dx), ("dy", outputs.dy)):
        if logits.shape[-1] > 1:
            total = total + mouse_weight * losses[name] / math.log(logits.shape[-1])
    return total


def soft_bins(index: Tensor, bins: int, smoothing_bins: float, zero: int) -> Tensor:
    """(...) indices -> (..., bins) targets that sum to 1: one-hot, or a discrete Gaussian around the true bin.

    The zero bin stays apart: standing still is not nearly a small motion, nor the other way round.
    """
    if smoothing_bins <= 0 or bins < 2:
        return functional.one_hot(index, bins).float()
    distance = torch.arange(bins, device=index.device) - index[..., None]
    weight = torch.exp(-0.5 * (distance.float() / smoothing_bins) ** 2)
    still = index == zero
    weight[..., zero] = still.float()
    weight[still] = functional.one_hot(index[still], bins).float()
    return weight / weight.sum(dim=-1, keepdim=True)
