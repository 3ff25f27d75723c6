"""The timeline's horizontal axis: frames to pixels and back, zoom and pan. Qt-free and immutable.

A position is a frame index with a fraction: frame i covers positions [i, i + 1), and an event 40% into its span stands
at i + 0.4, so frames of unequal length are equally wide and every label edge falls on a whole number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64

Positions = NDArray[np.float64]

MOST_PX_PER_FRAME = 48.0


def positions(t_ns: Int64, edges_ns: Int64) -> Positions:
    """Times -> positions along the frames whose `edges_ns` (N + 1,) are given, clamped to [0, N]."""
    t_ns = np.clip(t_ns, edges_ns[0], edges_ns[-1])
    frame = np.minimum(np.searchsorted(edges_ns, t_ns, "right"), len(edges_ns) - 1) - 1
    found: Positions = frame + (t_ns - edges_ns[frame]) / (edges_ns[frame + 1] - edges_ns[frame])
    return found


@dataclass(frozen=True)
class Axis:
    """A window of `width_px` pixels on `frame_count` frames; `left` is the position at pixel 0."""

    frame_count: int
    width_px: int
    left: float = 0.0
    px_per_frame: float = 1.0

    @classmethod
    def whole(cls, frame_count: int, width_px: int) -> Axis:
        """All frames in view."""
        return cls(max(frame_count, 1), max(width_px, 1))._bounded(px_per_frame=0.0)

    @property
    def span(self) -> float:
        """How many frames are in view."""
        return self.width_px / self.px_per_frame

    @property
    def right(self) -> float:
        return self.left + self.span

    @property
    def is_whole(self) -> bool:
        return self.px_per_frame <= self.width_px / self.frame_count * (1 + 1e-9)

    def x(self, position: float) -> float:
        """Pixels from the left edge."""
        return (position - self.left) * self.px_per_frame

    def position(self, x: float) -> float:
        return self.left + x / self.px_per_frame

    def frame(self, x: float) -> int:
        """The frame under a pixel, clamped to those that exist."""
        return min(max(floor(self.position(x)), 0), self.frame_count - 1)

    def edge(self, x: float) -> int:
        """The boundary between frames (0 ... frame_count) nearest to a pixel."""
        return min(max(round(self.position(x)), 0), self.frame_count)

    def pixel_edges(self, columns: int) -> Positions:
        """(columns + 1,) positions of the borders of as many equal pixel columns over the view."""
        return np.linspace(self.left, self.right, columns + 1)

    def resized(self, width_px: int) -> Axis:
        """Another width at the same scale; a view of everything keeps showing everything."""
        width_px = max(width_px, 1)
        scale = 0.0 if self.is_whole else self.px_per_frame
        return replace(self, width_px=width_px)._bounded(px_per_frame=scale)

    def zoomed(self, factor: float, x: float) -> Axis:
        """Scaled by `factor`, keeping what is under pixel `x` where it is."""
        fixed = self.position(x)
        scaled = self._bounded(px_per_frame=self.px_per_frame * factor)
        return scaled._bounded(left=fixed - x / scaled.px_per_frame)

    def panned(self, frames: float) -> Axis:
        return self._bounded(left=self.left + frames)

    def showing(self, start: float, stop: float, margin: float = 0.08) -> Axis:
        """Panned, and zoomed out if need be, so that `[start, stop]` is in view; unchanged where it already is."""
        room = self.span * margin
        if self.left <= start and stop <= self.right:
            return self
        axis = self
        if (stop - start) * (1 + 2 * margin) > self.span:
            axis = self._bounded(px_per_frame=self.width_px / max((stop - start) * (1 + 2 * margin), 1e-9))
            room = axis.span * margin
        if start < axis.left or stop - start + 2 * room > axis.span:
            return axis._bounded(left=start - room)
        return axis._bounded(left=stop + room - axis.span)

    def followed(self, position: float) -> Axis:
        """As in playback: turned to the next page once the position leaves the view."""
        if self.left <= position <= self.right:
            return self
        return self._bounded(left=position - self.span * 0.05)

    def _bounded(self, left: float | None = None, px_per_frame: float | None = None) -> Axis:
        scale = self.px_per_frame if px_per_frame is None else px_per_frame
        least = self.width_px / self.frame_count
        scale = min(max(scale, least), max(MOST_PX_PER_FRAME, least))
        wanted = self.left if left is None else left
        most_left = max(self.frame_count - self.width_px / scale, 0.0)
        return replace(self, left=min(max(wanted, 0.0), most_left), px_per_frame=scale)
