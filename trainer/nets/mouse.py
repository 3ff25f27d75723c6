"""How a network says an axis of the mouse: always as logits over the bins of the action space, however it comes by them.

`bins`: one class for each bin of the action space. `foveated`: the 11 bins of Video PreTraining, fine near 0. `number`: a
mean and one spread for all, as a regression has them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from trainer.configs import MouseHead

_SIDE = 5
"""Foveated bins on each side of 0."""
_MU = 10.0
_LEAST_SPREAD = 0.25


class BinnedAxis(nn.Linear):
    """(..., features) -> (..., B)."""

    def start_from(self, share: Tensor) -> None:
        self.bias.copy_(share.log())


# What the other two work out of the values is worked out by NumPy: a model's outline is built where tensors hold nothing.


class FoveatedAxis(nn.Module):
    """The bins of the action space by groups of the mu-law (Baker et al., Video PreTraining, 2022, appendix D).

    Which bin of its group a motion falls into is not learnt: it is as frequent as in the training data.
    """

    group: Tensor
    within: Tensor

    def __init__(self, features: int, values: Sequence[float]) -> None:
        super().__init__()
        counts = np.asarray(values)
        law = np.sign(counts) * np.log1p(_MU * np.abs(counts) / max(np.abs(counts).max(), 1)) / math.log1p(_MU)
        group = np.unique(np.round(law * _SIDE).astype(np.int64), return_inverse=True)[1]
        sizes = np.bincount(group)
        self.register_buffer("group", torch.from_numpy(group), persistent=False)
        self.register_buffer("within", torch.tensor(-np.log(sizes[group]), dtype=torch.float32))
        self.out = nn.Linear(features, len(sizes))

    def forward(self, features: Tensor) -> Tensor:
        share: Tensor = self.out(features).float().log_softmax(dim=-1)
        return share[..., self.group] + self.within

    def start_from(self, share: Tensor) -> None:
        whole = torch.zeros(self.out.out_features, device=share.device).index_add_(0, self.group, share)
        self.out.bias.copy_(whole.log())
        self.within.copy_((share / whole[self.group]).log())


class NumberAxis(nn.Module):
    """A normal distribution around one number: its density at each bin's value, times how far that bin reaches."""

    values: Tensor
    reach: Tensor

    def __init__(self, features: int, values: Sequence[float]) -> None:
        super().__init__()
        counts = np.asarray(values)
        self.scale = float(counts.std(ddof=1)) if len(values) > 1 else 1.0
        gaps = np.diff(counts) / self.scale
        ends = np.concatenate([gaps[:1], gaps, gaps[-1:]]) if len(values) > 1 else np.ones(2)
        reach = np.log(np.maximum((ends[1:] + ends[:-1]) / 2, 1e-3))
        self.register_buffer("values", torch.tensor(counts / self.scale, dtype=torch.float32), persistent=False)
        self.register_buffer("reach", torch.tensor(reach, dtype=torch.float32), persistent=False)
        self.out = nn.Linear(features, 1)
        self.spread = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """The spread stays above a small share of the data's, or a bin far off would cost without bound."""
        spread = self.spread.exp().clamp(min=_LEAST_SPREAD)
        mean: Tensor = self.out(features).float()
        return self.reach - 0.5 * ((mean - self.values) / spread).square()

    def start_from(self, share: Tensor) -> None:
        self.out.bias.copy_((share * self.values).sum()[None])


def make_axis(kind: MouseHead, features: int, values: Sequence[float]) -> BinnedAxis | FoveatedAxis | NumberAxis:
    if kind == "foveated":
        return FoveatedAxis(features, values)
    return NumberAxis(features, values) if kind == "number" else BinnedAxis(features, len(values))
