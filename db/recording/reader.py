"""Reads a finished session: frames, events and gaps as arrays, its clock, its video, and its resolved actions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from db.clock import FrameClock, Int64
from db.errors import BadFile
from db.media.video import FrameTable, VideoReader
from db.recording import factfile
from db.recording.actions import ActionTrack, InputFacts, resolve
from db.recording.corrections import Overlay, correct
from db.recording.events import EVENT_DTYPE, EventArray, Gap, GapReason
from db.recording.session import FACTS_NAME, FRAME_DTYPE, SessionState, read_meta

_AT_ONCE = 4096


class Recording:
    """The raw facts of one session's folder. Loads lazily, changes nothing, may be shared between threads once loaded
    (except for the readers that `video` makes).
    """

    def __init__(self, folder: Path) -> None:
        """Raises NotFound, BadFile, TooNew; BadFile too while the session is still being recorded."""
        self.folder = folder
        self.meta = read_meta(folder)
        if self.meta.state is SessionState.RECORDING:
            raise BadFile(f"The session in {folder} was never finished; `playtape-db recover` puts it in order.")

    @cached_property
    def frames(self) -> FrameTable:
        """(N,) of FRAME_DTYPE; the row number is the frame index."""
        return self._load("frame", "idx", FRAME_DTYPE)

    @cached_property
    def events(self) -> EventArray:
        """(M,) of EVENT_DTYPE ordered by time."""
        rows = self._load("event", "seq", EVENT_DTYPE)
        times = rows["t_ns"]
        return rows if (times[1:] >= times[:-1]).all() else rows[np.argsort(times, kind="stable")]

    @cached_property
    def gaps(self) -> list[Gap]:
        rows = self._query("SELECT start_ns, stop_ns, reason FROM gap ORDER BY start_ns")
        try:
            return [Gap(int(start), int(stop), GapReason(reason)) for start, stop, reason in rows]
        except (TypeError, ValueError) as error:
            raise BadFile(f"{self.folder / FACTS_NAME} holds a gap that cannot be: {error}.") from None

    @cached_property
    def clock(self) -> FrameClock:
        """Raises BadFile where the frame times are not strictly increasing or there is no frame."""
        try:
            return FrameClock(np.ascontiguousarray(self.frames["t_ns"]), int(self.meta.t_stop_ns or 0))
        except ValueError as error:
            raise BadFile(f"The session in {self.folder} has no usable frame times: {error}.") from None

    @property
    def facts(self) -> InputFacts:
        """What `resolve` reads; the watched stretch is first frame to stop."""
        return InputFacts(self.events, self.gaps, self.meta.actors, int(self.clock.t_ns[0]), self.clock.t_stop_ns)

    def resolve(
        self,
        edges_ns: Int64 | None = None,
        codes: Sequence[int] | None = None,
        corrections: Sequence[Overlay] = (),
    ) -> ActionTrack:
        """The actions between `edges_ns` (by default one interval a frame); see `db.recording.actions.resolve`.

        corrections: laid over the raw events first (`db.recording.corrections.corrections_of`).
        """
        facts = correct(self.facts, self.clock, corrections)
        return resolve(facts, self.clock.edges_ns if edges_ns is None else edges_ns, codes)

    def video(self) -> VideoReader:
        """A new reader of the frames, for one thread; the caller closes it."""
        return VideoReader(self.folder, self.meta.segments, self.frames)

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with factfile.reading(self.folder) as connection:
            return connection.execute(sql).fetchall()

    def _load(self, table: str, order: str, dtype: np.dtype[np.void]) -> EventArray:
        """Rows straight into an array: an hour's events as a list of Python's would take half a gigabyte.

        Some thousands at a time, since between them another thread gets its turn: a window stands still meanwhile.
        """
        try:
            with factfile.reading(self.folder) as connection:
                connection.execute("BEGIN")  # one state of the file for both questions
                (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                rows = iter(connection.execute(f"SELECT {', '.join(dtype.names or ())} FROM {table} ORDER BY {order}"))
                whole: EventArray = np.empty(count, dtype)
                for first in range(0, count, _AT_ONCE):
                    some = np.fromiter(itertools.islice(rows, _AT_ONCE), dtype)
                    whole[first : first + len(some)] = some
                return whole
        except (TypeError, ValueError, OverflowError) as error:
            raise BadFile(f"{self.folder / FACTS_NAME} holds a value that cannot be: {error}.") from None
