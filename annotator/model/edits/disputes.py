"""Labels that two people changed apart from each other: what both said, and how it is settled.

There are two ways to such a dispute. Somebody was quicker, so a change could not be committed (`Collision`): theirs is in
force, mine only in memory. Or annotations that were made elsewhere came in: both versions are in the log and compete, and
the newer is in force until somebody settles it. Nothing is ever overwritten: what loses stays in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from annotator.model.document import Content, Delta, Document
from annotator.model.edits.overlap import fit, rival_spans
from db.errors import BadArgument, BadFile
from db.labelling.labels import Edit, LabelKind, new_id


class Choice(StrEnum):
    THEIRS = "theirs"
    MINE = "mine"
    BOTH = "both"


@dataclass(frozen=True)
class Dispute:
    """One label and its two versions. `mine` is what this person said, or the older one where neither is theirs."""

    entity_id: str
    mine: Content
    mine_by: str
    theirs: Content | None
    """None where the label is not there at all any more."""
    theirs_by: str
    mine_id: str = ""
    """The version in the log; "" where it never came there, because somebody else was quicker."""
    theirs_id: str = ""
    wanted: tuple[Delta, ...] = ()
    """All that my change wanted, of which this is one part; empty where both versions are in the log."""

    @property
    def is_merged(self) -> bool:
        """Whether both versions are in the log."""
        return bool(self.mine_id)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can be done about it. Both can be kept of spans and of notes."""
        kind = self.mine.kind
        one_change = len(self.wanted) <= 1
        both_say_something = not self.mine.deleted and self.theirs is not None and not self.theirs.deleted
        can_keep_both = one_change and both_say_something and (kind.is_span or kind is LabelKind.NOTE)
        return (Choice.THEIRS, Choice.MINE, *([Choice.BOTH] if can_keep_both else []))


def collided(document: Document, deltas: Sequence[Delta]) -> Dispute:
    """The dispute about a change that was refused, after the document has taken in what the others did."""
    own = document.author
    foreign = [d for d in deltas if (head := document.head(d.entity_id)) is not None and head.author != own]
    delta = (foreign or list(deltas))[0]
    head = document.head(delta.entity_id)
    theirs = Content.of(head) if head is not None else None
    author, version = (head.author, head.id) if head is not None else ("", "")
    return Dispute(delta.entity_id, delta.after, own, theirs, author, theirs_id=version, wanted=tuple(deltas))


_DELTAS = TypeAdapter(tuple[Delta, ...])


def kept(dispute: Dispute) -> str:
    """All that a change wanted which could not be committed, as text to keep; `brought_back` reads it."""
    return _DELTAS.dump_json(dispute.wanted).decode()


def brought_back(document: Document, text: str) -> Dispute | None:
    """The dispute of a change that was kept; None where everything is as it wanted it. Raises BadFile."""
    try:
        deltas = _DELTAS.validate_json(text)
    except ValidationError:
        raise BadFile("A change that was left for later cannot be read any more.") from None
    if all(document.content(delta.entity_id) == delta.after for delta in deltas):
        return None
    return collided(document, deltas)


def disputes(document: Document) -> list[Dispute]:
    """The disputes in the log, those about the earliest frames first; of more than two versions, the newest two."""
    found = [_merged(document, tips) for tips in document.disputed.values()]
    return sorted(found, key=lambda dispute: (dispute.mine.start or 0, dispute.entity_id))


@dataclass(frozen=True)
class Settle:
    """One dispute settled: theirs, mine, or both.

    Where both versions are in the log the new one supersedes both. Raises BadArgument where what is chosen has no room
    any more.
    """

    dispute: Dispute
    choice: Choice
    fresh_id: str = field(default_factory=new_id)
    merge_key: str = ""
    name: str = "settle the conflict"

    def plan(self, document: Document) -> list[Delta]:
        if self.choice not in self.dispute.choices:
            raise BadArgument("Both cannot be kept of this; choose one of them.")
        return self._plan_merged(document) if self.dispute.is_merged else self._plan_collided(document)

    def _plan_collided(self, document: Document) -> list[Delta]:
        """Mine was never in the log, so nothing is to be done where theirs is kept."""
        if self.choice is Choice.THEIRS:
            return []
        if self.choice is Choice.BOTH:
            return self._beside(document, self.dispute.mine)
        moved = frozenset(delta.entity_id for delta in self.dispute.wanted)
        return [
            Delta(delta.entity_id, document.content(delta.entity_id), _fitted(document, moved, delta.after))
            for delta in self.dispute.wanted
            if document.content(delta.entity_id) != delta.after
        ]

    def _plan_merged(self, document: Document) -> list[Delta]:
        entity_id = self.dispute.entity_id
        tips = {edit.id for edit in document.disputed.get(entity_id, ())}
        head = document.head(entity_id)
        if head is None or not {self.dispute.mine_id, self.dispute.theirs_id} <= tips:
            raise BadArgument("This conflict has been settled meanwhile.")
        others = tuple(sorted({self.dispute.mine_id, self.dispute.theirs_id} - {head.id}))
        theirs = self.dispute.theirs
        assert theirs is not None
        chosen = self.dispute.mine if self.choice is Choice.MINE else theirs
        beside: list[Delta] = []
        if self.choice is Choice.BOTH:
            if chosen.kind is LabelKind.NOTE:
                chosen = _joined(theirs, self.dispute.mine)
            else:
                beside = self._beside(document, self.dispute.mine, theirs)
        settled = _fitted(document, frozenset({entity_id}), chosen)
        return [Delta(entity_id, Content.of(head), settled, others), *beside]

    def _beside(self, document: Document, mine: Content, theirs: Content | None = None) -> list[Delta]:
        """Mine as a label of its own, in what is left free; theirs: where the other one will stand by then."""
        if mine.kind is LabelKind.NOTE:
            now = document.content(self.dispute.entity_id)
            return [Delta(self.dispute.entity_id, now, _joined(now, mine) if now else mine)]
        taken = [] if theirs is None or theirs.start is None or theirs.stop is None else [(theirs.start, theirs.stop)]
        if mine.kind is LabelKind.COMMENT or (mine.kind is LabelKind.FLAG and theirs and theirs.value != mine.value):
            taken = []
        but = frozenset({self.dispute.entity_id}) if theirs is not None else frozenset[str]()
        return [Delta(self.fresh_id, None, _fitted(document, but, mine, taken))]


def _merged(document: Document, tips: list[Edit]) -> Dispute:
    first, second = tips[-2:]
    if first.author != document.author and second.author == document.author:
        first, second = second, first
    mine, theirs = Content.of(first), Content.of(second)
    return Dispute(first.entity_id, mine, first.author, theirs, second.author, first.id, second.id)


def _fitted(
    document: Document, but: frozenset[str], content: Content, taken: Sequence[tuple[int, int]] = ()
) -> Content:
    """The content where its neighbours leave it room; a correction of actions only whole, since it is true of its frames."""
    if content.start is None or content.stop is None or content.deleted or content.suggested:
        return content
    neighbours = rival_spans(document, content.kind, content.value)
    others = [*((span.start, span.stop) for span in neighbours if span.entity_id not in but), *taken]
    start, stop = fit(content.start, content.stop, others, document.frame_count)
    if content.kind is LabelKind.ACTION and (start, stop) != (content.start, content.stop):
        raise BadArgument("Another correction of this key is on these frames; keep one of them.")
    return replace(content, start=start, stop=stop)


def _joined(first: Content, second: Content) -> Content:
    texts = [content.value for content in (first, second) if content.value and not content.deleted]
    return replace(first, value="\n\n".join(dict.fromkeys(texts)), deleted=not texts)
