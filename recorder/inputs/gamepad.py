"""Gamepads by evdev, each a device of its own: found, plugged and unplugged at any time, never grabbed.

Only devices that the kernel describes as gamepads are ever opened; keyboards and mice come from the display. Stamps are
the kernel's, on CLOCK_MONOTONIC.
"""

from __future__ import annotations

import fcntl
import select
import struct
import time
from collections.abc import Callable
from pathlib import Path

import evdev
from evdev import ecodes

from db.clock import now_ns
from db.recording import keys
from db.recording.events import EventKind, InputEvent
from recorder.inputs.pad import Pad, PadGone, PadState
from recorder.inputs.source import FocusChange, Report, Watch

FOLDER = Path("/dev/input")
DESCRIPTIONS = Path("/sys/class/input")
_PATIENCE = 5
"""Looks at a new device until it is decided that it may not be read: the system sets permissions after it appears."""
_SET_CLOCK = 0x400445A0
"""EVIOCSCLOCKID of linux/input.h: _IOW('E', 0xa0, int)."""
_FIRST_MULTITOUCH = 0x2F
"""Axes from here on tell of fingers on a pad's touch surface, not of sticks and triggers."""


class GamepadSource:
    """All gamepads of the machine as one InputSource. One thread uses it. Whoever merges it says where the focus is.

    folder, descriptions: where the kernel shows its event devices and what they are. connect: opens one of
    them. look_s: how often it is asked whether one was plugged in.
    """

    def __init__(
        self,
        folder: Path = FOLDER,
        descriptions: Path = DESCRIPTIONS,
        connect: Callable[[Path], Pad] | None = None,
        look_s: float = 1.0,
    ) -> None:
        self._folder, self._descriptions, self._connect = folder, descriptions, connect or open_pad
        self._look_s = look_s
        self._pads: dict[Path, Pad] = {}
        self._names: list[str] = []
        self._settings: dict[str, str] = {}
        self._notices: list[str] = []
        self._refused: dict[Path, int] = {}
        self._seen: set[Path] = set()
        self._seen_ns = -1
        self._next_look_s = 0.0

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(self._names)

    @property
    def clock_fit(self) -> dict[str, int]:
        return {}

    @property
    def settings(self) -> dict[str, str]:
        """Of each axis the range, and the noise and the dead zone that the kernel suggests and nothing here applies."""
        return dict(self._settings)

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(self._notices)

    @property
    def descriptors(self) -> tuple[int, ...]:
        return tuple(pad.descriptor for pad in self._pads.values())

    def open(self) -> Watch:
        """Finds what is plugged in. No gamepad, or none that may be read, is no error."""
        t_ns = now_ns()
        found = self._look()
        held = {event.code for event in found if event.kind is EventKind.KEY}
        axes = tuple(event for event in found if event.kind is EventKind.AXIS)
        return Watch(t_ns, tuple(sorted(held)), FocusChange(t_ns, True, True), self.devices, axes=axes)

    def read(self, timeout_s: float) -> list[Report]:
        if self._pads:
            select.select(self.descriptors, [], [], timeout_s)
        elif timeout_s:
            time.sleep(timeout_s)
        return self.drain()

    def drain(self) -> list[Report]:
        events: list[InputEvent] = []
        for path in list(self._pads):
            try:
                events += self._pads[path].read()
            except PadGone:
                events += self._lose(path)
        if time.monotonic() >= self._next_look_s:
            events += self._look()
        return sorted(events, key=lambda event: event.t_ns)

    def close(self) -> None:
        for path in list(self._pads):
            self._lose(path)

    def _look(self) -> list[InputEvent]:
        """Opens what is new. One question to the file system where nothing has changed."""
        self._next_look_s = time.monotonic() + self._look_s
        try:
            changed_ns = self._folder.stat().st_mtime_ns
            if changed_ns == self._seen_ns and not self._refused:
                return []
            present = set(self._folder.glob("event*"))
        except OSError:
            return []  # a machine without event devices
        new = present - self._seen | set(self._refused)
        self._seen, self._seen_ns = present, changed_ns
        self._refused = {path: count for path, count in self._refused.items() if path in present}
        events: list[InputEvent] = []
        for path in sorted(new & present - set(self._pads)):
            if is_gamepad(self._descriptions / path.name / "device" / "capabilities"):
                events += self._add(path)
        return events

    def _add(self, path: Path) -> list[InputEvent]:
        try:
            pad = self._connect(path)
        except PermissionError:
            self._refuse(path)
            return []
        except OSError:
            self._refused.pop(path, None)
            return []  # gone again already, or no device that works
        self._refused.pop(path, None)
        pad.index = self._number(pad.name)
        self._settings.update({f"{self._names[pad.index]}: {axis}": text for axis, text in pad.settings.items()})
        self._pads[path] = pad
        try:
            return pad.look(now_ns())
        except PadGone:
            return self._lose(path)

    def _refuse(self, path: Path) -> None:
        self._refused[path] = self._refused.get(path, 0) + 1
        if self._refused[path] < _PATIENCE:
            return
        del self._refused[path]
        self._notices.append(
            f"A gamepad is plugged in at {path} but may not be read; it is not recorded unless you are given access to "
            "it (for instance by the group input)."
        )

    def _lose(self, path: Path) -> list[InputEvent]:
        pad = self._pads.pop(path)
        self._seen.discard(path)  # the next device may come under the same name
        self._seen_ns = -1
        events = pad.leave(now_ns())
        pad.close()
        return events

    def _number(self, name: str) -> int:
        """The place of a name in the list of devices; a pad that is plugged in again has its old one."""
        used = {pad.index for pad in self._pads.values()}
        count = 1
        while True:
            wanted = name if count == 1 else f"{name} ({count})"
            if wanted not in self._names:
                self._names.append(wanted)
            if (index := self._names.index(wanted)) not in used:
                return index
            count += 1


def is_gamepad(capabilities: Path) -> bool:
    """Whether the kernel's description (`key` and `abs`, hexadecimal words, highest first) is that of a gamepad.

    A gamepad or joystick has its own first button and a stick or a cross; pens, touchpads and mice have none of these.
    """
    buttons, axes = _read_bits(capabilities / "key"), _read_bits(capabilities / "abs")
    has_buttons = any(_has(buttons, code) for code in (ecodes.BTN_SOUTH, ecodes.BTN_TRIGGER, ecodes.BTN_TRIGGER_HAPPY1))
    has_stick = _has(axes, ecodes.ABS_X) or _has(axes, ecodes.ABS_HAT0X) or _has(buttons, ecodes.BTN_DPAD_UP)
    is_pen = _has(buttons, ecodes.BTN_TOOL_PEN) or _has(buttons, ecodes.BTN_TOOL_FINGER)
    return has_buttons and has_stick and not is_pen


def _read_bits(path: Path) -> int:
    try:
        words = path.read_text().split()
    except OSError:
        return 0
    width = 8 * struct.calcsize("l")
    bits = 0
    for word in words:
        bits = bits << width | int(word, 16)
    return bits


def _has(bits: int, code: int) -> bool:
    return bool(bits >> code & 1)


def open_pad(path: Path) -> Pad:
    """A real device, its stamps set to CLOCK_MONOTONIC. Raises OSError."""
    device = evdev.InputDevice(str(path))
    try:
        fcntl.ioctl(device.fd, _SET_CLOCK, struct.pack("i", time.CLOCK_MONOTONIC))
        codes = device.capabilities(absinfo=False).get(ecodes.EV_ABS, [])
        infos = {code: device.absinfo(code) for code in codes if code < _FIRST_MULTITOUCH}
    except OSError:
        device.close()
        raise

    def ask() -> PadState:
        return PadState(frozenset(device.active_keys()), {code: device.absinfo(code).value for code in infos})

    return Pad(
        device.fd,
        device.name,
        {code: (info.min, info.max) for code, info in infos.items()},
        ask,
        {keys.axis_name(c): f"{i.min} to {i.max}, fuzz {i.fuzz}, flat {i.flat}" for c, i in infos.items()},
        device.close,
    )
