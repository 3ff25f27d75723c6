"""The one shape of every screen back end: open, grab, close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from db.errors import WindowLost

Bgra = NDArray[np.uint8]
"""(H, W, 4) uint8, blue first; the fourth byte means nothing. Height and width are even."""

TargetKind = Literal["window", "monitor", "region"]


class WindowClosed(WindowLost):
    """The window is gone for good."""


class WindowHidden(WindowLost):
    """The window is minimised, on another desktop or off the screen; it can come back."""


class WindowResized(WindowLost):
    """The target, or the screen that it is a part of, has another size now; open the source again to go on with it."""


class DisplayLost(WindowLost):
    """The display itself has gone away, and with it everything on it."""


@dataclass(frozen=True, eq=False)
class Grab:
    """One picture. Nobody writes into `bgra` after it was handed out, so threads may share it."""

    bgra: Bgra
    t_before_ns: int
    """`now_ns()` just before the picture was asked for."""
    t_ns: int
    """`now_ns()` just after it was there: what was done later cannot be visible in it."""


@dataclass(frozen=True)
class Target:
    """What is captured, as it stood when the source was opened. Pixels are those of the whole screen (the root window)."""

    kind: TargetKind
    title: str
    window_id: int | None
    position_px: tuple[int, int]
    size_px: tuple[int, int]
    """(width, height), even: an odd last column or row is left out."""


class ScreenSource(Protocol):
    """Pictures of one target at a constant size. One thread opens, grabs and closes; it may be opened again after."""

    def open(self) -> Target:
        """Finds the target. Raises NotFound, WindowLost or CaptureUnavailable."""
        ...

    def grab(self, *, blank_if_covered: bool = False) -> Grab:
        """The target as it is now, wherever it has moved to.

        blank_if_covered: give black pixels while another window lies over the target, since they would be its pixels.
        Raises WindowClosed, WindowHidden, WindowResized or DisplayLost; all are WindowLost.
        """
        ...

    def close(self) -> None:
        """Lets go of the screen. Does nothing the second time."""
        ...


def even(size_px: tuple[int, int]) -> tuple[int, int]:
    """The largest even (width, height) within `size_px`: chroma is stored at half the size."""
    return size_px[0] & ~1, size_px[1] & ~1
