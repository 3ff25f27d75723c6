"""A session at a constant rate, for formats that know frames by number / rate and nothing of true times.

Each tick shows the last frame at or before it. Ticks lie in the middle of their intervals: a frame that came a little early or
late is still shown once where the rate is the recording's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.clock import FrameClock, Int64
from db.errors import BadArgument
from db.formats.format import Option
from db.specs import SizePx

MOST_HZ, USUAL_HZ = 240, 30
LARGEST_PX = 8192
OPTIONS = {
    "rate": Option(
        "out", "pictures and actions a second, a whole number (default: the slowest of the sessions' own, at most 30)"
    ),
    "size": Option("out", "of all pictures, such as 256x256 (default: the first session's own)"),
}


@dataclass(frozen=True, eq=False)
class Sampling:
    """N ticks of a stretch of a session. What was done in `[edges_ns[i], edges_ns[i + 1])` belongs to tick i, and can be seen in
    the picture of tick i + 1 at the earliest.
    """

    frames: Int64
    """(N,) the index of the frame that each tick shows, ascending; where the recording is slower a frame comes again."""
    edges_ns: Int64
    """(N + 1,) strictly increasing: the shown frame's time, or the tick's own where a frame comes again."""
    start_ns: int
    """Of the stretch. Of a recording that is faster than the rate the first tick may show the second frame: what was done
    before that belongs to no tick.
    """

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def repeated(self) -> int:
        """How many ticks show the frame of the tick before."""
        return int((np.diff(self.frames) == 0).sum())


def sample(clock: FrameClock, rate_hz: float, start: int = 0, stop: int | None = None) -> Sampling:
    """The frames [start, stop) of a session, at least one, at `rate_hz`; as many ticks as fit to the nearest, at least one."""
    stop = len(clock) if stop is None else stop
    if not 0 <= start < stop <= len(clock) or not rate_hz > 0:
        raise ValueError(f"frames {start} to {stop} of {len(clock)} at {rate_hz} Hz")
    times, end_ns = clock.t_ns[start:stop], int(clock.edges_ns[stop])
    count = max(round((end_ns - int(times[0])) * rate_hz / 1e9), 1)
    ticks = times[0] + np.round((np.arange(count + 1) + 0.5) * (1e9 / rate_hz)).astype(np.int64)
    shown = np.searchsorted(times, ticks, side="right") - 1
    is_repeated = np.concatenate([[False], shown[1:] == shown[:-1]])
    edges = np.where(is_repeated, ticks, times[shown])
    edges[-1] = min(int(edges[-1]) if ticks[-1] < end_ns else end_ns, end_ns)
    return Sampling(shown[:-1] + start, edges, int(times[0]))


def rate_of(options: Mapping[str, str], rates_hz: Sequence[float]) -> int:
    """The rate that is asked for, or what suits sessions of these rates. Raises BadArgument."""
    said = options.get("rate")
    if said is None:
        return max(min([USUAL_HZ, *map(round, rates_hz)]), 1)
    if not said.isdecimal() or not 1 <= int(said) <= MOST_HZ:
        raise BadArgument(f"The rate is {said!r}; it should be a whole number from 1 to {MOST_HZ}.")
    return int(said)


def size_of(options: Mapping[str, str], sizes_px: Sequence[SizePx]) -> SizePx:
    """The size that is asked for, its sides made even, or the first of these. Raises BadArgument."""
    said = options.get("size")
    if said is None:
        return sizes_px[0] if sizes_px else (2, 2)
    width, _, height = said.partition("x")
    if all(side.isdecimal() and 2 <= int(side) <= LARGEST_PX for side in (width, height)):
        return int(width) // 2 * 2, int(height) // 2 * 2
    raise BadArgument(f"The size is {said!r}; it should be such as 256x256.")
