"""One gamepad, read from the kernel's event device: buttons and axes as they are, followed across lost events.

Linux documents this in Documentation/input/event-codes.rst and input.h: packets of `struct input_event`, each ended by
SYN_REPORT; SYN_DROPPED says that the kernel's buffer ran over, so that the state must be asked for anew.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from db.clock import now_ns
from db.recording.events import EventKind, InputEvent, Origin

EVENT = struct.Struct("llHHi")
"""`struct input_event`: seconds, microseconds, type, code, value."""
EV_SYN, EV_KEY, EV_ABS = 0, 1, 3
SYN_REPORT, SYN_DROPPED = 0, 3
_READ_BYTES = 64 * EVENT.size


class PadGone(Exception):
    """The device was unplugged."""


@dataclass(frozen=True)
class PadState:
    """What is down (evdev codes) and where each axis stands at one moment."""

    held: frozenset[int] = frozenset()
    places: Mapping[int, int] = field(default_factory=dict)


@dataclass
class Pad:
    """A readable device. `descriptor` must not block; its stamps are CLOCK_MONOTONIC, which is `now_ns`."""

    descriptor: int
    name: str
    ranges: Mapping[int, tuple[int, int]]
    """Axis code -> (lowest, highest) place, both included."""
    ask: Callable[[], PadState]
    """The state at this moment, straight from the kernel. May raise OSError when the device is gone."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the kernel knows of the axes; none of it is applied."""
    close: Callable[[], None] = lambda: None
    """Lets the device go."""
    index: int = 0
    _held: set[int] = field(default_factory=set)
    _places: dict[int, int] = field(default_factory=dict)
    _rest: bytes = b""
    _dropping: bool = False
    _last_ns: int = 0

    def look(self, t_ns: int) -> list[InputEvent]:
        """The state as snapshots, as far as it differs from what was told before. Raises PadGone."""
        try:
            state = self.ask()
        except OSError as error:
            raise PadGone from error
        self._last_ns = max(self._last_ns, t_ns)
        events = [self._release(code) for code in sorted(self._held - state.held)]
        events += [self._press(code, Origin.SNAPSHOT) for code in sorted(state.held - self._held)]
        for code, place in sorted(state.places.items()):
            if code in self.ranges and self._places.get(code) != place:
                events.append(self._move(code, place, Origin.SNAPSHOT))
        return events

    def read(self) -> list[InputEvent]:
        """What has arrived. Raises PadGone once the device is unplugged and all that came before has been read."""
        events: list[InputEvent] = []
        while True:
            try:
                raw = os.read(self.descriptor, _READ_BYTES)
            except BlockingIOError:
                return events
            except OSError:  # ENODEV
                raw = b""
            if not raw:
                if events:
                    return events  # the next call ends in the same way
                raise PadGone
            self._rest += raw
            whole = len(self._rest) // EVENT.size * EVENT.size
            packet, self._rest = self._rest[:whole], self._rest[whole:]
            for seconds, micros, kind, code, value in EVENT.iter_unpack(packet):
                events += self._take(seconds * 1_000_000_000 + micros * 1000, kind, code, value)

    def leave(self, t_ns: int) -> list[InputEvent]:
        """The end of everything held and of every axis, for a device that is gone."""
        self._last_ns = max(self._last_ns, t_ns)
        events = [self._release(code) for code in sorted(self._held)]
        events += [self._move(code, place, Origin.CLOSING) for code, place in sorted(self._places.items())]
        self._places.clear()
        return events

    def _take(self, t_ns: int, kind: int, code: int, value: int) -> list[InputEvent]:
        self._last_ns = max(self._last_ns, min(t_ns, now_ns()))
        if kind == EV_SYN:
            return self._synchronise(code)
        if self._dropping:
            return []
        if kind == EV_KEY and value in (0, 1) and bool(value) != (code in self._held):
            return [self._press(code, Origin.DEVICE) if value else self._release(code, Origin.DEVICE)]
        if kind == EV_ABS and code in self.ranges and self._places.get(code) != value:
            return [self._move(code, value, Origin.DEVICE)]
        return []

    def _synchronise(self, code: int) -> list[InputEvent]:
        """After a loss everything up to the next SYN_REPORT belongs to a broken packet; then the state is asked for."""
        if code == SYN_DROPPED:
            self._dropping = True
        elif code == SYN_REPORT and self._dropping:
            self._dropping = False
            return self.look(self._last_ns)
        return []

    def _press(self, code: int, origin: Origin) -> InputEvent:
        self._held.add(code)
        return self._event(EventKind.KEY, code, 1, origin)

    def _release(self, code: int, origin: Origin = Origin.CLOSING) -> InputEvent:
        self._held.discard(code)
        return self._event(EventKind.KEY, code, 0, origin)

    def _move(self, code: int, place: int, origin: Origin) -> InputEvent:
        self._places[code] = place
        return self._event(EventKind.AXIS, code, place, origin)

    def _event(self, kind: EventKind, code: int, value: int, origin: Origin) -> InputEvent:
        event = InputEvent(self._last_ns, kind, code, value, origin=origin, device=self.index)
        if kind is EventKind.KEY:
            return event
        lowest, highest = self.ranges[code]
        return replace(event, x=float(value), x2=float(lowest), y2=float(highest))
