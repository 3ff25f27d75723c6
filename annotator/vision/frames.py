"""Which frames a model may see, and those frames as small pictures with their time below."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from annotator.vision.request import Shot
from annotator.vision.setup import VisionSetup
from db.clock import FrameClock, Int64
from db.labelling.labels import Edit, Flag, LabelKind, spans
from db.media.video import VideoReader
from db.recording.actions import Bools
from db.recording.events import Gap, GapReason
from db.recording.stretches import stretches_of

_HIDDEN = frozenset({GapReason.REDACTED, GapReason.COVERED, GapReason.MUTED, GapReason.UNFOCUSED})
"""Gaps in which something else than the game may have been on the screen, or somebody wanted not to be watched."""
_STRIP_PX = 20
_QUALITY = 80


@dataclass(frozen=True)
class Window:
    """Frames of one request, ascending, and the frames `[start, stop)` that they stand for."""

    frames: tuple[int, ...]
    start: int
    stop: int


def showable(clock: FrameClock, gaps: Sequence[Gap], edits: Iterable[Edit]) -> Bools:
    """(N,) which frames may be shown to a model: none that is flagged private (or suggested to be), trimmed or redacted."""
    allowed = np.ones(len(clock), np.bool_)
    for span in spans(edits):
        private = span.kind is LabelKind.FLAG and span.value.casefold() == Flag.PRIVATE.value
        if private or (span.kind is LabelKind.TRIM and not span.suggested):
            allowed[span.start : span.stop] = False
    edges = clock.edges_ns
    for gap in gaps:
        if gap.reason in _HIDDEN:
            # the grab of a frame began some time after the frame before it, perhaps while the gap still lasted
            earliest_ns = np.concatenate([edges[:1], edges[:-2]])
            allowed &= (edges[1:] <= gap.start_ns) | (earliest_ns >= gap.stop_ns)
    return allowed


def plan_windows(clock: FrameClock, allowed: Bools, setup: VisionSetup) -> list[Window]:
    """The windows of a session, in order; none reaches over frames that may not be shown.

    Neighbouring windows of one stretch share `setup.overlap` frames, and each has at least two.
    """
    ticks = clock.ticks(setup.rate_hz)
    windows = []
    for start, stop in stretches_of(allowed):
        frames = ticks[(ticks >= start) & (ticks < stop)]
        if len(frames) and frames[0] > start and clock.t_ns[frames[0]] - clock.t_ns[start] > 5e8 / setup.rate_hz:
            frames = np.concatenate([[start], frames])
        windows += _cut(frames, stop, setup)
    return windows


def _cut(frames: Int64, stop: int, setup: VisionSetup) -> list[Window]:
    if len(frames) < 2:
        return []
    windows = []
    step = setup.window - setup.overlap
    for first in range(0, len(frames), step):
        part = frames[first : first + setup.window]
        is_last = first + setup.window >= len(frames)
        until = stop if is_last else int(frames[first + setup.window])
        windows.append(Window(tuple(part.tolist()), int(part[0]), until))
        if is_last:
            break
    return windows


def owned(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """The frames [start, stop) that each window has the word on: of an overlap each has the half that is nearer to it."""
    stretches = [[window.start, window.stop] for window in windows]
    for i in range(1, len(windows)):
        shared = [frame for frame in windows[i].frames if frame < windows[i - 1].stop]
        if shared:
            middle = shared[len(shared) // 2]
            stretches[i - 1][1] = stretches[i][0] = middle
    return [(start, stop) for start, stop in stretches]


def take_shots(reader: VideoReader, clock: FrameClock, frames: Sequence[int], side_px: int) -> Iterator[Shot]:
    """The frames as JPEG, in order; raises what `VideoReader.read` raises."""
    for index, rgb in reader.read(list(frames)):
        time_s = seconds_at(clock, index)
        yield Shot(index, time_s, encode(rgb, time_s, side_px))


def seconds_at(clock: FrameClock, frame: int) -> float:
    """From the first frame to this one; `len(clock)` is the stop."""
    return float(clock.edges_ns[frame] - clock.t_ns[0]) / 1e9


def encode(rgb: np.ndarray, time_s: float, side_px: int) -> bytes:
    """(H, W, 3) uint8 -> JPEG, at most `side_px` wide and high, the strip with the time below the picture included."""
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    picture.thumbnail((side_px, side_px - _STRIP_PX), Image.Resampling.BOX)
    whole = Image.new("RGB", (picture.width, picture.height + _STRIP_PX))
    whole.paste(picture)
    words = ImageDraw.Draw(whole)
    words.text((4, picture.height + 3), f"{time_s:.1f} s", fill="white", font=ImageFont.load_default(14))
    file = io.BytesIO()
    whole.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
