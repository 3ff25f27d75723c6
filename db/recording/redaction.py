"""Destroys private stretches of a session: black pictures, no inputs, and nothing of either left in any file.

The only change that is ever made to raw facts. Frame count and times stay, so that labels stay where they are; the
session gets a new revision, and a dataset that names the old one refuses to train.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from db.errors import BadArgument
from db.media.blackout import Tell, black_out, untold
from db.media.video import packet_table
from db.recording import factfile
from db.recording.events import EventKind, GapReason, InputEvent, Origin
from db.recording.reader import Recording
from db.recording.session import SessionMeta, read_meta, write_meta

Stretch = tuple[int, int]
"""Frames [start, stop)."""


def mark_redaction(folder: Path, stretches: Sequence[Stretch]) -> None:
    """Notes durably what is to be destroyed, so that it happens even after a crash. Raises BadArgument."""
    meta, count = read_meta(folder), len(Recording(folder).frames)
    for start, stop in stretches:
        if not 0 <= start < stop <= count:
            raise BadArgument(f"Frames {start} to {stop} are not a stretch of this session of {count} frames.")
    pending = tuple(sorted({*meta.redact_frames, *stretches}))
    write_meta(folder, meta.model_copy(update={"redact_frames": pending}))


def redact_marked(folder: Path, tell: Tell = untold) -> None:
    """Destroys what is marked; does nothing where nothing is. Safe to run again after it was interrupted.

    tell: hears how much of the video has been looked at, in thousandths of a segment.
    Raises BadFile, EncoderFailed, DiskFull and StoreReadOnly.
    """
    meta = read_meta(folder)
    if not meta.redact_frames:
        return
    recording = Recording(folder)
    edges, frames, stretches = recording.clock.edges_ns, recording.frames, _union(meta.redact_frames)
    _redact_facts(folder, [(int(edges[a]), int(edges[b])) for a, b in stretches], stretches, len(frames))
    indices = [index for a, b in stretches for index in range(a, b)]
    hit = sorted({int(frames["segment"][i]) for i in indices})
    for place, number in enumerate(hit):
        segment = meta.segments[number]
        black = {i - segment.first_frame for i in indices if frames["segment"][i] == number}

        def told(done: int, total: int, place: int = place) -> None:
            tell(place * 1000 + done * 1000 // total, len(hit) * 1000)

        black_out(folder / segment.name, meta.capture, black, told)
    _adopt_keyframes(folder, meta)
    changes = {"redact_frames": (), "revision": meta.revision + 1}
    write_meta(folder, SessionMeta.model_validate(read_meta(folder).model_dump() | changes))


def _union(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The same frames in stretches that neither overlap nor touch."""
    joined: list[Stretch] = []
    for start, stop in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def _redact_facts(folder: Path, times_ns: list[Stretch], stretches: list[Stretch], frame_count: int) -> None:
    connection = factfile.open_for_repair(folder)
    try:
        with factfile.user_errors(folder):
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            for start_ns, stop_ns in times_ns:
                _redact_inputs(connection, start_ns, stop_ns)
            for start, stop in stretches:
                connection.execute("UPDATE frame SET duplicate = 0 WHERE idx IN (?, ?)", (start, stop))
                connection.execute("UPDATE frame SET duplicate = 1 WHERE idx > ? AND idx < ?", (start, stop))
            connection.execute("COMMIT")
            factfile.leave_wal(connection)
            connection.execute("VACUUM")
    finally:
        connection.close()


def _redact_inputs(connection: sqlite3.Connection, start_ns: int, stop_ns: int) -> None:
    """Removes the inputs of a stretch; what is held over it is closed at its start and found down at its end."""
    before, after = _down(connection, start_ns), _down(connection, stop_ns)
    at_the_end = connection.execute(
        "SELECT code FROM event WHERE kind = ? AND t_ns = ?", (int(EventKind.KEY), stop_ns)
    ).fetchall()
    for (code,) in at_the_end:  # it is told there already
        after.pop(code, None)
    connection.execute("DELETE FROM event WHERE t_ns >= ? AND t_ns < ?", (start_ns, stop_ns))
    for code, (actor, device) in before.items():
        _insert(
            connection, InputEvent(start_ns, EventKind.KEY, code, 0, origin=Origin.CLOSING, actor=actor, device=device)
        )
    for code, (actor, device) in after.items():
        _insert(
            connection, InputEvent(stop_ns, EventKind.KEY, code, 1, origin=Origin.SNAPSHOT, actor=actor, device=device)
        )
    gap = (start_ns, stop_ns, GapReason.REDACTED.value)
    if connection.execute("SELECT 1 FROM gap WHERE (start_ns, stop_ns, reason) = (?, ?, ?)", gap).fetchone() is None:
        connection.execute(factfile.INSERT_GAP, gap)


def _down(connection: sqlite3.Connection, until_ns: int) -> dict[int, tuple[int, int]]:
    """Which keys are down just before `until_ns`, by whom and on which device."""
    rows = connection.execute(
        "SELECT code, value, actor, device FROM event WHERE kind = ? AND t_ns < ? ORDER BY t_ns, seq",
        (int(EventKind.KEY), until_ns),
    )
    down: dict[int, tuple[int, int]] = {}
    for code, value, actor, device in rows:
        if value:
            down[code] = (actor, device)
        else:
            down.pop(code, None)
    return down


def _insert(connection: sqlite3.Connection, event: InputEvent) -> None:
    connection.execute(factfile.INSERT_EVENT, event.row())


def _adopt_keyframes(folder: Path, meta: SessionMeta) -> None:
    """The rows say which pictures are keyframes; encoding anew may have added some."""
    connection = factfile.open_for_repair(folder)
    try:
        with factfile.user_errors(folder):
            connection.execute("BEGIN IMMEDIATE")
            for number, segment in enumerate(meta.segments):
                flags = [(int(key), number, pts) for pts, key in zip(*packet_table(folder / segment.name), strict=True)]
                connection.executemany("UPDATE frame SET keyframe = ? WHERE segment = ? AND pts = ?", flags)
            connection.execute("COMMIT")
    finally:
        connection.close()
