"""Modifiers that may turn out to be the beginning of one of the recorder's own hotkeys, such as Ctrl+Alt+1."""

from __future__ import annotations

from collections.abc import Collection

from db.recording.events import EventKind, InputEvent
from recorder.hotkeys import MODIFIER_CODES, Hotkey

CHORD_NS = 1_000_000_000
"""So long a modifier waits for the rest of the hotkey; after that it was meant for the game."""


class Chords:
    """Follows modifiers that go down with nothing but other modifiers after them. Those of plain hotkeys never wait."""

    def __init__(self, hotkeys: Collection[Hotkey]) -> None:
        self._modifiers = frozenset().union(*(hotkey.modifiers or () for hotkey in hotkeys))
        self._waiting: dict[int, InputEvent] = {}

    def follow(self, event: InputEvent) -> None:
        """Takes in an event that is no part of a hotkey so far."""
        if event.kind is not EventKind.KEY:
            return
        if not event.value:
            self._waiting.pop(event.code, None)
        elif MODIFIER_CODES.get(event.code) in self._modifiers:
            self._waiting.setdefault(event.code, event)
        else:
            self._waiting.clear()

    def hold_back(self, item: object, now_ns: int) -> bool:
        """Whether this event may still become part of a hotkey."""
        return (
            isinstance(item, InputEvent)
            and self._waiting.get(item.code) is item
            and now_ns - item.t_ns < CHORD_NS
        )  # fmt: skip

    def complete(self) -> list[InputEvent]:
        """The hotkey is whole: the presses that were a part of it."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting
