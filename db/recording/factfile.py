"""The small SQLite file of a session, `facts.sqlite`: its tables, how it is opened, and its failures as typed errors."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.errors import BadFile, DiskFull, NotFound, StoreLocked, StoreReadOnly, TooNew
from db.recording.session import FACTS_NAME

SCHEMA = """
BEGIN;
CREATE TABLE frame (
    idx INTEGER PRIMARY KEY, segment INTEGER NOT NULL, pts INTEGER NOT NULL,
    t_before_ns INTEGER NOT NULL, t_ns INTEGER NOT NULL, keyframe INTEGER NOT NULL, duplicate INTEGER NOT NULL
) STRICT;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY, t_ns INTEGER NOT NULL, server_ms INTEGER NOT NULL, kind INTEGER NOT NULL,
    origin INTEGER NOT NULL, simulated INTEGER NOT NULL, actor INTEGER NOT NULL, device INTEGER NOT NULL,
    code INTEGER NOT NULL, value INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL, x2 REAL NOT NULL, y2 REAL NOT NULL
) STRICT;
CREATE TABLE gap (start_ns INTEGER NOT NULL, stop_ns INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
PRAGMA user_version = 1;
COMMIT;
"""
FORMAT = 1
_COLUMNS = {
    "frame": ("idx", "segment", "pts", "t_before_ns", "t_ns", "keyframe", "duplicate"),
    "event": (
        "seq", "t_ns", "server_ms", "kind", "origin", "simulated", "actor", "device", "code", "value", "x", "y", "x2", "y2",
    ),
    "gap": ("start_ns", "stop_ns", "reason"),
}  # fmt: skip
"""Of each table. Others, such as one that is computed when it is read, are no session's."""
_LONGEST = 1 << 16
"""Bytes of a value or a row: a session's are numbers and short words."""
_WAL = b"\2\2"
"""How a file says that it needs its log (https://sqlite.org/fileformat2.html, 1.3.3)."""
INSERT_FRAME = "INSERT INTO frame (segment, pts, t_before_ns, t_ns, keyframe, duplicate, idx) VALUES (?,?,?,?,?,?,?)"
INSERT_EVENT = (
    "INSERT INTO event (t_ns, server_ms, kind, origin, simulated, actor, device, code, value, x, y, x2, y2) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
INSERT_GAP = "INSERT INTO gap (start_ns, stop_ns, reason) VALUES (?,?,?)"


def create(folder: Path) -> sqlite3.Connection:
    """A new facts file in WAL mode, every commit synced to disk, in its first transaction. The connection belongs to the calling thread."""
    with user_errors(folder):
        connection = sqlite3.connect(folder / FACTS_NAME, isolation_level=None, timeout=5)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -256")  # KiB: rows are only appended, and memory shall not grow
            connection.executescript(SCHEMA)
            connection.execute("BEGIN")
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(folder: Path) -> sqlite3.Connection:
    """An existing facts file, not writable, of these tables and nothing else: it may be a stranger's.

    Raises NotFound where it is missing, BadFile, and TooNew where a newer Playtape wrote it.
    """
    path = folder / FACTS_NAME
    if not path.exists():
        raise NotFound(f"{path} is missing; the session cannot be opened. Run `playtape-db verify`.")
    with user_errors(folder):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            _check_schema(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """The same for the time of a with; whatever is wrong with the file then is a BadFile."""
    try:
        with user_errors(folder), contextlib.closing(open_for_reading(folder)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise BadFile(f"{folder / FACTS_NAME} is damaged ({error}); restore it from an export.") from None


def count_rows(folder: Path) -> dict[str, int]:
    """The rows of each table of a stranger's facts. Raises as `reading`, and BadFile where a part of them would be in another file."""
    path = folder / FACTS_NAME
    if path.exists():
        with path.open("rb") as file:
            if file.read(20)[18:] == _WAL:  # which SQLite would look for, and make
                raise BadFile(f"{path} was not closed as that of a finished session is.")
    with reading(folder) as connection:
        counts = (connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in _COLUMNS)
        return {table: int(row[0]) for table, row in zip(_COLUMNS, counts, strict=True)}


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise TooNew(f"{path} has format {version}, this Playtape reads up to {FORMAT}; update Playtape to open it.")
    found = connection.execute("SELECT name, type FROM sqlite_schema LIMIT 10").fetchall()
    if sorted(found) != sorted((table, "table") for table in _COLUMNS):
        raise BadFile(f"{path} does not have the tables of a session; restore it from an export or a backup.")
    for table, columns in _COLUMNS.items():
        stored = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
        if [(name, hidden) for _, name, _, _, _, _, hidden in stored] != [(name, 0) for name in columns]:
            raise BadFile(f"{path}: the table {table} has other columns than a session's.")


def open_for_repair(folder: Path) -> sqlite3.Connection:
    """An existing facts file, writable, for recovery and for leaving WAL mode. Raises as `open_for_reading` does."""
    if not (folder / FACTS_NAME).exists():
        raise NotFound(f"{folder / FACTS_NAME} is missing; nothing of the session's times and inputs is left.")
    with user_errors(folder):
        connection = sqlite3.connect(folder / FACTS_NAME, isolation_level=None, timeout=5)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            _check_schema(connection, folder / FACTS_NAME)
        except BaseException:
            connection.close()
            raise
    return connection


def is_blank(folder: Path) -> bool:
    """Whether a facts file was never begun: it is missing, or cut off before its tables were there."""
    path = folder / FACTS_NAME
    if not path.exists():
        return True
    with user_errors(folder), contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None


def leave_wal(connection: sqlite3.Connection) -> None:
    """Folds the write-ahead log into the file, so that the session is one self-contained file again."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")


WRITE_FAILED = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
"""How SQLite reports a quota, a limit or a failing disk, where it cannot tell that the disk is full."""


@contextmanager
def user_errors(folder: Path) -> Iterator[None]:
    """Turns SQLite's complaints about the user's world into typed errors; bugs pass through."""
    try:
        yield
    except sqlite3.Error as error:
        extended = getattr(error, "sqlite_errorcode", 0)
        code = extended & 0xFF
        place = folder / FACTS_NAME
        if code == sqlite3.SQLITE_FULL or extended in WRITE_FAILED:
            raise DiskFull(f"There is no room left for {place}; what was stored before is intact.") from None
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreLocked(f"{place} is in use by another program; try again when it is done.") from None
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise StoreReadOnly(f"{place} cannot be written to; check its owner and permissions.") from None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
            raise BadFile(f"{place} is damaged ({error}); restore it from an export or a backup.") from None
        raise
