"""Makes pictures of a finished video black for good: same frames, same times, and the rest as it was where that can be.

Only the groups of pictures that hold a black frame are encoded anew; the packets of the others are copied. Where the
encoder of this machine writes other parameter sets than the file has, all of the file is encoded anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from db.errors import BadFile, EncoderFailed, from_os_error
from db.files import sync_folder
from db.media.colour import Converter
from db.media.video import MUXER, open_stream, packet_table
from db.specs import CaptureSpec

Tell = Callable[[int, int], None]
"""Hears (done, in all)."""


def untold(done: int, total: int) -> None:
    """Nobody wants to hear."""


def black_out(path: Path, spec: CaptureSpec, black: Collection[int], tell: Tell = untold) -> None:
    """Rewrites a video so that the frames with these indices (in the order in which they are shown) are black.

    tell: hears how many frames have been looked at.

    Raises BadFile, EncoderFailed, DiskFull and StoreReadOnly; then the video is as it was.
    """
    times, keys = packet_table(path)
    if not set(black) <= set(range(len(times))):
        raise BadFile(f"{path} has {len(times)} frames and not those that are to be made black.")
    wanted = set(black)
    is_reordered = times != sorted(times)  # by B-frames: no packet of such a file can be kept beside new ones
    if is_reordered:
        keys = [key for _, key in sorted(zip(times, keys, strict=True))]
    part, fresh = path.with_name(path.name + ".part"), path.with_name(path.name + ".new")
    try:
        touched = set(range(len(times))) if is_reordered else _groups(keys, wanted)
        if is_reordered or not _encode(path, part, spec, touched, wanted, keys, tell):
            touched = set(range(len(times)))
            _encode(path, part, spec, touched, wanted, keys, tell)
            part.replace(fresh)
        else:
            _splice(path, part, fresh, touched, times)
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except av.FFmpegError as error:
        raise BadFile(f"{path} could not be rewritten ({error}); it is as it was.") from None
    except OSError as error:
        raise from_os_error(error, path) from None
    finally:
        for leftover in (part, fresh):
            leftover.unlink(missing_ok=True)


def _groups(keys: Sequence[bool], wanted: Collection[int]) -> set[int]:
    """Every frame of each group of pictures that holds a wanted one."""
    group = np.cumsum(np.asarray(keys, np.int64))
    hit = set(group[list(wanted)].tolist())
    return {i for i, number in enumerate(group.tolist()) if number in hit}


def _encode(
    path: Path,
    part: Path,
    spec: CaptureSpec,
    touched: Collection[int],
    black: Collection[int],
    keys: Sequence[bool],
    tell: Tell,
) -> bool:
    """Encodes the touched frames into a file of their own; whether its packets may stand beside those of `path`."""
    with av.open(str(path)) as source, av.open(str(part), "w", format="matroska", options=MUXER) as target:
        video = source.streams.video[0]
        size = (video.codec_context.width, video.codec_context.height)
        stream = _add_stream(target, spec, size)
        night = Converter(stream.codec_context.pix_fmt).convert(np.zeros((size[1], size[0], 4), np.uint8))
        last = max(touched)
        for index, frame in enumerate(source.decode(video)):
            if index > last:
                break
            tell(index + 1, last + 1)
            if index in touched:
                shown = night if index in black else frame.reformat(format=stream.codec_context.pix_fmt)
                shown.pts, shown.time_base = frame.pts, video.time_base
                shown.pict_type = PictureType.I if keys[index] else PictureType.NONE
                target.mux(stream.encode(shown))
        target.mux(stream.encode(None))
        old = video.codec_context.extradata
    with av.open(str(part)) as made:
        return bool(made.streams.video[0].codec_context.extradata == old)


def _add_stream(target: Any, spec: CaptureSpec, size_px: tuple[int, int]) -> Any:
    """The stream of a recording by `spec`; by libx264 where its own encoder is not on this machine."""
    for codec in dict.fromkeys((spec.codec, "libx264")):
        try:
            return open_stream(target, size_px, spec.model_copy(update={"codec": codec}))
        except (av.FFmpegError, OSError, ValueError):
            continue
    raise EncoderFailed(f"No encoder opens at {size_px[0]}x{size_px[1]}; the video is as it was.")


def _splice(path: Path, part: Path, fresh: Path, touched: Collection[int], times_ms: Sequence[int]) -> None:
    """Writes `fresh`: the touched packets from `part`, all others from `path`, each at its own time."""
    with (
        av.open(str(path)) as source,
        av.open(str(part)) as made,
        av.open(str(fresh), "w", format="matroska", options=MUXER) as target,
    ):
        copy = target.add_stream_from_template(source.streams.video[0])
        new = _packets(made)
        for index, packet in enumerate(_packets(source)):
            chosen = next(new) if index in touched else packet
            chosen.pts = chosen.dts = times_ms[index]
            chosen.time_base = Fraction(1, 1000)
            chosen.stream = copy
            target.mux(chosen)


def _packets(container: Any) -> Iterator[Any]:
    for packet in container.demux(container.streams.video[0]):
        if packet.pts is not None and packet.size:
            yield packet
