"""The inverse-dynamics model: frames before and after an interval -> the keys and the motion in it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.specs import ActionSpace, ClipSpec
from trainer.configs import IdmConfig
from trainer.nets.encoder import FrameEncoder, luminance
from trainer.nets.heads import ActionHeads, Outputs
from trainer.nets.shift import shift_count, shift_volume

_CHANNELS = 6


class Idm(nn.Module):
    """Convolutions over a frame and its differences, frame-shift correlation, and a recurrence in both directions.

    Interval i lies between frames i and i + 1. The recurrence runs over the whole clip, so that an action that shows
    a few frames late (a game's latency) is still found.
    """

    def __init__(self, config: IdmConfig, clip: ClipSpec, space: ActionSpace) -> None:
        super().__init__()
        self.config = config
        width, height = (-(-side // config.stem_pool) for side in clip.size_px)
        self.encoder = FrameEncoder(_CHANNELS, config.widths, (width, height), config.frame_features, norm="group")
        self.shifts = nn.Sequential(
            nn.Linear(shift_count(config.shift_px, config.shift_cells), config.shift_features),
            nn.LayerNorm(config.shift_features),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.shift_features, config.shift_features),
        )
        joined = config.frame_features + config.shift_features
        self.mix = nn.Conv1d(joined, joined, 3, padding=1, groups=joined // 32)
        self.rnn = nn.GRU(joined, config.hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.norm = nn.LayerNorm(joined + 2 * config.hidden)
        self.heads = ActionHeads(joined + 2 * config.hidden, space)

    def forward(self, frames: Tensor) -> Outputs:
        """frames: (B, T, 3, H, W) RGB in [0, 1]. Outputs are (B, T, ...): interval t begins at frame t."""
        batch, length = frames.shape[:2]
        full_grey = luminance(frames)
        if self.config.stem_pool > 1:
            small = functional.avg_pool2d(frames.flatten(0, 1), self.config.stem_pool, ceil_mode=True)
            frames = small.view(batch, length, *small.shape[1:])
        grey = luminance(frames)
        after = torch.cat([grey[:, 1:], grey[:, -1:]], dim=1)
        before = torch.cat([grey[:, :1], grey[:, :-1]], dim=1)
        beyond = torch.cat([after[:, 1:], after[:, -1:]], dim=1)
        changes = torch.stack([after - grey, grey - before, beyond - after], dim=2) * 2
        seen = self.encoder(torch.cat([frames - 0.5, changes], dim=2).flatten(0, 1))
        moved = self.shifts(self._volume(full_grey))
        joined = torch.cat([seen, moved.to(seen.dtype)], dim=-1).view(batch, length, -1)
        joined = joined + functional.silu(self.mix(joined.transpose(1, 2)).transpose(1, 2))
        joined = self.dropout(joined)
        context, _ = self.rnn(joined)
        outputs: Outputs = self.heads(self.dropout(self.norm(torch.cat([joined, context], dim=-1))))
        return outputs

    @torch.no_grad()
    def _volume(self, grey: Tensor) -> Tensor:
        """(B, T, H, W) -> (B * T, F): each frame against the next, the last against itself."""
        after = torch.cat([grey[:, 1:], grey[:, -1:]], dim=1)
        with torch.autocast(grey.device.type, enabled=False):
            return shift_volume(grey.flatten(0, 1), after.flatten(0, 1), self.config.shift_px, self.config.shift_cells)
