"""Frames of a session by index, exact by presentation time, whatever the file behind them is like.

The table of frames is in the order in which they are shown. A packet's place in the file means nothing: B-frames come in
another order, an open group begins with pictures of the one before, and a container may seek too far.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from db.errors import BadFile
from db.media.colour import to_rgb
from db.media.resize import Picture
from db.recording.session import Segment

FrameTable = NDArray[np.void]
"""Shape (N,) of FRAME_DTYPE."""

Decoded = tuple[int, av.VideoFrame]
"""A frame's index, and its picture as the codec holds it."""


def to_ms(pts: int, time_base: Fraction | None) -> int:
    """A packet's or a frame's time in whole milliseconds, as the table of frames holds it."""
    return round(pts * float(time_base or 0.001) * 1000)


class VideoReader:
    """Frames of a session by index over all its segments. Not thread-safe: one reader a thread."""

    def __init__(self, folder: Path, segments: Sequence[Segment], frames: FrameTable) -> None:
        self._folder, self._segments = folder, tuple(segments)
        self._segment_of = frames["segment"].astype(np.int64)
        self._pts = frames["pts"].astype(np.int64)
        starts = np.flatnonzero(np.diff(self._segment_of, prepend=-1))
        self._starts = np.union1d(np.flatnonzero(frames["keyframe"]), starts)
        """The frames at which decoding can begin; a file's first one always."""
        self._open_index = -1
        self._container: Any = None
        self._source: Iterator[Decoded] | None = None
        """What decodes from the container's present position; a seek or another file replaces it."""
        self._next = 0
        """The frame that `_source` gives next."""

    def __len__(self) -> int:
        return len(self._pts)

    def frame(self, index: int) -> Picture:
        """Frame `index` as (H, W, 3) uint8 RGB. Raises IndexError, or BadFile where the video lacks it."""
        return next(self.read([index]))[1]

    def read(self, indices: Iterable[int]) -> Iterator[tuple[int, Picture]]:
        """Yields (index, RGB) for these indices; in ascending order each packet is decoded at most once.

        Raises IndexError, or BadFile where the video lacks a frame.
        """
        for index, frame in self.decode(indices):
            yield index, to_rgb(frame)

    def decode(self, indices: Iterable[int]) -> Iterator[Decoded]:
        """The same with the frames as the codec holds them, one in memory at a time."""
        for index in indices:
            yield next(found for found in self.run(index) if found[0] == index)

    def gop(self, index: int) -> range:
        """The indices of the group of pictures, in the order in which they are shown, that holds `index`."""
        self._check(index)
        at = int(np.searchsorted(self._starts, index, side="right"))
        stop = int(self._starts[at]) if at < len(self._starts) else len(self)
        return range(int(self._starts[at - 1]), stop)

    def decode_gop(self, index: int) -> tuple[int, list[av.VideoFrame]]:
        """The whole group of pictures that holds `index`: its first index and its decoded (yuv) frames, all in memory."""
        gop = self.gop(index)
        return gop.start, [frame for _, frame in self.decode(gop)]

    def run(self, index: int) -> Iterator[Decoded]:
        """Every frame that is decoded on the way to `index`, itself, and those after it to the end of its segment.

        Ascending. Begins at the keyframe before it, or where the last run was left where that is nearer. It may be left
        at any time; another run, or a read, ends it. Raises IndexError, or BadFile where the video lacks `index`.
        """
        if self.frames_until(index) is None:
            self._go_to(index)
        source, is_met = self._source, False
        while source is self._source and source is not None:
            found = self._pull(source, index)
            if found is None or (found[0] > index and not is_met):
                break
            is_met = is_met or found[0] == index
            yield found
        if not is_met:
            self._source = None
            raise self._lack(index)

    def frames_until(self, index: int) -> int | None:
        """How many frames a run to `index` decodes before it where it goes on from the last one; None where it seeks."""
        is_ahead = self._source is not None and self.gop(index).start <= self._next <= index
        return index - self._next if is_ahead and self._segment_of[index] == self._open_index else None

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container, self._source, self._open_index = None, None, -1

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")

    def _open(self, segment: int) -> None:
        if segment == self._open_index:
            return
        self.close()
        path = self._folder / self._segments[segment].name
        try:
            self._container = av.open(str(path))
            self._stream = self._container.streams.video[0]
        except (av.FFmpegError, OSError, IndexError) as error:
            raise BadFile(f"{path} cannot be opened as video ({error}); run `playtape-db verify`.") from None
        self._open_index = segment

    def _go_to(self, index: int) -> None:
        """Makes ready to decode at a frame at or before `index`: at its keyframe, or earlier where a seek goes too far."""
        self._check(index)
        segment = int(self._segment_of[index])
        self._open(segment)
        first, start = int(np.searchsorted(self._segment_of, segment)), self.gop(index).start
        for begin in (start, self.gop(max(start - 1, first)).start, None):
            if begin is None:  # some containers cannot be told to go back to their start
                self.close()
                self._open(segment)
            source = self._frames() if begin is None else self._seek(begin)
            self._next = first if begin is None else begin
            found = self._pull(source, index)
            if found is not None and found[0] <= index:
                self._source, self._next = itertools.chain([found], source), found[0]
                return
        raise self._lack(index)

    def _seek(self, index: int) -> Iterator[Decoded]:
        self._source = None
        offset = int(int(self._pts[index]) / 1000 / float(self._stream.time_base or 0.001))
        try:
            self._container.seek(offset, stream=self._stream, backward=True)
        except av.FFmpegError as error:
            raise self._damage(index, error) from None
        return self._frames()

    def _frames(self) -> Iterator[Decoded]:
        """What the open file gives from its present position on, with its index; what the table lacks is left out."""
        first, stop = np.searchsorted(self._segment_of, [self._open_index, self._open_index + 1])
        times = self._pts[first:stop]
        for frame in self._container.decode(self._stream):
            if frame.pts is None:
                continue
            ms = to_ms(frame.pts, self._stream.time_base)
            at = int(np.searchsorted(times, ms))
            if at < len(times) and times[at] == ms:
                yield int(first) + at, frame

    def _pull(self, source: Iterator[Decoded], wanted: int) -> Decoded | None:
        """The next frame at or after `_next`; what comes before a keyframe after a seek there is not whole."""
        try:
            found = next((found for found in source if found[0] >= self._next), None)
        except av.FFmpegError as error:
            self._source = None
            raise self._damage(wanted, error) from None
        if found is not None:
            self._next = found[0] + 1
        return found

    def _lack(self, index: int) -> BadFile:
        return BadFile(f"{self._segments[self._open_index].name} lacks frame {index}; run `playtape-db verify`.")

    def _damage(self, index: int, error: Exception) -> BadFile:
        name = self._segments[self._open_index].name
        return BadFile(f"{name} is damaged before frame {index} ({error}); run `playtape-db verify`.")
