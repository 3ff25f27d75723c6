"""Where frames and events end: the encoder's thread and the session file's thread.

A frame's row reaches the session file only after its packet was synced to disk, so rows never outrun the video.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

from db.clock import now_ns
from db.errors import EncoderFailed
from db.media.video import VideoWriter
from db.recording.session import FrameRow, Segment, SessionMeta
from db.recording.writer import SessionWriter
from recorder.frames import FrameQueue
from recorder.inputs.gate import Rows
from recorder.workers import Worker

_QUEUE_LENGTH = 1000


class SessionFile(Worker):
    """The one thread that writes the session's rows. Commits at least every `capture.commit_s`.

    Frames wait for room, since their encoder can; inputs never do: `offer` says when there is none.
    """

    def __init__(self, folder: Path, meta: SessionMeta) -> None:
        super().__init__("session file")
        self._folder, self._meta = folder, meta
        self._queue: queue.Queue[list[FrameRow] | Rows] = queue.Queue(_QUEUE_LENGTH)
        self._finish: dict[str, Any] | None = None
        self.frame_count = self.event_count = 0

    def put_frames(self, rows: list[FrameRow]) -> None:
        """Appends frames whose packets are on disk, waiting while the file is behind."""
        while self.alive:
            try:
                self._queue.put(rows, timeout=0.1)
            except queue.Full:
                continue
            return

    def offer(self, rows: Rows) -> bool:
        """Appends events and gaps; False, and nothing is taken, where the file is too far behind."""
        try:
            self._queue.put_nowait(rows)
        except queue.Full:
            return False
        return True

    def finish(self, **facts: Any) -> None:
        """Writes what is left, then ends the session with these facts (see SessionWriter.finish), and joins."""
        self._finish = facts
        self.close()
        self.check()

    def run(self) -> None:
        writer = SessionWriter.create(self._folder, self._meta)
        try:
            self._write(writer)
        except BaseException:
            writer.abandon()
            raise
        if self._finish is not None and writer.frame_count:
            writer.finish(**self._finish)
        else:
            writer.abandon()

    def _write(self, writer: SessionWriter) -> None:
        period_ns = int(self._meta.capture.commit_s * 1e9)
        committed_ns = now_ns()
        while not (self._stopping.is_set() and self._queue.empty()):
            try:
                item = self._queue.get(timeout=0.05)
            except queue.Empty:
                item = None
            if isinstance(item, Rows):
                writer.write_events(item.events)
                for gap in item.gaps:
                    writer.write_gap(gap)
            elif item is not None:
                writer.write_frames(item)
            # Frames come in lots of one period: committed at once, a crash costs one period and not two.
            if isinstance(item, list) or now_ns() - committed_ns >= period_ns:
                writer.commit()
                committed_ns = now_ns()
            self.frame_count, self.event_count = writer.frame_count, writer.event_count


class Encoder(Worker):
    """The one thread that encodes. Ends by itself when its queue has ended.

    Where it ends with EncoderFailed, every frame before is stored all the same, and the video ends as it should.
    """

    def __init__(
        self, folder: Path, meta: SessionMeta, frames: FrameQueue, put_rows: Callable[[list[FrameRow]], None]
    ) -> None:
        super().__init__("encoder")
        self._folder, self._meta, self._frames, self._put_rows = folder, meta, frames, put_rows
        self.segments: list[Segment] = []

    def run(self) -> None:
        writer = VideoWriter(self._folder, self._meta.size_px, self._meta.capture)
        self.segments = writer.segments  # the writer's own list, which grows
        rows: list[FrameRow] = []
        try:
            try:
                self._encode(writer, rows)
            finally:
                writer.close()
        except EncoderFailed:
            self._put_rows(rows)
            raise
        self._put_rows(rows)

    def _encode(self, writer: VideoWriter, rows: list[FrameRow]) -> None:
        """Until the queue has ended. `rows` keeps those that are not handed over yet."""
        period_ns = int(self._meta.capture.commit_s * 1e9)
        synced_ns = now_ns()
        while not self._frames.done:
            shot = self._frames.get(0.05)
            if shot is not None:
                grab = shot.grab
                rows.append(writer.write(grab.bgra, grab.t_before_ns, grab.t_ns, duplicate=shot.duplicate))
            if rows and now_ns() - synced_ns >= period_ns:
                ready = len(rows) - (writer.frame_count - writer.sync())
                self._put_rows(rows[:ready])
                del rows[:ready]
                synced_ns = now_ns()
