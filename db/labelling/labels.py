"""What people and models say about a session: spans of frames with labels, and the review state.

Everything is an Edit: a whole new version of one entity, appended and never overwritten. The current spans and the
current review state are the heads of that log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from uuid6 import uuid7

from db.errors import BadArgument


class LabelKind(StrEnum):
    """What an edit is about. The first five are spans of frames; the others belong to the whole session."""

    INSTRUCTION = "instruction"
    FLAG = "flag"
    TRIM = "trim"
    ACTION = "action"
    COMMENT = "comment"
    """What a reviewer says about a stretch."""
    REVIEW = "review"
    NOTE = "note"
    ASSIGNEE = "assignee"
    """Who is to label or review the session."""
    TAG = "tag"

    @property
    def is_span(self) -> bool:
        return self in _SPANS


_SPANS = frozenset({LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM, LabelKind.ACTION, LabelKind.COMMENT})


class Flag(StrEnum):
    """The flags every library knows; a flag's value may be any other word too."""

    IDLE = "idle"
    MENU = "menu"
    LOADING = "loading"
    CUTSCENE = "cutscene"
    OFF_TASK = "off-task"
    BAD_CAPTURE = "bad capture"
    PRIVATE = "private"


class Review(StrEnum):
    """Unlabelled -> labelled -> in review -> accepted | rejected -> fixing -> in review."""

    UNLABELLED = "unlabelled"
    LABELLED = "labelled"
    IN_REVIEW = "in review"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FIXING = "fixing"

    def can_become(self, other: Review) -> bool:
        """Whether `other` may follow. Accepting or rejecting from any earlier state is allowed: one person may do it all."""
        return other in _NEXT[self]


_NEXT: dict[Review, frozenset[Review]] = {
    Review.UNLABELLED: frozenset({Review.LABELLED, Review.IN_REVIEW, Review.ACCEPTED, Review.REJECTED}),
    Review.LABELLED: frozenset({Review.UNLABELLED, Review.IN_REVIEW, Review.ACCEPTED, Review.REJECTED}),
    Review.IN_REVIEW: frozenset({Review.LABELLED, Review.ACCEPTED, Review.REJECTED}),
    Review.ACCEPTED: frozenset({Review.IN_REVIEW, Review.REJECTED, Review.FIXING, Review.LABELLED}),
    Review.REJECTED: frozenset({Review.FIXING, Review.ACCEPTED, Review.IN_REVIEW, Review.LABELLED}),
    Review.FIXING: frozenset({Review.IN_REVIEW, Review.LABELLED, Review.ACCEPTED, Review.REJECTED}),
}


def new_id() -> str:
    """A UUIDv7 as text: unique everywhere, and ordered by the time it was made."""
    return str(uuid7())


SECOND = "second:"
"""What the source of a second reader's edits begins with; see `db.labelling.readings`."""


class StepMark(NamedTuple):
    """Says which edits are one thing that a person did, so that it can be undone as one, in this run or a later one."""

    id: str
    name: str
    """What was done, such as "move the span"."""
    reverts: str | None = None
    """The step that this one takes back: for an undo the thing done, for a redo the undo."""


class Edit(BaseModel):
    """One version of one entity (a span, the review state, a note). Immutable.

    `start` and `stop` are half-open frame indices, for spans only. `parent` is the edit this one supersedes; two edits
    with one parent are a conflict, and so are two without one. `also` are the further versions that it supersedes: who
    settles a conflict makes one version with the newest of the competing ones as its parent and the others in `also`.
    `suggested` marks a model's span until a person confirms it (a new version).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=36, max_length=36)] = Field(default_factory=new_id)
    session_id: str
    entity_id: str = Field(default_factory=new_id)
    kind: LabelKind
    start: Annotated[int, Field(ge=0, le=2**53)] | None = None
    stop: Annotated[int, Field(ge=1, le=2**53)] | None = None
    value: Annotated[str, Field(max_length=20_000)] = ""
    """The instruction's text, the flag's word, the review state, a person's id, or a correction as JSON."""
    author: str
    """The person who made it."""
    source: str = "person"
    """`person`, `script`, `import`, `play` (told to whoever played), `run:<id>`, or `second:<person>`."""
    suggested: bool = False
    deleted: bool = False
    parent: str | None = None
    also: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    step: Annotated[str, Field(max_length=36)] | None = None
    """Shared by the edits of one step (see StepMark); None where nobody can undo them by a key: a program's, an old one's."""
    step_name: Annotated[str, Field(max_length=200)] = ""
    reverts: Annotated[str, Field(max_length=36)] | None = None
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def supersedes(self) -> tuple[str, ...]:
        """Every version that this one takes the place of."""
        return (*([self.parent] if self.parent else ()), *self.also)

    @property
    def is_blind(self) -> bool:
        """Whether it is part of a second reading that nobody has settled: shown to nobody but its reader."""
        return self.suggested and self.source.startswith(SECOND)

    @model_validator(mode="after")
    def _check(self) -> Edit:
        if self.kind.is_span != (self.start is not None and self.stop is not None):
            raise ValueError("spans have a start and a stop, other edits have neither")
        if self.start is not None and self.stop is not None and self.stop <= self.start:
            raise ValueError("a span must end after it starts")
        if self.kind is LabelKind.REVIEW:
            Review(self.value)
        return self

    def revised(self, author: str, **changes: object) -> Edit:
        """The next version of the same entity, superseding this one."""
        fields = self.model_dump(exclude={"id", "at", "also", "step", "step_name", "reverts"})
        return Edit.model_validate(fields | {"author": author, "source": "person", "parent": self.id} | changes)

    def marked(self, mark: StepMark | None) -> Edit:
        """The same edit as part of a step."""
        if mark is None:
            return self
        return self.model_copy(update={"step": mark.id, "step_name": mark.name[:200], "reverts": mark.reverts})


def heads(edits: Iterable[Edit]) -> list[Edit]:
    """The current version of every entity, deletions included, ordered by entity.

    Where two edits supersede the same one, the newer id wins; `conflicts` names such entities.
    """
    newest: dict[str, Edit] = {}
    ordered = sorted(edits, key=lambda edit: edit.id)
    superseded = _superseded(ordered)
    for edit in ordered:
        if (edit.entity_id, edit.id) not in superseded:
            newest[edit.entity_id] = edit
    return [newest[entity] for entity in sorted(newest)]


def conflicts(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    """Entities with more than one current version, each with those versions, oldest first."""
    log = list(edits)
    superseded = _superseded(log)
    tips: dict[str, list[Edit]] = {}
    for edit in sorted(log, key=lambda edit: edit.id):
        if (edit.entity_id, edit.id) not in superseded:
            tips.setdefault(edit.entity_id, []).append(edit)
    return {entity: versions for entity, versions in tips.items() if len(versions) > 1}


def _superseded(edits: Iterable[Edit]) -> set[tuple[str, str]]:
    """(entity, version): an edit takes the place of versions of its own entity alone, whatever a stranger's file says."""
    return {(edit.entity_id, earlier) for edit in edits for earlier in edit.supersedes}


def spans(edits: Iterable[Edit], kind: LabelKind | None = None) -> list[Edit]:
    """The spans in force (not deleted), ordered by start and stop."""
    current = (e for e in heads(edits) if e.kind.is_span and not e.deleted and kind in (None, e.kind))
    return sorted(current, key=lambda e: (e.start, e.stop, e.id))


def review_of(edits: Iterable[Edit]) -> Review:
    """The review state in force; a session nobody spoke about is unlabelled. A second reader's (suggested) is not it."""
    said = (edit for edit in heads(edits) if edit.kind is LabelKind.REVIEW)
    states = [edit for edit in said if not edit.deleted and not edit.suggested]
    return Review(max(states, key=lambda edit: edit.id).value) if states else Review.UNLABELLED


def check_transition(before: Review, after: Review) -> None:
    """Raises BadArgument where the review cannot go from `before` to `after`."""
    if before is not after and not before.can_become(after):
        raise BadArgument(f"A session that is {before.value} cannot become {after.value}.")
