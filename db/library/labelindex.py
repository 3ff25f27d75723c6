"""The labels in force, one row each, derived from the log of edits: what filters, searches and statistics ask.

The log remains the truth; everything here can be made from it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, not_, select, update

from db.labelling.labels import SECOND, Edit, LabelKind, conflicts, heads
from db.library import textindex
from db.library.tables import DisputeRow, EditRow, LabelRow

SEARCHED = frozenset({LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.NOTE, LabelKind.COMMENT, LabelKind.TAG})
"""The kinds of labels whose words can be searched for; those of a second reading cannot before it is settled."""
_AT_ONCE = 500
_KNOWN = (
    LabelRow.id, LabelRow.entity_id, LabelRow.session_id, LabelRow.kind, LabelRow.value, LabelRow.source,
    LabelRow.suggested,
)  # fmt: skip
EDIT_COLUMNS = [column for column in EditRow.__table__.columns if column.name in Edit.model_fields]
_LABEL_FIELDS = {column.name for column in LabelRow.__table__.columns} & set(Edit.model_fields) - {"id"}


def refresh(connection: Connection, entity_ids: Iterable[str]) -> None:
    """Brings the rows of these entities up to date with the log."""
    wanted = sorted(set(entity_ids))
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        rows = connection.execute(select(*EDIT_COLUMNS).where(EditRow.entity_id.in_(some)))
        versions = [Edit.model_validate(dict(row._mapping)) for row in rows]
        current = {edit.entity_id: edit for edit in heads(versions)}
        bring_up(connection, {one: current.get(one) for one in some})
        for entity_id, tips in conflicts(versions).items():
            connection.execute(insert(DisputeRow).values(entity_id=entity_id, session_id=tips[0].session_id))


def bring_up(connection: Connection, current: Mapping[str, Edit | None]) -> None:
    """The same for entities of which it is known what they say now, None for nothing, and that nobody disputes."""
    wanted = sorted(current)
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        known = connection.execute(select(*_KNOWN).where(LabelRow.entity_id.in_(some)))
        rows_by_entity = {row.entity_id: row for row in known}
        _bring_up(connection, [(current[one], rows_by_entity.get(one)) for one in some])
        connection.execute(delete(DisputeRow).where(DisputeRow.entity_id.in_(some)))


def forget_session(connection: Connection, session_id: str) -> None:
    """Removes the rows of a session."""
    textindex.change(connection, [(session_id, value, -1) for _, value in searched_labels(connection, session_id)])
    for row in (LabelRow, DisputeRow):
        connection.execute(delete(row).where(row.session_id == session_id))


def refill(connection: Connection) -> None:
    """Makes every row anew."""
    textindex.refill(connection, ())
    connection.execute(delete(LabelRow))
    refresh(connection, connection.execute(select(EditRow.entity_id).distinct()).scalars().all())


def searched_labels(connection: Connection, session_id: str | None = None) -> list[tuple[str, str]]:
    """(session id, value) of every label whose words are searched, those of a session together."""
    query = select(LabelRow.session_id, LabelRow.value).where(LabelRow.kind.in_([kind.value for kind in SEARCHED]))
    blind = and_(LabelRow.suggested.is_(True), LabelRow.source.startswith(SECOND, autoescape=True))
    query = query.where(not_(blind))
    if session_id is not None:
        query = query.where(LabelRow.session_id == session_id)
    return [(row.session_id, row.value) for row in connection.execute(query.order_by(LabelRow.session_id))]


def _bring_up(connection: Connection, pairs: Iterable[tuple[Edit | None, Any]]) -> None:
    """pairs: what an entity says now, and its row of before. A statement for all of them: there may be hundreds."""
    gone: list[int] = []
    changed: list[dict[str, Any]] = []
    fresh: list[dict[str, Any]] = []
    words: list[tuple[str, str, int]] = []
    for edit, known in pairs:
        if known is not None and known.kind in SEARCHED and not _is_blind(known):
            words.append((known.session_id, known.value, -1))
        if edit is None or edit.deleted:
            gone += [] if known is None else [known.id]
            continue
        values = edit.model_dump(include=_LABEL_FIELDS) | {"edit_id": edit.id}
        if known is not None:
            changed.append(values | {"row_id": known.id})
        else:
            fresh.append(values)
        if edit.kind in SEARCHED and not edit.is_blind:
            words.append((edit.session_id, edit.value, 1))
    if gone:
        connection.execute(delete(LabelRow).where(LabelRow.id.in_(gone)))
    if changed:
        connection.execute(update(LabelRow).where(LabelRow.id == bindparam("row_id")), changed)
    if fresh:
        connection.execute(insert(LabelRow), fresh)
    textindex.change(connection, words)


def _is_blind(row: Any) -> bool:
    return bool(row.suggested) and str(row.source).startswith(SECOND)
