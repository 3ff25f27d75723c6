"""Corrections of one key: a press added, removed, or given other ends. Each is one edit over the frames that it changes.

A correction of the same key that the change touches is revised instead of a second one being laid over it, and one that
says no more than the recording does is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from pydantic import ValidationError

from annotator.model.document import Content, Delta, Document, Span
from annotator.model.edits.subjects import key_subject
from annotator.model.timeline.holds import Holds, difference, index_at, united, within, without
from annotator.model.timeline.inputs import Inputs
from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.labels import LabelKind, new_id
from db.recording.corrections import KeyCorrection
from db.recording.keys import label

LEAST_HOLD_NS = 1_000_000
"""What dragging leaves of a hold."""
_MOST_TEXT = 20_000


@dataclass(frozen=True)
class AddPress:
    """The key down in [down_ns, up_ns), as one with the holds that it touches; it ends where inputs are not known."""

    inputs: Inputs
    code: int
    down_ns: int
    up_ns: int
    entity_id: str = field(default_factory=new_id)
    merge_key: str = ""

    @classmethod
    def over(cls, inputs: Inputs, code: int, start: int, stop: int, merge_key: str = "") -> AddPress:
        """Down during the frames [start, stop), which are clamped to the session."""
        edges, count = inputs.clock.edges_ns, len(inputs.clock)
        start = min(max(start, 0), count - 1)
        stop = min(max(stop, start + 1), count)
        return cls(inputs, code, int(edges[start]), int(edges[stop]), merge_key=merge_key)

    @property
    def name(self) -> str:
        return f"add a press of {label(self.code)}"

    def plan(self, document: Document) -> list[Delta]:
        known = self.inputs.known_around(self.down_ns)
        if known is None:
            raise BadArgument("What was pressed here was not recorded and stays unknown; add the press elsewhere.")
        up_ns = min(self.up_ns, known[1])
        if up_ns <= self.down_ns:
            raise BadArgument("A press must end after it starts.")
        wanted = united(self.inputs.holds(self.code), self.down_ns, up_ns)
        return plan_key(self.inputs, document, self.code, wanted, self.entity_id)


@dataclass(frozen=True)
class RemovePress:
    """The hold that is down at `at_ns` never happened."""

    inputs: Inputs
    code: int
    at_ns: int
    entity_id: str = field(default_factory=new_id)
    merge_key: str = ""

    @classmethod
    def under(cls, inputs: Inputs, code: int, frame: int) -> RemovePress:
        """The hold under the playhead. Raises BadArgument where there is none."""
        hold = inputs.hold_in(code, frame)
        if hold is None:
            raise BadArgument(_not_down(code))
        return cls(inputs, code, hold[0])

    @property
    def name(self) -> str:
        return f"remove a press of {label(self.code)}"

    def plan(self, document: Document) -> list[Delta]:
        holds = self.inputs.holds(self.code)
        wanted = without(holds, _find(holds, self.code, self.at_ns))
        return plan_key(self.inputs, document, self.code, wanted, self.entity_id)


@dataclass(frozen=True)
class MovePress:
    """Other ends for the hold that is down at `at_ns`; None leaves an end where it is.

    An end stops at the neighbouring hold, at the edge of what was recorded, and just before the other end.
    """

    inputs: Inputs
    code: int
    at_ns: int
    down_ns: int | None = None
    up_ns: int | None = None
    least_ns: int = LEAST_HOLD_NS
    entity_id: str = field(default_factory=new_id)
    merge_key: str = ""

    @property
    def name(self) -> str:
        if self.down_ns is not None and self.up_ns is not None:
            return f"move a press of {label(self.code)}"
        return f"move the {'press' if self.up_ns is None else 'release'} of {label(self.code)}"

    def plan(self, document: Document) -> list[Delta]:
        holds = self.inputs.holds(self.code)
        at = _find(holds, self.code, self.at_ns)
        down_ns, up_ns = int(holds[at, 0]), int(holds[at, 1])
        low_ns, high_ns = self.inputs.known_around(down_ns) or (down_ns, up_ns)
        low_ns = max(low_ns, int(holds[at - 1, 1]) + 1) if at else low_ns
        high_ns = min(high_ns, int(holds[at + 1, 0]) - 1) if at + 1 < len(holds) else high_ns
        least_ns = min(self.least_ns, up_ns - down_ns)
        new_down = down_ns if self.down_ns is None else min(max(self.down_ns, low_ns), high_ns - least_ns)
        new_up = up_ns if self.up_ns is None else max(min(self.up_ns, high_ns), low_ns + least_ns)
        if new_up - new_down < least_ns:  # the ends crossed: the one that was moved gives way
            new_down, new_up = (new_up - least_ns, new_up) if self.up_ns is None else (new_down, new_down + least_ns)
        wanted = holds.copy()
        wanted[at] = new_down, new_up
        return plan_key(self.inputs, document, self.code, wanted, self.entity_id)


def plan_key(inputs: Inputs, document: Document, code: int, wanted: Holds, fresh_id: str) -> list[Delta]:
    """The change after which the key is down exactly in `wanted`, where now it is in `inputs.holds(code)`."""
    changed = difference(inputs.holds(code), wanted)
    if changed is None:
        return []
    recorded, clock = inputs.recorded_holds(code), inputs.clock
    touched, start, stop = _spread(_frames(*changed, clock), inputs.corrections(key_subject(code)), recorded, clock)
    edges = clock.edges_ns
    stretch = int(edges[start]), int(edges[stop])
    needed = difference(within(recorded, *stretch), within(wanted, *stretch))
    gone = [_deleted(document, span) for span in touched]
    if needed is None:
        return gone
    start, stop = _past_edges(_frames(*needed, clock), recorded, clock)
    value = _value(code, within(wanted, int(edges[start]), int(edges[stop])))
    after = Content(LabelKind.ACTION, value, start, stop)
    if not touched:
        return [Delta(fresh_id, None, after)]
    kept = touched[0].entity_id
    return [Delta(kept, document.content(kept), after), *gone[1:]]


def _spread(
    frames: tuple[int, int], corrections: list[Span], recorded: Holds, clock: FrameClock
) -> tuple[list[Span], int, int]:
    """The corrections that the frames touch, directly or through one another, oldest first, and the frames of them all."""
    touched: list[Span] = []
    start, stop = _past_edges(frames, recorded, clock)
    while fresh := [s for s in corrections if s not in touched and s.start <= stop and start <= s.stop]:
        touched += fresh
        start, stop = min(start, *(s.start for s in fresh)), max(stop, *(s.stop for s in fresh))
        start, stop = _past_edges((start, min(stop, len(clock))), recorded, clock)
    return sorted(touched, key=lambda span: span.entity_id), start, stop


def _frames(start_ns: int, stop_ns: int, clock: FrameClock) -> tuple[int, int]:
    return clock.index_at(start_ns), clock.index_at(stop_ns - 1) + 1


def _past_edges(frames: tuple[int, int], recorded: Holds, clock: FrameClock) -> tuple[int, int]:
    """With further frames at the end as long as the recording changes right there: that change belongs to the next one."""
    start, stop = frames
    changes = recorded.reshape(-1)
    while stop < len(clock):
        at = int(np.searchsorted(changes, clock.t_ns[stop]))
        if at == len(changes) or changes[at] != clock.t_ns[stop]:
            break
        stop += 1
    return start, stop


def _find(holds: Holds, code: int, at_ns: int) -> int:
    found = index_at(holds, at_ns)
    if found is None:
        raise BadArgument(_not_down(code))
    return found


def _not_down(code: int) -> str:
    return f"{label(code)} is not down here; put the playhead on one of its presses."


def _value(code: int, holds: Holds) -> str:
    try:
        value = KeyCorrection(code=code, holds_ns=tuple((a, b) for a, b in holds.tolist())).model_dump_json()
    except ValidationError:
        raise BadArgument(f"{code} is not the number of a key.") from None
    if len(value) > _MOST_TEXT:
        raise BadArgument(
            "Too many presses are corrected without a pause here; leave a few frames as recorded between them."
        )
    return value


def _deleted(document: Document, span: Span) -> Delta:
    before = document.content(span.entity_id)
    assert before is not None
    return Delta(span.entity_id, before, Content(before.kind, before.value, before.start, before.stop, deleted=True))
