"""Takes the end off a session for good: "discard the last seconds". The bytes of what is discarded leave the files."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from db.media.video import packet_table
from db.recording import factfile
from db.recording.events import EventKind, InputEvent, Origin
from db.recording.recovery import trim_segments
from db.recording.session import SessionMeta, read_meta, write_meta


def cut_tail(folder: Path, from_ns: int) -> int:
    """Removes every frame, event and gap at or after `from_ns` from a finished session; returns the frames that stay.

    With none left nothing is changed: the caller removes the folder. Holds that go on at the cut are closed there. Safe
    to run again after it was interrupted. Raises BadFile, DiskFull and StoreReadOnly.
    """
    connection = factfile.open_for_repair(folder)
    try:
        with factfile.user_errors(folder):
            rows = connection.execute(
                "SELECT segment, pts, t_ns FROM frame WHERE t_ns < ? ORDER BY idx", (from_ns,)
            ).fetchall()
            if not rows:
                return 0
            _cut_facts(connection, from_ns)
    finally:
        connection.close()
    packets = {path.name: packet_table(path) for path in sorted(folder.glob("video-*.mkv"))}
    segments, _ = trim_segments(folder, rows, packets)
    meta = read_meta(folder)
    changes = {
        "segments": segments,
        "t_stop_ns": max(min(from_ns, meta.t_stop_ns or from_ns), rows[-1][2] + 1),
        "revision": meta.revision + 1,
        "discard_from_ns": None,
    }
    write_meta(folder, SessionMeta.model_validate(meta.model_dump() | changes))
    return len(rows)


def mark_cut(folder: Path, from_ns: int) -> None:
    """Notes durably that everything from `from_ns` on is to go, so that the cut happens even after a crash."""
    write_meta(folder, read_meta(folder).model_copy(update={"discard_from_ns": from_ns}))


def _cut_facts(connection: sqlite3.Connection, from_ns: int) -> None:
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM frame WHERE t_ns >= ?", (from_ns,))
    connection.execute("DELETE FROM event WHERE t_ns >= ?", (from_ns,))
    connection.execute("DELETE FROM gap WHERE start_ns >= ?", (from_ns,))
    connection.execute("UPDATE gap SET stop_ns = ? WHERE stop_ns > ?", (from_ns, from_ns))
    held = connection.execute(
        "SELECT code, value, actor, device FROM event WHERE kind = ? ORDER BY seq", (int(EventKind.KEY),)
    )
    down = {}
    for code, value, actor, device in held:
        down[code] = (actor, device) if value else None
    closings = [
        InputEvent(from_ns, EventKind.KEY, code, 0, origin=Origin.CLOSING, actor=who[0], device=who[1]).row()
        for code, who in down.items()
        if who is not None
    ]
    connection.executemany(factfile.INSERT_EVENT, closings)
    connection.execute("COMMIT")
    factfile.leave_wal(connection)
    connection.execute("VACUUM")
