"""Frames of a session as a video of a constant rate, in MP4: what other tools read by number / rate."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from db.errors import EncoderFailed, from_os_error
from db.specs import SizePx

_OPTIONS = {"preset": "veryfast", "crf": "20", "sc_threshold": "0"}


def write_steady(path: Path, frames: Iterable[av.VideoFrame], size_px: SizePx, rate_hz: int, gop: int) -> int:
    """Encodes decoded frames of a session (BT.601, limited range) one after the other; returns how many there were.

    Frame i is shown at exactly i / rate_hz. size_px: even sides; other pictures are scaled, and their aspect is not kept. gop: a
    keyframe every so many. No B-frames. Raises DiskFull, StoreReadOnly and EncoderFailed, and what `frames` raises.
    """
    scaler, count = VideoReformatter(), 0
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = _add_stream(container, size_px, rate_hz, gop)
            for frame in frames:
                fresh = scaler.reformat(frame, *size_px, format="yuv420p", interpolation=Interpolation.AREA)
                fresh.pts, fresh.time_base, fresh.pict_type = count, Fraction(1, rate_hz), PictureType.NONE
                container.mux(stream.encode(fresh))
                count += 1
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        if error.errno and isinstance(error, OSError):
            raise from_os_error(OSError(error.errno, error.strerror), path) from None
        raise EncoderFailed(f"{path} cannot be encoded: {error}.") from None
    except OSError as error:
        raise from_os_error(error, path) from None
    return count


def _add_stream(container: Any, size_px: SizePx, rate_hz: int, gop: int) -> Any:
    stream = container.add_stream("libx264", rate=rate_hz)
    stream.width, stream.height, stream.pix_fmt = *size_px, "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, rate_hz)
    context.colorspace, context.color_range = Colorspace.ITU601, ColorRange.MPEG
    context.max_b_frames, context.gop_size = 0, gop
    context.options = _OPTIONS
    return stream
