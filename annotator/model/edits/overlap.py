"""Which spans may share frames, and what becomes of one that would not fit.

Instructions never overlap one another, nor do trims; flags of one word do not overlap, flags of different words may; so
it is with corrections of one key, of the motion, or of scrolling. Comments may overlap anything.
Suggestions bind nobody. Whoever comes second gives way: a span that is created, confirmed or resized over another is
trimmed to the neighbour's edge, and the neighbour stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from annotator.model.document import Document, Span
from annotator.model.edits.subjects import UNREADABLE, subject_of
from db.errors import BadArgument
from db.labelling.labels import LabelKind

Stretch = tuple[int, int]
"""Frames `[start, stop)`."""


def rivals(document: Document, kind: LabelKind, value: str, but: str = "") -> list[Stretch]:
    """The stretches that a span of this kind and value must not touch; `but` is the span itself."""
    return [(span.start, span.stop) for span in rival_spans(document, kind, value) if span.entity_id != but]


def rival_spans(document: Document, kind: LabelKind, value: str) -> list[Span]:
    """The spans that one of this kind and value must not share a frame with."""
    if kind is LabelKind.COMMENT or not kind.is_span:
        return []
    spans = document.spans(kind, suggested=False)
    if kind is LabelKind.ACTION:
        subject = subject_of(value)
        return [span for span in spans if subject != UNREADABLE and subject_of(span.value) == subject]
    return [span for span in spans if kind is not LabelKind.FLAG or span.value == value]


def free_around(frame: int, taken: Iterable[Stretch], frame_count: int) -> Stretch | None:
    """The widest free stretch that holds `frame`, or None where it is taken or not a frame."""
    if not 0 <= frame < frame_count:
        return None
    low, high = 0, frame_count
    for start, stop in taken:
        if start <= frame < stop:
            return None
        if stop <= frame:
            low = max(low, stop)
        else:
            high = min(high, start)
    return low, high


def fit(start: int, stop: int, taken: list[Stretch], frame_count: int, anchor: int | None = None) -> Stretch:
    """The part of `[start, stop)` that is free: around `anchor` where that is free, else the first free part.

    Raises BadArgument where nothing of it is free.
    """
    start, stop = max(0, start), min(stop, frame_count)
    tries = [] if anchor is None else [min(max(anchor, start), stop - 1)]
    tries += [start, *sorted(end for _, end in taken if start < end < stop)]
    for frame in tries:
        free = free_around(frame, taken, frame_count)
        if free and start <= frame < stop:
            return max(start, free[0]), min(stop, free[1])
    raise BadArgument("These frames are taken; move or shorten the span that is there first.")


def slide(span: Stretch, start: int, taken: list[Stretch], frame_count: int) -> Stretch:
    """The span moved to `start` with its length kept: there if all of it is free, else as far as its neighbours let it."""
    length = span[1] - span[0]
    start = min(max(start, 0), frame_count - length)
    if not any(begin < start + length and start < end for begin, end in taken):
        return start, start + length
    free = free_around(span[0], taken, frame_count)
    if free is None or free[1] - free[0] < length:
        return span
    start = min(max(start, free[0]), free[1] - length)
    return start, start + length
