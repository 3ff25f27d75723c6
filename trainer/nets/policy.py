"""The policy: the frames so far and an instruction -> the keys and the motion of the interval that begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from db.specs import ActionSpace, ClipSpec
from trainer.configs import PolicyConfig
from trainer.nets.encoder import FrameEncoder, luminance
from trainer.nets.heads import ActionHeads, Outputs
from trainer.nets.text import make_text_encoder

_CHANNELS = 4
_PAST_FEATURES = 64


@dataclass(frozen=True, eq=False)
class PolicyState:
    """What a stream carries from frame to frame: the last picture and the features of the frames in reach."""

    grey: Tensor
    """(1, H, W) luminance of the last frame."""
    past: Tensor
    """(1, history - 1, features), oldest first, zeros where nothing has been seen yet."""


class Policy(nn.Module):
    """A convolutional encoder whose every stage the instruction scales and shifts (FiLM), and a short causal history.

    An output depends on `history` frames and on nothing before them, and never on actions: with little data a model
    that sees what was just done repeats it for ever.
    """

    mean_picture: Tensor
    spread: Tensor

    def __init__(self, config: PolicyConfig, clip: ClipSpec, space: ActionSpace) -> None:
        super().__init__()
        self.config = config
        width, height = clip.size_px
        self.register_buffer("mean_picture", torch.full((3, height, width), 0.5))
        self.register_buffer("spread", torch.tensor(0.25))
        self.text = make_text_encoder(config, config.hidden)
        self.encoder = FrameEncoder(
            _CHANNELS,
            config.widths,
            clip.size_px,
            config.frame_features,
            norm="batch",
            condition=config.hidden,
            squeezed=config.squeezed,
            keypoints=config.keypoints,
        )
        self.recall = nn.Linear(config.frame_features, _PAST_FEATURES)
        reach = (config.history - 1) * _PAST_FEATURES
        self.joint = nn.Sequential(
            nn.Linear(config.frame_features + reach + config.hidden, config.hidden), nn.SiLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden), nn.SiLU(),
            nn.Dropout(config.dropout),
        )  # fmt: skip
        self.heads = ActionHeads(config.hidden, space)

    def start_from(self, mean_picture: Tensor, spread: float) -> None:
        """Sets the mean picture (3, H, W) of the training data and the standard deviation around it, both of [0, 1].

        What never changes (a weapon, a frame, a sky) would else outweigh the few pixels that matter.
        """
        self.mean_picture.copy_(mean_picture)
        self.spread.fill_(max(spread, 0.01))

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """(N, hidden), one row a text."""
        encoded: Tensor = self.text(texts)
        return encoded

    def forward(self, frames: Tensor, texts: Tensor, keep_history: Tensor | None = None) -> Outputs:
        """frames: (B, T, 3, H, W) RGB in [0, 1]. texts: (B, T, hidden), the instruction in force at each frame.

        keep_history: (B,) in {0, 1}: 0 hides everything but the present frame from a clip's outputs; the last
        picture's difference with it.
        """
        batch, length = frames.shape[:2]
        keep = frames.new_ones(batch) if keep_history is None else keep_history.to(frames.dtype)
        grey = luminance(frames)
        change = torch.cat([torch.zeros_like(grey[:, :1]), grey[:, 1:] - grey[:, :-1]], dim=1)
        features = self._see(
            frames.flatten(0, 1), (change * keep[:, None, None, None]).flatten(0, 1), texts.flatten(0, 1)
        )
        features = features.view(batch, length, -1)
        recalled = self.recall(features) * keep[:, None, None].to(features.dtype)
        reach = self.config.history - 1
        padded = functional.pad(recalled, (0, 0, reach, 0))
        past = (
            torch.stack([padded[:, i : i + length] for i in range(reach)], dim=2) if reach else recalled[:, :, None, :0]
        )
        return self._act(features, past, texts)

    def start(self, size_px: tuple[int, int]) -> PolicyState | None:
        """The state before the first frame."""
        return None

    def step(self, frame: Tensor, text: Tensor, state: PolicyState | None) -> tuple[Outputs, PolicyState]:
        """One frame (1, 3, H, W) and text (1, hidden) -> outputs (1, ...) and the state for the next frame.

        Equals `forward` over the whole stream, at one pass of the encoder per frame.
        """
        grey = luminance(frame)
        change = torch.zeros_like(grey) if state is None else grey - state.grey
        features = self._see(frame, change, text)
        reach = self.config.history - 1
        past = features.new_zeros(1, reach, _PAST_FEATURES) if state is None else state.past
        outputs = self._act(features, past, text)
        following = torch.cat([past, self.recall(features)[:, None]], dim=1)[:, 1:] if reach else past
        return outputs, PolicyState(grey, following)

    def _see(self, frames: Tensor, change: Tensor, texts: Tensor) -> Tensor:
        standard = (frames - self.mean_picture) / self.spread
        seen: Tensor = self.encoder(torch.cat([standard, change[:, None] / self.spread], dim=1), texts)
        return seen

    def _act(self, features: Tensor, past: Tensor, texts: Tensor) -> Outputs:
        joined = torch.cat([features, past.flatten(-2).to(features.dtype), texts.to(features.dtype)], dim=-1)
        outputs: Outputs = self.heads(self.joint(joined))
        return outputs
