"""Deletes what is in the trash, session by session, so that it can be watched and stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from db.errors import PlaytapeError
from db.store import Store


@dataclass
class Emptied:
    """How many sessions are gone for good, how much room that made, and why others are still there."""

    deleted: int = 0
    bytes: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """Session id -> the sentence why it could not be deleted."""
    is_cancelled: bool = False


def empty_trash(
    store: Store,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Emptied:
    """Deletes every session in the trash for good; one that cannot be deleted stops none of the others.

    `progress` hears (bytes done, bytes in all). Cancelled, it ends before the next session. Raises what every method of
    Store may while it looks for them.
    """
    doomed = store.search(trashed=True, withdrawn=True)
    total, done, emptied = sum(line.bytes for line in doomed), 0, Emptied()
    progress(0, total)
    for line in doomed:
        if cancelled():
            emptied.is_cancelled = True
            break
        try:
            store.delete(line.id)
        except PlaytapeError as error:
            emptied.refused[line.id] = str(error)
        else:
            emptied.deleted += 1
            emptied.bytes += line.bytes
        done += line.bytes
        progress(done, total)
    return emptied
