"""Writes a session while it is recorded: a row per frame and per event, committed at least once a second."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from filelock import BaseFileLock

from db.errors import BadArgument, StoreLocked, from_os_error
from db.files import sync_folder
from db.recording import factfile
from db.recording.events import Gap, InputEvent
from db.recording.session import (
    FACTS_NAME,
    META_NAME,
    FrameRow,
    Segment,
    SessionMeta,
    SessionState,
    recording_lock,
    release_lock,
    write_meta,
)


class SessionWriter:
    """The session file of one recording. One thread uses it; rows never outrun the video they describe.

    Nothing is durable before `commit`; the caller commits every `capture.commit_s`.
    """

    def __init__(self, folder: Path, meta: SessionMeta, connection: sqlite3.Connection, lock: BaseFileLock) -> None:
        """Use `create`."""
        self.folder, self.meta = folder, meta
        self.frame_count = self.event_count = 0
        self._connection, self._lock = connection, lock
        self._last_t_ns: int | None = None

    @classmethod
    def create(cls, folder: Path, meta: SessionMeta) -> SessionWriter:
        """Makes the folder, takes its lock, writes the metadata and an empty facts file.

        Raises StoreLocked where the folder is being recorded into, BadArgument where it holds a session, StoreReadOnly
        and DiskFull.
        """
        lock = recording_lock(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=1)  # another program may be looking whether this is held
        except TimeoutError:
            raise StoreLocked(f"{folder} is being recorded into by another program.") from None
        except OSError as error:
            raise from_os_error(error, folder) from None
        try:
            if (folder / META_NAME).exists() or (folder / FACTS_NAME).exists():
                raise BadArgument(f"{folder} holds a session already; nothing was recorded.")
            write_meta(folder, meta)
            connection = factfile.create(folder)
        except BaseException:
            lock.release()
            raise
        writer = cls(folder, meta, connection, lock)
        try:
            sync_folder(folder)
            sync_folder(folder.parent)
        except OSError as error:
            writer.abandon()
            raise from_os_error(error, folder) from None
        return writer

    def write_frames(self, rows: Sequence[FrameRow]) -> None:
        """Appends frames in order; their index is their order. The video must already hold their packets.

        Raises ValueError where their times do not increase strictly, since no reader could make a clock of them.
        """
        times = [self._last_t_ns, *(row[3] for row in rows)] if self._last_t_ns is not None else [r[3] for r in rows]
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            raise ValueError("frame times must increase strictly")
        with factfile.user_errors(self.folder):
            numbered = [(*row, self.frame_count + i) for i, row in enumerate(rows)]
            self._connection.executemany(factfile.INSERT_FRAME, numbered)
        self.frame_count += len(rows)
        if rows:
            self._last_t_ns = rows[-1][3]

    def write_events(self, events: Sequence[InputEvent]) -> None:
        """Appends events in order of arrival."""
        with factfile.user_errors(self.folder):
            self._connection.executemany(factfile.INSERT_EVENT, [event.row() for event in events])
        self.event_count += len(events)

    def write_gap(self, gap: Gap) -> None:
        """Marks a stretch whose inputs are not known."""
        with factfile.user_errors(self.folder):
            self._connection.execute(factfile.INSERT_GAP, (gap.start_ns, gap.stop_ns, gap.reason.value))

    def commit(self) -> None:
        """Makes everything written so far survive a crash."""
        with factfile.user_errors(self.folder):
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            self._connection.execute("BEGIN")

    def update_meta(self, **changes: object) -> None:
        """Replaces fields of the metadata, durably."""
        self.meta = SessionMeta.model_validate(self.meta.model_dump() | changes)
        write_meta(self.folder, self.meta)

    def finish(self, *, t_stop_ns: int, end_reason: str, segments: Sequence[Segment], **changes: object) -> SessionMeta:
        """Commits, leaves WAL mode, and marks the session complete. The video must be closed before.

        t_stop_ns: where the last frame's span ends; moved past the last frame if it is not. On an error (DiskFull)
        everything is let go as `abandon` does, and recovery finds what was committed.
        """
        try:
            self._finish(t_stop_ns, end_reason, segments, changes)
        except BaseException:
            self.abandon()
            raise
        release_lock(self.folder, self._lock)
        return self.meta

    def _finish(self, t_stop_ns: int, end_reason: str, segments: Sequence[Segment], changes: dict[str, object]) -> None:
        with factfile.user_errors(self.folder):
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            first = self._connection.execute("SELECT min(t_ns) FROM frame").fetchone()[0]
            factfile.leave_wal(self._connection)
            self._connection.close()
        stop = t_stop_ns if self._last_t_ns is None else max(t_stop_ns, self._last_t_ns + 1)
        self.update_meta(
            state=SessionState.COMPLETE,
            t_start_ns=first,
            t_stop_ns=stop,
            end_reason=end_reason,
            segments=[segment.model_dump() for segment in segments],
            **changes,
        )

    def abandon(self) -> None:
        """Lets go of everything as it is, for recovery to put in order; what was committed stays."""
        self._connection.close()
        self._lock.release()
