"""Who is in control, and the rule that decides it: what is not in the ledger of injections was done by a person."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from db.clock import now_ns
from db.recording.events import EventKind, InputEvent
from db.recording.keys import CODES
from recorder.inputs.injection import Injection, Injector
from recorder.play.guard import Guard

PANIC_KEY, GIVE_BACK_KEY = CODES["KEY_F12"], CODES["KEY_F11"]
HOTKEYS = frozenset({PANIC_KEY, GIVE_BACK_KEY})
PERSON, MODEL = 0, 1
"""Positions in the session's list of actors."""
_EXPIRY_NS = 2_000_000_000


class Ledger:
    """Injections that have not been seen yet. They come back in the order in which they were sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: deque[Injection] = deque()

    def add(self, injection: Injection) -> None:
        """Before it is sent."""
        with self._lock:
            self._expected.append(injection)

    def claim(self, event: InputEvent) -> bool:
        """Whether this event is one of ours; each injection answers for one event.

        One that the server swallowed (another program held that key already) is passed over by the next that matches.
        """
        if not event.simulated:
            return False
        with self._lock:
            now = now_ns()
            while self._expected and now - self._expected[0].t_ns > _EXPIRY_NS:
                self._expected.popleft()
            for position, injection in enumerate(self._expected):
                if _is_same(injection, event):
                    for _ in range(position + 1):
                        self._expected.popleft()
                    return True
        return False


class Mode(StrEnum):
    """Who is in control."""

    MODEL = "model"
    PERSON = "person"
    AWAY = "away"
    """Nobody: the game has lost the focus."""
    OVER = "over"


class Control:
    """The one place through which a policy acts. Thread-safe: the input thread may take control at any instant.

    Everything is released whenever control leaves the model, before anything else happens.
    """

    def __init__(self, injector: Injector, guard: Guard, on_panic: Callable[[], None]) -> None:
        self._injector, self._guard, self._on_panic = injector, guard, on_panic
        self._ledger = Ledger()
        injector.on_send = self._ledger.add
        self._lock = threading.RLock()
        self.mode = Mode.AWAY
        self.take_overs = 0
        self.changes = 0
        self.first_ns: int | None = None

    def attribute(self, event: InputEvent) -> int:
        """The actor of an event."""
        return MODEL if self._ledger.claim(event) else PERSON

    def notice(self, event: InputEvent) -> None:
        """Every event passes here, in the input thread, right after `attribute`."""
        if event.actor == MODEL or event.kind is EventKind.AXIS:
            return  # a stick that nobody touches trembles; with a gamepad a person takes over by its buttons
        if event.kind is EventKind.KEY and event.code in HOTKEYS:
            if event.value and event.code == PANIC_KEY:
                self.end()
                self._on_panic()
            elif event.value:
                self.give_back()
            return
        with self._lock:
            if self.mode is Mode.MODEL:
                self.take_overs += 1
                self._become(Mode.PERSON)

    def give_back(self) -> None:
        """A person hands control to the model."""
        with self._lock:
            if self.mode is Mode.PERSON:
                self._become(Mode.MODEL)

    def set_focus(self, focused: bool) -> None:
        """The game got or lost the focus; the model goes on by itself when it is back."""
        with self._lock:
            if self.mode is Mode.MODEL and not focused:
                self._become(Mode.AWAY)
            elif self.mode is Mode.AWAY and focused:
                self._become(Mode.MODEL)

    def end(self) -> None:
        """Releases everything for good."""
        with self._lock:
            self._become(Mode.OVER)

    def hold(self, codes: frozenset[int]) -> bool:
        """Holds exactly these keys and buttons if the model is in control; else nothing happens, and False."""
        with self._lock:
            if self.mode is not Mode.MODEL:
                return False
            wanted = frozenset(code for code in codes - HOTKEYS if self._injector.knows(code))
            self.changes += len(wanted ^ self._injector.down)
            self._guard.expect(wanted | self._injector.down)
            self._injector.hold_exactly(wanted)
            if self.first_ns is None:
                self.first_ns = now_ns()
            return True

    def move(self, dx: int, dy: int) -> None:
        """Moves the pointer if the model is in control."""
        with self._lock:
            if self.mode is Mode.MODEL:
                self._injector.move(dx, dy)

    def _become(self, mode: Mode) -> None:
        if self.mode is not Mode.OVER:
            self.mode = mode
        if self.mode is not Mode.MODEL:
            self._injector.release_all()
            self._guard.expect(frozenset())


def _is_same(injection: Injection, event: InputEvent) -> bool:
    if event.kind is EventKind.MOTION:
        return injection.code == 0 and (injection.dx, injection.dy) == (event.x, event.y)
    return event.kind is EventKind.KEY and (injection.code, injection.value) == (event.code, event.value)
