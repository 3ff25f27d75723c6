"""The states of a recorder and the only ways from one to the next, free of threads, clocks and devices.

idle -> starting -> recording <-> paused          a short loss of focus stays within the session
             recording, paused -> finalising       everything else ends it
             finalising -> idle                    the sitting is over
                        -> starting                the next session begins at once (a resize, a suspend)
                        -> paused -> starting      the next session waits (the person, idleness, a hidden window)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class State(StrEnum):
    """What a recorder is doing, in one word."""

    IDLE = "idle"
    STARTING = "starting"
    RECORDING = "recording"
    PAUSED = "paused"
    FINALISING = "finalising"


class PauseReason(StrEnum):
    """Why nothing is recorded at the moment, in one word."""

    USER = "user"
    IDLE = "idle"
    UNFOCUSED = "unfocused"
    HIDDEN = "hidden"
    RESIZED = "resized"


class EndReason(StrEnum):
    """Why a session ended; stored with it."""

    STOPPED = "stopped"
    DURATION = "duration reached"
    SIGNAL = "interrupted"
    PAUSED = "paused"
    IDLE = "idle"
    FOCUS_LOST = "focus lost"
    WINDOW_HIDDEN = "window hidden"
    WINDOW_RESIZED = "window resized"
    WINDOW_LOST = "window lost"
    DISPLAY_LOST = "display lost"
    DISCARDED = "end discarded"
    SUSPENDED = "suspended"
    ENCODER = "encoder failed"
    DISK_FULL = "disk nearly full"
    FAILED = "failed"


AFTER: dict[EndReason, PauseReason | None] = {
    EndReason.PAUSED: PauseReason.USER,
    EndReason.IDLE: PauseReason.IDLE,
    EndReason.FOCUS_LOST: PauseReason.UNFOCUSED,
    EndReason.WINDOW_HIDDEN: PauseReason.HIDDEN,
    EndReason.WINDOW_RESIZED: PauseReason.RESIZED,
    EndReason.DISCARDED: None,
    EndReason.SUSPENDED: None,
    EndReason.ENCODER: None,
}
"""The ends after which the sitting goes on, and what it waits for first (None: nothing). All others end it."""


class Signal(StrEnum):
    """What moves a recorder from one state to another."""

    START = "start"
    BEGIN = "the first frame is stored"
    WAIT = "what is recorded is not there"
    END = "the session ends"
    NEXT = "the next session is due"
    REST = "the sitting is over"


TRANSITIONS: dict[tuple[State, Signal], State] = {
    (State.IDLE, Signal.START): State.STARTING,
    (State.STARTING, Signal.WAIT): State.PAUSED,
    (State.STARTING, Signal.BEGIN): State.RECORDING,
    (State.STARTING, Signal.NEXT): State.STARTING,
    (State.STARTING, Signal.REST): State.IDLE,
    (State.RECORDING, Signal.WAIT): State.PAUSED,
    (State.RECORDING, Signal.END): State.FINALISING,
    (State.PAUSED, Signal.WAIT): State.PAUSED,
    (State.PAUSED, Signal.BEGIN): State.RECORDING,
    (State.PAUSED, Signal.END): State.FINALISING,
    (State.PAUSED, Signal.NEXT): State.STARTING,
    (State.PAUSED, Signal.REST): State.IDLE,
    (State.FINALISING, Signal.NEXT): State.STARTING,
    (State.FINALISING, Signal.WAIT): State.PAUSED,
    (State.FINALISING, Signal.REST): State.IDLE,
}


class Machine:
    """The state at this moment. One thread moves it; any may look."""

    def __init__(self, on_change: Callable[[State], None] = lambda state: None) -> None:
        self.state = State.IDLE
        self.pause: PauseReason | None = None
        """Why it is paused, None in every other state."""
        self.reason = ""
        """The same as a sentence for people."""
        self._on_change = on_change

    def fire(self, signal: Signal, pause: PauseReason | None = None, reason: str = "") -> None:
        """Moves to the next state; a way that does not exist is a bug (AssertionError)."""
        after = TRANSITIONS.get((self.state, signal))
        assert after is not None, f"{signal!r} while {self.state}"
        assert (after is State.PAUSED) == (pause is not None), "a pause has a reason, and nothing else has"
        changed = after is not self.state or pause is not self.pause
        self.state, self.pause, self.reason = after, pause, reason
        if changed:
            self._on_change(after)
