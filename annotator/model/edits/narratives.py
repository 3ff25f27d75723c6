"""What a model tells of a whole session: kept as a suggestion until a person puts it into the note, or drops it.

It is an edit of kind NOTE of its own, suggested, with the model as its source, so that it never stands over what a person
wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from annotator.model.document import Content, Delta, Document, note_id
from annotator.model.edits.commands import stored_note
from annotator.model.edits.suggesting import Suggest
from annotator.model.proposals import Proposal
from db.errors import BadArgument
from db.labelling.labels import LabelKind

_LONGEST = 20_000


@dataclass(frozen=True)
class Narrative:
    """A suggested one."""

    entity_id: str
    text: str
    source: str


@dataclass(frozen=True)
class SuggestAll:
    """What a model says about a session, its proposals and its narrative, in one step."""

    proposals: Sequence[Proposal]
    narrative: str
    source: str
    merge_key: str = ""
    name: str = "suggest instructions"

    def plan(self, document: Document) -> list[Delta]:
        told = _plan_narrative(document, self.narrative, self.source)
        return [*Suggest(self.proposals, self.source).plan(document), *told]


@dataclass(frozen=True)
class TakeNarrative:
    """The narrative goes into the session's note, below what stands there."""

    entity_id: str
    merge_key: str = ""
    name: str = "put the narrative into the note"

    def plan(self, document: Document) -> list[Delta]:
        told = _wanted(document, self.entity_id)
        note = note_id(document.session_id)
        text = stored_note("\n\n".join(part for part in (document.note(document.session_id), told.value) if part))
        taken = Delta(note, document.content(note), Content(LabelKind.NOTE, text))
        return [taken, Delta(self.entity_id, told, replace(told, deleted=True, source="person"))]


@dataclass(frozen=True)
class DropNarrative:
    """The narrative is of no use, and the same one is not suggested again."""

    entity_id: str
    merge_key: str = ""
    name: str = "drop the narrative"

    def plan(self, document: Document) -> list[Delta]:
        told = _wanted(document, self.entity_id)
        return [Delta(self.entity_id, told, replace(told, deleted=True, source="person"))]


def narratives(document: Document) -> list[Narrative]:
    """Those that wait for a person, by source."""
    waiting = [
        Narrative(entity_id, content.value, content.source)
        for entity_id, content in document.contents(LabelKind.NOTE).items()
        if content.suggested and not content.deleted
    ]
    return sorted(waiting, key=lambda told: (told.source, told.entity_id))


def _plan_narrative(document: Document, text: str, source: str) -> list[Delta]:
    text = text.strip()[:_LONGEST]
    entity_id = str(uuid.uuid5(uuid.UUID(document.session_id), f"narrative {source}"))
    before = document.content(entity_id)
    if not text or (before is not None and before.value == text):
        return []
    return [Delta(entity_id, before, Content(LabelKind.NOTE, text, source=source, suggested=True))]


def _wanted(document: Document, entity_id: str) -> Content:
    told = document.content(entity_id)
    if told is None or told.deleted or not told.suggested:
        raise BadArgument("This narrative is no longer there.")
    return told
