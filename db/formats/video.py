"""A video file becomes a session without inputs: nobody knows what was pressed, and an IDM may say it later.

Every video is encoded anew into what the recorder writes (`db.media.video`): upright, even sides, square pixels, BT.601, no
B-frames, a keyframe each second, so that a seek is quick and a model sees it with the eyes it has for recordings. The
frames' own times are kept exactly, whatever the rate does; they count from the first frame.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from db.clock import ClockAnchor, Int64
from db.errors import BadFile, from_os_error
from db.files import sync_folder
from db.media.video import VideoWriter
from db.recording.events import Gap, GapReason
from db.recording.session import WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec, SizePx
from db.store import Store
from db.upkeep.leftovers import staging_folder
from db.upkeep.withdrawal import refuse_withdrawn

Progress = Callable[[float], None]
"""Hears the share done, in [0, 1], once for every few frames; what it raises ends the import."""

MOST_FRAMES = 10_000_000
LARGEST_PX = 8192
START_NS = 1_000_000_000
"""The stamp of a video's first frame; only differences mean anything."""
_STEP_NS = 1_000_000
"""At least so far apart are two frames: a stored time has that grain."""
_SPEC = CaptureSpec(preset="veryfast", crf=18)
_NAMESPACE = uuid.UUID("6f0a3c1e-55c3-5b0e-9d5c-5d2f6f1f7a10")
_COMMIT_EVERY = 500


@dataclass(frozen=True)
class VideoReport:
    """What came of one file."""

    session_id: str
    created: bool
    """False where the library has this very file already."""
    frames: int
    seconds: float
    notes: tuple[str, ...]
    """What was changed or could not be kept, a sentence each."""


def import_video(
    store: Store, path: Path, *, game: str, player: str, progress: Progress = lambda share: None
) -> VideoReport:
    """Makes a session of a video's first picture stream; sound and subtitles are left out.

    The session's id follows from the file's bytes, so that a file is imported once. Raises BadFile (with the place),
    DiskFull, StoreReadOnly, and Withdrawn where the session was taken back; nothing is left behind then.
    """
    return bring(store, path, session_id=file_id(path), game=game, player=player, progress=progress)


def file_id(*paths: Path) -> str:
    """The id of the session that these files become: it follows from their bytes. Raises BadFile."""
    return str(uuid.uuid5(_NAMESPACE, " ".join(map(_digest, paths))))


def bring(
    store: Store,
    path: Path,
    *,
    session_id: str,
    game: str,
    player: str,
    progress: Progress = lambda share: None,
    sidecar: Sidecar | None = None,
) -> VideoReport:
    """As `import_video`, with what a sidecar knows of the frames."""
    refuse_withdrawn(store, session_id)
    if (store.sessions_dir / session_id).is_dir():
        summary = store.summary(session_id)
        return VideoReport(session_id, False, summary.frames, summary.duration_s, ())
    try:
        with staging_folder(store.sessions_dir) as staging:
            report = _Import(path, staging, session_id, game, player, progress, sidecar).run()
            staging.rename(store.sessions_dir / session_id)
        sync_folder(store.sessions_dir)
    except OSError as error:
        raise from_os_error(error, error.filename or path) from None
    try:
        store.enter(session_id)
    except BaseException:
        store.delete(session_id)
        raise
    return report


class Sidecar(Protocol):
    """What a file beside the video knows of its frames."""

    name: str
    offsets_ns: Int64
    """(N,) when each frame was shown after the first one."""

    def write(self, writer: SessionWriter, edges_ns: Int64) -> None:
        """Writes events, gaps and labels; edges_ns: (N + 1,) the frames' stamps and the stop."""


class _Import:
    """One file on its way into a folder that nobody sees yet."""

    def __init__(
        self,
        path: Path,
        folder: Path,
        session_id: str,
        game: str,
        player: str,
        progress: Progress,
        sidecar: Sidecar | None,
    ) -> None:
        self._path, self._folder, self._id = path, folder, session_id
        self._game, self._player, self._progress = game, player, progress
        self._sidecar = sidecar
        self._notes: list[str] = []

    def run(self) -> VideoReport:
        try:
            with av.open(str(self._path)) as container:
                return self._read(container)
        except (av.FFmpegError, ValueError) as error:
            raise BadFile(f"{self._path} cannot be read as a video: {_reason(error)}.") from None

    def _read(self, container: Any) -> VideoReport:
        if not container.streams.video:
            raise BadFile(f"{self._path} holds no pictures.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        frames = self._frames(container, stream)
        first = next(frames, None)
        if first is None:
            raise BadFile(f"{self._path} holds no picture that can be decoded.")
        turn = _Turn.of(first[0], stream, self._path)
        rate_hz = _rate_hz(stream)
        meta = new_meta(
            game=self._game,
            player=self._player,
            capture=_SPEC.model_copy(update={"rate_hz": rate_hz}),
            window=WindowSpec(kind="video", title=self._path.name[:500], size_px=turn.size_px),
            id=self._id,
        )
        anchor = ClockAnchor(mono_ns=START_NS, wall_ns=_wall_ns(container, self._path), boot_ns=START_NS)
        writer = SessionWriter.create(self._folder, meta.model_copy(update={"anchor": anchor}))
        try:
            return self._write(writer, turn, frames, first, rate_hz, float((container.duration or 0) / av.time_base))
        except BaseException:
            writer.abandon()
            raise

    def _write(
        self,
        writer: SessionWriter,
        turn: _Turn,
        frames: Iterator[tuple[av.VideoFrame, Fraction]],
        first: tuple[av.VideoFrame, Fraction],
        rate_hz: float,
        duration_s: float,
    ) -> VideoReport:
        video = VideoWriter(self._folder, turn.size_px, writer.meta.capture)
        rows, mended, t_ns, steps = [], 0, START_NS - _STEP_NS, []
        try:
            for number, (frame, at) in enumerate(_chain(first, frames)):
                wanted = START_NS + self._offset_ns(number, at - first[1])
                mended += wanted < t_ns + _STEP_NS and number > 0
                before, t_ns = t_ns, max(wanted, t_ns + _STEP_NS)
                steps.append(t_ns - before)
                rows.append(video.write_frame(turn.upright(frame), t_ns, t_ns))
                if number % _COMMIT_EVERY == 0:
                    self._progress(min((t_ns - START_NS) / 1e9 / max(duration_s, 1e-3), 1.0))
                    if number >= MOST_FRAMES:
                        raise BadFile(f"{self._path} has over {MOST_FRAMES:,} frames; cut it into parts first.")
        finally:
            video.close()
        writer.write_frames(rows)
        step_ns = int(np.median(steps[1:])) if len(steps) > 1 else round(1e9 / rate_hz)
        stop_ns = t_ns + max(step_ns, _STEP_NS)
        self._write_inputs(writer, np.array([row[3] for row in rows], np.int64), stop_ns)
        meta = writer.finish(t_stop_ns=stop_ns, end_reason="imported", segments=video.segments)
        self._progress(1.0)
        if mended:
            self._notes.append(
                f"{mended} frames had the time of another one or an earlier one; they follow it by 1 ms."
            )
        return VideoReport(meta.id, True, len(rows), (stop_ns - START_NS) / 1e9, (*turn.notes, *self._notes))

    def _offset_ns(self, number: int, at_s: Fraction) -> int:
        """When a frame was shown after the first: the sidecar knows, or the video says."""
        if self._sidecar is None:
            return round(at_s * 10**9)
        if number >= len(self._sidecar.offsets_ns):
            raise BadFile(f"{self._path} has more than the {number} frames of which {self._sidecar.name} tells.")
        return int(self._sidecar.offsets_ns[number])

    def _write_inputs(self, writer: SessionWriter, t_ns: Int64, stop_ns: int) -> None:
        if self._sidecar is None:
            writer.write_gap(Gap(START_NS, stop_ns, GapReason.UNRECORDED))
            return
        told = len(self._sidecar.offsets_ns)
        if told != len(t_ns):
            raise BadFile(f"{self._path} has {len(t_ns)} frames, {self._sidecar.name} tells of {told}.")
        self._sidecar.write(writer, np.append(t_ns, np.int64(stop_ns)))

    def _frames(self, container: Any, stream: Any) -> Iterator[tuple[av.VideoFrame, Fraction]]:
        """Every picture that decodes, in the order in which it is shown, with its time in seconds."""
        last = Fraction(0)
        step = Fraction(1) / Fraction(_rate_hz(stream)).limit_denominator(100_000)
        untimed = broken = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                decoded = packet.decode()
            except av.error.EOFError:
                break
            except av.FFmpegError:
                broken += 1
                if broken > 1000:
                    break
                continue
            for frame in decoded:
                if frame.pts is None:
                    untimed += 1
                    last += step
                else:
                    last = frame.pts * (frame.time_base or stream.time_base)
                yield frame, last
        if broken:
            self._notes.append(f"{broken} packets were damaged; the pictures in them are not there.")
        if untimed:
            self._notes.append(f"{untimed} pictures had no time of their own; they follow at the file's rate.")


@dataclass(frozen=True)
class _Turn:
    """How decoded pictures become those of a session."""

    path: Path
    source_px: SizePx
    size_px: SizePx
    quarter_turns: int
    """Counter-clockwise."""
    notes: tuple[str, ...]

    @classmethod
    def of(cls, frame: av.VideoFrame, stream: Any, path: Path) -> _Turn:
        """Raises BadFile for a size that no session can have."""
        notes = []
        ratio = float(stream.sample_aspect_ratio or 1) or 1.0
        width, height = round(frame.width * ratio), frame.height
        if not (2 <= width <= LARGEST_PX and 2 <= height <= LARGEST_PX):
            raise BadFile(f"{path} has pictures of {width}x{height}; sides of 2 to {LARGEST_PX} px can be imported.")
        if abs(ratio - 1) > 1e-3:
            notes.append(f"The pixels were not square; pictures were widened from {frame.width} to {width} px.")
        turns = round(frame.rotation / 90) % 4
        if turns:
            notes.append(f"The pictures lay on their side; they were turned by {turns * 90} degrees.")
        if turns % 2:
            width, height = height, width
        if frame.interlaced_frame:
            notes.append("The pictures are interlaced and were kept so.")
        even = (max(width // 2 * 2, 2), max(height // 2 * 2, 2))
        return cls(path, (frame.width, frame.height), even, turns, tuple(notes))

    def upright(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A new yuv420p frame (BT.601, limited range) of `size_px`."""
        if frame.width > LARGEST_PX or frame.height > LARGEST_PX:
            raise BadFile(f"{self.path} grows to pictures of {frame.width}x{frame.height}, which no session can have.")
        width, height = self.size_px[::-1] if self.quarter_turns % 2 else self.size_px
        plain = frame.reformat(
            width=width,
            height=height,
            format="yuv420p",
            src_colorspace=_colorspace(frame),
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
        )
        if not self.quarter_turns:
            return plain
        planes = plain.to_ndarray()  # (H * 3 / 2, W), the planes one after the other
        luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
        turned = [np.rot90(plane, self.quarter_turns) for plane in (luma, *chroma)]
        whole = np.concatenate([np.ascontiguousarray(plane).reshape(-1) for plane in turned])
        return av.VideoFrame.from_ndarray(whole.reshape(self.size_px[1] * 3 // 2, self.size_px[0]), format="yuv420p")


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _colorspace(frame: av.VideoFrame) -> Colorspace:
    """What the file says, else what is usual for its size: BT.709 from 720 lines on."""
    said = int(frame.colorspace)
    if said == int(Colorspace.ITU709):
        return Colorspace.ITU709
    if said in (2, 0) and frame.height >= 720:
        return Colorspace.ITU709
    return Colorspace.ITU601


def _rate_hz(stream: Any) -> float:
    """The usual rate of the pictures, within what a session can say."""
    rate = float(stream.average_rate or stream.guessed_rate or stream.base_rate or 30)
    return min(max(rate, 0.1), 240.0)


def _wall_ns(container: Any, path: Path) -> int:
    """When it was made: what the file says, else when it was written."""
    said = container.metadata.get("creation_time", "")
    try:
        made_s = datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        made_s = path.stat().st_mtime
    return int(min(max(made_s, 0), 2**32) * 1e9)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise from_os_error(error, path) from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
