"""A stranger's video as what a session stores: upright frames, one by one, in the order in which they are shown, with their times.

A session's video is what the recorder writes (`db.media.video`): upright, even sides, square pixels, BT.601, no B-frames, a
keyframe each second, so that a seek is quick and a model sees it with the eyes it has for recordings. A video that is so
already is copied (`db.formats.copyable`), every other one is encoded anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from db.clock import Int64
from db.errors import BadFile
from db.files import check_plain
from db.specs import SizePx

LARGEST_PX = 8192
MOST_FRAMES = 10_000_000
_MOST_BROKEN = 1000
_EDGE_S = Fraction(1, 10_000)
"""Times in a cut are written as decimal fractions: a frame this close before its beginning belongs to it."""

_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,ogg,asf,mxf,gif,h264,hevc,ivf,nut,wav,mp3,flac",
}
"""Files that hold their pictures themselves: a playlist with a video's name would have other files, or the net, read for it."""

Timed = tuple[av.VideoFrame | Any, Fraction]
"""A picture (or its packet), and when it is shown in seconds after the first one."""
Cut = tuple[float, float]
"""A part of a video, half-open: from a second on, up to another one."""


class Footage:
    """One file that is open for reading. Use `open_footage`."""

    def __init__(self, path: Path, container: Any, cut: Cut | None) -> None:
        self.path, self.cut = path, cut
        self.notes: list[str] = []
        """What was changed or could not be kept, a sentence each; complete when all frames have been read."""
        self._container = container
        self.stream = container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.turn: Turn
        """How its pictures become those of a session; there from the first frame on."""

    @property
    def rate_hz(self) -> float:
        """The usual rate of the pictures, within what a session can say."""
        stream = self.stream
        rate = float(stream.average_rate or stream.guessed_rate or stream.base_rate or 30)
        return min(max(rate, 0.1), 240.0)

    @property
    def duration_s(self) -> float:
        """What the file claims; 0 where it says nothing."""
        claimed_s = float((self._container.duration or 0) / av.time_base)
        return min(claimed_s, self.cut[1]) - self.cut[0] if self.cut else claimed_s

    @property
    def wall_ns(self) -> int:
        """When it was made: what the file says, else when it was written."""
        said = self._container.metadata.get("creation_time", "")
        try:
            made_s = datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp()
        except (ValueError, OverflowError):
            made_s = self.path.stat().st_mtime
        return int(min(max(made_s, 0), 2**32) * 1e9)

    def frames(self) -> Iterator[Timed]:
        """Every picture that decodes, upright, with its time in seconds after the first one. Raises BadFile where there is none."""
        first: Fraction | None = None
        for frame, at in self._within_cut():
            if first is None:
                first = at
                self.turn = Turn.of(frame, self.stream, self.path)
                self.notes += self.turn.notes
            yield self.turn.upright(frame), at - first
        if first is None:
            raise BadFile(f"{self.path} holds no picture that can be decoded{_where(self.cut)}.")

    def count(self) -> int:
        """How many pictures it seems to hold, from its packets: nothing is decoded."""
        start, stop = self.cut or (0.0, float("inf"))
        found = 0
        for packet in self._packets_from(start):
            at, order = _seconds(packet.pts, packet), _seconds(packet.dts, packet)
            if order is not None and order >= stop:
                break
            found += packet.size > 0 and (at is None or self.cut is None or start - _EDGE_S <= at < stop - _EDGE_S)
        return found

    def packets(self) -> Iterator[Any]:
        """Those that hold something, in the file's order. Raises what PyAV raises."""
        return (packet for packet in self._packets_from(0) if packet.size > 0)

    def packets_in_time(self) -> Iterator[Timed]:
        """Those of a video whose packets are one picture each, with their times in seconds after the first one."""
        context = self.stream.codec_context
        size_px = (context.width, context.height)
        self.turn = Turn(self.path, size_px, size_px, 0, ())
        first: Fraction | None = None
        for packet in self.packets():
            at = packet.pts * packet.time_base
            first = at if first is None else first
            yield packet, at - first

    def times(self) -> Int64:
        """(N,) ascending: when each picture seems to be shown, in ns after the file's own zero; nothing is decoded."""
        found = array("q")
        for packet in self.packets():
            if packet.pts is not None:
                found.append(min(max(int(packet.pts * packet.time_base * 10**9), -(2**62)), 2**62))
                if len(found) > MOST_FRAMES:
                    raise BadFile(f"{self.path} has over {MOST_FRAMES:,} frames; cut it into parts first.")
        times: Int64 = np.frombuffer(found, np.int64)
        times.sort()
        return times

    def _within_cut(self) -> Iterator[tuple[av.VideoFrame, Fraction]]:
        if self.cut is None:
            yield from self._decoded()
            return
        start, stop = self.cut
        self._seek(start)
        for frame, at in self._decoded():
            if at >= stop - _EDGE_S:
                return
            if at >= start - _EDGE_S:
                yield frame, at

    def _packets_from(self, start_s: float) -> Iterator[Any]:
        self._seek(start_s)
        yield from self._container.demux(self.stream)

    def _seek(self, start_s: float) -> None:
        if start_s > 0:
            self._container.seek(int(start_s / self.stream.time_base), stream=self.stream)

    def _decoded(self) -> Iterator[tuple[av.VideoFrame, Fraction]]:
        last = Fraction(0)
        step = Fraction(1) / Fraction(self.rate_hz).limit_denominator(100_000)
        untimed = broken = 0
        packets = self._container.demux(self.stream)
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
                if broken > _MOST_BROKEN:
                    break
                continue
            for frame in decoded:
                if frame.pts is None:
                    untimed += 1
                    last += step
                else:
                    last = frame.pts * (frame.time_base or self.stream.time_base)
                yield frame, last
        if broken:
            self.notes.append(f"{broken} packets were damaged; the pictures in them are not there.")
        if untimed:
            self.notes.append(f"{untimed} pictures had no time of their own; they follow at the file's rate.")


@contextmanager
def open_footage(path: Path, cut: Cut | None = None) -> Iterator[Footage]:
    """The first picture stream of a video, or a part of it. Raises BadFile, also for what goes wrong while it is read."""
    check_plain(path)
    try:
        with av.open(str(path.absolute()), options=_OPTIONS) as container:
            if not container.streams.video:
                raise BadFile(f"{path} holds no pictures.")
            context = container.streams.video[0].codec_context
            if context is None:
                raise BadFile(f"{path} holds pictures of a codec that is not known.")
            if max(context.width, context.height) > LARGEST_PX:  # before memory is taken for one
                raise BadFile(
                    f"{path} has pictures of {context.width}x{context.height}; sides of 2 to {LARGEST_PX} px can be imported."
                )
            yield Footage(path, container, cut)
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadFile(f"{path} cannot be read as a video: {reason}.") from None


@dataclass(frozen=True)
class Turn:
    """How decoded pictures become those of a session."""

    path: Path
    source_px: SizePx
    size_px: SizePx
    quarter_turns: int
    """Counter-clockwise."""
    notes: tuple[str, ...]

    @classmethod
    def of(cls, frame: av.VideoFrame, stream: Any, path: Path) -> Turn:
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


def _colorspace(frame: av.VideoFrame) -> Colorspace:
    """What the file says, else what is usual for its size: BT.709 from 720 lines on."""
    said = int(frame.colorspace)
    if said == int(Colorspace.ITU709):
        return Colorspace.ITU709
    if said in (2, 0) and frame.height >= 720:
        return Colorspace.ITU709
    return Colorspace.ITU601


def _seconds(ticks: int | None, packet: Any) -> Fraction | None:
    return None if ticks is None else ticks * packet.time_base


def _where(cut: Cut | None) -> str:
    return f" between {cut[0]:g} and {cut[1]:g} s" if cut else ""
