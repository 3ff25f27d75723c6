"""The first stages of EfficientNet-B0 (Tan and Le, EfficientNet: Rethinking Model Scaling, 2019), from scratch.

Modules are named as torchvision names them, so that weights of its `efficientnet_b0` fit where a person has them on disk.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from db.errors import BadFile

_STEM = 32
_STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5))
"""(expansion, channels, repeats, stride, kernel) of the first five of seven stages."""
CHANNELS = _STAGES[-1][1]
STRIDE = 16
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures its published weights were trained on."""


class EfficientNet(nn.Module):
    """(N, 3, H, W) RGB in [0, 1] -> (N, 112, H / 16, W / 16), rounded up."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = [_conv(3, _STEM, 3, 2)]
        inputs = _STEM
        for expansion, outputs, repeats, stride, kernel in _STAGES:
            blocks = []
            for number in range(repeats):
                blocks.append(_Block(inputs, outputs, expansion, kernel, stride if number == 0 else 1))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.features = nn.Sequential(*stages)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(_STD)[:, None, None], persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        seen: Tensor = self.features((frames - self.mean) / self.std)
        return seen

    def load_weights(self, path: Path) -> None:
        """Weights of torchvision's `efficientnet_b0` as safetensors, of which only these stages are taken.

        Raises BadFile where they are not that. A file of pickles is never opened: it could run anything.
        """
        try:
            found = load_file(path)
        except (OSError, SafetensorError) as error:
            raise BadFile(f"{path} cannot be read as safetensors: {str(error).splitlines()[0]}.") from None
        own = self.features.state_dict()
        wanted = OrderedDict((name, found.get(f"features.{name}")) for name in own)
        wrong = [name for name, value in wanted.items() if value is None or value.shape != own[name].shape]
        if wrong:
            raise BadFile(f"{path} does not hold the weights of an EfficientNet-B0: features.{wrong[0]} is not there.")
        self.features.load_state_dict(wanted)


class _Block(nn.Module):
    """An inverted bottleneck with squeeze and excitation, added to what came in where the shape allows it."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = inputs * expansion
        parts: list[nn.Module] = [_conv(inputs, inner, 1)] if expansion != 1 else []
        parts += [
            _conv(inner, inner, kernel, stride, groups=inner),
            _Squeeze(inner, max(1, inputs // 4)),
            _conv(inner, outputs, 1, acts=False),
        ]
        self.block = nn.Sequential(*parts)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.block(x)
        return x + found if self.adds else found


class _Squeeze(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight: Tensor = self.fc2(nn.functional.silu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()
        return x * weight


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, acts: bool = True
) -> nn.Sequential:
    parts: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*parts, *([nn.SiLU()] if acts else []))
