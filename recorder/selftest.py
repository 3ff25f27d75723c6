"""The self-test before every recording: what would be stored is looked at, for two seconds at most.

It ends as soon as there is nothing left to doubt, so a working set-up loses no time to it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recorder.pipeline import InputPump, ScreenPump

LIMIT_S = 2.0
_BLACK = 16
"""A picture whose brightest byte is below this shows nothing."""


class Outcome(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One finding: `text` is a sentence for people."""

    name: str
    outcome: Outcome
    text: str


def examine(
    screen: ScreenPump, inputs: InputPump, stop: threading.Event, limit_s: float = LIMIT_S
) -> tuple[Check, ...]:
    """Looks at a screen and inputs that are open already. Returns early when `stop` is set."""
    return (_examine_picture(screen, stop, limit_s), _examine_keyboard(inputs), _examine_pointer(inputs))


def refusal(checks: Sequence[Check]) -> str:
    """Why recording makes no sense, empty where it does."""
    return " ".join(check.text for check in checks if check.outcome is Outcome.FAILED)


def _examine_picture(screen: ScreenPump, stop: threading.Event, limit_s: float) -> Check:
    deadline_s = time.monotonic() + limit_s
    seen_ns = 0
    while time.monotonic() < deadline_s and not stop.is_set():
        screen.check()
        grab = screen.latest.get(seen_ns, 0.05)
        if grab is None:
            continue
        seen_ns = grab.t_ns
        height, width = grab.bgra.shape[:2]
        if int(grab.bgra[:, :, :3].max()) >= _BLACK:
            return Check("picture", Outcome.OK, f"The picture arrives: {width} × {height} pixels.")
    if not seen_ns:
        return Check("picture", Outcome.FAILED, f"No picture of the window came within {limit_s:g} s.")
    return Check(
        "picture",
        Outcome.FAILED,
        f"The window has shown nothing but black for {limit_s:g} s: it is covered, or drawn in a way that cannot be read "
        "(exclusive full screen); set the game to windowed or borderless mode.",
    )


def _examine_keyboard(inputs: InputPump) -> Check:
    if inputs.last_key_ns:
        return Check("keyboard", Outcome.OK, "Keys are heard.")
    return Check("keyboard", Outcome.WARNING, "No key has been heard yet; press one and watch the lamp.")


def _examine_pointer(inputs: InputPump) -> Check:
    if inputs.last_pointer_ns:
        return Check("pointer", Outcome.OK, "The mouse is heard.")
    return Check("pointer", Outcome.WARNING, "The mouse has not been heard yet; move it and watch the lamp.")
