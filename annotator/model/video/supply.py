"""Decoded frames of one video around where somebody looks: what is kept, and what is decoded next."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import av

from db.media.videoreader import Decoded, VideoReader

MOST_AHEAD = 240
"""Frames decoded in advance, however small they are."""
_NEAR = 3
"""So few frames are decoded sooner than a draft is looked for."""
_SHORT_GOP = 300
"""A group up to so many frames is worth jumping to the start of, where not every frame can be decoded in time."""


@dataclass(frozen=True)
class Wish:
    """One frame that is wanted. `generation` grows with every wish; the latest wins."""

    generation: int
    index: int
    direction: int = 0
    """-1 or 1: where to the next wishes will probably go."""
    rate_hz: float = 0.0
    """How many frames go by in a second of playing; 0 where nothing plays and exactly this frame is wanted."""

    @property
    def plays(self) -> bool:
        return self.rate_hz > 0


class FrameCache:
    """Decoded frames by index, the least recently used dropped first; the newest is kept however large it is."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._frames: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self.bytes = 0

    def get(self, index: int) -> av.VideoFrame | None:
        if index in self._frames:
            self._frames.move_to_end(index)
        return self._frames.get(index)

    def put(self, index: int, frame: av.VideoFrame) -> None:
        if index in self._frames:
            self.bytes -= size_of(self._frames.pop(index))
        self._frames[index] = frame
        self.bytes += size_of(frame)
        while self.bytes > self._limit_bytes and len(self._frames) > 1:
            self.bytes -= size_of(self._frames.popitem(last=False)[1])

    def __contains__(self, index: object) -> bool:
        return index in self._frames

    def __len__(self) -> int:
        return len(self._frames)


class Supply:
    """A reader and its cache. `aim` says what is wanted, `advance` decodes one more frame towards it. One thread's own.

    Around a frame that is looked at the rest of its group is decoded too, while playing what comes next, backward whole
    groups; never more than half of the cache on one side, so that a group larger than the cache is kept in part.
    """

    def __init__(self, reader: VideoReader, cache_bytes: int) -> None:
        self._reader, self._cache_bytes = reader, cache_bytes
        self._cache = FrameCache(cache_bytes)
        self._wish: Wish | None = None
        self._keep = range(0)
        self._run: Iterator[Decoded] | None = None
        self._runs_back = False
        self._frame_bytes = 0
        self._cost_s = 0.0
        self.frames_decoded = 0

    @property
    def is_busy(self) -> bool:
        """Whether there is something left to decode."""
        return self._run is not None

    @property
    def keep(self) -> range:
        """The frames that are being decoded to be kept; those before them are only on the way."""
        return self._keep

    @property
    def cache(self) -> FrameCache:
        return self._cache

    def get(self, index: int) -> av.VideoFrame | None:
        return self._cache.get(index)

    def aim(self, wish: Wish) -> None:
        """Turns to a wish. What is being decoded goes on where it serves the wish as well."""
        self._wish = wish
        if not self._is_on_the_way(wish):
            self._plan()

    def advance(self) -> Decoded | None:
        """Decodes one frame; None where there is nothing to do. Raises BadFile, and then has nothing to do."""
        if self._run is None:
            return None
        began = time.perf_counter()
        try:
            found = next(self._run, None)
        except BaseException:
            self.rest()
            raise
        if found is None:  # a segment's end
            self._plan()
            return None
        self._count(time.perf_counter() - began)
        if not self._frame_bytes:  # only now it is known how many of them there is room for
            self._frame_bytes = size_of(found[1])
            self._keep = self._stretch()
        if found[0] in self._keep:
            self._cache.put(*found)
        if found[0] + 1 >= self._keep.stop:
            self._plan()
        return found

    def is_hurried(self, wish: Wish) -> bool:
        """Whether more frames go by than can be decoded, so that whole groups must be passed over."""
        return wish.rate_hz * self._cost_s > 0.7

    def is_near(self, wish: Wish) -> bool:
        """Whether the frame is decoded as soon as anything is."""
        away = self._reader.frames_until(wish.index)
        return wish.index in self._cache or (away is not None and away < _NEAR)

    def stand_in(self, wish: Wish) -> int | None:
        """Playing backward too fast for every frame: the start of the wish's group, where that is at hand."""
        if not (wish.plays and wish.direction < 0 and self.is_hurried(wish)):
            return None
        start = self._reader.gop(wish.index).start
        return start if start in self._cache else None

    def rest(self) -> None:
        """Gives up what was being decoded."""
        self._run, self._keep = None, range(0)

    def close(self) -> None:
        self._reader.close()

    @property
    def _side(self) -> int:
        """How many frames may be kept on one side of the wish."""
        room = self._cache_bytes // self._frame_bytes if self._frame_bytes else 16
        return min(max(room // 2, 1), MOST_AHEAD)

    def _count(self, taken_s: float) -> None:
        self._cost_s += 0.1 * (taken_s - self._cost_s) if self._cost_s else taken_s
        self.frames_decoded += 1

    def _is_on_the_way(self, wish: Wish) -> bool:
        """Whether the present run should go on. Forward a new plan costs nothing: a run goes on where one was left."""
        if self._run is None or wish.direction >= 0 or not self._runs_back:
            return False
        if wish.index in self._cache:
            return self._keep.stop > wish.index - 2 * self._side
        return wish.plays or wish.index in self._keep

    def _plan(self) -> None:
        stretch = self._stretch()
        if not stretch:
            self.rest()
            return
        self._keep, self._runs_back = stretch, self._wish is not None and self._wish.direction < 0
        self._run = self._reader.run(stretch.start)

    def _stretch(self) -> range:
        """What to decode next, empty where there is nothing to do."""
        wish = self._wish
        return range(0) if wish is None else self._back(wish) if wish.direction < 0 else self._on(wish)

    def _on(self, wish: Wish) -> range:
        """What to decode next for a wish that stands, or goes forward."""
        index, side = wish.index, self._side
        gop = self._reader.gop(index)
        stop = min(index + side, len(self._reader) if wish.direction else gop.stop)
        if index not in self._cache:
            before = 0 if wish.plays and self.is_hurried(wish) else side // 2
            return range(max(gop.start, index - before), min(index + side // 2 + 1, stop))
        lacking = next((i for i in range(index, stop) if i not in self._cache), None)
        if lacking is not None:
            return range(lacking, min(lacking + max(side // 2, 1), stop))
        if wish.direction:
            return range(0)
        start = max(gop.start, index - side + 1)
        if all(i in self._cache for i in range(start, index)):
            return range(0)
        return range(start, index)

    def _back(self, wish: Wish) -> range:
        """What to decode next for a wish that goes backward: the nearest group before it that is not whole."""
        index, side = wish.index, self._side
        lacking = next((i for i in range(index, max(index - side, -1), -1) if i not in self._cache), None)
        if lacking is None:
            return range(0)
        gop = self._reader.gop(lacking)
        if self.is_hurried(wish) and len(gop) <= _SHORT_GOP:
            return range(gop.start, gop.start + 1) if gop.start not in self._cache else range(0)
        return range(max(gop.start, lacking - side + 1), lacking + 1)


def size_of(frame: av.VideoFrame) -> int:
    """The bytes of a frame's planes."""
    return sum(plane.buffer_size for plane in frame.planes)
