"""Stretches that rules propose, from inputs and from how much the picture changes: idle, menu, loading, and what to trim.

Pure functions over arrays of one value a frame. Nothing is proposed where inputs are not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotator.model.timeline.lanes import Floats
from db.clock import FrameClock
from db.labelling.labels import Flag, LabelKind
from db.recording.actions import ActionTrack, Bools
from db.recording.keys import is_pointer_button
from db.recording.stretches import stretches_of

SOURCE = "run:rules-1"


@dataclass(frozen=True)
class Limits:
    """When a stretch is proposed."""

    idle_s: float = 5.0
    """Without input and change at least."""
    menu_s: float = 2.0
    loading_s: float = 1.0
    trim_s: float = 2.0
    """Idleness at the start or the end that is worth leaving out."""
    still: float = 0.004
    """A mean absolute change per pixel, in [0, 1], up to which the picture stands still (a blinking cursor does)."""
    dark: float = 0.03
    """A mean brightness, in [0, 1], up to which the picture is black."""
    flicker_s: float = 0.5
    """A change of the picture no longer than this does not end a stretch."""
    look: float = 0.02
    """A mean change per pixel from which a moved mouse has turned the view and not only moved a pointer."""


@dataclass(frozen=True)
class Pictures:
    """What is known of the N pictures; see `measure`."""

    change: Floats
    """(N,) the mean absolute change per pixel from the frame before, in [0, 1]; 0 for the first."""
    brightness: Floats
    """(N,) the mean, in [0, 1]."""

    def with_duplicates(self, duplicate: Bools) -> Pictures:
        """Frames that the recorder found to be the same as the one before (N,) have not changed."""
        return Pictures(np.where(duplicate, np.float32(0), self.change), self.brightness)


@dataclass(frozen=True)
class Proposal:
    """Frames [start, stop) and what they may be."""

    kind: LabelKind
    value: str
    start: int
    stop: int


def measure(pictures: Iterable[NDArray[np.uint8]]) -> Pictures:
    """pictures: every frame in order, small (some 64 px wide do), (h, w) or (h, w, C) uint8, all of one shape."""
    change, brightness = [], []
    before: NDArray[np.int16] | None = None
    for picture in pictures:
        now = picture.astype(np.int16)
        change.append(0.0 if before is None else float(np.abs(now - before).mean()) / 255)
        brightness.append(float(now.mean()) / 255)
        before = now
    return Pictures(np.array(change, np.float32), np.array(brightness, np.float32))


def propose(track: ActionTrack, pictures: Pictures, clock: FrameClock, limits: Limits | None = None) -> list[Proposal]:
    """Flags that do not overlap one another, and trims, ordered by start. Raises ValueError for arrays of another length."""
    limits = limits or Limits()
    if not len(track) == len(pictures.change) == len(pictures.brightness) == len(clock):
        raise ValueError("there must be one action, one change and one brightness for every frame")
    acting = _acting(track)
    dark = pictures.brightness <= limits.dark
    still = _calm(pictures.change <= limits.still, clock, limits.flicker_s)
    idle = track.known & ~acting & (still | dark)
    found = [
        *_flags(Flag.LOADING, dark & track.known & ~_any(track.active), clock, limits.loading_s),
        *_menus(track, pictures, clock, limits, ~dark),
    ]
    taken = _covered(found, len(clock))
    found += _flags(Flag.IDLE, idle & ~taken, clock, limits.idle_s)
    found += _trims(idle | (track.known & ~acting & _covered(found, len(clock))), clock, limits.trim_s)
    return sorted(found, key=lambda proposal: (proposal.start, proposal.stop, proposal.kind, proposal.value))


def _any(columns: NDArray[np.generic]) -> Bools:
    """(N,) whether anything is set in each row of (N, K), K >= 0."""
    found: Bools = (columns != 0).any(axis=1)
    return found


def _acting(track: ActionTrack) -> Bools:
    """(N,) any key, any motion, any scrolling."""
    return _any(track.active) | _any(track.motion) | _any(track.scroll)


def _menus(track: ActionTrack, pictures: Pictures, clock: FrameClock, limits: Limits, lit: Bools) -> list[Proposal]:
    """Stretches in which a pointer is moved and clicks, no key is held, and the view never turns with the mouse."""
    pointer = np.array([is_pointer_button(code) for code in track.codes], np.bool_)
    playing, clicks = _any(track.active[:, ~pointer]), _any(track.presses[:, pointer])
    looking = _any(track.motion) & (pictures.change >= limits.look)
    quiet = _calm(~looking & (pictures.change < limits.look), clock, limits.flicker_s)  # a page turns at a click
    found = _flags(Flag.MENU, track.known & ~playing & quiet & lit, clock, limits.menu_s)
    return [menu for menu in (_around(menu, clicks, clock, limits) for menu in found) if menu]


def _around(menu: Proposal, clicks: Bools, clock: FrameClock, limits: Limits) -> Proposal | None:
    """The part of a menu from a little before its first click to a little after its last; None without any."""
    at = np.flatnonzero(clicks[menu.start : menu.stop]) + menu.start
    if not len(at):
        return None
    margin_ns = int(limits.menu_s * 1e9)
    first = clock.index_at(int(clock.t_ns[at[0]]) - margin_ns)
    last = clock.index_at(int(clock.t_ns[at[-1]]) + margin_ns) + 1
    return Proposal(menu.kind, menu.value, max(menu.start, first), min(menu.stop, last))


def _trims(quiet: Bools, clock: FrameClock, least_s: float) -> list[Proposal]:
    """What leads up to the first act, and what follows the last; nothing where nobody ever acts."""
    busy = np.flatnonzero(~quiet)
    if not len(busy):
        return []
    ends = ((0, int(busy[0])), (int(busy[-1]) + 1, len(quiet)))
    return [Proposal(LabelKind.TRIM, "", a, b) for a, b in ends if a < b and _lasts_s(a, b, clock) >= least_s]


def _flags(flag: Flag, mask: Bools, clock: FrameClock, least_s: float) -> list[Proposal]:
    runs = [(a, b) for a, b in stretches_of(mask) if _lasts_s(a, b, clock) >= least_s]
    return [Proposal(LabelKind.FLAG, flag.value, a, b) for a, b in runs]


def _calm(calm: Bools, clock: FrameClock, flicker_s: float) -> Bools:
    """With interruptions between two calm stretches filled where they are no longer than `flicker_s`."""
    filled = calm.copy()
    for a, b in stretches_of(~calm):
        if a > 0 and b < len(calm) and _lasts_s(a, b, clock) <= flicker_s:
            filled[a:b] = True
    return filled


def _covered(proposals: Iterable[Proposal], count: int) -> Bools:
    covered: Bools = np.zeros(count, np.bool_)
    for proposal in proposals:
        covered[proposal.start : proposal.stop] = True
    return covered


def _lasts_s(start: int, stop: int, clock: FrameClock) -> float:
    edges = clock.edges_ns
    return float(edges[stop] - edges[start]) / 1e9
