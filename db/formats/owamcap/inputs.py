"""Messages of keyboard and mouse as raw events, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from db.formats.keynames import WINDOWS_CODES
from db.formats.owamcap.mcapreader import McapReader
from db.formats.owamcap.messages import (
    ABSOLUTE,
    BUTTON_FLAGS,
    BUTTON_NAMES,
    HWHEEL,
    KEYBOARD,
    KEYBOARD_STATE,
    MOUSE,
    MOUSE_KEYS,
    MOUSE_STATE,
    NOTCH,
    RAW,
    SIDELESS,
    WHEEL,
    Said,
)  # fmt: skip
from db.formats.report import Report
from db.recording.events import EventKind, InputEvent, Origin
from db.recording.keys import name as key_name

_AT_ONCE = 5000
_MOST_COUNTS = 10**6
_TOLD = frozenset({KEYBOARD, KEYBOARD_STATE, MOUSE, MOUSE_STATE, RAW})


@dataclass
class Inputs:
    """Reads one file's events once. A mouse that is told of twice, by the system and raw, counts once: raw."""

    reader: McapReader
    has_raw: bool
    report: Report
    found: frozenset[tuple[int, int]] = frozenset()
    """Presses, (the file's time, code), that are no such: the key was found down."""
    _down: set[int] = field(default_factory=set)
    _is_unsure: bool = False
    """Whether messages were lost and what is down has not been told since."""
    _latest_ns: int = 0
    _place: tuple[int, int] | None = None
    """Where the pointer was last."""

    def read(self, first_ns: int, stamp_ns: int) -> Iterator[list[InputEvent]]:
        """first_ns: the file's own time of the first frame, stamp_ns: the session's; what is down then was found so."""
        events: list[InputEvent] = []
        began, damaged = False, 0
        for message in self.reader.messages():
            if len(self.reader.damaged) > damaged:  # what was let go in between is not known: the gap closes every hold
                damaged, self._is_unsure = len(self.reader.damaged), True
                self._place = None
                self._down.clear()
            if message.topic not in _TOLD:
                continue
            said = Said(self.reader, message)
            if not began and said.moment_ns >= first_ns:
                began = True
                events += [_key(stamp_ns, code, 1, Origin.SNAPSHOT) for code in sorted(self._down)]
            moment = said.moment_ns
            if moment < self._latest_ns:
                self.report.change("events that had an earlier time than the one before have its time")
            self._latest_ns = max(self._latest_ns, moment)
            found = self._events(message.topic, said, stamp_ns + self._latest_ns - first_ns, began)
            if began:
                events += found
            if len(events) >= _AT_ONCE:
                yield events
                events = []
        yield events

    def _events(self, topic: str, said: Said, t_ns: int, began: bool) -> list[InputEvent]:
        if topic == KEYBOARD:
            return self._keyboard(said, t_ns)
        if topic == RAW:
            return self._raw(said, t_ns)
        if topic == MOUSE and not self.has_raw:
            return self._mouse(said, t_ns)
        if topic in (KEYBOARD_STATE, MOUSE_STATE):
            if topic == KEYBOARD_STATE and (not began or self._is_unsure):
                return self._state(said, t_ns)
        else:
            self.report.drop("places of the pointer")
        return []

    def _state(self, said: Said, t_ns: int) -> list[InputEvent]:
        """What is down before the first frame, or after what was lost."""
        stated = set(said.numbers("buttons", 255, 256)) - SIDELESS  # a key with a side stands beside each
        down = {WINDOWS_CODES[vk] for vk in stated & WINDOWS_CODES.keys()}
        down |= {MOUSE_KEYS[vk] for vk in stated & MOUSE_KEYS.keys()}
        fresh = sorted(down - self._down)
        self._down, self._is_unsure = down, False
        return [_key(t_ns, code, 1, Origin.SNAPSHOT) for code in fresh]

    def _keyboard(self, said: Said, t_ns: int) -> list[InputEvent]:
        kind, vk = said.get("event_type"), said.number("vk", 10**6)
        if kind not in ("press", "release"):
            raise said.bad(f"is of the unknown kind {str(kind)[:40]!r}")
        code = WINDOWS_CODES.get(vk)
        if vk in SIDELESS:
            self.report.change("keys whose side is not told count as the left ones")
        if code is None:
            self.report.drop(f"events of the key with the virtual code {vk}")
            return []
        return self._switch(code, kind == "press", t_ns)

    def _switch(self, code: int, is_down: bool, t_ns: int) -> list[InputEvent]:
        if is_down == (code in self._down):
            why = "repeats of keys that are down" if is_down else "releases of keys that are up"
            self.report.drop(why if code not in BUTTON_FLAGS else f"events of {key_name(code)} that change nothing")
            return []
        (self._down.add if is_down else self._down.discard)(code)
        was_found = is_down and (self._latest_ns, code) in self.found
        return [_key(t_ns, code, int(is_down), Origin.SNAPSHOT if was_found else Origin.DEVICE)]

    def _raw(self, said: Said, t_ns: int) -> list[InputEvent]:
        flags, state = said.number("button_flags", 0xFFFF, 0), said.number("us_flags", 0xFFFF, 0)
        x, y = (said.number(name, 2**31, 0) for name in ("last_x", "last_y"))
        found = []
        if (x or y) and state & ABSOLUTE:
            self.report.drop("absolute motions")
        elif x or y:
            found.append(self._move(EventKind.MOTION, x, y, t_ns))
        for code, flag in BUTTON_FLAGS.items():
            for bit, is_down in ((flag, True), (flag * 2, False)):
                if flags & bit:
                    found += self._switch(code, is_down, t_ns)
        data = said.number("button_data", 0xFFFF, 0)
        notches = (data - 0x10000 if data >= 0x8000 else data) / NOTCH
        if notches and flags & (WHEEL | HWHEEL):
            across, along = (notches, 0.0) if flags & HWHEEL else (0.0, notches)
            found.append(self._move(EventKind.SCROLL, across, along, t_ns))
        return found

    def _mouse(self, said: Said, t_ns: int) -> list[InputEvent]:
        """Where there is no raw mouse: motion is what the pointer's places differ by."""
        kind = said.get("event_type")
        place = said.number("x", 2**31, 0), said.number("y", 2**31, 0)
        found: list[InputEvent] = []
        if self._place not in (None, place):
            before = self._place or place
            found.append(self._move(EventKind.MOTION, place[0] - before[0], place[1] - before[1], t_ns))
            self.report.change("motions are what the pointer's places differ by, after the system's acceleration")
        self._place = place
        if kind == "click":
            code = BUTTON_NAMES.get(said.text("button"))
            if code is None or not isinstance(said.get("pressed"), bool):
                self.report.drop("clicks of an unknown button")
            else:
                found += self._switch(code, said.get("pressed"), t_ns)
        elif kind == "scroll":
            across, along = (said.number(name, 10**4, 0) for name in ("dx", "dy"))
            found.append(self._move(EventKind.SCROLL, across, along, t_ns))
        elif kind != "move":
            raise said.bad(f"is of the unknown kind {str(kind)[:40]!r}")
        return found

    def _move(self, kind: EventKind, x: float, y: float, t_ns: int) -> InputEvent:
        within = [min(max(float(value), -_MOST_COUNTS), _MOST_COUNTS) for value in (x, y)]
        if within != [x, y]:
            self.report.change(f"motions of over {_MOST_COUNTS:,} counts at once were cut off there")
        return InputEvent(t_ns, kind, x=within[0], y=within[1], x2=within[0], y2=within[1])


def _key(t_ns: int, code: int, value: int, origin: Origin = Origin.DEVICE) -> InputEvent:
    return InputEvent(t_ns, EventKind.KEY, code, value, origin=origin)
