"""Where to go next: frames, key presses and spans. Pure functions; frames are always clamped to the session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.model.document import Span
from db.clock import FrameClock, Int64


def clamp(frame: int, frame_count: int) -> int:
    """The nearest frame that exists."""
    return min(max(frame, 0), frame_count - 1)


def second_away(clock: FrameClock, frame: int, seconds: float) -> int:
    """The frame shown `seconds` later (earlier where negative) by the frames' true times; always another one if any."""
    frame = clamp(frame, len(clock))
    found = clock.index_at(int(clock.t_ns[frame]) + round(seconds * 1e9))
    if found == frame and seconds:
        found = frame + (1 if seconds > 0 else -1)
    return clamp(found, len(clock))


def next_stop(stops: Int64, frame: int) -> int | None:
    """The first of the ascending frames `stops` after `frame`."""
    at = int(np.searchsorted(stops, frame, side="right"))
    return int(stops[at]) if at < len(stops) else None


def previous_stop(stops: Int64, frame: int) -> int | None:
    """The last of the ascending frames `stops` before `frame`."""
    at = int(np.searchsorted(stops, frame, side="left")) - 1
    return int(stops[at]) if at >= 0 else None


def next_span(spans: Sequence[Span], frame: int, selected: str = "") -> Span | None:
    """The span after the selected one in the order of `Document.spans`; with none selected, the first at or after `frame`."""
    for i, span in enumerate(spans):
        if span.entity_id == selected:
            return spans[i + 1] if i + 1 < len(spans) else None
    return next((span for span in spans if span.stop > frame), None)


def previous_span(spans: Sequence[Span], frame: int, selected: str = "") -> Span | None:
    """The span before the selected one; with none selected, the last that started at or before `frame`."""
    for i, span in enumerate(spans):
        if span.entity_id == selected:
            return spans[i - 1] if i else None
    return next((span for span in reversed(spans) if span.start <= frame), None)
