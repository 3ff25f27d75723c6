"""The inverse-dynamics model: frames before and after an interval -> the keys and the motion in it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.specs import ActionSpace, ClipSpec
from trainer.configs import IdmConfig
from trainer.nets.encoder import FrameEncoder, luminance
from trainer.nets.heads import ActionHeads, Outputs
from trainer.nets.shift import shift_count, shift_volume

_COLOURS, _CHANGES = 3, 3
_MIXED = 3
"""Intervals that are mixed before the recurrence."""


class Idm(nn.Module):
    """Convolutions over a frame and its differences, frame-shift correlation, and a recurrence in both directions.

    Interval i lies between frames i and i + 1. The recurrence runs over the whole clip, so that an action that shows
    a few frames late (a game's latency) is still found.
    """

    def __init__(self, config: IdmConfig, clip: ClipSpec, space: ActionSpace) -> None:
        super().__init__()
        self.config = config
        width, height = (-(-side // config.stem_pool) for side in clip.size_px)
        channels = _COLOURS + _CHANGES * config.sees_changes
        self.encoder = FrameEncoder(channels, config.widths, (width, height), config.frame_features, norm="group")
        joined = config.frame_features
        if config.sees_shifts:
            joined += config.shift_features
            self.shifts = nn.Sequential(
                nn.Linear(shift_count(config.shift_px, config.shift_cells), config.shift_features),
                nn.LayerNorm(config.shift_features),
                nn.SiLU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.shift_features, config.shift_features),
            )
        self.mix = nn.Conv1d(joined, joined, _MIXED, groups=math.gcd(joined, max(1, joined // 32)))
        both, alone = config.context == "both", config.context == "near"
        self.rnn = None if alone else nn.GRU(joined, config.hidden, batch_first=True, bidirectional=both)
        self.dropout = nn.Dropout(config.dropout)
        found = joined + (0 if alone else config.hidden * (1 + both))
        self.norm = nn.LayerNorm(found)
        self.heads = ActionHeads(found, space, config.mouse_head)

    def forward(self, frames: Tensor) -> Outputs:
        """frames: (B, T, 3, H, W) RGB in [0, 1]. Outputs are (B, T, ...): interval t begins at frame t."""
        batch, length = frames.shape[:2]
        full_grey = luminance(frames)
        if self.config.stem_pool > 1:
            small = functional.avg_pool2d(frames.flatten(0, 1), self.config.stem_pool, ceil_mode=True)
            frames = small.view(batch, length, *small.shape[1:])
        pictures = frames - 0.5
        if self.config.sees_changes:
            pictures = torch.cat([pictures, self._changes(luminance(frames))], dim=2)
        joined = self.encoder(pictures.flatten(0, 1))
        if self.config.sees_shifts:
            moved = self.shifts(self._volume(full_grey))
            joined = torch.cat([joined, moved.to(joined.dtype)], dim=-1)
        joined = joined.view(batch, length, -1)
        reach = (_MIXED - 1, 0) if self.config.context == "past" else (_MIXED // 2, _MIXED // 2)
        mixed = self.mix(functional.pad(joined.transpose(1, 2), reach))
        joined = self.dropout(joined + functional.silu(mixed.transpose(1, 2)))
        parts = [joined] if self.rnn is None else [joined, self.rnn(joined)[0]]
        outputs: Outputs = self.heads(self.dropout(self.norm(torch.cat(parts, dim=-1))))
        return outputs

    def _changes(self, grey: Tensor) -> Tensor:
        """(B, T, H, W) -> (B, T, 3, H, W): over the interval, over the one before and, where it may be seen, the next."""
        after = torch.cat([grey[:, 1:], grey[:, -1:]], dim=1)
        before = torch.cat([grey[:, :1], grey[:, :-1]], dim=1)
        beyond = torch.cat([after[:, 1:], after[:, -1:]], dim=1) if self.config.context != "past" else after
        return torch.stack([after - grey, grey - before, beyond - after], dim=2) * 2

    @torch.no_grad()
    def _volume(self, grey: Tensor) -> Tensor:
        """(B, T, H, W) -> (B * T, F): each frame against the next, the last against itself."""
        with torch.autocast(grey.device.type, enabled=False):
            return shift_volume(grey.float(), self.config.shift_px, self.config.shift_cells)
