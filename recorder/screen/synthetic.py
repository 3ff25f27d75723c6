"""A screen made of numbers: each picture carries its own index as a barcode, so a test can read back which one it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from db.clock import now_ns
from db.errors import WindowLost
from recorder.screen.source import Bgra, Grab, Target, even

BITS = 16
BAR_HEIGHT_PX = 16


class SyntheticScreen:
    """Pictures 0, 1, 2, ... of `size_px`, a new one at every grab, or every `repeat` grabs.

    lost_after: raise WindowLost at this grab. on_grab: called before each grab, to hold one up.
    """

    def __init__(
        self,
        size_px: tuple[int, int] = (320, 240),
        *,
        repeat: int = 1,
        lost_after: int | None = None,
        on_grab: Callable[[], None] = lambda: None,
    ) -> None:
        self._size_px = even(size_px)
        self._repeat, self._lost_after, self._on_grab = repeat, lost_after, on_grab
        self.grabs = 0

    def open(self) -> Target:
        return Target("window", "synthetic", None, (0, 0), self._size_px)

    def grab(self, *, blank_if_covered: bool = False) -> Grab:
        self._on_grab()
        if self._lost_after is not None and self.grabs >= self._lost_after:
            raise WindowLost("The synthetic window was closed.")
        t_before_ns = now_ns()
        picture = paint(self.grabs // self._repeat, self._size_px)
        self.grabs += 1
        return Grab(picture, t_before_ns, now_ns())

    def close(self) -> None:
        pass


def paint(index: int, size_px: tuple[int, int]) -> Bgra:
    """The picture with this index: grey, with a bar of BITS black or white cells at the top, lowest bit leftmost."""
    width, height = size_px
    picture = np.full((height, width, 4), 96, np.uint8)
    cells = (np.arange(width) * BITS // width).astype(np.int64)
    picture[:BAR_HEIGHT_PX] = np.where((index >> cells) & 1, 235, 16)[None, :, None]
    return picture


def read_index(picture: Bgra) -> int:
    """The index that `paint` put into a picture (any number of channels), also after lossy coding."""
    width = picture.shape[1]
    row = picture[BAR_HEIGHT_PX // 2, :, 0].astype(np.int64)
    centres = (np.arange(BITS) * width + width // 2) // BITS
    return int(sum(1 << bit for bit, x in enumerate(centres) if row[x] > 128))
