"""Which labels two people changed apart from each other, so that versions of them compete until somebody settles it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.library.tables import DisputeRow

if TYPE_CHECKING:
    from db.store import Store


def disputed(store: Store, ids: Sequence[str] | None = None) -> dict[str, int]:
    """Session id -> how many of its labels have versions that compete, for the sessions (of these) that have such labels.

    Raises what every method of Store may.
    """
    grouped = select(DisputeRow.session_id, func.count()).group_by(DisputeRow.session_id)
    if ids is not None:
        grouped = grouped.where(DisputeRow.session_id.in_(ids))
    with store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(grouped)}
