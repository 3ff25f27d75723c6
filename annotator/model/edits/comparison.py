"""Two readings of one session against each other: where they differ, and commands that settle it.

The document is one over `db.labelling.readings.ComparedLog`: the first reading is the session's own labels, the second one stands
in it as suggestions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from annotator.model.document import Content, Delta, Document, Span
from annotator.model.edits.commands import change
from annotator.model.edits.overlap import fit, rivals
from db.errors import BadArgument
from db.labelling.agreement import Agreement, iou, match, plain
from db.labelling.agreement import compare as agreement_of
from db.labelling.labels import Edit, LabelKind, Review
from db.labelling.readings import pair, source_of


class Choice(StrEnum):
    """What becomes of a place where two readings differ."""

    FIRST = "the first"
    SECOND = "the second"
    BOTH = "both"
    NEITHER = "neither"


@dataclass(frozen=True)
class Disagreement:
    """One thing that the two said differently; None where that reading has nothing there. Never are both None."""

    kind: LabelKind
    first: Span | None
    second: Span | None

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(span for span in (self.first, self.second) if span is not None)

    @property
    def start(self) -> int:
        return min(span.start for span in self.spans)

    @property
    def stop(self) -> int:
        return max(span.stop for span in self.spans)

    @property
    def key(self) -> str:
        """The same as long as the place is about the same spans."""
        return " ".join(span.entity_id for span in self.spans)

    @property
    def iou(self) -> float:
        """Shared part of both, in [0, 1]; 0 where one has nothing there."""
        if self.first is None or self.second is None:
            return 0.0
        return iou((self.first.start, self.first.stop), (self.second.start, self.second.stop))

    @property
    def boundary_errors(self) -> tuple[int, int]:
        """How many frames later the second one starts, and ends; (0, 0) where one has nothing there."""
        if self.first is None or self.second is None:
            return 0, 0
        return self.second.start - self.first.start, self.second.stop - self.first.stop

    @property
    def says_the_same(self) -> bool:
        """Whether the words are the same (case, width, spacing and punctuation aside)."""
        if self.first is None or self.second is None:
            return False
        return plain(self.first.value) == plain(self.second.value)

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to settle: the same words over the same frames."""
        return self.says_the_same and self.boundary_errors == (0, 0)


def only_first(log: Iterable[Edit]) -> frozenset[str]:
    """The edits of the first reading that the second had nothing for when both were done."""
    readings = pair(log)
    if readings is None:
        return frozenset()
    alone: set[str] = set()
    first, second = readings
    for kind, word in {(e.kind, e.value if e.kind is LabelKind.FLAG else None) for e in first.spans}:
        a, b = ([e for e in r.spans if e.kind is kind and word in (None, e.value)] for r in (first, second))
        pairs = match([(e.start or 0, e.stop or 0) for e in a], [(e.start or 0, e.stop or 0) for e in b])
        alone |= {a[i].id for i in set(range(len(a))) - {i for i, _ in pairs}}
    return frozenset(alone)


@dataclass(frozen=True)
class Begun:
    """What is known of two readings before anything of them is settled."""

    only_first: frozenset[str]
    agreement: Agreement | None
    """None where not both are done."""


def begin(log: Sequence[Edit], frames: int) -> Begun:
    """Reads both readings of a session's log."""
    readings = pair(log)
    agreed = agreement_of(readings[0].spans, readings[1].spans, frames) if readings else None
    return Begun(only_first(log), agreed)


def compare(document: Document, person: str, only: frozenset[str] = frozenset()) -> list[Disagreement]:
    """What is still to settle: what is left of the second reading, each with what the first one has there, in order.

    only: `only_first`; of these, what nobody has touched since is listed too.
    """
    found: list[Disagreement] = []
    for kind, word in _tracks(document, person):
        first = [s for s in document.spans(kind, suggested=False) if word in (None, s.value)]
        second = [s for s in _second(document, person, kind) if word in (None, s.value)]
        pairs = match([(s.start, s.stop) for s in first], [(s.start, s.stop) for s in second])
        partner = {j: i for i, j in pairs}
        found += [
            Disagreement(kind, first[partner[j]] if j in partner else None, span) for j, span in enumerate(second)
        ]
        alone = [span for i, span in enumerate(first) if i not in partner.values()]
        found += [Disagreement(kind, span, None) for span in alone if _version(document, span) in only]
    return sorted(found, key=lambda one: (one.start, one.stop, one.key))


@dataclass(frozen=True)
class Settle:
    """One place settled: what is taken is the session's, what is not goes.

    Both: the second one is trimmed at what is there, as any suggestion that is confirmed.
    """

    place: Disagreement
    choice: Choice
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"take {self.choice.value}"

    def plan(self, document: Document) -> list[Delta]:
        first = document.span(self.place.first.entity_id) if self.place.first else None
        second = document.span(self.place.second.entity_id) if self.place.second else None
        goes = {Choice.FIRST: [second], Choice.SECOND: [first], Choice.BOTH: [], Choice.NEITHER: [first, second]}
        gone = [delta for span in goes[self.choice] if span for delta in change(document, span, deleted=True)]
        if second is None and first is not None and not gone:  # it stands, and that is noted
            content = document.content(first.entity_id)
            return [Delta(first.entity_id, content, content)] if content else []
        if second is None or second in goes[self.choice]:
            return gone
        but = first.entity_id if first in goes[self.choice] and first else ""
        taken = rivals(document, second.kind, second.value, but)
        try:
            start, stop = fit(second.start, second.stop, taken, document.frame_count)
        except BadArgument:
            raise BadArgument("There is no free frame for the second one beside the first; take one of them.") from None
        return gone + change(document, second, start=start, stop=stop, suggested=False)


@dataclass(frozen=True)
class SettleAgreed:
    """Everything that both readings say alike: the first one stands."""

    person: str
    places: Sequence[Disagreement] | None = None
    """What `compare` says of the document as it is now, where somebody has asked already."""
    merge_key: str = ""
    name: str = "settle what agrees"

    def plan(self, document: Document) -> list[Delta]:
        places = compare(document, self.person) if self.places is None else self.places
        alike = [one.second for one in places if one.second and one.agrees]
        return [delta for span in alike for delta in change(document, span, deleted=True)]


@dataclass(frozen=True)
class EndComparison:
    """Notes that the second reading has been compared. Raises BadArgument while something of it is open."""

    person: str
    merge_key: str = ""
    name: str = "end the comparison"

    def plan(self, document: Document) -> list[Delta]:
        if rest := sum(one.second is not None for one in compare(document, self.person)):
            raise BadArgument(f"{rest} place{'s' * (rest != 1)} of the second reading still to settle.")
        said = [
            (entity_id, replace(content, deleted=False))  # this document does not show it
            for entity_id, content in document.contents(LabelKind.REVIEW).items()
            if content.source == source_of(self.person)
        ]
        done = Content(LabelKind.REVIEW, Review.ACCEPTED.value, source=source_of(self.person), suggested=True)
        return [Delta(entity_id, content, done) for entity_id, content in said if content.value != done.value]


def _version(document: Document, span: Span) -> str:
    head = document.head(span.entity_id)
    return head.id if head else ""


def _second(document: Document, person: str, kind: LabelKind) -> list[Span]:
    return [span for span in document.spans(kind, suggested=True) if span.source == source_of(person)]


def _tracks(document: Document, person: str) -> list[tuple[LabelKind, str | None]]:
    """What is compared with what: flags word by word, everything else as a whole."""
    both = (*_second(document, person, LabelKind.FLAG), *document.spans(LabelKind.FLAG, suggested=False))
    words = sorted({span.value for span in both})
    return [(LabelKind.INSTRUCTION, None), *((LabelKind.FLAG, word) for word in words), (LabelKind.TRIM, None)]
