"""The one conversion of colours between a screen's pictures and video, for recordings, training and live play alike."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from db.media.resize import Picture


class Converter:
    """BGRA pictures, one after the other, to frames for an encoder: BT.601, limited range. One thread's own.

    What sets up the conversion is kept from picture to picture, and no threads are started for it.
    """

    def __init__(self, pixel_format: str = "yuv420p") -> None:
        """pixel_format: yuv420p, or nv12, which holds the same numbers in another order."""
        self._format = pixel_format
        self._to_yuv420p, self._to_format = VideoReformatter(), VideoReformatter()

    def convert(self, bgra: Picture) -> av.VideoFrame:
        """(H, W, 4) uint8 BGRA with even sides -> a new frame; the picture is only read during the call."""
        frame = self._to_yuv420p.reformat(
            av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(bgra), format="bgra"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        if self._format == "yuv420p":
            return frame
        # Not from BGRA at once: that rounds the colours in another way.
        return self._to_format.reformat(frame, format=self._format, threads=1)


def to_yuv(bgra: Picture) -> av.VideoFrame:
    """(H, W, 4) uint8 BGRA with even sides -> a yuv420p frame (BT.601, limited range), as a recording holds it."""
    return Converter().convert(bgra)


def to_rgb(frame: av.VideoFrame) -> Picture:
    """A decoded frame -> (H, W, 3) uint8 RGB."""
    rgb = frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG)
    return np.asarray(rgb, np.uint8)


class ScreenConverter:
    """Decoded frames, one after the other, to what a screen shows. One thread's own; its set-up is kept, as Converter's."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A decoded frame -> a new one in BGRA with opaque alpha."""
        return self._reformatter.reformat(
            frame, format="bgra", src_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG, threads=1
        )


def through_codec_colour(bgra: Picture) -> Picture:
    """A live picture as a recording would show it but for compression: BGRA -> yuv420p -> RGB."""
    return to_rgb(to_yuv(bgra))
