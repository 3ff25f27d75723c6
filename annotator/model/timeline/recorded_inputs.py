"""The inputs of a session as recorded, with what was imputed and confirmed in their place.

An hour may hold hundreds of imputed stretches: where some change, only their keys and frames are made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from annotator.model.timeline.axis import Positions
from annotator.model.timeline.holds import Holds, tidied
from annotator.model.timeline.lanes import KeyLane, Lanes, build, gap_positions, hold_times, in_order, key_lane, moved
from db.clock import FrameClock
from db.recording.actions import Bools, Floats, InputFacts
from db.recording.events import EVENT_DTYPE, EventArray, EventKind, Gap, joined
from db.recording.imputation import Piece, Recorded, changed_between

_NONE: EventArray = np.zeros(0, EVENT_DTYPE)
_Values = TypeVar("_Values", Floats, Bools)


@dataclass(frozen=True, eq=False)
class Key:
    lane: KeyLane
    holds: Holds

    @classmethod
    def of(cls, code: int, facts: InputFacts, clock: FrameClock, known: KeyLane | None = None) -> Key:
        """Reads only the key's own events. known: its lane so far, which stays where it says the same."""
        times = hold_times(code, facts, clock)
        lane = key_lane(code, times, clock)
        same = known is not None and lane.equals(known)
        return cls(known if same and known else lane, tidied(times[0], times[1], int(clock.t_ns[0]), clock.t_stop_ns))


class RecordedInputs:
    """What counts as recorded. Another object of a key, or array, only where that has changed."""

    def __init__(self, facts: InputFacts, clock: FrameClock) -> None:
        self.clock = clock
        self.lanes = build(facts, clock)
        self._recorded = Recorded(facts)
        self._pieces: Sequence[Piece] = ()
        self.gaps: list[Gap] = list(facts.gaps)
        rows = facts.events[facts.events["kind"] == EventKind.KEY]
        rows = rows[np.argsort(rows["code"], kind="stable")]
        codes, first = np.unique(rows["code"], return_index=True)
        self._events: dict[int, EventArray] = (
            dict(zip(codes.tolist(), np.split(rows, first[1:]), strict=True)) if len(rows) else {}
        )
        self._keys: dict[int, Key] = {}

    def key(self, code: int) -> Key:
        """Without a hold for a key that was never recorded."""
        if code not in self._keys:
            known = next((lane for lane in self.lanes.keys if lane.code == code), None)
            self._keys[code] = Key.of(code, self.facts(self.events(code)), self.clock, known)
        return self._keys[code]

    def events(self, code: int) -> EventArray:
        """A key's own events."""
        return self._events.get(code, _NONE)

    def facts(self, events: EventArray) -> InputFacts:
        """These events in the gaps that are left."""
        return replace(self._recorded.facts, events=events, gaps=self.gaps)

    def put_in(self, pieces: Sequence[Piece]) -> None:
        """In the place of those put in before."""
        stretch = changed_between(self._pieces, pieces)
        self._pieces = pieces
        if stretch is None:
            return
        edges, frames = self.clock.edges_ns, len(self.clock)
        first, last = np.searchsorted(edges, stretch, "right").tolist()
        first, last = first - 1, min(last, frames)  # what ends on an edge may change the frame after it
        until_ns = int(edges[last])
        events = self._recorded.events(pieces, stretch[0], until_ns)
        self.gaps = self._recorded.gaps(pieces)
        keys = {lane.code: lane for lane in self.lanes.keys}
        for code in self._replace(events, stretch[0], until_ns, first):
            self._keys[code] = key = Key.of(code, self.facts(self.events(code)), self.clock, keys.get(code))
            keys[code] = key.lane
        motion, scroll, known = moved(self.facts(events), edges[first : last + 1])
        lanes, here = self.lanes, slice(first, last)
        self.lanes = Lanes(
            keys=in_order(keys.values()),
            dx=lanes.dx.replaced(here, motion[:, 0]),
            dy=lanes.dy.replaced(here, motion[:, 1]),
            scroll=_replaced(lanes.scroll, here, scroll),
            known=_replaced(lanes.known, here, known),
            gaps=_kept(lanes.gaps, gap_positions(self.gaps, self.clock)),
        )

    def _replace(self, events: EventArray, first_ns: int, last_ns: int, frame: int) -> list[int]:
        """Puts events in the place of those of the stretch [first_ns, last_ns], and returns the keys that may change.

        frame: where the stretch begins. A key that is up there and has no event in it stays as it is.
        """
        fresh = events[events["kind"] == EventKind.KEY]
        lanes, changed = {lane.code: lane for lane in self.lanes.keys}, []
        for code in sorted({*self._events, *fresh["code"].tolist()}):
            known, own = self.events(code), fresh[fresh["code"] == code]
            t_ns = np.ascontiguousarray(known["t_ns"])
            begin, end = int(np.searchsorted(t_ns, first_ns, "left")), int(np.searchsorted(t_ns, last_ns, "right"))
            if begin < end or len(own):
                self._events[code] = joined([known[:begin], own, known[end:]])
                changed.append(code)
            elif code in lanes and lanes[code].touches(frame):
                changed.append(code)
        return changed


def _replaced(known: _Values, here: slice, fresh: _Values) -> _Values:
    """With other values there; the same array where they are the same."""
    if np.array_equal(known[here], fresh):
        return known
    changed = known.copy()
    changed[here] = fresh
    return changed


def _kept(known: Positions, fresh: Positions) -> Positions:
    return known if np.array_equal(known, fresh) else fresh
