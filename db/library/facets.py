"""What sessions can be filtered by: the games, players and words that are in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, func, select

from db.labelling.disputes import disputed
from db.labelling.labels import LabelKind
from db.library.tables import LabelRow, SessionRow

if TYPE_CHECKING:
    from db.store import Store


@dataclass(frozen=True)
class Facets:
    """Each sorted, each once."""

    games: tuple[str, ...] = ()
    players: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()


def read_facets(store: Store) -> Facets:
    """Of all sessions, those in the trash included. Raises what every method of Store may."""
    with store.reading() as connection:
        return Facets(
            _distinct(connection, SessionRow.game),
            _distinct(connection, SessionRow.player),
            *(_words(connection, kind) for kind in (LabelKind.FLAG, LabelKind.TAG, LabelKind.ASSIGNEE)),
        )


@dataclass(frozen=True)
class Marks:
    """Who looks after a session, and its tags, sorted."""

    assignee: str = ""
    tags: tuple[str, ...] = ()
    conflicts: int = 0
    """How many of its labels have versions that compete."""
    comments: int = 0
    """How many comments on it nobody has settled."""


def read_marks(store: Store, ids: Sequence[str]) -> dict[str, Marks]:
    """Session id -> its marks, for those of these sessions that have any. Raises what every method of Store may."""
    kinds = (LabelKind.ASSIGNEE.value, LabelKind.TAG.value)
    query = select(LabelRow.session_id, LabelRow.kind, LabelRow.value)
    query = query.where(LabelRow.kind.in_(kinds), LabelRow.suggested.is_(False), LabelRow.session_id.in_(ids))
    marks: dict[str, Marks] = {}
    with store.reading() as connection:
        for session_id, kind, value in connection.execute(query.order_by(LabelRow.kind, LabelRow.value)):
            known = marks.get(session_id, Marks())
            is_tag = kind == LabelKind.TAG.value
            marks[session_id] = Marks(
                known.assignee if is_tag else value, (*known.tags, value) if is_tag else known.tags
            )
        for session_id, count in connection.execute(_comments(ids)):
            marks[session_id] = replace(marks.get(session_id, Marks()), comments=count)
    for session_id, count in disputed(store, ids).items():
        marks[session_id] = replace(marks.get(session_id, Marks()), conflicts=count)
    return marks


def _comments(ids: Sequence[str]) -> Select[str, int]:
    query = select(LabelRow.session_id, func.count()).where(LabelRow.kind == LabelKind.COMMENT.value)
    return query.where(LabelRow.suggested.is_(False), LabelRow.session_id.in_(ids)).group_by(LabelRow.session_id)


def _distinct(connection: Connection, column: Any) -> tuple[str, ...]:
    return tuple(sorted(connection.execute(select(column).distinct()).scalars()))


def _words(connection: Connection, kind: LabelKind) -> tuple[str, ...]:
    values = select(LabelRow.value).where(
        LabelRow.kind == kind.value, LabelRow.suggested.is_(False), LabelRow.value != ""
    )
    return tuple(sorted(connection.execute(values.distinct()).scalars()))
