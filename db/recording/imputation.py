"""Imputed inputs in the place of recorded ones: what `db.recording.corrections.correct` puts in before all else.

An hour of video comes as hundreds of pieces, and a person confirms them one by one: what a piece says is made into events
once, and a stretch of the outcome can be asked for without the rest of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64
from db.recording.actions import InputFacts
from db.recording.events import EVENT_DTYPE, ActorKind, EventArray, EventKind, Gap, Origin, joined, outside

Bools = NDArray[np.bool_]
Change = tuple[int, int, int, int]
"""(t_ns, code, down, origin) of a key."""

_EVER = np.iinfo(np.int64)


@dataclass(frozen=True, eq=False)
class ImputedInputs:
    """What a model imputed, whatever stretch of it counts."""

    events: EventArray
    """Every edge of a hold and every move; of equal stamps keys by their codes before moves. They name no actor yet."""
    t_ns: Int64
    """(E,) their stamps."""
    holds: dict[int, Int64]
    """(H, 2) ascending stretches [down_ns, up_ns) of each key that is down at all; none touch."""

    @classmethod
    def of(
        cls, keys: Iterable[tuple[int, Sequence[tuple[int, int]]]], moves: Sequence[tuple[int, float, float]]
    ) -> ImputedInputs:
        """keys: code and ascending holds [down_ns, up_ns), every key once. moves: (t_ns, right, down), ascending."""
        holds = {code: np.array(said, np.int64) for code, said in keys if said}
        changes = [(t, code, i % 2 == 0) for code, own in holds.items() for i, t in enumerate(own.reshape(-1).tolist())]
        events: EventArray = np.zeros(len(changes) + len(moves), EVENT_DTYPE)
        events["server_ms"] = -1
        pressed, moved = events[: len(changes)], events[len(changes) :]
        pressed["kind"], moved["kind"] = EventKind.KEY, EventKind.MOTION
        if changes:
            pressed["t_ns"], pressed["code"], pressed["value"] = zip(*changes, strict=True)
        if moves:
            moved["t_ns"], moved["x"], moved["y"] = zip(*moves, strict=True)
            moved["x2"], moved["y2"] = moved["x"], moved["y"]
        events = events[np.lexsort((events["code"], events["kind"] == EventKind.MOTION, events["t_ns"]))]
        return cls(events, np.ascontiguousarray(events["t_ns"]), holds)

    def down_before(self, t_ns: int) -> set[int]:
        """The keys that are down right before an instant."""
        return {code for code, own in self.holds.items() if _is_in(own, t_ns, "left")}

    def down_at(self, t_ns: int) -> set[int]:
        """The keys that are down from an instant on."""
        return {code for code, own in self.holds.items() if _is_in(own, t_ns, "right")}


class Piece(NamedTuple):
    """[start_ns, stop_ns), not empty, and what was imputed for it."""

    start_ns: int
    stop_ns: int
    said: ImputedInputs


class Recorded:
    """A recording into which pieces are put: ascending, disjoint ones."""

    def __init__(self, facts: InputFacts) -> None:
        self.facts = facts
        self._person = next((i for i, actor in enumerate(facts.actors) if actor.kind is ActorKind.PERSON), 0)
        events = facts.events
        self._t_ns = np.ascontiguousarray(events["t_ns"])
        self._is_input = np.isin(events["kind"], (EventKind.KEY, EventKind.MOTION, EventKind.SCROLL))
        own: EventArray = events[(events["kind"] == EventKind.KEY) & outside(self._t_ns, facts.gaps)]
        self._keys = {int(code): _Key.of(own[own["code"] == code]) for code in np.unique(own["code"])}
        gaps = sorted((gap.start_ns, gap.stop_ns) for gap in facts.gaps)
        self._gap_starts = np.array([start for start, _ in gaps], np.int64)
        self._reach = np.maximum.accumulate(np.array([_EVER.min, *(stop for _, stop in gaps)], np.int64))
        """[i] until when the first i gaps last."""

    def with_pieces(self, pieces: Sequence[Piece]) -> InputFacts:
        """The facts with the inputs of the pieces replaced by what was imputed, and known there."""
        return replace(self.facts, events=self.events(pieces), gaps=self.gaps(pieces))

    def events(self, pieces: Sequence[Piece], first_ns: int = _EVER.min, last_ns: int = _EVER.max) -> EventArray:
        """Those of `with_pieces` with first_ns <= t_ns <= last_ns. Costs no more than what lies there.

        A key that a piece leaves in another state than the recording goes on in is put right at its end: a release, or
        a snapshot, which is no press. A hold that goes on in the next piece is one.
        """
        near = pieces[
            bisect_left(pieces, first_ns, key=lambda p: p.stop_ns) : bisect_right(
                pieces, last_ns, key=lambda p: p.start_ns
            )
        ]
        made = joined([_changed(self._edges(near)), *(part for piece in near for part in _inside(piece))])
        made["actor"] = self._person
        made = made[(made["t_ns"] >= first_ns) & (made["t_ns"] <= last_ns)]
        # What was made stands before what was recorded at the same stamp: the recording goes on from it.
        whole = joined([made, self._kept(near, first_ns, last_ns)])
        ordered: EventArray = whole[np.argsort(whole["t_ns"], kind="stable")]
        return ordered

    def gaps(self, pieces: Sequence[Piece]) -> list[Gap]:
        """What is left of the gaps outside of the pieces."""
        left = []
        for gap in self.facts.gaps:
            first = bisect_right(pieces, gap.start_ns, key=lambda p: p.stop_ns)
            last = bisect_left(pieces, gap.stop_ns, key=lambda p: p.start_ns)
            start_ns = gap.start_ns
            for piece in pieces[first:last]:
                if start_ns < piece.start_ns:
                    left.append(replace(gap, start_ns=start_ns, stop_ns=piece.start_ns))
                start_ns = piece.stop_ns
            if start_ns < gap.stop_ns:
                left.append(replace(gap, start_ns=start_ns))
        return left

    def _kept(self, pieces: Sequence[Piece], first_ns: int, last_ns: int) -> EventArray:
        """What was recorded and no piece replaces."""
        here = slice(np.searchsorted(self._t_ns, first_ns, "left"), np.searchsorted(self._t_ns, last_ns, "right"))
        events, t_ns = self.facts.events[here], self._t_ns[here]
        if not pieces:
            return events
        stops = np.array([_EVER.min, *(piece.stop_ns for piece in pieces)], np.int64)
        starts = np.array([piece.start_ns for piece in pieces], np.int64)
        kept: EventArray = events[(t_ns >= stops[np.searchsorted(starts, t_ns, "right")]) | ~self._is_input[here]]
        return kept

    def _edges(self, pieces: Sequence[Piece]) -> list[Change]:
        """The changes where pieces begin and end, by code at each."""
        begins = [i for i, piece in enumerate(pieces) if not i or pieces[i - 1].stop_ns < piece.start_ns]
        ends = [*(i - 1 for i in begins[1:]), len(pieces) - 1] if pieces else []
        before = self._down([pieces[i].start_ns for i in begins], found=False)
        after = self._down([pieces[i].stop_ns for i in ends], found=True)
        changes: list[Change] = []
        down: set[int] = set()
        run = 0
        for i, (start_ns, stop_ns, said) in enumerate(pieces):
            if run < len(begins) and begins[run] == i:
                down = before[run]
            changes += _changes(start_ns, down, said.down_at(start_ns), Origin.DEVICE)
            down = said.down_before(stop_ns)
            if ends[run] == i:
                changes += _changes(stop_ns, down, after[run], Origin.SNAPSHOT)
                run += 1
        return changes

    def _down(self, at_ns: Sequence[int], *, found: bool) -> list[set[int]]:
        """The keys that the recording has down right before each instant: a gap lets go of them.

        found: or finds down at that very instant.
        """
        instants = np.array(at_ns, np.int64)
        reach = self._reach[np.searchsorted(self._gap_starts, instants, "left")]
        down: list[set[int]] = [set() for _ in at_ns]
        for code, own in self._keys.items():
            for i in np.flatnonzero(own.is_down_before(instants, reach, found=found)).tolist():
                down[i].add(code)
        return down


@dataclass(frozen=True, eq=False)
class _Key:
    """The events of one recorded key that count: those outside of gaps; at least one."""

    t_ns: Int64
    is_down: Bools
    found_ns: Int64
    """When it was found down."""

    @classmethod
    def of(cls, events: EventArray) -> _Key:
        t_ns, is_down = np.ascontiguousarray(events["t_ns"]), events["value"] != 0
        return cls(t_ns, is_down, t_ns[is_down & (events["origin"] == Origin.SNAPSHOT)])

    def is_down_before(self, at_ns: Int64, reach_ns: Int64, *, found: bool) -> Bools:
        """(T,) reach_ns: until when the gaps last that began before each instant."""
        last = np.searchsorted(self.t_ns, at_ns, "left") - 1
        down: Bools = (last >= 0) & self.is_down[last] & (reach_ns <= self.t_ns[last])
        if found:
            down |= np.searchsorted(self.found_ns, at_ns, "left") < np.searchsorted(self.found_ns, at_ns, "right")
        return down


def changed_between(before: Sequence[Piece], after: Sequence[Piece]) -> tuple[int, int] | None:
    """The stretch [start_ns, stop_ns] outside of which the same events come of both, None where they are the same."""
    head = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    olds, news = list(before[head:]), list(after[head:])
    while olds and news and olds[-1] == news[-1]:
        olds.pop()
        news.pop()
    pieces = olds + news
    return (min(p.start_ns for p in pieces), max(p.stop_ns for p in pieces)) if pieces else None


def _is_in(holds: Int64, t_ns: int, side: str) -> bool:
    """Whether a hold has begun and not ended; right before the instant ("left"), or from it on ("right")."""
    begun, ended = ((holds < t_ns) if side == "left" else (holds <= t_ns)).sum(axis=0).tolist()
    return bool(begun > ended)


def _changes(t_ns: int, before: set[int], after: set[int], origin: Origin) -> list[Change]:
    """origin: of what goes down."""
    return [
        (t_ns, code, 1, origin) if code in after else (t_ns, code, 0, Origin.DEVICE) for code in sorted(before ^ after)
    ]


def _changed(changes: Sequence[Change]) -> EventArray:
    events: EventArray = np.zeros(len(changes), EVENT_DTYPE)
    events["kind"], events["server_ms"] = EventKind.KEY, -1
    if changes:
        events["t_ns"], events["code"], events["value"], events["origin"] = zip(*changes, strict=True)
    return events


def _inside(piece: Piece) -> tuple[EventArray, EventArray]:
    """What happens in a piece; of its keys only what happens after its start."""
    said = piece.said
    first, after = (int(np.searchsorted(said.t_ns, piece.start_ns, side)) for side in ("left", "right"))
    head, stop = said.events[first:after], int(np.searchsorted(said.t_ns, piece.stop_ns, "left"))
    return head[head["kind"] == EventKind.MOTION], said.events[after:stop]
