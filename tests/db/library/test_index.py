from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect

from db.errors import BadFile, NotFound, StoreLocked, TooNew
from db.library import textindex
from db.library.index import NAME, open_index
from db.library.tables import Base
from db.store import Store

ROOT = Path(__file__).parents[3]


def test_the_migrations_make_the_tables_that_the_code_declares(tmp_path: Path) -> None:
    engine = open_index(tmp_path)
    found = inspect(engine)
    own = {
        name for name in found.get_table_names() if not name.startswith(textindex.NAME)
    }  # FTS5 keeps tables of its own
    assert own == {*Base.metadata.tables, "alembic_version"}
    for name, table in Base.metadata.tables.items():
        columns = {column["name"]: column for column in found.get_columns(name)}
        assert set(columns) == set(table.columns.keys())
        for column in table.columns:
            assert columns[column.name]["nullable"] == column.nullable, (name, column.name)
        indexed = {tuple(index["column_names"]) for index in found.get_indexes(name)}
        assert indexed == {tuple(index.columns.keys()) for index in table.indexes}
    engine.dispose()


def test_the_index_is_durable(tmp_path: Path) -> None:
    engine = open_index(tmp_path)
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}
    engine.dispose()


def test_a_library_is_its_owners_only(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a" / "b") as store:
        assert stat.S_IMODE(store.root.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(p.stat().st_mode) == 0o700 for p in store.root.iterdir() if p.is_dir())


def test_a_newer_index_is_too_new_and_untouched(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(TooNew, match="update Playtape"):
        Store.open(tmp_path)


@pytest.mark.parametrize("text", [b"junk" * 1000, b"SQLite format 3\0" + b"\1" * 4000])
def test_a_damaged_index_says_how_to_rebuild(tmp_path: Path, text: bytes) -> None:
    Store.open(tmp_path).close()
    (tmp_path / NAME).write_bytes(text)
    with pytest.raises(BadFile, match="playtape-db rebuild"):
        Store.open(tmp_path)
    assert (tmp_path / NAME).read_bytes() == text


def test_a_missing_library_and_a_missing_index(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no Playtape library"):
        Store.open(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []
    Store.open(tmp_path).close()
    (tmp_path / NAME).unlink()
    with pytest.raises(NotFound, match="playtape-db rebuild"):
        Store.open(tmp_path, create=False)


def test_a_locked_index_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.library.index._BUSY_S", 0.05)
    with Store.open(tmp_path) as store:
        other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match="in use by another program"):
            store.add_person("ann")
        other.execute("ROLLBACK")
        other.close()
        store.add_person("ann", "Ann")
        assert store.people() == {"ann": "Ann"}


def test_several_programs_may_make_one_library_at_once(tmp_path: Path) -> None:
    script = "import sys; from db.store import Store; s = Store.open(sys.argv[1]); s.add_person(sys.argv[2]); s.close()"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "lib"), f"p{i}"], cwd=ROOT, stderr=subprocess.PIPE
        )
        for i in range(2)
    ]
    errors = [run.communicate()[1].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    with Store.open(tmp_path / "lib") as store:
        assert sorted(store.people()) == ["p0", "p1"]


_OPEN_MANY = """
import sqlite3, sys, time
from db.library.index import _set_pragmas
start = float(sys.argv[2])
for turn in range(100):
    while time.monotonic() < start + turn / 100:
        pass
    connection = sqlite3.connect(f"{sys.argv[1]}/{turn}.sqlite", isolation_level=None, timeout=15)
    _set_pragmas(connection, None)
    connection.close()
"""


def test_a_new_index_may_be_opened_by_several_programs_at_the_same_instant(tmp_path: Path) -> None:
    """Without patience some of a hundred such openings fail at once, saying that the database is locked."""
    command = [sys.executable, "-c", _OPEN_MANY, str(tmp_path), str(time.monotonic() + 2)]
    runs = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    errors = [run.communicate()[1].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], errors
