"""Defaults, written once: what is captured (CaptureSpec), what a model sees (ClipSpec) and what it outputs (ActionSpace).

Pass the spec, never loose numbers. Capture size and model size are different facts.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

SizePx = tuple[Annotated[int, Field(ge=2, le=16384)], Annotated[int, Field(ge=2, le=16384)]]
"""(width, height) in pixels."""


class Spec(BaseModel):
    """A frozen, validated value that is stored with the data it describes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def digest(self) -> str:
        """A short, stable content hash (16 hexadecimal digits)."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class CaptureSpec(Spec):
    """How a window is recorded. Stored in every session and read back from there."""

    rate_hz: Annotated[float, Field(gt=0, le=240)] = 30.0
    """A wish: true times are in the frame clock."""
    codec: str = "libx264"
    """An H.264 encoder by its FFmpeg name."""
    preset: str = "ultrafast"
    """In x264's words; `db.media.video.encoder_options` says what hardware makes of it."""
    crf: Annotated[int, Field(ge=0, le=51)] = 20
    """x264's constant rate factor; the constant quantiser of an encoder in hardware."""
    keyframe_s: Annotated[float, Field(gt=0, le=1.0)] = 1.0
    segment_s: Annotated[float, Field(gt=1, le=600)] = 600.0
    commit_s: Annotated[float, Field(gt=0, le=1.0)] = 0.5
    focus_grace_s: Annotated[float, Field(ge=0)] = 10.0
    """Focus lost for longer than this ends the session."""


class ClipSpec(Spec):
    """What a model sees: pictures of `size_px` at `rate_hz`. Stored in datasets, caches and checkpoints."""

    size_px: SizePx = (96, 96)
    rate_hz: Annotated[float, Field(gt=0, le=240)] = 15.0


class ActionSpace(Spec):
    """The ordered heads of a model: one Bernoulli per key or button, and one softmax over bins per mouse axis.

    `dx_edges` and `dy_edges` are ascending bin edges in device counts per interval; B edges make B + 1 bins. `dx_values`
    and `dy_values` are the B + 1 counts that stand for the bins (their mean in the data; exactly 0 for the zero bin).
    """

    version: int = 1
    codes: tuple[int, ...]
    dx_edges: tuple[float, ...] = ()
    dy_edges: tuple[float, ...] = ()
    dx_values: tuple[float, ...] = (0.0,)
    dy_values: tuple[float, ...] = (0.0,)

    @model_validator(mode="after")
    def _check(self) -> ActionSpace:
        for edges, values in ((self.dx_edges, self.dx_values), (self.dy_edges, self.dy_values)):
            if len(values) != len(edges) + 1 or list(edges) != sorted(set(edges)):
                raise ValueError("B ascending edges need B + 1 values")
        if len(set(self.codes)) != len(self.codes):
            raise ValueError("a key stands twice")
        return self
