"""Everything that can be done to a document. A command plans deltas; `History` commits them as one transaction.

Overlap is settled by `annotator.model.edits.overlap`. A command that changes nothing plans nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from annotator.model.document import Content, Delta, Document, Span, note_id
from annotator.model.edits.overlap import fit, rivals, slide
from db.errors import BadArgument
from db.labelling.labels import LabelKind, Review, check_transition, new_id

TEXT_LIMIT = 20_000


class Command(Protocol):
    """One thing that a person does."""

    @property
    def name(self) -> str:
        """What the undo menu says, such as "move the span"."""

    @property
    def merge_key(self) -> str:
        """Successive commands with one key (not "") become one step of undo, such as a run of nudges."""

    def plan(self, document: Document) -> list[Delta]:
        """Raises BadArgument or NotFound, with a sentence for the person, where it cannot be done."""


@dataclass(frozen=True)
class CreateSpan:
    """A new span over the free part of `[start, stop)` around `anchor` (by default the first free part)."""

    kind: LabelKind
    start: int
    stop: int
    value: str = ""
    anchor: int | None = None
    entity_id: str = field(default_factory=new_id)
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"add the {_noun(self.kind)}"

    def plan(self, document: Document) -> list[Delta]:
        value = clean(self.value)
        if self.kind is LabelKind.FLAG and not value:
            raise BadArgument("A flag needs a word.")
        taken = rivals(document, self.kind, value)
        start, stop = fit(self.start, self.stop, taken, document.frame_count, self.anchor)
        return [Delta(self.entity_id, None, Content(self.kind, value, start, stop))]


@dataclass(frozen=True)
class MoveSpan:
    """The span with its length kept, starting at `start` or as near as its neighbours let it."""

    entity_id: str
    start: int
    merge_key: str = ""
    name: str = "move the span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        taken = [] if span.suggested else rivals(document, span.kind, span.value, span.entity_id)
        start, stop = slide((span.start, span.stop), self.start, taken, document.frame_count)
        return change(document, span, start=start, stop=stop)


@dataclass(frozen=True)
class ResizeSpan:
    """The span over `[start, stop)`, at least one frame long and trimmed at its neighbours."""

    entity_id: str
    start: int
    stop: int
    merge_key: str = ""
    name: str = "resize the span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        start, stop = _at_least_one(span, self.start, self.stop, document.frame_count)
        if not span.suggested:
            taken = rivals(document, span.kind, span.value, span.entity_id)
            kept = min(max(span.start, start), stop - 1)
            start, stop = fit(start, stop, taken, document.frame_count, anchor=kept)
        return change(document, span, start=start, stop=stop)


@dataclass(frozen=True)
class EditValue:
    """Another text for an instruction, or another word for a flag (trimmed at flags that have that word already)."""

    entity_id: str
    value: str
    merge_key: str = ""

    name: str = "edit the text"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        value = clean(self.value)
        if value == span.value:
            return []
        start, stop = span.start, span.stop
        if span.kind is LabelKind.FLAG:
            if not value:
                raise BadArgument("A flag needs a word.")
            taken = rivals(document, span.kind, value, span.entity_id)
            start, stop = fit(start, stop, taken, document.frame_count)
        return change(document, span, value=value, start=start, stop=stop)


@dataclass(frozen=True)
class DeleteSpan:
    entity_id: str
    merge_key: str = ""
    name: str = "delete the span"

    def plan(self, document: Document) -> list[Delta]:
        return change(document, document.span(self.entity_id), deleted=True)


@dataclass(frozen=True)
class SplitSpan:
    """Two spans with one text, the second starting at frame `at`."""

    entity_id: str
    at: int
    fresh_id: str = field(default_factory=new_id)
    merge_key: str = ""
    name: str = "split the span"

    def plan(self, document: Document) -> list[Delta]:
        span = label_span(document, self.entity_id)
        if not span.start < self.at < span.stop:
            raise BadArgument("Put the playhead inside the span to split it there.")
        right = Content(span.kind, span.value, self.at, span.stop, span.source, span.suggested)
        return [*change(document, span, stop=self.at), Delta(self.fresh_id, None, right)]


@dataclass(frozen=True)
class ConfirmSpan:
    """A suggestion becomes a person's span, trimmed at the spans that are there."""

    entity_id: str
    merge_key: str = ""
    name: str = "confirm the suggestion"

    def plan(self, document: Document) -> list[Delta]:
        span = document.span(self.entity_id)
        if not span.suggested:
            return []
        taken = rivals(document, span.kind, span.value, span.entity_id)
        start, stop = fit(span.start, span.stop, taken, document.frame_count)
        return change(document, span, start=start, stop=stop, suggested=False)


@dataclass(frozen=True)
class WriteNote:
    """The note on a span, or on the session (its id)."""

    target_id: str
    text: str
    merge_key: str = ""
    name: str = "write the note"

    def plan(self, document: Document) -> list[Delta]:
        entity_id, text = note_id(self.target_id), stored_note(self.text)
        before = document.content(entity_id)
        after = Content(LabelKind.NOTE, text, deleted=not text)
        if before == after or (before is None and not text):
            return []
        return [Delta(entity_id, before, after)]


@dataclass(frozen=True)
class ChangeReview:
    """The session's review state, along the transitions that `db.labelling.labels` allows.

    no_self_accept: as `db.settings.LibrarySettings` says; who made or changed spans in force here may not accept then.
    """

    review: Review
    merge_key: str = ""
    no_self_accept: bool = False

    @property
    def name(self) -> str:
        return f"mark it {self.review.value}"

    def plan(self, document: Document) -> list[Delta]:
        check_transition(document.review, self.review)
        if document.review is self.review:
            return []
        if self.review is Review.ACCEPTED and self.no_self_accept and _has_labelled(document):
            raise BadArgument(
                "In this library nobody accepts what they labelled themselves; ask somebody else to review."
            )
        head = document.review_head
        before = Content.of(head) if head else None
        return [Delta(head.entity_id if head else new_id(), before, Content(LabelKind.REVIEW, self.review.value))]


def label_span(document: Document, entity_id: str) -> Span:
    """The span, where it is no correction of actions: what that says is true of its own frames alone."""
    span = document.span(entity_id)
    if span.kind is LabelKind.ACTION:
        raise BadArgument("Actions are corrected in the lane of their key; a correction can only be deleted here.")
    return span


def clean(text: str) -> str:
    """A label's text as it is stored: one line, single spaces, no longer than the limit."""
    return " ".join(text.split())[:TEXT_LIMIT]


def stored_note(text: str) -> str:
    """A note's text as it is stored: its lines stay."""
    return text.strip()[:TEXT_LIMIT]


def change(document: Document, span: Span, **fields: object) -> list[Delta]:
    """The span with these fields of its `Content` changed, by a person; nothing where they are so already."""
    before = document.content(span.entity_id)
    assert before is not None
    after = replace(before, **fields)  # type: ignore[arg-type]
    if after == before:
        return []
    return [Delta(span.entity_id, before, replace(after, source="person"))]


def _has_labelled(document: Document) -> bool:
    """Whether the person at work made any version of a span in force; a comment is no label, nor is a suggestion."""
    spans = (span for span in document.spans(suggested=False) if span.kind is not LabelKind.COMMENT)
    return any(document.author in document.authors(span.entity_id) for span in spans)


def _at_least_one(span: Span, start: int, stop: int, frame_count: int) -> tuple[int, int]:
    """Clamped to the session; where the edges cross, the one that moved stops a frame short of the other."""
    start, stop = min(max(start, 0), frame_count - 1), min(max(stop, 1), frame_count)
    if start < stop:
        return start, stop
    return (stop - 1, stop) if stop == span.stop else (start, start + 1)


def _noun(kind: LabelKind) -> str:
    return kind.value
