"""Commands on suggestions: put them down, confirm or reject one or all. What was rejected never comes back."""

from __future__ import annotations

import uuid
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator.model.document import Content, Delta, Document, Span
from annotator.model.edits.commands import change
from annotator.model.edits.overlap import Stretch, fit, rivals
from annotator.model.edits.subjects import subject_of
from annotator.model.proposals import SOURCE, Proposal
from db.errors import BadArgument
from db.labelling.agreement import iou
from db.labelling.labels import LabelKind
from db.labelling.readings import PREFIX

_SAME = 0.5
"""Two stretches that share so much of their union are about the same thing."""


@dataclass(frozen=True)
class Suggest:
    """These proposals as suggestions: those that are new, that nobody has rejected, and that no span says already."""

    proposals: Sequence[Proposal]
    source: str = SOURCE
    merge_key: str = ""
    name: str = "suggest spans"

    def plan(self, document: Document) -> list[Delta]:
        known = _Known(document)
        deltas = []
        for proposal in self.proposals:
            start, stop = max(proposal.start, 0), min(proposal.stop, document.frame_count)
            if start >= stop or known.has(proposal.kind, proposal.value, (start, stop)):
                continue
            content = Content(proposal.kind, proposal.value, start, stop, self.source, suggested=True)
            entity_id = _entity_id(document.session_id, content)
            deltas.append(Delta(entity_id, document.content(entity_id), content))
            known.add(content)
        return deltas


@dataclass(frozen=True)
class RejectSpan:
    """A suggestion is wrong: it goes, and is not suggested again."""

    entity_id: str
    merge_key: str = ""
    name: str = "reject the suggestion"

    def plan(self, document: Document) -> list[Delta]:
        span = document.span(self.entity_id)
        if not span.suggested:
            raise BadArgument("Only a suggestion can be rejected; delete the span instead.")
        return change(document, span, deleted=True)


@dataclass(frozen=True)
class RejectAll:
    """Every suggestion, of one source or of all ("")."""

    source: str = ""
    merge_key: str = ""
    name: str = "reject all suggestions"

    def plan(self, document: Document) -> list[Delta]:
        return [delta for span in suggestions(document, self.source) for delta in change(document, span, deleted=True)]


@dataclass(frozen=True)
class ConfirmAll:
    """Every suggestion, of one source or of all (""), each trimmed at the spans that are there.

    One that no free frame is left for stays a suggestion.
    """

    source: str = ""
    merge_key: str = ""
    name: str = "confirm all suggestions"

    def plan(self, document: Document) -> list[Delta]:
        deltas: list[Delta] = []
        tracks: dict[tuple[LabelKind, str], _Taken] = {}
        for span in suggestions(document, self.source):
            track = _track(span)
            if track not in tracks:
                tracks[track] = _Taken(rivals(document, span.kind, span.value))
            try:
                taken = tracks[track].over(span.start, span.stop)
                start, stop = fit(span.start, span.stop, taken, document.frame_count)
            except BadArgument:
                continue
            if span.kind is not LabelKind.COMMENT:
                tracks[track].add((start, stop))
            deltas += change(document, span, start=start, stop=stop, suggested=False)
        return deltas


def suggestions(document: Document, source: str = "") -> list[Span]:
    """The suggestions in force, of one source or of all (""), ordered as `Document.spans`.

    A second person's reading is none: it is compared place by place.
    """
    waiting = document.spans(suggested=True)
    return [s for s in waiting if source in ("", s.source) and not s.source.startswith(PREFIX)]


def _track(span: Span) -> tuple[LabelKind, str]:
    """What spans share that must not overlap one another."""
    if span.kind is LabelKind.ACTION:
        return span.kind, subject_of(span.value)
    return span.kind, span.value if span.kind is LabelKind.FLAG else ""


class _Taken:
    """The stretches of one track; quick to ask and to add to, since a model suggests spans by the thousand."""

    def __init__(self, stretches: list[Stretch]) -> None:
        self._there = np.array(stretches, np.int64).reshape(-1, 2)
        self._added: list[Stretch] = []  # ascending and disjoint

    def over(self, start: int, stop: int) -> list[Stretch]:
        """Those that share a frame with [start, stop)."""
        found = self._there[(self._there[:, 0] < stop) & (self._there[:, 1] > start)]
        first = max(bisect_left(self._added, (start, start)) - 1, 0)
        last = bisect_left(self._added, (stop, stop))
        return [*((a, b) for a, b in found.tolist()), *(s for s in self._added[first:last] if s[1] > start)]

    def add(self, stretch: Stretch) -> None:
        insort(self._added, stretch)


class _Known:
    """What need not be suggested: what stands there, suggested or not, and what was suggested and a person did away with."""

    def __init__(self, document: Document) -> None:
        self._stretches: dict[tuple[LabelKind, str], list[Stretch]] = {}
        for kind in LabelKind:
            for entity_id, content in document.contents(kind).items() if kind.is_span else ():
                # A suggestion that was taken back by undo, and not rejected, still bears its own source.
                rejected = content.source == "person" and document.was_suggested(entity_id)
                if rejected or not content.deleted:
                    self.add(content)

    def has(self, kind: LabelKind, value: str, stretch: Stretch) -> bool:
        return any(_is_same(stretch, other) for other in self._stretches.get((kind, value), ()))

    def add(self, content: Content) -> None:
        if content.start is not None and content.stop is not None:
            self._stretches.setdefault((content.kind, content.value), []).append((content.start, content.stop))


def _is_same(stretch: Stretch, other: Stretch) -> bool:
    """Whether they share most of their frames, or the other one says it of all these frames already."""
    return iou(stretch, other) >= _SAME or (other[0] <= stretch[0] and stretch[1] <= other[1])


def _entity_id(session_id: str, content: Content) -> str:
    """The same suggestion made on two machines is one."""
    said = f"{content.source} {content.kind} {content.start} {content.stop} {content.value}"
    return str(uuid.uuid5(uuid.UUID(session_id), said))
