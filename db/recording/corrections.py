"""Corrections of recorded actions: what a person says was really done, laid over the raw events, which never change.

A correction is an Edit of kind ACTION over frames [start, stop) whose value is one of these as JSON. It is the whole truth
about its key, or its motion, within that span; outside it nothing changes. Where two overlap, the later edit counts.
What was imputed stands in for a recording, so it applies before all the others.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)

from db.clock import FrameClock, StampNs
from db.errors import BadArgument
from db.labelling.labels import Edit, LabelKind
from db.recording.actions import InputFacts
from db.recording.events import EVENT_DTYPE, EventArray, EventKind, Origin
from db.recording.imputation import ImputedInputs, Piece, Recorded

_MOST_HOLDS = 10_000


_MOST_MOVES = 10_000

Confidence = Annotated[float, Field(ge=0, le=1)]
Counts = Annotated[float, Field(ge=-1e6, le=1e6)]


class _Correction(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeyCorrection(_Correction):
    """The key `code` is down in exactly these stretches [down_ns, up_ns) of the span and up in all the rest of it."""

    kind: Literal["key"] = "key"
    code: Annotated[int, Field(ge=1, le=0x2FF)]
    holds_ns: Annotated[tuple[tuple[StampNs, StampNs], ...], Field(max_length=_MOST_HOLDS)] = ()
    """Ascending, not touching each other; what leaves the span is cut off at its ends."""
    confidence: Confidence | None = None
    """How sure the model is that proposed it; None where a person made it."""

    @model_serializer(mode="wrap")
    def _say(self, usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without a confidence as it always was, so that every Playtape reads it and hashes stay."""
        said: dict[str, Any] = usual(self)
        if said.get("confidence") is None:
            said.pop("confidence", None)
        return said

    @model_validator(mode="after")
    def _check(self) -> KeyCorrection:
        edges = [edge for hold in self.holds_ns for edge in hold]
        if any(later <= earlier for earlier, later in itertools.pairwise(edges)):
            raise ValueError("holds must be ascending and must not touch")
        return self


class MotionCorrection(_Correction):
    """The mouse's motion of the span times `scale`, right and down; 0 clears it."""

    kind: Literal["motion"] = "motion"
    scale: tuple[Annotated[float, Field(ge=-100, le=100)], Annotated[float, Field(ge=-100, le=100)]] = (0.0, 0.0)


class ScrollCorrection(_Correction):
    """No scrolling in the span."""

    kind: Literal["scroll"] = "scroll"


class ImputedCorrection(_Correction):
    """Everything that was done in the span as a model imputed it: a gap ends there, and nothing else was done.

    Keys that it does not name are up, what it does not say of the mouse's motion is none, and nothing was scrolled.
    """

    kind: Literal["imputed"] = "imputed"
    confidence: Confidence
    """How sure the model is of it, on the whole."""
    keys: Annotated[tuple[KeyCorrection, ...], Field(max_length=1000)] = ()
    """Every key once."""
    moves: Annotated[tuple[tuple[StampNs, Counts, Counts], ...], Field(max_length=_MOST_MOVES)] = ()
    """(t_ns, right, down) in device counts, ascending; what leaves the span is left out."""

    @model_validator(mode="after")
    def _check(self) -> ImputedCorrection:
        codes = [key.code for key in self.keys]
        if len(set(codes)) != len(codes):
            raise ValueError("a key stands twice")
        if any(later[0] < earlier[0] for earlier, later in itertools.pairwise(self.moves)):
            raise ValueError("moves must be ascending")
        return self

    @cached_property
    def inputs(self) -> ImputedInputs:
        """The same as events, made once."""
        return ImputedInputs.of(((key.code, key.holds_ns) for key in self.keys), self.moves)


Correction = KeyCorrection | MotionCorrection | ScrollCorrection | ImputedCorrection
_ANY: TypeAdapter[Correction] = TypeAdapter(Annotated[Correction, Field(discriminator="kind")])


def read_correction(value: str) -> Correction:
    """The correction in an edit's value. Raises BadArgument."""
    try:
        return _ANY.validate_json(value)
    except ValidationError as error:
        raise BadArgument(f"This is not a correction of actions: {error.errors()[0]['msg']}.") from None


@dataclass(frozen=True)
class Overlay:
    """A correction and the frames [start, stop) that it is about."""

    start: int
    stop: int
    correction: Correction


def corrections_of(spans: Iterable[Edit]) -> list[Overlay]:
    """The corrections among spans in force (`db.labelling.labels.spans`), in the order in which they apply; no suggestions.

    Raises BadArgument for an edit that is none.
    """
    chosen = [e for e in spans if e.kind is LabelKind.ACTION and not e.deleted and not e.suggested]
    overlays = []
    for edit in sorted(chosen, key=lambda edit: edit.id):
        assert edit.start is not None
        assert edit.stop is not None
        overlays.append(Overlay(edit.start, edit.stop, read_correction(edit.value)))
    return overlays


def correct(facts: InputFacts, clock: FrameClock, overlays: Iterable[Overlay]) -> InputFacts:
    """The same facts with every correction applied, one after the other.

    A key that the correction leaves in another state than the recording goes on in is put right at the span's end: a
    release, or a snapshot, which is no press. What is unknown (a gap) stays unknown where nothing was imputed.
    """
    overlays = list(overlays)
    if pieces := pieces_of(overlays, clock):
        facts = Recorded(facts).with_pieces(pieces)
    others = [overlay for overlay in overlays if not isinstance(overlay.correction, ImputedCorrection)]
    stretches = [(overlay.correction, *_stretch(overlay, clock)) for overlay in others]
    events = _correct_motion(facts.events, stretches)
    for correction, start_ns, stop_ns in stretches:
        if isinstance(correction, KeyCorrection):
            events = _correct_key(events, correction, start_ns, stop_ns)
    return replace(facts, events=events)


def imputed(overlays: Iterable[Overlay]) -> list[Overlay]:
    """Those among corrections that stand in for a recording."""
    return [overlay for overlay in overlays if isinstance(overlay.correction, ImputedCorrection)]


def holds_of(events: EventArray, code: int, start_ns: int, stop_ns: int) -> tuple[tuple[int, int], ...]:
    """When `code` is down within [start_ns, stop_ns), as a KeyCorrection says it: what an editor begins with."""
    rows = events[(events["kind"] == EventKind.KEY) & (events["code"] == code) & (events["t_ns"] < stop_ns)]
    holds: list[tuple[int, int]] = []
    down_ns: int | None = None
    for t_ns, value in zip(rows["t_ns"].tolist(), rows["value"].tolist(), strict=True):
        if value and down_ns is None:
            down_ns = t_ns
        elif not value and down_ns is not None:
            _add_hold(holds, max(down_ns, start_ns), t_ns)
            down_ns = None
    if down_ns is not None:
        _add_hold(holds, max(down_ns, start_ns), stop_ns)
    return tuple(holds)


def _add_hold(holds: list[tuple[int, int]], down_ns: int, up_ns: int) -> None:
    if holds and holds[-1][1] == down_ns:
        holds[-1] = (holds[-1][0], up_ns)
    elif up_ns > down_ns:
        holds.append((down_ns, up_ns))


def _stretch(overlay: Overlay, clock: FrameClock) -> tuple[int, int]:
    """The span's frames as [start_ns, stop_ns); what lies beyond the recording is cut off."""
    last = len(clock)
    return int(clock.edges_ns[min(overlay.start, last)]), int(clock.edges_ns[min(overlay.stop, last)])


def _correct_key(events: EventArray, correction: KeyCorrection, start_ns: int, stop_ns: int) -> EventArray:
    own = (events["kind"] == EventKind.KEY) & (events["code"] == correction.code)
    inside = own & (events["t_ns"] >= start_ns) & (events["t_ns"] < stop_ns)
    before = _is_down(events[own & (events["t_ns"] < start_ns)])
    after = _is_down(events[own & (events["t_ns"] < stop_ns)])
    holds = [(max(a, start_ns), min(b, stop_ns)) for a, b in correction.holds_ns if a < stop_ns and b > start_ns]
    # A hold that begins where the recording found the key down is no press here either.
    found = {int(row["t_ns"]) for row in events[inside] if row["value"] and row["origin"] == Origin.SNAPSHOT}
    rows: list[tuple[int, int, Origin]] = []
    if before and not (holds and holds[0][0] == start_ns):
        rows.append((start_ns, 0, Origin.DEVICE))
    for down_ns, up_ns in holds:
        if not (before and down_ns == start_ns):
            rows.append((down_ns, 1, Origin.SNAPSHOT if down_ns in found else Origin.DEVICE))
        if up_ns < stop_ns:
            rows.append((up_ns, 0, Origin.DEVICE))
    ends_down = bool(holds) and holds[-1][1] == stop_ns
    if ends_down and not after:
        rows.append((stop_ns, 0, Origin.DEVICE))
    elif after and not ends_down:
        rows.append((stop_ns, 1, Origin.SNAPSHOT))
    template = events[inside][0] if inside.any() else None
    return _merge(events[~inside], [_key_row(correction.code, row, template) for row in rows])


def _is_down(rows: EventArray) -> bool:
    return bool(len(rows)) and bool(rows["value"][-1])


def _key_row(code: int, row: tuple[int, int, Origin], template: np.void | None) -> EventArray:
    """(1,) of EVENT_DTYPE."""
    made: EventArray = np.zeros(1, EVENT_DTYPE)
    if template is not None:
        for name in ("actor", "device", "simulated"):
            made[name] = template[name]
    made["t_ns"], made["value"], made["origin"] = row[0], row[1], row[2]
    made["kind"], made["code"], made["server_ms"] = EventKind.KEY, code, -1
    return made


def _merge(events: EventArray, rows: Sequence[EventArray]) -> EventArray:
    """Added rows stand before recorded ones of the same stamp: what the recording says from there on goes on from them."""
    if not rows:
        return events
    whole: EventArray = np.concatenate([*rows, events])
    ordered: EventArray = whole[np.argsort(whole["t_ns"], kind="stable")]
    return ordered


def _correct_motion(events: EventArray, stretches: Sequence[tuple[Correction, int, int]]) -> EventArray:
    """Every movement times what the last correction about it says; what is cleared goes."""
    factors = np.ones((len(events), 2))
    for correction, start_ns, stop_ns in stretches:
        if isinstance(correction, KeyCorrection):
            continue
        is_motion = isinstance(correction, MotionCorrection)
        kind = EventKind.MOTION if is_motion else EventKind.SCROLL
        inside = (events["kind"] == kind) & (events["t_ns"] >= start_ns) & (events["t_ns"] < stop_ns)
        factors[inside] = correction.scale if isinstance(correction, MotionCorrection) else (0.0, 0.0)
    if np.all(factors == 1):
        return events
    changed = events.copy()
    for column, axis in enumerate("xy"):
        moved = factors[:, column] != 1
        for name in (axis, axis + "2"):
            changed[name][moved] *= factors[moved, column]
    kept: EventArray = changed[factors.any(axis=1)]
    return kept


def pieces_of(overlays: Iterable[Overlay], clock: FrameClock) -> list[Piece]:
    """What was imputed, ascending and disjoint: of two that overlap the later one counts."""
    pieces: list[Piece] = []
    for overlay in overlays:
        said, (start_ns, stop_ns) = overlay.correction, _stretch(overlay, clock)
        if not isinstance(said, ImputedCorrection) or start_ns >= stop_ns:
            continue
        if not pieces or pieces[-1].stop_ns <= start_ns:
            pieces.append(Piece(start_ns, stop_ns, said.inputs))
        else:
            first = bisect_right(pieces, start_ns, key=lambda piece: piece.stop_ns)
            last = bisect_left(pieces, stop_ns, key=lambda piece: piece.start_ns)
            before = [Piece(a, start_ns, c) for a, _, c in pieces[first:last][:1] if a < start_ns]
            after = [Piece(stop_ns, b, c) for _, b, c in pieces[first:last][-1:] if stop_ns < b]
            pieces[first:last] = [*before, Piece(start_ns, stop_ns, said.inputs), *after]
    return pieces
