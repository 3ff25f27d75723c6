"""What is fuzzed of `.playtape` files: the archive, or one of its parts in an archive that is otherwise whole."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from db.errors import BadFile, PlaytapeError, TooNew
from db.formats.interchange import export_session, import_session
from db.formats.outgoing import Outgoing
from db.labelling.labels import Edit, LabelKind
from db.recording.factfile import SCHEMA
from db.recording.session import FACTS_NAME, META_NAME, MIRROR_NAME
from db.store import Store
from recordings import Take, record

MANIFEST = "manifest.json"
_PARTS = {b"M": MANIFEST, b"S": META_NAME, b"F": FACTS_NAME, b"A": MIRROR_NAME}
_TABLES = {"frame": 7, "event": 14, "gap": 3}
"""Columns."""


def feed_playtape(data: bytes, folder: Path) -> None:
    """A letter says what follows: Z the whole archive, M its manifest, S session.json, F facts.sqlite, R its rows as JSON, A the
    annotations. What is taken must be whole; what is refused must name the file and leave nothing.
    """
    part, content = data[:1], data[1:]
    file = folder / "session.playtape"
    if part == b"Z":
        file.write_bytes(content)
    else:
        members = dict(_good())
        if part == b"R":
            members[FACTS_NAME] = _facts(content, members[FACTS_NAME])
        else:
            members[_PARTS.get(part, META_NAME)] = content
        _pack(file, members if part == b"M" else _sealed(members))
    store = _library(folder)
    try:
        session_id = import_session(store, file).session_id
    except (BadFile, TooNew) as error:
        message = str(error)
        assert str(file) in message
        assert "\n" not in message
        assert message.endswith(".")
        assert not list(store.sessions_dir.iterdir())
        return
    try:
        assert store.verify(session_id) == []
        outgoing = Outgoing.read(store, session_id)
        track = outgoing.resolve()
        assert np.isfinite(track.motion).all()
        assert len(outgoing.used) == len(outgoing.instructions[1]) == len(track)
    except PlaytapeError as error:
        raise AssertionError(f"{error}, of what was taken") from None
    finally:
        store.delete(session_id)


def playtape_seeds() -> list[bytes]:
    members = _good()
    archive = io.BytesIO()
    _pack(archive, members)
    with sqlite3.connect(":memory:") as connection:
        connection.deserialize(members[FACTS_NAME])
        rows = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in _TABLES}
    parts = [letter + members[name] for letter, name in _PARTS.items()]
    return [b"Z" + archive.getvalue(), *parts, b"R" + json.dumps(rows).encode()]


@lru_cache
def _good() -> dict[str, bytes]:
    """The members of a small archive; its facts in small pages."""
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name) / "library") as store:
        session_id = record(store, Take(count=6))
        imputed = {"kind": "imputed", "confidence": 0.5, "moves": [[1_000_000_009, 1, 2]]}
        imputed["keys"] = [{"kind": "key", "code": 17, "holds_ns": [[1_000_000_005, 1_050_000_000]]}]
        said = [(LabelKind.INSTRUCTION, "go"), (LabelKind.ACTION, json.dumps(imputed))]
        said += [(LabelKind.ACTION, '{"kind": "motion", "scale": [1, 0]}'), (LabelKind.TRIM, "")]
        edits: list[dict[str, Any]] = [{"kind": kind, "value": value} for kind, value in said]
        store.commit([Edit(session_id=session_id, start=1, stop=4, author="ann", **edit) for edit in edits])
        with zipfile.ZipFile(export_session(store, session_id, Path(name))) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
    members[FACTS_NAME] = _in_small_pages(members[FACTS_NAME])
    return _sealed(members)


def _in_small_pages(facts: bytes) -> bytes:
    """An input is short, and SQLite's usual page is most of one."""
    old, new = (sqlite3.connect(":memory:", isolation_level=None) for _ in range(2))
    old.deserialize(facts)
    new.execute("PRAGMA page_size = 512")
    new.executescript(SCHEMA)
    for table, width in _TABLES.items():
        marks = ", ".join("?" * width)
        new.executemany(f"INSERT INTO {table} VALUES ({marks})", old.execute(f"SELECT * FROM {table}").fetchall())
    return new.serialize()


def _facts(rows: bytes, good: bytes) -> bytes:
    """Tables of these rows, which need not be of the right kinds."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(good)
    try:
        said = json.loads(rows)
        for table, width in _TABLES.items():
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            marks = ", ".join("?" * width)
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", said[table])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, sqlite3.Error):
        pass
    return connection.serialize()


def _sealed(members: dict[str, bytes]) -> dict[str, bytes]:
    """With a manifest that is true to the members."""
    files = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
        if name != MANIFEST
    }
    return members | {MANIFEST: json.dumps(json.loads(members[MANIFEST]) | {"files": files}).encode()}


def _pack(file: Path | io.BytesIO, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


@lru_cache(maxsize=1)
def _library(folder: Path) -> Store:
    return Store.open(folder / "library")
