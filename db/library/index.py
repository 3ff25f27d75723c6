"""Opens and migrates `index.sqlite`. The only place that knows which database the index is."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from db.errors import BadFile, DiskFull, StoreLocked, StoreReadOnly, TooNew, from_os_error
from db.recording.factfile import WRITE_FAILED
from db.upkeep.fence import SIGN

NAME = "index.sqlite"
_BUSY_S = 15


def open_index(root: Path) -> Engine:
    """An engine on the library's index, created or migrated to this version (after a backup) when it must be.

    Raises TooNew, BadFile, StoreLocked, StoreReadOnly, DiskFull.
    """
    path = root / NAME
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    try:
        with index_errors(path):
            _migrate(engine, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _begin(connection: Connection) -> None:
    """Writers take the lock at once, so that what they check cannot change before they write."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver's guesses
    _keep_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what a person deletes is overwritten, not only unlinked


def _keep_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Two programs that switch a new index over at the same instant refuse each other at once, however long each may wait."""
    deadline_s = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(random.uniform(0.001, 0.02))
        else:
            return


def _migrate(engine: Engine, path: Path) -> None:
    scripts = _config()
    newest = ScriptDirectory.from_config(scripts).get_current_head()
    current = _revision(engine)
    if current == newest:
        return
    known = {script.revision for script in ScriptDirectory.from_config(scripts).walk_revisions()}
    if current is not None and current not in known:
        raise TooNew(f"{path} was written by a newer Playtape (revision {current}); update Playtape to open it.")
    with FileLock(f"{path}.migrating", timeout=_BUSY_S):
        current = _revision(engine)
        if current == newest:
            return  # another program did it meanwhile; the backup must stay what it was before
        _upgrade(engine, path, scripts, current, str(newest))


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _upgrade(engine: Engine, path: Path, scripts: Config, current: str | None, newest: str) -> None:
    """All of it in one transaction: killed at any instant, the index is as it was or as it should be."""
    with engine.connect() as connection:
        if current is not None:
            back_up_index(connection, path.with_name(f"{path.stem}-before-{newest}.sqlite"))
        scripts.attributes["connection"] = connection
        command.upgrade(scripts, "head")
        connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("db") / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def back_up_index(connection: Connection, target: Path) -> None:
    """A whole copy of the index at this instant, made by the database itself while others go on writing."""
    copy = sqlite3.connect(target)
    try:
        source: Any = connection.connection.driver_connection
        source.backup(copy)
    finally:
        copy.close()


def check_index(copy: Path) -> None:
    """Raises BadFile where a copy of an index does not read back whole."""
    connection = sqlite3.connect(copy)
    try:
        found = connection.execute("PRAGMA quick_check").fetchone()
    except sqlite3.DatabaseError as error:
        found = (str(error),)
    finally:
        connection.close()
    if found != ("ok",):
        raise BadFile(f"{copy} does not read back as it was written ({found[0]}); that disk is not to be trusted.")


def scrub(engine: Engine, root: Path) -> None:
    """Lets go of copies of what was deleted: the write-ahead log's, and backups made before a migration."""
    with index_errors(root / NAME), engine.connect() as connection:
        source: Any = connection.connection.driver_connection
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for backup in root.glob(f"{Path(NAME).stem}-before-*.sqlite"):
        try:
            backup.unlink()
        except OSError as error:
            raise from_os_error(error, backup) from None


def index_stamp(root: Path) -> tuple[int, ...]:
    """Changes whenever somebody writes to the index; two looks at the file system, so cheap enough to ask every second."""
    stamp: list[int] = []
    for name in (NAME, f"{NAME}-wal"):
        try:
            facts = (root / name).stat()
        except OSError:
            stamp += [0, 0]
        else:
            stamp += [facts.st_mtime_ns, facts.st_size]
    return tuple(stamp)


@contextmanager
def index_errors(path: Path) -> Iterator[None]:
    """Turns the database's complaints about the user's world into typed errors; bugs pass through."""
    try:
        yield
    except DBAPIError as error:
        if SIGN in str(error.orig):
            raise StoreLocked(
                "This library is being moved to another folder; nothing was changed. Try again, or start Playtape anew."
            ) from None
        extended = getattr(error.orig, "sqlite_errorcode", 0)
        code = extended & 0xFF
        if code == sqlite3.SQLITE_FULL or extended in WRITE_FAILED:
            raise DiskFull("The disk is full; nothing was changed. Free some room and try again.") from None
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreLocked(f"{path} is in use by another program; nothing was changed. Try again.") from None
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise StoreReadOnly(f"{path} cannot be written to; check its owner and permissions.") from None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
            raise BadFile(
                f"{path} is damaged; move it away and run `playtape-db rebuild`, which makes it anew from the sessions."
            ) from None
        raise
