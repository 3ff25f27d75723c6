"""The sessions that are asked for, in their order, as bare ids: a list of any length is at hand at once, its lines as they
come into view; and how many there would be of each choice that a filter offers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from db.labelling.labels import LabelKind, Review
from db.library.catalogue import SessionSummary, Wanted, all_lines, narrowed, to_summary
from db.library.tables import LabelRow, SessionRow, WithdrawalRow

if TYPE_CHECKING:
    from db.store import Store

WAITING = (Review.UNLABELLED, Review.FIXING)
"""The states in which a session waits for somebody to label it."""
_AT_ONCE = 500


class Order(StrEnum):
    """What a list is sorted by; the value is the word for it."""

    DATE = "date"
    GAME = "game"
    PLAYER = "player"
    LENGTH = "length"
    FRAMES = "frames"
    SIZE = "size"
    VERDICT = "verdict"
    REVIEW = "status"


_COLUMNS: dict[Order, Any] = {
    Order.DATE: SessionRow.started_at,
    Order.GAME: func.lower(SessionRow.game),
    Order.PLAYER: func.lower(SessionRow.player),
    Order.LENGTH: SessionRow.duration_ns,
    Order.FRAMES: SessionRow.frames,
    Order.SIZE: SessionRow.bytes,
    Order.VERDICT: SessionRow.grade,
    Order.REVIEW: SessionRow.review,
}
_FACETS: dict[str, Any] = {
    "game": SessionRow.game,
    "player": SessionRow.player,
    "review": SessionRow.review,
    "grade": SessionRow.grade,
    "flag": LabelKind.FLAG,
    "tag": LabelKind.TAG,
    "assignee": LabelKind.ASSIGNEE,
}


@dataclass(frozen=True)
class Listing:
    """The ids that were found, in order, and those of them that wait to be labelled."""

    ids: list[str]
    waiting: frozenset[str]


def list_sessions(store: Store, wanted: Wanted, order: Order = Order.DATE, *, descending: bool = True) -> Listing:
    """Equal ones come newest first. Raises what every method of Store may."""
    column = _COLUMNS[order]
    query = narrowed(_bare(SessionRow.id, SessionRow.review), wanted)
    query = query.order_by(column.desc() if descending else column, SessionRow.started_at.desc(), SessionRow.id.desc())
    states = {state.value for state in WAITING}
    ids: list[str] = []
    waiting: set[str] = set()
    with store.reading() as connection:
        for rows in connection.execute(query).partitions(_AT_ONCE):  # ten thousand rows at once wake the collector
            ids += [row[0] for row in rows]
            waiting.update(row[0] for row in rows if row[1] in states)
    return Listing(ids, frozenset(waiting))


def read_lines(store: Store, ids: Iterable[str]) -> dict[str, SessionSummary]:
    """The lines of these sessions, by id; those that are gone are left out. Raises what every method of Store may."""
    wanted, lines = list(ids), dict[str, SessionSummary]()
    with store.reading() as connection:
        for first in range(0, len(wanted), _AT_ONCE):
            query = all_lines().where(SessionRow.id.in_(wanted[first : first + _AT_ONCE]))
            lines.update((row.id, to_summary(row._mapping)) for row in connection.execute(query))
    return lines


def all_ids(store: Store) -> set[str]:
    """Of the sessions that a list without filters shows. Raises what every method of Store may."""
    with store.reading() as connection:
        found = connection.execute(narrowed(_bare(SessionRow.id), Wanted()))
        return {row[0] for rows in found.partitions(_AT_ONCE) for row in rows}


def count_sessions(store: Store, wanted: Wanted) -> int:
    """How many sessions match. Raises what every method of Store may."""
    with store.reading() as connection:
        return int(connection.execute(narrowed(_bare(func.count()), wanted)).scalar_one())


def count_choices(store: Store, wanted: Wanted, facet: str) -> dict[str, int]:
    """How many sessions each value of a facet would find beside the other filters; those that find none are left out.

    facet: a field of Wanted that takes words. Of "assignee" "" counts those of nobody. Raises what every method of Store
    may.
    """
    nothing: dict[str, Any] = {facet: None}
    others, about = replace(wanted, **nothing), _FACETS[facet]
    with store.reading() as connection:
        if not isinstance(about, LabelKind):
            query = narrowed(_bare(about, func.count()), others).group_by(about)
            return {str(value): int(count) for value, count in connection.execute(query)}
        found = narrowed(_bare(SessionRow.id), others)
        rows = select(LabelRow.value, func.count(LabelRow.session_id.distinct())).where(
            LabelRow.kind == about.value, LabelRow.suggested.is_(False), LabelRow.session_id.in_(found)
        )
        counts = {str(value): int(count) for value, count in connection.execute(rows.group_by(LabelRow.value))}
    if about is LabelKind.ASSIGNEE:
        counts[""] = count_sessions(store, replace(others, assignee=""))
    return counts


def _bare(*columns: Any) -> Any:
    query = select(*columns).select_from(SessionRow)
    return query.outerjoin(WithdrawalRow, WithdrawalRow.session_id == SessionRow.id)
