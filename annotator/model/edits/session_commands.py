"""Commands on the whole session and on what people say about it: comments, the one it is assigned to, tags."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from annotator.model.document import Content, Delta, Document, assignee_id, tag_id
from annotator.model.edits.commands import clean
from annotator.model.edits.overlap import fit
from db.errors import BadArgument
from db.labelling.labels import LabelKind, new_id

_LONGEST_WORD = 100


@dataclass(frozen=True)
class AddComment:
    """A comment on the frames [start, stop); comments may overlap anything."""

    start: int
    stop: int
    text: str
    entity_id: str = field(default_factory=new_id)
    merge_key: str = ""
    name: str = "add the comment"

    @classmethod
    def on(cls, document: Document, entity_id: str, text: str) -> AddComment:
        """On the frames of a span. Raises NotFound."""
        span = document.span(entity_id)
        return cls(span.start, span.stop, text)

    def plan(self, document: Document) -> list[Delta]:
        text = clean(self.text)
        if not text:
            raise BadArgument("A comment needs words.")
        start, stop = fit(self.start, self.stop, [], document.frame_count)
        return [Delta(self.entity_id, None, Content(LabelKind.COMMENT, text, start, stop))]


@dataclass(frozen=True)
class Assign:
    """The session is for this person to label or review; "" takes it from everybody."""

    person: str
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"assign it to {self.person.strip()}" if self.person.strip() else "assign it to nobody"

    def plan(self, document: Document) -> list[Delta]:
        person = self.person.strip()[:_LONGEST_WORD]
        return _word(document, assignee_id(document.session_id), LabelKind.ASSIGNEE, person, deleted=not person)


@dataclass(frozen=True)
class AddTag:
    word: str
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"tag it {clean(self.word)}"

    def plan(self, document: Document) -> list[Delta]:
        word = clean(self.word)[:_LONGEST_WORD]
        if not word:
            raise BadArgument("A tag needs a word.")
        if word in document.tags:
            return []
        return _word(document, tag_id(document.session_id, word), LabelKind.TAG, word)


@dataclass(frozen=True)
class RemoveTag:
    word: str
    merge_key: str = ""

    @property
    def name(self) -> str:
        return f"remove the tag {clean(self.word)}"

    def plan(self, document: Document) -> list[Delta]:
        """Every entity of that word, whoever made it."""
        tags = document.contents(LabelKind.TAG).items()
        said = [(entity, tag) for entity, tag in tags if tag.value == clean(self.word) and not tag.deleted]
        return [Delta(entity, tag, replace(tag, deleted=True, source="person")) for entity, tag in said]


def _word(document: Document, entity_id: str, kind: LabelKind, word: str, *, deleted: bool = False) -> list[Delta]:
    before = document.content(entity_id)
    after = Content(kind, word, deleted=deleted)
    if before == after or (deleted and (before is None or before.deleted)):
        return []
    return [Delta(entity_id, before, after)]
