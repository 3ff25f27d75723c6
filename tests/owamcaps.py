"""Recordings as open-world-agents make them, message by message and byte by byte: what the tests of OWAMcap share."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from db.errors import BadFile, PlaytapeError
from db.formats.format import Asked
from db.formats.owamcap import FORMAT
from db.formats.owamcap.mcapreader import MAGIC
from db.formats.owamcap.mcapwriter import McapWriter
from db.formats.owamcap.messages import SCHEMAS
from db.formats.report import Report
from db.store import Store
from recordings import Take, record

COUNT = 60
T0 = 1_700_000_000_000_000_000


def write(store: Store, sessions: Sequence[str], out: Path, **asked: Any) -> list[Report]:
    out.mkdir(exist_ok=True)
    return list(FORMAT.writes.write(store, sessions, out, Asked(**asked), lambda name, share: None))


def bring(store: Store, path: Path, **asked: Any) -> list[Report]:
    return [FORMAT.reads.bring(store, source, Asked(**asked), lambda share: None) for source in FORMAT.reads.find(path)]


def screen(frame: int, uri: str = "film.mkv") -> tuple[int, str, dict]:
    """The message of a frame of the video: its time, its topic, its content."""
    t_ns = T0 + round(frame * 1e9 / 30)
    return t_ns, "screen", {"utc_ns": t_ns, "media_ref": {"uri": uri, "pts_ns": round(frame * 1e9 / 30)}}


def pressed(frame: float, vk: int, kind: str = "press") -> tuple[int, str, dict]:
    """vk: the key's virtual code in Windows. kind: `press` or `release`."""
    t_ns = T0 + round(frame * 1e9 / 30)
    return t_ns, "keyboard", {"event_type": kind, "vk": vk}


def store_file(path: Path, messages: Sequence[tuple[int, str, object]], profile: str = "owa") -> Path:
    """messages: the time, the topic, and the content: bytes as they are, all else as JSON."""
    with path.open("wb") as file, McapWriter(file, profile, "") as writer:
        for t_ns, topic, said in messages:
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            writer.write(topic, *SCHEMAS.get(topic, ("x/Other", b"{}")), t_ns, content)
    return path


SCREENS = [screen(i) for i in range(COUNT)]


def others_folder(store: Store, folder: Path) -> Path:
    """A new folder with a video of 30 frames a second that a recording may refer to; the library is empty again."""
    session_id = record(store, Take(count=COUNT, events=[]))
    write(store, [session_id], folder)
    shutil.move(next(folder.rglob("*.mkv")), folder / "film.mkv")
    for found in [path for path in folder.iterdir() if path.is_dir()]:
        shutil.rmtree(found)
    store.delete(session_id)
    return folder


def refused(store: Store, path: Path, said: str) -> None:
    """Holds that such a file is refused, in a dry run too, with a sentence that names its place, and leaves nothing behind."""
    for dry_run in (True, False):
        with pytest.raises(PlaytapeError, match=said) as caught:
            bring(store, path, game="doom", dry_run=dry_run)
        assert isinstance(caught.value, BadFile), caught.value
        assert str(path.parent) in str(caught.value)
    assert not list(store.sessions_dir.iterdir())


def record_of(kind: int, content: bytes, claimed: int | None = None) -> bytes:
    """A record of an MCAP file. claimed: how long it says that it is."""
    return struct.pack("<BQ", kind, len(content) if claimed is None else claimed) + content


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


HEADER = MAGIC + record_of(1, text(b"owa") + text(b""))
"""How a file begins."""


def chunk(records: bytes, packing: bytes = b"", size: int | None = None, crc: int = 0) -> bytes:
    """size: what it says that its records unpack to."""
    head = struct.pack("<QQQI", 0, 0, len(records) if size is None else size, crc)
    return record_of(6, head + text(packing) + struct.pack("<Q", len(records)) + records)
