"""Whether a video is already what a session stores (`db.media.video`), so that its packets can be copied and no picture changes.

Videos that Playtape wrote are; of others those whose encoder was asked for the same: H.264 without B-frames, yuv420p in BT.601 and
limited range and saying so, square pixels, even sides, one picture a packet, and a keyframe from which decoding can begin (IDR)
at least every second. All of it is decoded once to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av
from av.video.reformatter import ColorRange, Colorspace

from db.formats.footage import Footage
from db.specs import CaptureSpec, SizePx

_IDR, _OTHER = 5, 1
"""Kinds of NAL units (H.264, table 7-1): slices of a picture that needs no other, and of one that may."""


def is_copyable(footage: Footage, spec: CaptureSpec, tell: Callable[[float], None]) -> bool:
    """Reads it to its end, or to where it is not. tell: the share that has been looked at, in [0, 1]."""
    stream = footage.stream
    if footage.cut is not None or not _says_so(stream):
        return False
    latest_s = key_s = -1.0
    packets = pictures = 0
    size_px = (
        stream.codec_context.width,
        stream.codec_context.height,
    )  # before a decoder that meets another one changes it
    length = (stream.codec_context.extradata[4] & 3) + 1
    longest_s = spec.keyframe_s + 1.5 / footage.rate_hz
    try:
        for packet in footage.packets():
            if packet.pts is None or packet.pts != packet.dts or packet.is_corrupt:
                return False
            at_s = float(packet.pts * packet.time_base)
            kinds = _nal_kinds(bytes(packet), length) if packet.is_keyframe else set()
            if at_s <= latest_s or (packet.is_keyframe and (_IDR not in kinds or _OTHER in kinds)):
                return False
            key_s = at_s if packet.is_keyframe else key_s
            if (packets == 0 and not packet.is_keyframe) or at_s - key_s > longest_s:
                return False
            latest_s, packets = at_s, packets + 1
            for frame in packet.decode():
                pictures += 1
                if not _is_plain(frame, size_px):
                    return False
            if packets % 500 == 0:
                tell(min(at_s / max(footage.duration_s, 1e-3), 1.0))
        for frame in stream.decode(None):
            pictures += 1
            if not _is_plain(frame, size_px):
                return False
    except av.FFmpegError:
        return False
    return packets == pictures > 0


def _says_so(stream: Any) -> bool:
    context = stream.codec_context
    extradata = context.extradata or b""
    return (
        context.name == "h264"
        and context.pix_fmt == "yuv420p"
        and not context.has_b_frames
        and context.colorspace in _BT601
        and context.color_range == ColorRange.MPEG
        and (stream.sample_aspect_ratio or 1) == 1
        and min(context.width, context.height) >= 2
        and context.width % 2 == context.height % 2 == 0
        and len(extradata) > 6
        and extradata[0] == 1  # an AVCDecoderConfigurationRecord (ISO/IEC 14496-15): units begin with their lengths
    )


_BT601 = (int(Colorspace.ITU601), 6)
"""The matrix of 625 and of 525 lines (H.264, table E-5): the same one."""


def _is_plain(frame: av.VideoFrame, size_px: SizePx) -> bool:
    return (
        (frame.width, frame.height) == size_px
        and frame.format.name == "yuv420p"
        and not (frame.rotation or frame.interlaced_frame or frame.is_corrupt)
        and int(frame.colorspace) in _BT601
        and int(frame.color_range) == int(ColorRange.MPEG)
    )


def _nal_kinds(content: bytes, length: int) -> set[int]:
    """The kinds of the units of a packet."""
    kinds, at = set(), 0
    while at + length < len(content):
        size = int.from_bytes(content[at : at + length], "big")
        kinds.add(content[at + length] & 31)
        at += length + size
    return kinds
