"""The convolutional stem that both quick models look through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Literal["batch", "group"]

LUMA = (0.299, 0.587, 0.114)


def luminance(frames: Tensor) -> Tensor:
    """(..., 3, H, W) RGB -> (..., H, W)."""
    red, green, blue = frames.unbind(dim=-3)
    return (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


class Block(nn.Module):
    """A stride-2 convolution, normalised, optionally scaled and shifted per channel by a condition (FiLM).

    Scale and shift are bounded: free to grow, they drown what was seen in what was said.
    """

    def __init__(self, inputs: int, outputs: int, norm: Norm | None, condition: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=norm is None)
        self.norm = nn.Identity() if norm is None else _norm(norm, outputs)
        self.film = nn.Linear(condition, 2 * outputs) if condition else None
        if self.film is not None:
            nn.init.normal_(self.film.weight, std=0.02)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        x = self.norm(self.conv(x))
        if self.film is not None and condition is not None:
            scale, shift = torch.tanh(self.film(condition))[:, :, None, None].chunk(2, dim=1)
            x = x * (1 + scale) + shift
        return functional.relu(x)


def _norm(norm: Norm, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(math.gcd(channels, 8), channels)


class FrameEncoder(nn.Module):
    """(N, C, H, W) -> (N, features); where things are is kept, since it is what aiming and turning need.

    squeezed: channels of the coarse map that is laid out flat. keypoints: how many things are looked for, each giving its
    mean place in the map before the last one and how clear it is (spatial softmax: Levine et al., End-to-End Training of
    Deep Visuomotor Policies, 2016), which aims from far less data than a flat map. norm: over the batch, which brings out
    what changes from moment to moment, or within each picture. The first block has none: at its size that costs more than
    the convolution.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        size_px: tuple[int, int],
        features: int,
        *,
        norm: Norm,
        condition: int = 0,
        squeezed: int = 32,
        keypoints: int = 0,
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        width, height = size_px
        for outputs in widths:
            late = len(blocks) >= len(widths) - 2
            blocks.append(Block(channels, outputs, norm if blocks else None, condition if late else 0))
            channels, width, height = outputs, (width + 1) // 2, (height + 1) // 2
        self.blocks = nn.ModuleList(blocks)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.points = nn.Conv2d(widths[-2], keypoints, 1) if keypoints else None
        self.out = nn.Linear(squeezed * width * height + 3 * keypoints, features)
        self.norm = nn.BatchNorm1d(features) if norm == "batch" else nn.LayerNorm(features)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        finer = x
        for block in self.blocks:
            finer, x = x, block(x, condition)
        parts = [self.squeeze(x).flatten(1)]
        if self.points is not None:
            parts.append(find_keypoints(self.points(finer)))
        encoded: Tensor = self.norm(self.out(torch.cat(parts, dim=1)))
        return encoded


def find_keypoints(maps: Tensor) -> Tensor:
    """(N, K, H, W) -> (N, 3 * K): mean x and y of each map's softmax, in [-1, 1], and the logarithm of its mean
    exponential, which tells how much of the thing there is.
    """
    maps = maps.float()
    height, width = maps.shape[-2:]
    share = maps.flatten(2).softmax(dim=-1).view(maps.shape)
    x = (share.sum(dim=2) * torch.linspace(-1, 1, width, device=maps.device)).sum(dim=-1)
    y = (share.sum(dim=3) * torch.linspace(-1, 1, height, device=maps.device)).sum(dim=-1)
    much = maps.flatten(2).logsumexp(dim=-1) - math.log(height * width)
    return torch.cat([x, y, much], dim=1)
