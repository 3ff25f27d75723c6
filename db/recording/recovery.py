"""Puts sessions in order that were cut off while recording: by a crash, a kill or a power cut."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from db.errors import BadFile, NotFound, PlaytapeError, TooNew, from_os_error
from db.files import replace_text
from db.media.video import count_decoding, packet_table, remux
from db.recording import factfile
from db.recording.session import (
    FORMAT,
    LOCK_NAME,
    META_NAME,
    Segment,
    SessionMeta,
    SessionState,
    is_recording,
    read_meta,
    recording_lock,
    release_lock,
    write_meta,
)

__all__ = ["RecoveryReport", "is_orphan", "is_recording", "recover"]

DAMAGE_NAME = "damaged.txt"
"""In the folder of a session that cannot be put in order: the format that this Playtape reads, and why."""

_BEGINS_S = 3600.0
"""An empty folder that is older is no recording that begins: it was killed at its first step."""

_EMPTY_MS = 1000
"""A session that ended before its first commit holds no more video than this, and no times for it."""

_TAIL_GOPS = 2
"""How many groups of pictures at the end are decoded: a disk that lied about a sync may have torn these."""

_Row = tuple[int, int, bool, int]
"""Segment, PTS, keyframe flag and t_ns of a frame."""
_Packets = dict[str, tuple[list[int], list[bool]]]
"""Of each video file, in order of their names: PTS and keyframe flags of its packets."""


@dataclass(frozen=True)
class RecoveryReport:
    """What became of one cut-off session."""

    session_id: str
    folder: Path
    frames: int
    dropped_rows: int
    """Rows whose packets had not reached the file."""
    dropped_packets: int
    """Packets whose rows had not been committed."""
    error: str = ""
    """Why the session cannot be used, or empty."""
    lasting: bool = False
    """Whether trying again would find the same."""
    known: bool = False
    """Whether that had been found before; nothing was tried this time."""


def recover(folder: Path) -> RecoveryReport:
    """Makes a cut-off session whole again, keeping every frame that has both its row and its packet.

    Nothing is deleted but rows without packets and packets without rows, and the folder of a session that ended before
    its first frame was stored. One that is finished stays as it is. What is wrong with a session stands in the report's `error` and is not raised.
    Safe to run again after being cut off itself, and from two processes at once.
    """
    report = RecoveryReport(folder.name, folder, 0, 0, 0)
    lock = recording_lock(folder)
    try:
        lock.acquire()
    except TimeoutError:
        return replace(report, error=f"{folder} is being recorded or put in order by another program.")
    except OSError as error:
        return replace(report, error=str(from_os_error(error, folder)))
    try:
        if {path.name for path in folder.iterdir()} <= {LOCK_NAME, f"{META_NAME}.new", DAMAGE_NAME}:
            _remove(folder)
            raise BadFile(f"Session {folder.name} ended while it was being made; there was nothing to keep.")
        meta = read_meta(folder)
        rows = _read_rows(folder)
        packets: _Packets = {path.name: packet_table(path) for path in sorted(folder.glob("video-*.mkv"))}
        if not rows and all(pts <= _EMPTY_MS for times, _ in packets.values() for pts in times):
            _remove(folder)
            raise BadFile(f"Session {meta.id} ended before its first frame was stored; there was nothing to keep.")
        return _recover(folder, meta, rows, packets) if meta.state is SessionState.RECORDING else report
    except PlaytapeError as error:
        return fail(report, error)
    except OSError as error:
        return fail(report, from_os_error(error, folder))
    finally:
        release_lock(folder, lock)


def is_orphan(folder: Path) -> bool:
    """Whether a session's folder that the index does not know needs care; one in which a recording just begins does not."""
    try:
        if is_recording(folder):
            return False
        begun = any(path.name != LOCK_NAME for path in folder.iterdir())
        return begun or time.time() - folder.stat().st_mtime > _BEGINS_S
    except FileNotFoundError:
        return False  # another program has just put it away
    except OSError:
        return True  # `recover` will say what is the matter with it


def fail(report: RecoveryReport, error: PlaytapeError) -> RecoveryReport:
    """The report of a session that could not be put in order or entered. What lasts is noted in its folder."""
    lasting = isinstance(error, (BadFile, NotFound, TooNew)) and report.folder.is_dir()
    if lasting:
        with contextlib.suppress(PlaytapeError):
            replace_text(report.folder / DAMAGE_NAME, f"{FORMAT} {error}\n")
    return replace(report, frames=0, error=str(error), lasting=lasting)


def find_damage(folder: Path) -> RecoveryReport | None:
    """What an earlier recovery by this version found to be wrong with a session for good."""
    try:
        version, _, error = (folder / DAMAGE_NAME).read_text(encoding="utf-8").strip().partition(" ")
    except (OSError, UnicodeDecodeError):
        return None
    if version != str(FORMAT) or not error:
        return None
    return RecoveryReport(folder.name, folder, 0, 0, 0, error, lasting=True, known=True)


def forget_damage(folder: Path) -> None:
    """Takes the note away: the session could be put in order after all."""
    with contextlib.suppress(OSError):
        (folder / DAMAGE_NAME).unlink(missing_ok=True)


def _recover(folder: Path, meta: SessionMeta, rows: list[_Row], packets: _Packets) -> RecoveryReport:
    kept = _count_decoding(folder, rows, _count_matching(rows, packets))
    if kept == 0:
        raise BadFile(f"No frame of the session in {folder} has both its picture and its time; nothing was changed.")
    _trim_rows(folder, kept)
    segments, surplus = trim_segments(folder, rows[:kept], packets)
    nominal_ns = round(1e9 / meta.capture.rate_hz)
    fields = meta.model_dump() | {
        "state": SessionState.RECOVERED,
        "t_start_ns": rows[0][-1],
        "t_stop_ns": rows[kept - 1][-1] + nominal_ns,
        "end_reason": meta.end_reason or "cut off; recovered afterwards",
        "segments": segments,
    }
    write_meta(folder, SessionMeta.model_validate(fields))
    return RecoveryReport(meta.id, folder, kept, len(rows) - kept, surplus)


def _read_rows(folder: Path) -> list[_Row]:
    if factfile.is_blank(folder):
        return []
    connection = factfile.open_for_repair(folder)
    try:
        with factfile.user_errors(folder):
            return connection.execute("SELECT segment, pts, keyframe, t_ns FROM frame ORDER BY idx").fetchall()
    finally:
        connection.close()


def _trim_rows(folder: Path, count: int) -> None:
    connection = factfile.open_for_repair(folder)
    try:
        with factfile.user_errors(folder):
            connection.execute("DELETE FROM frame WHERE idx >= ?", (count,))
            factfile.leave_wal(connection)
    finally:
        connection.close()


def _count_matching(rows: list[_Row], packets: _Packets) -> int:
    """How many rows, from the first, find their own packet in their segment.

    A segment may end with packets whose rows are missing; then no row of a later segment follows either.
    """
    stored = [(_number(name), *packet) for name, table in packets.items() for packet in zip(*table, strict=True)]
    count = 0
    for row, packet in zip(rows, stored, strict=False):
        if row[:3] != packet:
            break
        count += 1
    return count


def _count_decoding(folder: Path, rows: list[_Row], count: int) -> int:
    """How many of the first `count` frames are left before the first at the end that does not decode."""
    own = [index for index in range(count) if rows[index][0] == rows[count - 1][0]]
    keys = [index for index in own if rows[index][2]]
    if not keys:
        return count
    start = keys[-_TAIL_GOPS:][0]
    path = folder / f"video-{rows[start][0]:03d}.mkv"
    return start + count_decoding(path, first=start - own[0], count=count - start)


def trim_segments(folder: Path, rows: list[_Row], packets: _Packets) -> tuple[list[Segment], int]:
    """Cuts each video to its rows, and returns the segments in use and the number of packets cut away.

    Only the last one in use can have been cut off; one before it was closed when the next began.
    """
    segments, surplus = [], 0
    last = rows[-1][0]
    for name, (times, _) in packets.items():
        own = [index for index, row in enumerate(rows) if row[0] == _number(name)]
        surplus += len(times) - len(own)
        if not own:
            _unlink(folder / name)
            continue
        if _number(name) == last or len(times) != len(own):
            remux(folder / name, len(own))
        segments.append(Segment(name=name, first_frame=own[0]))
    return segments, surplus


def _number(name: str) -> int:
    return int(name.removeprefix("video-").removesuffix(".mkv"))


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise from_os_error(error, path) from None


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise from_os_error(error, folder) from None
