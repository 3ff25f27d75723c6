"""What a recorder tells: how things stand at one moment, and what a session became."""

from __future__ import annotations

from dataclasses import dataclass

from db.library.catalogue import SessionSummary
from recorder.selftest import Check
from recorder.states import EndReason, PauseReason, State


@dataclass(frozen=True)
class Status:
    """A recorder at one moment, for people to look at. Ages are seconds, None where nothing came yet."""

    state: State
    pause: PauseReason | None = None
    reason: str = ""
    """The state as a sentence where there is more to say than its word."""
    muted: bool = False
    number: int = 1
    """Which session of the sitting this is."""
    elapsed_s: float = 0.0
    """Of this session."""
    total_s: float = 0.0
    """Of all of the sitting's sessions."""
    frames: int = 0
    dropped_frames: int = 0
    events: int = 0
    dropped_events: int = 0
    bytes: int = 0
    free_bytes: int = 0
    screen_age_s: float | None = None
    keyboard_age_s: float | None = None
    pointer_age_s: float | None = None
    gamepad_age_s: float | None = None
    held: tuple[int, ...] = ()
    notice: str = ""
    """The newest thing that the person should know."""
    checks: tuple[Check, ...] = ()
    """The self-test's findings."""


@dataclass(frozen=True)
class Result:
    """What a take left behind: the session as it stands in the library, verdict included."""

    summary: SessionSummary
    end_reason: EndReason
    message: str
    """A sentence about the end where there is more to say than its reason, else empty."""
    stop_ns: int
