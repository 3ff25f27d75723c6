"""Who is in control, and the rule that decides it: what is not in the ledger of injections was done by a person."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum

from db.clock import now_ns
from db.recording.events import EventKind, InputEvent
from db.recording.keys import is_pointer_button
from recorder.hotkeys import MODIFIER_CODES, Hotkey
from recorder.inputs.injection import Injector
from recorder.play.guard import Guard
from recorder.play.ledger import Ledger

PERSON, MODEL = 0, 1
"""Positions in the session's list of actors."""
REACH_NS = 5_000_000_000
"""Whoever goes to the overlay with the mouse and types there within this time has not taken over."""


class Mode(StrEnum):
    """Who is in control."""

    MODEL = "model"
    PERSON = "person"
    PAUSED = "paused"
    """Nobody: an instruction is being typed."""
    AWAY = "away"
    """Nobody: the game has not got the focus."""
    OVER = "over"


Deeds = Mapping[Hotkey, Callable[[], None]]


class Control:
    """The one place through which a policy acts. Thread-safe: the input thread may take control at any instant.

    Everything is released whenever control leaves the model, before anything else happens. A person's press or movement
    takes over; a release does not, since what it ends was pressed before.
    """

    def __init__(self, injector: Injector, guard: Guard, deeds: Deeds, focused: Callable[[], bool]) -> None:
        """deeds: what the play's own keys do, called in the input thread. focused: whether the game has the focus."""
        self._injector, self._guard, self._deeds, self._focused = injector, guard, deeds, focused
        self._barred = frozenset(hotkey.code for hotkey in deeds if hotkey.modifiers is None)
        self._ledger = Ledger()
        injector.on_send = self._ledger.add
        self._lock = threading.RLock()
        self._is_over = self._is_typing = self._has_focus = False
        self._is_taken = False
        """A person took over, and has not given back."""
        self._held: set[int] = set()
        """What the person holds."""
        self._done: set[str] = set()
        """What the person did since they took over: `modifier`, `pointer`, `other`."""
        self._taken_ns = 0
        self._chord: set[int] = set()
        """An own key that was pressed, with its modifiers, until all are up."""
        self._returns = False
        """The model goes on when they are."""
        self.take_overs = 0
        self.changes = 0
        self.withheld = 0
        """Presses that were not sent, since they would have gone to another window."""
        self.first_ns: int | None = None

    @property
    def mode(self) -> Mode:
        if self._is_over:
            return Mode.OVER
        if self._is_typing:
            return Mode.PAUSED
        if self._is_taken:
            return Mode.PERSON
        return Mode.MODEL if self._has_focus else Mode.AWAY

    @property
    def down(self) -> frozenset[int]:
        """What the model holds."""
        return self._injector.down

    # What a person does

    def attribute(self, event: InputEvent) -> int:
        """The actor of an event."""
        return MODEL if self._ledger.claim(event) else PERSON

    def notice(self, event: InputEvent) -> None:
        """Every event passes here, in the input thread, right after `attribute`."""
        if event.actor == MODEL or event.kind is EventKind.AXIS:
            return  # a stick that nobody touches trembles; with a gamepad a person takes over by its buttons
        with self._lock:
            if event.kind is EventKind.KEY and not event.value:
                self._let_go(event.code)
                return
            if event.kind is EventKind.KEY and (deed := self._own_key(event.code)) is not None:
                deed()
                return
            if self.mode is Mode.MODEL:
                self._take(event.t_ns)
            self._done.add(_sort(event))

    def give_back(self) -> None:
        """A person hands control to the model, also where an instruction was being typed."""
        with self._lock:
            self._is_taken = self._is_typing = False
            self._settle()

    def begin_typing(self) -> None:
        """An instruction is being typed elsewhere; going there with the mouse was no take-over."""
        with self._lock:
            if self._is_taken and self._done <= {"pointer"} and now_ns() - self._taken_ns < REACH_NS:
                self._forgive()
            self._is_typing = True
            self._settle()

    def end_typing(self) -> None:
        with self._lock:
            self._is_typing = False
            self._settle()

    def look(self) -> None:
        """Follows the game's focus; the model goes on by itself when it is back."""
        with self._lock:  # asked within, so that who asked first never overrules who asked last
            self._has_focus = self._focused()
            self._settle()

    def end(self) -> None:
        """Releases everything for good."""
        with self._lock:
            self._is_over = True
            self._settle()

    # What the model does

    def hold(self, codes: frozenset[int]) -> bool:
        """Holds exactly these keys and buttons if the model is in control; else nothing happens, and False."""
        with self._lock:
            if self.mode is not Mode.MODEL:
                return False
            wanted = frozenset(code for code in codes - self._barred if self._injector.knows(code))
            before = self._injector.down
            self._guard.expect(wanted | before)
            if not self._injector.hold_exactly(wanted):
                self.withheld += len(wanted - self._injector.down)
            self.changes += len(before ^ self._injector.down)
            if self.first_ns is None:
                self.first_ns = now_ns()
            return True

    def move(self, dx: int, dy: int) -> None:
        """Moves the pointer if the model is in control."""
        with self._lock:
            if self.mode is Mode.MODEL:
                self._injector.move(dx, dy)

    # Inside

    def _own_key(self, code: int) -> Callable[[], None] | None:
        """What the press of a key of the play's own does, None for every other press."""
        if code in self._chord:
            return lambda: None  # it repeats
        hotkey = next((known for known in self._deeds if known.matches(code, self._held)), None)
        self._held.add(code)
        if hotkey is None:
            self._returns = False
            return None
        self._chord = {code, *(held for held in self._held if held in MODIFIER_CODES and hotkey.modifiers)}
        if self._is_taken and self._done == {"modifier"}:
            self._returns = True
        return self._deeds[hotkey]

    def _let_go(self, code: int) -> None:
        self._held.discard(code)
        self._chord.discard(code)
        if self._done == {"modifier"} and not self._held and not self._returns:
            self._done.add("other")  # they came to nothing, so they were meant for the game
        if self._returns and not self._chord:
            self._returns = False
            self._forgive()
            self._settle()

    def _take(self, t_ns: int) -> None:
        self.take_overs += 1
        self._taken_ns = t_ns
        self._is_taken, self._done = True, set()
        self._settle()

    def _forgive(self) -> None:
        """It was no take-over after all."""
        if self._is_taken:
            self.take_overs -= 1
            self._is_taken = False

    def _settle(self) -> None:
        if self.mode is not Mode.MODEL and self._injector.down:
            self._injector.release_all()
        if self.mode is not Mode.MODEL:
            self._guard.expect(frozenset())


def _sort(event: InputEvent) -> str:
    if event.kind is EventKind.KEY and event.code in MODIFIER_CODES:
        return "modifier"
    return "other" if event.kind is EventKind.KEY and not is_pointer_button(event.code) else "pointer"
