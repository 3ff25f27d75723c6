"""The inverse-dynamics model of Video PreTraining (Baker et al., 2022, appendix D), in any size, to be compared with.

A convolution over time and space comes first; then each frame alone goes through stacks of residual blocks and two dense
layers; then all frames of a clip attend to one another, the later ones included. No differences between frames and no
shifts are given to it. Positions are rotary here, and the keys are Bernoullis, which are softmaxes over two classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.specs import ActionSpace, ClipSpec
from trainer.configs import VptConfig
from trainer.nets.heads import ActionHeads, Outputs
from trainer.nets.transformer import Attention

_REACH = 2
"""Frames on either side that the first convolution sees."""


class Vpt(nn.Module):
    """Interval i lies between frames i and i + 1."""

    def __init__(self, config: VptConfig, clip: ClipSpec, space: ActionSpace) -> None:
        super().__init__()
        self.config = config
        span = 2 * _REACH + 1
        self.stem = nn.Conv2d(3 * span, config.stem, 3, padding=1)
        stacks: list[nn.Module] = []
        channels, (width, height) = config.stem, clip.size_px
        for outputs in config.widths:
            stacks.append(_Stack(channels, outputs))
            channels, width, height = outputs, (width + 1) // 2, (height + 1) // 2
        self.stacks = nn.Sequential(*stacks)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.LayerNorm(channels * width * height),
            nn.Linear(channels * width * height, config.frame_features),
            nn.ReLU(),
            nn.LayerNorm(config.frame_features),
            nn.Linear(config.frame_features, config.width),
            nn.ReLU(),
        )
        self.blocks = nn.ModuleList(_AttentionBlock(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.heads = ActionHeads(config.width, space, config.mouse_head)

    def forward(self, frames: Tensor) -> Outputs:
        """frames: (B, T, 3, H, W) RGB in [0, 1]. Outputs are (B, T, ...): interval t begins at frame t."""
        batch, length = frames.shape[:2]
        around = functional.pad(frames.flatten(2), (0, 0, _REACH, _REACH)).view(batch, -1, *frames.shape[2:])
        near = torch.cat([around[:, i : i + length] for i in range(2 * _REACH + 1)], dim=2)
        seen = functional.relu(self.stem(near.flatten(0, 1).contiguous(memory_format=torch.channels_last)))
        x = self.dense(self.stacks(seen)).view(batch, length, -1)
        positions = torch.arange(length, device=x.device)
        for block in self.blocks:
            x = block(x, positions)
        outputs: Outputs = self.heads(self.norm(x))
        return outputs


class _Stack(nn.Module):
    """A convolution, a pooling that halves the map, and two residual blocks (Espeholt et al., IMPALA, 2018)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs)
        self.blocks = nn.ModuleList(
            nn.Sequential(_conv(outputs, outputs), nn.ReLU(), _conv(outputs, outputs)) for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.first(x)), 3, stride=2, padding=1)
        for block in self.blocks:
            x = functional.relu(x + block(x))
        return x


def _conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.GroupNorm(1, inputs), nn.Conv2d(inputs, outputs, 3, padding=1))


class _AttentionBlock(nn.Module):
    """Attention over all frames, then two dense layers under one residual connection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.dense = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.ReLU(),
            nn.LayerNorm(4 * width),
            nn.Linear(4 * width, width),
        )

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), positions, None, None)[0]
        mixed: Tensor = x + self.dense(x)
        return mixed
