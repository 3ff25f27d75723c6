"""What was done in each interval. `resolve` is the one place where raw events become actions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64
from db.recording.events import Actor, ActorKind, EventArray, EventKind, Gap, Origin, gap_edges, outside

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class InputFacts:
    """What `resolve` reads: events ordered by time, gaps, actors, and the stretch `[start_ns, stop_ns)` that was watched."""

    events: EventArray
    gaps: Sequence[Gap]
    actors: Sequence[Actor]
    start_ns: int
    stop_ns: int


@dataclass(frozen=True, eq=False)
class ActionTrack:
    """Actions of N intervals over K keys and buttons. Interval i is `[edges_ns[i], edges_ns[i + 1])`."""

    edges_ns: Int64
    """(N + 1,) strictly increasing."""
    codes: tuple[int, ...]
    """K evdev codes, ascending."""
    held: Bools
    """(N, K): down at the end of the interval."""
    tapped: Bools
    """(N, K): pressed in the interval and up again at its end (a sub-frame tap)."""
    presses: NDArray[np.uint8]
    """(N, K): how often a press happened in the interval; snapshots are not presses."""
    releases: NDArray[np.uint8]
    """(N, K): how often a release happened; closings are not releases."""
    motion: Floats
    """(N, 2): summed raw relative motion, dx right and dy down, in device counts."""
    scroll: Floats
    """(N, 2): summed notches, right and up."""
    known: Bools
    """(N,): False where the interval touches a gap or leaves the watched stretch; nothing may be learnt there."""
    actors: NDArray[np.uint8]
    """(N,): bits (`ActorKind.bit`) of everyone who moved or scrolled, or who had, at any time in the interval, a key down
    that is active there."""
    source: str = "events"
    """`events`, `imported`, or `run:<id>` for an imputed track."""
    confidence: Floats | None = field(default=None)
    """(N, K) in [0, 1] for imputed tracks."""

    def __len__(self) -> int:
        return len(self.held)

    @property
    def active(self) -> Bools:
        """(N, K): what a model learns as pressed: held at the end, or tapped."""
        return self.held | self.tapped

    def select(self, codes: Sequence[int]) -> Bools:
        """`active` for these codes in this order, (N, len(codes)); a code never seen is never pressed."""
        column = {code: i for i, code in enumerate(self.codes)}
        active = self.active
        picked = np.zeros((len(self), len(codes)), dtype=np.bool_)
        for j, code in enumerate(codes):
            if code in column:
                picked[:, j] = active[:, column[code]]
        return picked

    def digest(self) -> str:
        """SHA-256 over the resolved values: what a dataset freezes."""
        sha = hashlib.sha256(repr((self.codes, self.source)).encode())
        for array in (self.edges_ns, self.held, self.tapped, self.motion, self.scroll, self.known, self.actors):
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()


def resolve(facts: InputFacts, edges_ns: Int64, codes: Sequence[int] | None = None) -> ActionTrack:
    """Turns raw events into the actions of the intervals between `edges_ns`.

    facts: events ordered by time, gaps and the watched stretch. edges_ns: (N + 1,) int64, strictly increasing, N >= 1.
    codes: the keys and buttons wanted; by default every code the session ever saw, ascending.

    The rules, each of them tested:
    - An event exactly on an edge belongs to the interval that starts there (intervals are half-open).
    - `held` is the state at the end of the interval. A key pressed in interval a and released in interval b is held in
      [a, b), so a hold lasts as many intervals as edges it crosses.
    - A key that goes down and is up again at the end of the same interval is `tapped`, whatever it did in between and
      whether or not it was held before; one that ends down is `held`, not tapped. `presses` counts every press.
    - A key found down (snapshot) is held without a press. A hold ended by watching (closing) is no release.
    - A press of a key that is down, and a release of a key that is up, change nothing and are not counted.
    - At the start of a gap everything is up; events inside a gap are ignored; a key still down afterwards must come as
      a snapshot. An interval that touches a gap is not `known`; nor is one that leaves `[start_ns, stop_ns)`.
    - Motion and scroll are sums over the interval. Absolute positions (a gamepad's axes) never become motion.
    - Holds that began before the first edge count; events at or after the last edge do not.

    Raises ValueError where edges_ns is not as described.
    """
    edges = np.asarray(edges_ns, dtype=np.int64)
    if edges.ndim != 1 or len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise ValueError("edges_ns must be one-dimensional, strictly increasing, with at least two edges")
    events, told = facts.events, outside(facts.events["t_ns"], facts.gaps)
    is_key = events["kind"] == EventKind.KEY
    keys = events[is_key & told]
    wanted = tuple(sorted(set(np.unique(events["code"][is_key]).tolist() if codes is None else codes)))
    within = slice(*np.searchsorted(events["t_ns"], edges[[0, -1]]).tolist())
    moves = events[within]  # a view: an hour's motion is hundreds of megabytes
    told_moves = told[within]
    count, width = len(edges) - 1, len(wanted)
    track = ActionTrack(
        edges_ns=edges,
        codes=wanted,
        held=np.zeros((count, width), np.bool_),
        tapped=np.zeros((count, width), np.bool_),
        presses=np.zeros((count, width), np.uint8),
        releases=np.zeros((count, width), np.uint8),
        motion=_sum_per_interval(moves, told_moves & (moves["kind"] == EventKind.MOTION), edges),
        scroll=_sum_per_interval(moves, told_moves & (moves["kind"] == EventKind.SCROLL), edges),
        known=_known(facts, edges),
        actors=np.zeros(count, np.uint8),
    )
    bits = np.array([actor.kind.bit for actor in facts.actors] or [ActorKind.PERSON.bit], np.uint8)
    for column, code in enumerate(wanted):
        _resolve_key(keys[keys["code"] == code], facts.gaps, bits, column, track)
    _add_movers(moves, told_moves, bits, track)
    return track


def _known(facts: InputFacts, edges: Int64) -> Bools:
    starts, stops = gap_edges(facts.gaps)
    touched = np.searchsorted(starts, edges[1:], "left") != np.searchsorted(stops, edges[:-1], "right")
    known: Bools = (edges[:-1] >= facts.start_ns) & (edges[1:] <= facts.stop_ns) & ~touched
    return known


def _sum_per_interval(events: EventArray, wanted: Bools, edges: Int64) -> Floats:
    """events: all within the edges; wanted: which of them count."""
    index = np.searchsorted(edges, events["t_ns"][wanted], side="right") - 1
    sums = [np.bincount(index, weights=events[axis][wanted], minlength=len(edges) - 1) for axis in ("x", "y")]
    return np.stack(sums, axis=1).astype(np.float32)


def _resolve_key(
    rows: EventArray, gaps: Sequence[Gap], bits: NDArray[np.uint8], column: int, track: ActionTrack
) -> None:
    """Fills one key's column of the track from its own events."""
    downs, ups = [], []  # (t_ns, counted, actor bit) of every change of state
    closings = iter(sorted(gap.start_ns for gap in gaps))
    closing = next(closings, None)
    is_down = False
    names = ("t_ns", "value", "origin", "actor")
    for t_ns, value, origin, actor in zip(*(rows[name].tolist() for name in names), strict=True):
        while closing is not None and closing <= t_ns:
            if is_down:
                ups.append((closing, False))
                is_down = False
            closing = next(closings, None)
        if value and not is_down:
            downs.append((t_ns, origin == Origin.DEVICE, bits[min(actor, len(bits) - 1)]))
            is_down = True
        elif not value and is_down:
            ups.append((t_ns, origin == Origin.DEVICE))
            is_down = False
    if is_down and closing is not None:
        ups.append((closing, False))
    if not downs:
        return
    edges = track.edges_ns
    down_t, up_t = np.array([d[0] for d in downs], np.int64), np.array([u[0] for u in ups], np.int64)
    track.held[:, column] = np.searchsorted(down_t, edges[1:]) > np.searchsorted(up_t, edges[1:])
    track.presses[:, column] = _count([d[0] for d in downs if d[1]], edges)
    track.releases[:, column] = _count([u[0] for u in ups if u[1]], edges)
    track.tapped[:, column] = (track.presses[:, column] > 0) & ~track.held[:, column]
    first = np.searchsorted(edges, down_t, side="right") - 1
    last = np.searchsorted(edges, np.append(up_t, np.iinfo(np.int64).max)[: len(down_t)], side="left") - 1
    last = np.maximum(first, last)  # a press and its release on one edge still lie in the interval that starts there
    for start, stop, (_, _, bit) in zip(first, last, downs, strict=True):
        stretch = slice(max(start, 0), min(stop, len(track) - 1) + 1)
        track.actors[stretch] |= np.where(track.held[stretch, column] | track.tapped[stretch, column], bit, 0).astype(
            np.uint8
        )


def _count(times: Sequence[int] | Int64, edges: Int64) -> NDArray[np.uint8]:
    return np.minimum(np.diff(np.searchsorted(np.asarray(times, np.int64), edges)), 255).astype(np.uint8)


def _add_movers(events: EventArray, told: Bools, bits: NDArray[np.uint8], track: ActionTrack) -> None:
    """events: all within the edges; told: which of them lie in no gap."""
    moved = told & ((events["kind"] == EventKind.MOTION) | (events["kind"] == EventKind.SCROLL))
    index = np.searchsorted(track.edges_ns, events["t_ns"][moved], side="right") - 1
    np.bitwise_or.at(track.actors, index, bits[np.minimum(events["actor"][moved], len(bits) - 1)])
