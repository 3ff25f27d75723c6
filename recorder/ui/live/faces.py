"""How a sitting looks to a person: one word, one shape, one strong colour, and the reason. The only place that decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from recorder.states import PauseReason, State
from recorder.status import Status
from recorder.ui.theme import AMBER, BLUE, GREEN, RED, VIOLET, Tone


class Shape(Enum):
    """A sign that can be told without its colour."""

    RING = auto()
    DISC = auto()
    BARS = auto()
    SLASHED_KEY = auto()
    HOURGLASS = auto()
    TICK = auto()
    CROSS = auto()
    TRIANGLE = auto()
    SQUARE = auto()
    SCISSORS = auto()
    PLAY = auto()


@dataclass(frozen=True)
class Face:
    """`tone` None: nothing is going on."""

    word: str
    shape: Shape
    tone: Tone | None
    reason: str = ""


READY = Face("Ready", Shape.RING, None)
_PAUSES = {
    PauseReason.USER: "You paused it. Nothing is recorded until you resume.",
    PauseReason.IDLE: "No input for a while. It goes on by itself with the next key or movement.",
    PauseReason.UNFOCUSED: "The game's window is not in front. Nothing is kept until it is.",
    PauseReason.HIDDEN: "The game's window is hidden. It goes on when the window is back.",
    PauseReason.RESIZED: "The game's window changed its size. It goes on at the new size.",
}
_WHY = {
    PauseReason.USER: "by you", PauseReason.IDLE: "idle", PauseReason.UNFOCUSED: "unfocused",
    PauseReason.HIDDEN: "hidden", PauseReason.RESIZED: "resized",
}  # fmt: skip


def face_of_end(grade: str) -> Face:
    """How it went, for a glance from within the game."""
    shape, tone = {"good": (Shape.TICK, GREEN), "usable": (Shape.TRIANGLE, AMBER)}.get(grade, (Shape.CROSS, RED))
    return Face(f"Saved · {grade}", shape, tone)


def face_of(status: Status, *, mute_key: str = "", blank: bool = True) -> Face:
    """What to show for a sitting's status. mute_key: the hotkey that ends a mute; blank: the picture is muted too."""
    match status.state:
        case State.STARTING:
            return Face("Starting", Shape.HOURGLASS, BLUE, status.reason or "Looking at the window and the devices.")
        case State.RECORDING if status.muted:
            why = "Nothing that you press or move is stored" + (", and the picture is black." if blank else ".")
            return Face("Muted", Shape.SLASHED_KEY, VIOLET, f"{why} {mute_key} ends it." if mute_key else why)
        case State.RECORDING:
            return Face("Recording", Shape.DISC, RED, status.reason)
        case State.PAUSED:
            reason = status.reason or (_PAUSES[status.pause] if status.pause else "")
            return Face("Paused", Shape.BARS, AMBER, reason)
        case State.FINALISING:
            return Face("Finalising", Shape.HOURGLASS, BLUE, status.reason or "Checking and judging the recording.")
    return READY


def pause_word(pause: PauseReason | None) -> str:
    """`idle`, `unfocused`, ...; empty while it is not paused."""
    return _WHY[pause] if pause is not None else ""
