"""Commands on the edges and the neighbours of spans: set, snap, stretch two together, merge, and the previous one's text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from annotator.model.document import Content, Delta, Document, Span, note_id
from annotator.model.edits.commands import TEXT_LIMIT, ResizeSpan, change, label_span
from db.clock import Int64
from db.errors import BadArgument
from db.labelling.labels import LabelKind

Edge = Literal["start", "stop"]


@dataclass(frozen=True)
class SetEdge:
    """The span starts at the playhead's frame, or stops after it; the other edge stays, and neighbours are kept."""

    entity_id: str
    edge: Edge
    frame: int
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"set the {self.edge} of the span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        if self.edge == "start" and self.frame >= span.stop:
            raise BadArgument("The playhead is after the span; a span cannot start there.")
        if self.edge == "stop" and self.frame < span.start:
            raise BadArgument("The playhead is before the span; a span cannot stop there.")
        return _resized(document, span, self.edge, self.frame + (self.edge == "stop"))


@dataclass(frozen=True)
class SnapEdge:
    """An edge moved to the nearest of `edges` (`Inputs.snap_edges`) or of the edges of its kind's other spans.

    within: no farther than so many frames; None for any distance. Of two equally near the earlier one is taken.
    """

    entity_id: str
    edge: Edge
    edges: Int64
    within: int | None = None
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"snap the {self.edge} of the span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        others = [edge for s in document.spans(span.kind) if s != span for edge in (s.start, s.stop)]
        low, high = (0, span.stop - 1) if self.edge == "start" else (span.start + 1, document.frame_count)
        found = nearest(np.union1d(self.edges, np.array(others, np.int64)), _at(span, self.edge), low, high)
        if found is None or (self.within is not None and abs(found - _at(span, self.edge)) > self.within):
            raise BadArgument("There is no key press, release or neighbouring span near this edge.")
        return _resized(document, span, self.edge, found)


@dataclass(frozen=True)
class StretchEdges:
    """The edge that the span shares with its neighbour moved to `at`, for both; each keeps a frame at least."""

    entity_id: str
    edge: Edge
    at: int
    merge_key: str = ""
    name: str = "move the edge between two spans"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        other = _adjacent(document, span, self.edge)
        if other is None:
            raise BadArgument(f"No span of its kind touches the {self.edge} of this one.")
        left, right = (other, span) if self.edge == "start" else (span, other)
        at = min(max(self.at, left.start + 1), right.stop - 1)
        return [*change(document, left, stop=at), *change(document, right, start=at)]


@dataclass(frozen=True)
class MergeNext:
    """The span and the next of its kind (a flag: of its word) as one, over both and the frames between them.

    Two different texts stand one after the other, and so do the notes.
    """

    entity_id: str
    merge_key: str = ""
    name: str = "merge with the next span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        other = _next(document, span)
        if other is None:
            raise BadArgument("There is no further span of this kind to merge with.")
        value = _both(span.value, other.value, "; ")
        note = _both(document.note(span.entity_id), document.note(other.entity_id), "\n")
        merged = change(document, span, value=value, stop=max(span.stop, other.stop))
        return [*merged, *change(document, other, deleted=True), *_notes(document, span, other, note)]


@dataclass(frozen=True)
class CopyText:
    """The text of the span before it of the same kind, however far away."""

    entity_id: str
    merge_key: str = ""
    name: str = "copy the text of the previous span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        if span.kind not in (LabelKind.INSTRUCTION, LabelKind.COMMENT):
            raise BadArgument("Only an instruction or a comment takes over the text of the one before it.")
        before = [s for s in document.spans(span.kind) if s < span and s.value]
        if not before:
            raise BadArgument("There is no text before this span to copy.")
        return change(document, span, value=before[-1].value)


def nearest(edges: Int64, at: int, low: int, high: int) -> int | None:
    """The element of the ascending `edges` within [low, high] that is nearest to `at`, the earlier one of two."""
    inside = edges[(edges >= low) & (edges <= high)]
    return int(inside[np.argmin(np.abs(inside - at))]) if len(inside) else None


def _resized(document: Document, span: Span, edge: Edge, at: int) -> list[Delta]:
    start, stop = (at, span.stop) if edge == "start" else (span.start, at)
    return ResizeSpan(span.entity_id, start, stop).plan(document)


def _at(span: Span, edge: Edge) -> int:
    return span.start if edge == "start" else span.stop


def _track(document: Document, span: Span) -> list[Span]:
    """The spans of its kind and word: confirmed ones for a confirmed one, suggested ones for a suggested one."""
    spans = document.spans(span.kind, suggested=span.suggested)
    return [
        s for s in spans if s.entity_id != span.entity_id and (span.kind is not LabelKind.FLAG or s.value == span.value)
    ]


def _adjacent(document: Document, span: Span, edge: Edge) -> Span | None:
    other: Edge = "stop" if edge == "start" else "start"
    return next((s for s in _track(document, span) if _at(s, other) == _at(span, edge)), None)


def _next(document: Document, span: Span) -> Span | None:
    return next((s for s in _track(document, span) if s > span), None)


def _both(first: str, second: str, between: str) -> str:
    if first == second or not second:
        return first
    return (first + between + second)[:TEXT_LIMIT] if first else second


def _notes(document: Document, kept: Span, gone: Span, note: str) -> list[Delta]:
    deltas = []
    for entity_id, text in ((note_id(kept.entity_id), note), (note_id(gone.entity_id), "")):
        before = document.content(entity_id)
        after = Content(LabelKind.NOTE, text, deleted=not text)
        if before != after and (before is not None or text):
            deltas.append(Delta(entity_id, before, after))
    return deltas
