"""What was done during one frame, as it is shown over its picture. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.model.timeline.inputs import Inputs
from db.recording.keys import is_pointer_button


@dataclass(frozen=True)
class Moment:
    """One frame's inputs, corrected."""

    held: tuple[int, ...] = ()
    """Keys and buttons held or tapped, in the order of the lanes."""
    corrected: frozenset[int] = frozenset()
    """Those that a person's correction has in another state than was recorded, held or not."""
    motion: tuple[float, float] = (0.0, 0.0)
    """Device counts, right and down."""
    is_motion_corrected: bool = False
    scroll: tuple[float, float] = (0.0, 0.0)
    """Notches, right and up."""
    is_known: bool = True
    """False in a stretch in which inputs were not recorded."""


def moment_of(inputs: Inputs, frame: int) -> Moment:
    gaps = inputs.gaps
    return Moment(
        held=tuple(inputs.active(frame)),
        corrected=frozenset(inputs.corrected_in(frame)),
        motion=inputs.motion(frame),
        is_motion_corrected=inputs.motion(frame) != inputs.raw.motion(frame),
        scroll=inputs.scroll(frame),
        is_known=not bool(((gaps[:, 0] < frame + 1) & (gaps[:, 1] > frame)).any()),
    )


def uses_mouse(inputs: Inputs) -> bool:
    """Whether the session knows any motion, scrolling or button of a mouse."""
    raw = inputs.raw
    is_moved = np.any(raw.dx.values) or np.any(raw.dy.values) or np.any(raw.scroll)
    return bool(is_moved or any(is_pointer_button(code) for code in inputs.codes))
