"""Corrections of the mouse: its motion scaled or cleared over frames, and scrolling cleared.

Two of them never overlap: what is said last holds, and what was said before gives way on those frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from annotator.model.document import Content, Delta, Document, Span
from annotator.model.edits.subjects import MOTION, SCROLL, subject_of
from db.errors import BadArgument
from db.labelling.labels import LabelKind, new_id
from db.recording.corrections import Correction, MotionCorrection, ScrollCorrection


@dataclass(frozen=True)
class ScaleMotion:
    """The recorded motion of the frames [start, stop) times `right` and `down`; 0 clears it, 1 gives it back."""

    start: int
    stop: int
    right: float = 0.0
    down: float = 0.0
    merge_key: str = ""

    @property
    def name(self) -> str:
        if (self.right, self.down) == (0, 0):
            return "clear the mouse motion"
        return "give back the mouse motion" if (self.right, self.down) == (1, 1) else "scale the mouse motion"

    def plan(self, document: Document) -> list[Delta]:
        try:
            said = MotionCorrection(scale=(self.right, self.down))
        except ValidationError:
            raise BadArgument("Mouse motion can be scaled by -100 to 100.") from None
        return _say(document, MOTION, None if said.scale == (1, 1) else said, self.start, self.stop)


@dataclass(frozen=True)
class ClearScroll:
    """No scrolling in the frames [start, stop)."""

    start: int
    stop: int
    merge_key: str = ""
    name: str = "clear the scrolling"

    def plan(self, document: Document) -> list[Delta]:
        return _say(document, SCROLL, ScrollCorrection(), self.start, self.stop)


@dataclass(frozen=True)
class RestoreScroll:
    """Scrolling in the frames [start, stop) as it was recorded."""

    start: int
    stop: int
    merge_key: str = ""
    name: str = "give back the scrolling"

    def plan(self, document: Document) -> list[Delta]:
        return _say(document, SCROLL, None, self.start, self.stop)


def _say(document: Document, subject: str, said: Correction | None, start: int, stop: int) -> list[Delta]:
    """`said` of these frames, None for what was recorded; neighbours that say the same become one with it."""
    start, stop = max(start, 0), min(stop, document.frame_count)
    if stop <= start:
        raise BadArgument("Set marks with I and O around the frames to correct first.")
    value = said.model_dump_json() if said else ""
    deltas: list[Delta] = []
    kept: Span | None = None
    for span in _corrections(document, subject):
        if said and span.value == value and span.start <= stop and start <= span.stop:
            start, stop = min(start, span.start), max(stop, span.stop)
            if kept is not None:
                deltas.append(_changed(document, span, deleted=True))
            kept = kept or span
        elif span.start < stop and start < span.stop:
            deltas += _cut(document, span, start, stop)
    if not said:
        return deltas
    if kept is None:
        return [Delta(new_id(), None, Content(LabelKind.ACTION, value, start, stop)), *deltas]
    return (
        [_changed(document, kept, start=start, stop=stop), *deltas]
        if (kept.start, kept.stop) != (start, stop)
        else deltas
    )


def _corrections(document: Document, subject: str) -> list[Span]:
    return [s for s in document.spans(LabelKind.ACTION, suggested=False) if subject_of(s.value) == subject]


def _cut(document: Document, span: Span, start: int, stop: int) -> list[Delta]:
    """What remains of a span without [start, stop)."""
    parts = [part for part in ((span.start, start), (stop, span.stop)) if part[0] < part[1]]
    if not parts:
        return [_changed(document, span, deleted=True)]
    first = _changed(document, span, start=parts[0][0], stop=parts[0][1])
    return [first, *(Delta(new_id(), None, Content(span.kind, span.value, a, b)) for a, b in parts[1:])]


def _changed(
    document: Document, span: Span, start: int | None = None, stop: int | None = None, *, deleted: bool = False
) -> Delta:
    before = document.content(span.entity_id)
    assert before is not None
    start, stop = span.start if start is None else start, span.stop if stop is None else stop
    return Delta(span.entity_id, before, Content(span.kind, span.value, start, stop, deleted=deleted))
