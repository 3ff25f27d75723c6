"""Keeps everybody from writing to an index that is about to be left: nothing can be committed where nobody would look."""

from __future__ import annotations

from sqlalchemy import Connection, text

from db.library.tables import Base

LEAVING, LOCK = "leaving.txt", "leaving.lock"
"""In the library's folder: where it is being moved to, and the lock of whoever moves it."""
SIGN = "playtape: this library is being moved"
_PREFIX = "moving_"
_ACTS = ("INSERT", "UPDATE", "DELETE")


def put_fence(connection: Connection) -> None:
    """From the commit on every write by anybody fails, and `db.library.index.index_errors` says why."""
    for table in Base.metadata.tables:
        for act in _ACTS:
            name = f"{_PREFIX}{table}_{act.lower()}"
            connection.execute(
                text(
                    f'CREATE TRIGGER IF NOT EXISTS "{name}" BEFORE {act} ON "{table}"'
                    f" BEGIN SELECT RAISE(ABORT, '{SIGN}'); END"
                )
            )


def lift_fence(connection: Connection) -> None:
    """Does nothing where there is none."""
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    for name in names:
        if str(name).startswith(_PREFIX):
            connection.execute(text(f'DROP TRIGGER "{name}"'))
