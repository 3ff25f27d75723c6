"""What an IDM holds against the recording, in words."""

from __future__ import annotations

from annotator.model.timeline.heat import Doubt, Heat
from db.recording.keys import label

_AXES = (("right", "left"), ("down", "up"))
_LEAST_COUNTS = 0.5
"""Motion below it is none."""


def doubt_words(doubt: Doubt) -> str:
    """`recorded W, the IDM expects it up; 0.97`."""
    if doubt.code is None:
        recorded, expected = (_motion(counts, doubt.axis) for counts in (doubt.recorded, doubt.expected))
        return f"recorded {recorded}, the IDM expects {expected}; {doubt.sure:.2f}"
    key = label(doubt.code)
    said = f"recorded {key}, the IDM expects it up" if doubt.recorded else f"the IDM expects {key}, recorded up"
    return f"{said}; {doubt.sure:.2f}"


def level_words(heat: Heat, tick: int) -> str:
    """How much it disagrees around a tick, and what that is measured on."""
    level = float(heat.lane.level[tick])
    if not heat.said.said[tick]:
        return "The IDM has said nothing about this."
    if level != level:
        return "What was done here is not known."
    usual = "of play it did not learn from" if heat.is_measured else "of this session; no held-out play was measured"
    return f"{level:.1f} around here; 1 is more than 99% {usual}"


def _motion(counts: float, axis: int) -> str:
    towards = _AXES[axis][counts < 0]
    if abs(counts) < _LEAST_COUNTS:
        return f"no motion {'across' if axis == 0 else 'up or down'}"
    return f"{abs(counts):.0f} {towards}"
