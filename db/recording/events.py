"""Raw input facts: what a device or the system reported, and when. Nothing here is interpreted; `db.recording.actions` does that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class EventKind(IntEnum):
    """What an event reports. The numbers are stored and never change meaning."""

    KEY = 1
    """A key or button: `code` is its evdev code, `value` 1 down or 0 up. Auto-repeats are never stored."""
    MOTION = 2
    """Relative pointer motion: `(x, y)` raw device counts, `(x2, y2)` the same after the system's acceleration."""
    SCROLL = 3
    """`(x, y)` notches, right and up positive as in evdev REL_HWHEEL and REL_WHEEL."""
    POSITION = 4
    """Absolute pointer: `(x, y)` px in the captured picture of size `(x2, y2)` px. Only imported
    recordings have it."""
    AXIS = 5
    """A gamepad's axis: `code` is its evdev ABS code, `value` and `x` its place as the device reports it (no dead zone
    taken off), `(x2, y2)` the lowest and the highest place, both included. A row of Origin.CLOSING repeats the last place
    when the device goes away."""


class Origin(IntEnum):
    """Why a row exists."""

    DEVICE = 0
    """The system reported it."""
    SNAPSHOT = 1
    """Found already down when watching began (at the start, or after a gap): a state, not a press."""
    CLOSING = 2
    """Written to end a hold that watching could not follow (at the stop, or at the start of a gap): not a release."""


class ActorKind(StrEnum):
    """Who acted. Every mask of the trainer is by actor."""

    PERSON = "person"
    SCRIPT = "script"
    MODEL = "model"

    @property
    def bit(self) -> int:
        """The bit of this kind in `ActionTrack.actors`."""
        return {"person": 1, "script": 2, "model": 4}[self.value]


class Actor(BaseModel):
    """One who acts in a session; events refer to it by its position in the session's list of actors."""

    model_config = ConfigDict(frozen=True)

    kind: ActorKind
    name: str = ""
    """The player's id, the script's name or the model's id."""


class GapReason(StrEnum):
    """Why inputs of a stretch are not known."""

    UNFOCUSED = "unfocused"
    COVERED = "covered"
    MUTED = "muted"
    REDACTED = "redacted"
    LOST = "lost"
    """Events were dropped because they could not be stored in time."""
    UNRECORDED = "unrecorded"
    """Nobody watched: the session was made from a video."""


@dataclass(frozen=True)
class Gap:
    """`[start_ns, stop_ns)`: inputs were not recorded here; whatever was held is unknown."""

    start_ns: int
    stop_ns: int
    reason: GapReason


EVENT_DTYPE = np.dtype(
    [
        ("t_ns", np.int64),
        ("server_ms", np.int64),
        ("kind", np.uint8),
        ("origin", np.uint8),
        ("simulated", np.bool_),
        ("actor", np.uint16),
        ("device", np.uint16),
        ("code", np.uint16),
        ("value", np.int32),
        ("x", np.float64),
        ("y", np.float64),
        ("x2", np.float64),
        ("y2", np.float64),
    ]
)
EventArray = NDArray[np.void]
"""Shape (N,) of EVENT_DTYPE, ordered by `t_ns`; equal stamps stand in order of arrival."""


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One raw fact. `server_ms` is the X server's own 32-bit stamp, -1 where there is none.

    `simulated` only says that the system reported the event as injected; `actor` (an index into the session's actors)
    says who acted.
    """

    t_ns: int
    kind: EventKind
    code: int = 0
    value: int = 0
    x: float = 0.0
    y: float = 0.0
    x2: float = 0.0
    y2: float = 0.0
    origin: Origin = Origin.DEVICE
    simulated: bool = False
    actor: int = 0
    device: int = 0
    server_ms: int = -1

    def row(self) -> tuple[int, int, int, int, bool, int, int, int, int, float, float, float, float]:
        """The fields in the order of EVENT_DTYPE."""
        return (
            self.t_ns, self.server_ms, int(self.kind), int(self.origin), self.simulated, self.actor, self.device,
            self.code, self.value, self.x, self.y, self.x2, self.y2,
        )  # fmt: skip


def to_array(events: list[InputEvent]) -> EventArray:
    """An EventArray of these events, ordered by time (stable)."""
    rows = np.array([event.row() for event in events], dtype=EVENT_DTYPE)
    return rows[np.argsort(rows["t_ns"], kind="stable")]


def joined(parts: Sequence[EventArray]) -> EventArray:
    """One after the other, as plain bytes: NumPy would compare the fields of every part with those of the next."""
    whole: EventArray = np.concatenate([part.view(f"V{EVENT_DTYPE.itemsize}") for part in parts]).view(EVENT_DTYPE)
    return whole


def outside(t_ns: NDArray[np.int64], gaps: Sequence[Gap]) -> NDArray[np.bool_]:
    """(T,) whether each instant lies in none of the gaps."""
    if not gaps:
        return np.ones(len(t_ns), np.bool_)
    starts, stops = gap_edges(gaps)
    found: NDArray[np.bool_] = np.searchsorted(starts, t_ns, "right") == np.searchsorted(stops, t_ns, "right")
    return found


def gap_edges(gaps: Sequence[Gap]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(G,) when gaps begin and (G,) when they end, both ascending: as many have begun as ended where there is none."""
    starts = np.array([gap.start_ns for gap in gaps], np.int64)
    return np.sort(starts), np.sort(np.array([gap.stop_ns for gap in gaps], np.int64))
