"""Video in and out through PyAV: crash-safe segments, true presentation times, and frames exact by index.

Matroska with a time base of 1 ms, H.264 without B-frames, a keyframe at least every `keyframe_s`, clusters of 200 ms.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from db.errors import BadFile, EncoderFailed, from_os_error
from db.files import sync_folder
from db.media.colour import Converter
from db.media.encoding import encoder_options
from db.media.resize import Picture
from db.media.videoreader import FrameTable as FrameTable
from db.media.videoreader import VideoReader as VideoReader
from db.media.videoreader import to_ms
from db.recording.session import FrameRow, Segment
from db.specs import CaptureSpec, SizePx

MUXER = {"flush_packets": "1", "cluster_time_limit": "200"}
"""A cluster reaches the file when it ends, so a crash loses at most its 200 ms."""


class _WholeFile(io.FileIO):
    """Writes all that it is given or raises, and keeps the error: what fails in a callback of PyAV has a number for a name."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        count = len(rest)
        try:
            while rest:  # at the brim of a disk the system takes a part first, and refuses only the rest
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.failure = error
            raise
        return count


def open_stream(container: Any, size_px: SizePx, spec: CaptureSpec) -> Any:
    """Adds a stream to `container` whose encoder is open as `spec` says: no B-frames, times in milliseconds.

    Raises what PyAV raises where the encoder does not open.
    """
    pixel_format, options = encoder_options(spec)
    stream = container.add_stream(spec.codec, rate=max(1, round(spec.rate_hz)))
    stream.width, stream.height, stream.pix_fmt = *size_px, pixel_format
    context = stream.codec_context
    context.time_base = stream.time_base = Fraction(1, 1000)
    context.colorspace, context.color_range = Colorspace.ITU601, ColorRange.MPEG
    context.max_b_frames = 0
    context.gop_size = 1000  # keyframes are asked for by time, and sooner
    context.thread_count = 1
    context.options = options
    context.open(strict=False)
    return stream


class VideoWriter:
    """Encodes frames into numbered segments of a session's folder. One thread uses it; `close` after the last frame."""

    def __init__(self, folder: Path, size_px: SizePx, spec: CaptureSpec, copied: Any = None) -> None:
        """Opens the first segment. copied: a stream of another file that is as ours are; its packets are written, not pictures.

        Raises EncoderFailed where the codec does not open at this size, DiskFull and StoreReadOnly.
        """
        self.segments: list[Segment] = []
        self._folder, self._size_px, self._spec, self._copied = folder, size_px, spec, copied
        self._count = self._handed_over = 0
        self._first_ns: int | None = None
        self._last_pts = self._key_pts = -1
        self._container: Any = None
        self._converter = Converter(encoder_options(spec)[0])
        self._frame: av.VideoFrame | None = None
        self._failed = False
        self._open_segment()

    @property
    def frame_count(self) -> int:
        return self._count

    def write(self, bgra: Picture, t_before_ns: int, t_ns: int, *, duplicate: bool = False) -> FrameRow:
        """Encodes one (H, W, 4) uint8 frame, hands its packet to the file, and returns its row.

        duplicate: the picture is the one of the last call, and is not converted again. Frames closer than 1 ms get the
        next free millisecond as PTS; their true times stay in the row. Raises DiskFull and EncoderFailed; then `close`
        what is left: after EncoderFailed that is every frame before, in a file that ends as it should.
        """
        if bgra.shape != (self._size_px[1], self._size_px[0], 4):
            raise ValueError(f"expected {self._size_px} px in BGRA, got an array of {bgra.shape}")
        if self._frame is None or not duplicate:
            self._frame = self._converter.convert(bgra)
        return self.write_frame(self._frame, t_before_ns, t_ns, duplicate=duplicate)

    def write_frame(self, frame: av.VideoFrame, t_before_ns: int, t_ns: int, *, duplicate: bool = False) -> FrameRow:
        """The same for a frame that is in the encoder's pixel format and `size_px` already; its time is overwritten."""
        self._make_room(t_ns, self._spec.segment_s)
        pts = self._place(t_ns)
        frame.pts, frame.time_base = pts, Fraction(1, 1000)
        is_due = pts - self._key_pts >= self._spec.keyframe_s * 1000 - 500 / self._spec.rate_hz
        frame.pict_type = PictureType.I if is_due else PictureType.NONE
        packets = self._encode(frame)
        if len(packets) != 1:
            self._failed = True
            raise EncoderFailed(f"The encoder {self._spec.codec} holds frames back; choose one without delay.")
        return self._row(packets[0], t_before_ns, t_ns, duplicate)

    def write_packet(self, packet: Any, t_before_ns: int, t_ns: int) -> FrameRow:
        """Hands one packet of the stream `copied` to the file as it is, but for its time; the first is a keyframe."""
        if packet.is_keyframe:  # with which alone a segment can begin
            self._make_room(t_ns, self._spec.segment_s - 2 * self._spec.keyframe_s)
        pts = self._place(t_ns)
        packet.stream, packet.time_base, packet.duration = self._stream, Fraction(1, 1000), 0
        packet.pts = packet.dts = pts
        with self._writing():
            self._container.mux(packet)
        return self._row(packet, t_before_ns, t_ns, duplicate=False)

    def sync(self) -> int:
        """Makes what has reached the file survive a power cut; returns how many frames, from the first, that is.

        The others wait for the end of their cluster, and a row of theirs must wait too: their packets could be torn.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise from_os_error(error, self._path) from None
        return self._handed_over

    def close(self) -> None:
        """Ends the last segment durably. Also after an error lets go of the file; a second call does nothing."""
        if self._container is not None:
            self._close_segment()

    def _make_room(self, t_ns: int, longest_s: float) -> None:
        if self._first_ns is not None and t_ns - self._first_ns >= longest_s * 1e9:
            self._close_segment()
            self._open_segment()

    def _place(self, t_ns: int) -> int:
        """The time of the next frame within its segment, in ms."""
        if self._first_ns is None:
            self._first_ns = t_ns
        self._last_pts = max(self._last_pts + 1, round((t_ns - self._first_ns) / 1e6))
        return self._last_pts

    def _row(self, packet: Any, t_before_ns: int, t_ns: int, duplicate: bool) -> FrameRow:
        keyframe = bool(packet.is_keyframe)
        if keyframe:
            self._key_pts = self._last_pts
        self._count += 1
        return len(self.segments) - 1, self._last_pts, t_before_ns, t_ns, keyframe, duplicate

    def _encode(self, frame: av.VideoFrame | None) -> list[Any]:
        with self._writing():
            packets = list(self._stream.encode(frame))
            for packet in packets:
                self._container.mux(packet)
        return packets

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Work on the open file; what ends a cluster puts the frames before into it. Raises typed errors."""
        assert self._container is not None
        place = self._file.tell()
        try:
            yield
        except av.FFmpegError as error:
            self._failed = True
            if self._file.failure is not None:
                raise from_os_error(self._file.failure, self._path) from None
            raise EncoderFailed(f"The encoder {self._spec.codec} failed ({error}); the session ends here.") from None
        except OSError as error:
            raise from_os_error(error, self._path) from None
        if self._file.tell() != place:
            self._handed_over = self._count

    def _open_segment(self) -> None:
        name = f"video-{len(self.segments):03d}.mkv"
        self._first_ns, self._last_pts, self._key_pts = None, -1, -(10**9)
        self._path = self._folder / name
        try:
            self._file = _WholeFile(self._path, "wb")
            sync_folder(self._folder)  # a row whose file has lost its name in a power cut would be worth nothing
        except OSError as error:
            raise from_os_error(error, self._path) from None
        container: Any = av.open(self._file, "w", format="matroska", options=MUXER)
        width, height = self._size_px
        opened = False
        try:
            if self._copied is None:
                stream = open_stream(container, self._size_px, self._spec)
            else:
                stream = container.add_stream_from_template(self._copied)
            opened = True
            container.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as error:
            self._discard(container)
            if opened and isinstance(error, OSError):  # before it is opened a driver's refusal may be one, too
                raise from_os_error(error, self._path) from None
            reason = getattr(error, "strerror", None) or error  # without the list of all options
            raise EncoderFailed(
                f"The encoder {self._spec.codec} does not open at {width}x{height}: {reason}."
            ) from None
        self._container, self._stream = container, stream
        self.segments.append(Segment(name=name, first_frame=self._count))

    def _discard(self, container: Any) -> None:
        """Takes back a segment that never began."""
        with contextlib.suppress(OSError, av.FFmpegError, ValueError):
            container.close()
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _close_segment(self) -> None:
        container = self._container
        try:
            if (
                not self._failed and self._copied is None
            ):  # then it has nothing more to say, and what it said is in the file
                self._encode(None)
            container.close()
            os.fsync(self._file.fileno())
            self._handed_over = self._count
        except av.FFmpegError as error:
            if self._file.failure is not None:
                raise from_os_error(self._file.failure, self._path) from None
            raise BadFile(f"{self._path} could not be ended ({error}); the frames before are kept.") from None
        except OSError as error:
            raise from_os_error(error, self._path) from None
        finally:
            self._container = None
            self._file.close()


def is_matroska(path: Path) -> bool:
    """Whether a file begins as such a video does (RFC 8794, 11.2.1); False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x1aE\xdf\xa3"
    except OSError:
        return False


def picture_size(path: Path) -> SizePx:
    """Of a video's pictures, as its header says. Raises BadFile."""
    try:
        with av.open(str(path)) as container:
            context = container.streams.video[0].codec_context
            return context.width, context.height
    except (av.FFmpegError, IndexError, OSError, AttributeError) as error:
        raise BadFile(f"{path} cannot be read as a video: {error}.") from None


def packet_table(path: Path, most: int | None = None) -> tuple[list[int], list[bool]]:
    """PTS in milliseconds and keyframe flags of every packet that can be read, in file order; stops at damage, and after `most`."""
    times, keys = [], []
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.pts is None or packet.size == 0:
                    continue
                times.append(to_ms(packet.pts, stream.time_base))
                keys.append(packet.is_keyframe)
                if most is not None and len(times) >= most:
                    break
    except (av.FFmpegError, IndexError, OSError):
        pass
    return times, keys


def count_decoding(path: Path, *, first: int, count: int) -> int:
    """How many of `count` packets, from number `first` (a keyframe), decode one after the other without an error."""
    decoded = 0
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # so that an error comes with its own packet
            stream.codec_context.options = {"err_detect": "explode"}
            packets = (packet for packet in container.demux(stream) if packet.pts is not None and packet.size)
            for packet in itertools.islice(packets, first, first + count):
                if packet.is_corrupt or any(frame.is_corrupt for frame in packet.decode()):
                    break
                decoded += 1
    except (av.FFmpegError, IndexError, OSError):
        pass
    return decoded


def count_frames(path: Path) -> int:
    """How many frames of a video really decode. Raises BadFile at damage."""
    try:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            return sum(1 for _ in container.decode(video=0))
    except (av.FFmpegError, IndexError, OSError) as error:
        raise BadFile(f"{path} does not decode to its end: {error}.") from None


def remux(path: Path, packet_count: int) -> None:
    """Rewrites a cut-off video in place with its first `packet_count` packets, as whole as if it had been closed.

    Raises DiskFull, StoreReadOnly or BadFile; then the video is as it was.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        with av.open(str(path)) as source, av.open(str(fresh), "w", format="matroska", options=MUXER) as target:
            stream = source.streams.video[0]
            copy = target.add_stream_from_template(stream)
            packets = (packet for packet in source.demux(stream) if packet.pts is not None and packet.size)
            for packet in itertools.islice(packets, packet_count):
                packet.stream = copy
                target.mux(packet)
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except (OSError, av.FFmpegError) as error:
        fresh.unlink(missing_ok=True)
        raise from_os_error(OSError(error.errno, error.strerror), path) from None
