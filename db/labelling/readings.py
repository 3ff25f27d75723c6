"""Double labelling: a second person labels a session blind, and the two readings are compared and settled.

The second reading's edits stand in the session's log as suggestions from `second:<person>`: nothing trains on them and
nothing exports them before they are settled, and they travel with the session. A second reader's review state (also a
suggestion) says how far that reading is: unlabelled, labelled when it is done, accepted when it has been compared.

`SecondLog`, `FirstLog` and `ComparedLog` show one log as it is for the second reader, for everybody else, and for the
one who compares. They change nothing but what is seen: an edit that is not to be seen looks deleted.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import func, select

from db.labelling.edits import Tail
from db.labelling.labels import SECOND, Edit, LabelKind, Review, heads
from db.library.tables import LabelRow

if TYPE_CHECKING:
    from db.store import Store

PREFIX = SECOND
_LONGEST = 90
_AT_ONCE = 500


class Stage(StrEnum):
    """How far a second reading is."""

    READING = "being read"
    TO_COMPARE = "to compare"
    COMPARED = "compared"


@dataclass(frozen=True)
class Mark:
    """What the library's index knows of one second reading."""

    session_id: str
    person: str
    stage: Stage
    open_spans: int
    """Of the reading, that nobody has settled."""


@dataclass(frozen=True)
class Reading:
    """One person's labels of a session, as they were before the two readings were compared."""

    person: str
    spans: tuple[Edit, ...]


class Log(Protocol):
    """Where edits live; `db.store.Store` is one."""

    def edits_after(self, session_id: str, place: int = 0) -> Tail: ...
    def commit(self, edits: list[Edit]) -> object: ...


def source_of(person: str) -> str:
    """The source of a second reader's edits."""
    return PREFIX + person[:_LONGEST]


def second_reader(edit: Edit) -> str:
    """Whose second reading an edit belongs to; "" where to none."""
    return edit.source.removeprefix(PREFIX) if edit.source.startswith(PREFIX) else ""


def pair(log: Iterable[Edit]) -> tuple[Reading, Reading] | None:
    """The first and the second reading of a session; None where not both are done.

    Both as they stood when the later one was done: what was settled since does not make them agree.
    """
    ordered = sorted(log, key=lambda edit: edit.id)
    reviews = [edit for edit in ordered if edit.kind is LabelKind.REVIEW and not edit.deleted]
    firsts = [edit for edit in reviews if not second_reader(edit) and edit.value != Review.UNLABELLED]
    seconds = [edit for edit in reviews if second_reader(edit) and edit.value == Review.LABELLED]
    if not firsts or not seconds:
        return None
    person = second_reader(seconds[-1])
    done = max(firsts[0].id, seconds[-1].id)
    first = [edit for edit in heads(e for e in ordered if e.id <= done and not second_reader(e)) if _is_label(edit)]
    by_count = Counter(edit.author for edit in first).most_common(1)
    last = {edit.entity_id: edit for edit in ordered if second_reader(edit) == person}
    second = [edit.model_copy(update={"suggested": False}) for edit in last.values()]
    return (
        Reading(by_count[0][0] if by_count else firsts[0].author, _in_order(first)),
        Reading(person, _in_order(edit for edit in second if _is_label(edit))),
    )


def marks(store: Store, session_ids: Sequence[str] = ()) -> dict[str, Mark]:
    """The second readings of the library by session; where two people read one, the one that waits to be compared.

    Those that are done are all found; those that are only begun, where they are among `session_ids`.
    """
    query = select(LabelRow.session_id, LabelRow.source, LabelRow.kind, LabelRow.value, func.count())
    query = query.where(LabelRow.suggested.is_(True), LabelRow.source.startswith(PREFIX, autoescape=True))
    query = query.group_by(LabelRow.session_id, LabelRow.source, LabelRow.kind, LabelRow.value)
    with store.reading() as connection:
        rows = list(connection.execute(query.where(LabelRow.kind == LabelKind.REVIEW.value)))
        ids = sorted({row.session_id for row in rows} | set(session_ids))
        for first in range(0, len(ids), _AT_ONCE):
            some = LabelRow.session_id.in_(ids[first : first + _AT_ONCE])
            rows += connection.execute(query.where(some, LabelRow.kind != LabelKind.REVIEW.value))
    stages: dict[tuple[str, str], Stage] = {}
    spans: Counter[tuple[str, str]] = Counter()
    for session_id, source, kind, value, count in rows:
        key = session_id, source.removeprefix(PREFIX)
        stages.setdefault(key, Stage.READING)
        if kind == LabelKind.REVIEW.value:
            stages[key] = _STAGES.get(Review(value), Stage.READING)
        elif LabelKind(kind).is_span:
            spans[key] += count
    found: dict[str, Mark] = {}
    for (session_id, person), stage in sorted(stages.items(), key=lambda item: _ORDER.index(item[1])):
        found[session_id] = Mark(session_id, person, stage, spans[session_id, person])
    return found


def labellers(store: Store, session_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Who has labels in force in these sessions (comments and suggestions are none), by session."""
    kinds = [kind.value for kind in LabelKind if kind.is_span and kind is not LabelKind.COMMENT]
    query = select(LabelRow.session_id, LabelRow.author).where(LabelRow.kind.in_(kinds), LabelRow.suggested.is_(False))
    found: dict[str, set[str]] = {}
    with store.reading() as connection:
        for first in range(0, len(session_ids), _AT_ONCE):
            some = query.where(LabelRow.session_id.in_(session_ids[first : first + _AT_ONCE])).distinct()
            for session_id, author in connection.execute(some):
                found.setdefault(session_id, set()).add(author)
    return {session_id: frozenset(people) for session_id, people in found.items()}


class FirstLog:
    """A session's log for everybody but a second reader: no second reading is seen before it is settled."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._blind: set[str] = set()

    def edits_after(self, session_id: str, place: int = 0) -> Tail:
        tail = self._log.edits_after(session_id, place)
        sealed = self._sealed(tail.edits)
        seen = [self._seen(edit if edit.step not in sealed else _unmarked(edit)) for edit in tail.edits]
        return tail._replace(edits=seen)

    def commit(self, edits: list[Edit]) -> object:
        return self._log.commit(edits)

    def _seen(self, edit: Edit) -> Edit:
        return _hidden(edit) if second_reader(edit) else edit

    def _sealed(self, edits: Sequence[Edit]) -> set[str | None]:
        """The steps that changed a second reading: who does not see it cannot take them back, but would destroy it."""
        self._blind.update(edit.id for edit in edits if edit.is_blind)
        return {e.step for e in edits if e.step and (e.is_blind or not self._blind.isdisjoint(e.supersedes))}


class ComparedLog(FirstLog):
    """For the one who compares: this reader's spans as suggestions, and nobody else's suggestions or notes on them."""

    def __init__(self, log: Log, person: str) -> None:
        super().__init__(log)
        self._person = person[:_LONGEST]

    def _sealed(self, edits: Sequence[Edit]) -> set[str | None]:
        return set()

    def _seen(self, edit: Edit) -> Edit:
        reader = second_reader(edit)
        if reader == self._person and not edit.kind.is_span and edit.kind is not LabelKind.REVIEW:
            return _hidden(edit)
        is_model = edit.suggested and not reader and edit.source != "person"
        return _hidden(edit) if is_model or reader not in ("", self._person) else edit


class SecondLog(FirstLog):
    """For a second reader, blind: of spans, notes and the review state only this person's reading, as if it were all.

    Whom the session is assigned to and its tags are shared.
    """

    def __init__(self, log: Log, person: str) -> None:
        super().__init__(log)
        self._person = person[:_LONGEST]

    def commit(self, edits: list[Edit]) -> object:
        return self._log.commit([self._said(edit) for edit in edits])

    def _sealed(self, edits: Sequence[Edit]) -> set[str | None]:
        return set()

    def _said(self, edit: Edit) -> Edit:
        """As it is stored."""
        if edit.kind in _SHARED:
            return edit
        source = source_of(self._person)
        own: dict[str, object] = {"source": source, "suggested": True}
        if edit.entity_id == _session_note(edit.session_id):  # everybody else writes that one together
            own["entity_id"] = self._own_note(edit.session_id)
        return edit.model_copy(update=own)

    def _seen(self, edit: Edit) -> Edit:
        if edit.kind in _SHARED:
            return edit
        if second_reader(edit) == self._person:
            own: dict[str, object] = {"source": "person", "suggested": False}
            if edit.entity_id == self._own_note(edit.session_id):
                own["entity_id"] = _session_note(edit.session_id)
            return edit.model_copy(update=own)
        hidden = _hidden(edit)
        if edit.kind.is_span:
            return hidden
        elsewhere = str(
            uuid.uuid5(uuid.UUID(edit.entity_id), "hidden")
        )  # the reading has a note and a state of its own
        return hidden.model_copy(update={"entity_id": elsewhere})

    def _own_note(self, session_id: str) -> str:
        return str(uuid.uuid5(uuid.UUID(session_id), f"note {source_of(self._person)}"))


def _hidden(edit: Edit) -> Edit:
    """As it looks to those who are not to see it: deleted, and nobody's step to undo."""
    return _unmarked(edit).model_copy(update={"deleted": True})


def _unmarked(edit: Edit) -> Edit:
    """Nobody's step to undo."""
    return edit.model_copy(update={"step": None, "reverts": None})


def _session_note(session_id: str) -> str:
    return str(uuid.uuid5(uuid.UUID(session_id), "note"))


def _is_label(edit: Edit) -> bool:
    kinds = (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM)
    return edit.kind in kinds and not edit.deleted and not edit.suggested


def _in_order(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda edit: (edit.start or 0, edit.stop or 0, edit.id)))


_SHARED = frozenset({LabelKind.ASSIGNEE, LabelKind.TAG})
_STAGES = {Review.LABELLED: Stage.TO_COMPARE, Review.ACCEPTED: Stage.COMPARED}
_ORDER = [Stage.READING, Stage.COMPARED, Stage.TO_COMPARE]
"""Of several readings of one session the last of these is the one to tell of."""
