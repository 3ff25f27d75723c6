"""Gamepads, from captured bytes of the kernel's event devices, and their place among the reports of a real display."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest
from Xlib import X

from db.clock import now_ns
from db.recording.events import EventKind, InputEvent, Origin
from recorder.inputs.gamepad import GamepadSource, is_gamepad
from recorder.inputs.merged import MergedSource
from recorder.inputs.pad import Pad, PadGone, PadState
from recorder.inputs.source import FocusChange
from recorder.inputs.synthetic import SyntheticInputs
from recorder.inputs.xinput import XInputSource

SOUTH, EAST, DPAD_UP = 0x130, 0x131, 0x220
ABS_X, ABS_Y, HAT0X = 0x00, 0x01, 0x10
RANGES = {ABS_X: (-32768, 32767), ABS_Y: (-32768, 32767), HAT0X: (-1, 1)}
DEVICE, SNAPSHOT, CLOSING = Origin.DEVICE, Origin.SNAPSHOT, Origin.CLOSING

XBOX = ("7cdb000000000000 0 0 0 0", "3003f")
KEYBOARD = ("1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe", "0")
MOUSE = ("1f0000 0 0 0 0", "0")
PEN = ("1c03 0 0 0 0 0", "1000d000003")
TOUCHPAD = ("e520 10000 0 0 0 0", "660800011000003")
MOTION_SENSOR = ("0", "3f")


def event(kind, code, value, at_us=1_000_000):
    return struct.pack("llHHi", at_us // 1_000_000, at_us % 1_000_000, kind, code, value)


SYN, DROPPED = event(0, 0, 0), event(0, 3, 0)

CAPTURED = bytes.fromhex(
    # a packet with a button's scan code, the button, and a stick; then the button again, two held repeats, the cross
    "0a00000000000000e8030000000000000400040001000900"
    "0a00000000000000e80300000000000001003001" + "01000000"
    "0a00000000000000e80300000000000003000000" + "00c0ffff"
    "0a00000000000000e803000000000000" + "0000000000000000"
    "0a00000000000000d007000000000000" + "0100300102000000"
    "0a00000000000000d007000000000000" + "0000000000000000"
    "0a00000000000000b80b000000000000" + "0300100001000000"
    "0a00000000000000b80b000000000000" + "0100300100000000"
    "0a00000000000000b80b000000000000" + "0000000000000000"
)
"""As read from /dev/input on a 64-bit machine, at 10.001, 10.002 and 10.003 s."""


class Wire:
    """The kernel's end of a device: bytes go in at one end, `state` is what it says when asked."""

    def __init__(self, held=(), places=None, name="Xbox pad"):
        self.reading, self.writing = os.pipe()
        self._open = {self.reading, self.writing}
        os.set_blocking(self.reading, False)
        self.state = PadState(frozenset(held), places or dict.fromkeys(RANGES, 0))
        self.name = name

    def send(self, *parts):
        os.write(self.writing, b"".join(parts))

    def pad(self):
        return Pad(self.reading, self.name, RANGES, lambda: self.state, {"ABS_X": "flat 128"}, self.close_reading)

    def close_reading(self):
        self._close(self.reading)

    def unplug(self):
        self._close(self.writing)

    def _close(self, descriptor):
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)


def facts(events):
    return [(e.kind.name, e.code, e.value, e.origin) for e in events if isinstance(e, InputEvent)]


@pytest.fixture
def wire():
    made = Wire()
    yield made
    made.unplug()
    made.close_reading()


def test_captured_bytes(wire):
    pad = wire.pad()
    for start in range(0, len(CAPTURED), 7):  # however they are cut
        wire.send(CAPTURED[start : start + 7])
        if start == 0:
            assert pad.read() == []
    events = pad.read()
    assert facts(events) == [
        ("KEY", SOUTH, 1, DEVICE),
        ("AXIS", ABS_X, -16384, DEVICE),
        ("AXIS", HAT0X, 1, DEVICE),
        ("KEY", SOUTH, 0, DEVICE),
    ]
    assert [e.t_ns for e in events] == [10_001_000_000] * 2 + [10_003_000_000] * 2
    stick = events[1]
    assert (stick.x, stick.y, stick.x2, stick.y2) == (-16384, 0, -32768, 32767)
    assert not stick.simulated
    assert stick.server_ms == -1


def test_a_stamp_is_never_later_than_its_arrival_nor_before_the_last(wire):
    pad = wire.pad()
    wire.send(event(1, SOUTH, 1, 2_000_000), event(1, SOUTH, 0, 1_000_000), event(1, EAST, 1, now_ns() // 1000 + 10**9))
    times = [e.t_ns for e in pad.read()]
    assert times[0] == times[1] == 2_000_000_000
    assert times[2] <= now_ns()


def test_what_is_down_and_where_sticks_stand_at_the_start_is_a_snapshot():
    wire = Wire([SOUTH, DPAD_UP], {ABS_X: 900, ABS_Y: 0, HAT0X: -1})
    pad = wire.pad()
    assert facts(pad.look(5)) == [
        ("KEY", SOUTH, 1, SNAPSHOT),
        ("KEY", DPAD_UP, 1, SNAPSHOT),
        ("AXIS", ABS_X, 900, SNAPSHOT),
        ("AXIS", ABS_Y, 0, SNAPSHOT),
        ("AXIS", HAT0X, -1, SNAPSHOT),
    ]
    wire.send(event(1, SOUTH, 1), event(3, ABS_X, 900), SYN)  # says what was known
    assert pad.read() == []
    wire.unplug()
    wire.close_reading()


def test_lost_events_are_made_up_by_asking(wire):
    pad = wire.pad()
    pad.look(1)
    wire.send(event(1, SOUTH, 1), event(3, ABS_X, 50), SYN)
    assert len(pad.read()) == 2
    wire.state = PadState(frozenset({EAST}), {ABS_X: -7, ABS_Y: 0, HAT0X: 0})
    wire.send(DROPPED, event(1, DPAD_UP, 1), event(3, ABS_Y, 9))  # of a broken packet: not to be believed
    assert pad.read() == []
    wire.send(SYN)
    assert facts(pad.read()) == [
        ("KEY", SOUTH, 0, CLOSING),
        ("KEY", EAST, 1, SNAPSHOT),
        ("AXIS", ABS_X, -7, SNAPSHOT),
    ]
    wire.send(event(1, EAST, 0), SYN)
    assert facts(pad.read()) == [("KEY", EAST, 0, DEVICE)]


def test_what_came_before_the_plug_was_pulled_still_counts(wire):
    pad = wire.pad()
    pad.look(1)
    wire.send(event(1, SOUTH, 1), event(3, ABS_X, 50), SYN)
    wire.unplug()
    assert len(pad.read()) == 2
    with pytest.raises(PadGone):
        pad.read()
    assert facts(pad.leave(now_ns())) == [
        ("KEY", SOUTH, 0, CLOSING),
        ("AXIS", ABS_X, 50, CLOSING),
        ("AXIS", ABS_Y, 0, CLOSING),
        ("AXIS", HAT0X, 0, CLOSING),
    ]


class Machine:
    """A folder of event devices and one of their descriptions, as /dev/input and /sys/class/input."""

    def __init__(self, folder: Path):
        self.devices, self.descriptions = folder / "input", folder / "class"
        self.devices.mkdir()
        self.wires: dict[Path, Wire] = {}
        self.opened: list[str] = []
        self.allowed = True

    def plug(self, number, kind, wire=None):
        described = self.descriptions / f"event{number}" / "device" / "capabilities"
        described.mkdir(parents=True, exist_ok=True)
        (described / "key").write_text(kind[0] + "\n")
        (described / "abs").write_text(kind[1] + "\n")
        path = self.devices / f"event{number}"
        self.wires[path] = wire or Wire()
        path.touch()
        return self.wires[path]

    def unplug(self, number):
        path = self.devices / f"event{number}"
        path.unlink()
        self.wires.pop(path).unplug()

    def connect(self, path):
        self.opened.append(path.name)
        if not self.allowed:
            raise PermissionError(13, "Permission denied")
        return self.wires[path].pad()

    def source(self):
        return GamepadSource(self.devices, self.descriptions, self.connect, look_s=0)


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    for wire in made.wires.values():
        wire.unplug()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(XBOX, True), (KEYBOARD, False), (MOUSE, False), (PEN, False), (TOUCHPAD, False), (MOTION_SENSOR, False)],
)
def test_only_gamepads_are_opened(machine, kind, expected):
    machine.plug(3, kind)
    source = machine.source()
    watch = source.open()
    assert machine.opened == (["event3"] if expected else [])
    assert watch.devices == source.devices == (("Xbox pad",) if expected else ())
    assert is_gamepad(machine.descriptions / "event3" / "device" / "capabilities") is expected
    source.close()


def test_plugging_in_and_out(machine):
    machine.plug(1, XBOX, Wire([SOUTH], {ABS_X: 77, ABS_Y: 0, HAT0X: 0}))
    source = machine.source()
    watch = source.open()
    assert watch.held == (SOUTH,)
    first = watch.axes[0]
    assert (first.code, first.value, first.origin) == (ABS_X, 77, SNAPSHOT)
    second = machine.plug(2, XBOX, Wire([EAST]))
    assert facts(source.drain())[0] == ("KEY", EAST, 1, SNAPSHOT)
    assert source.devices == ("Xbox pad", "Xbox pad (2)")
    second.send(event(1, SOUTH, 1), SYN)
    assert [(e.code, e.device) for e in source.read(0)] == [(SOUTH, 1)]
    machine.unplug(2)
    gone = facts(source.drain())
    assert gone[:2] == [("KEY", SOUTH, 0, CLOSING), ("KEY", EAST, 0, CLOSING)]
    assert all(origin is CLOSING for *_, origin in gone)
    machine.plug(2, XBOX)  # the same one again, under the same name
    assert all(fact[0] == "AXIS" for fact in facts(source.drain()))
    assert source.devices == ("Xbox pad", "Xbox pad (2)")
    assert source.settings == {"Xbox pad: ABS_X": "flat 128", "Xbox pad (2): ABS_X": "flat 128"}
    source.close()
    assert source.descriptors == ()


def test_one_that_may_not_be_read_is_said_once_and_costs_nothing_more(machine):
    machine.allowed = False
    machine.plug(4, XBOX)
    source = machine.source()
    source.open()
    for _ in range(20):
        assert source.drain() == []
    (notice,) = source.notices
    assert "event4" in notice
    assert "group input" in notice
    assert len(machine.opened) == 5


def test_permission_that_comes_late_is_waited_for(machine):
    machine.allowed = False
    machine.plug(4, XBOX)
    source = machine.source()
    source.open()
    machine.allowed = True
    assert facts(source.drain())
    assert source.notices == ()
    source.close()


def test_a_machine_without_event_devices(tmp_path):
    source = GamepadSource(tmp_path / "none", tmp_path / "none")
    assert source.open().held == ()
    assert source.drain() == []
    assert source.notices == ()


def test_merged_sources_come_in_the_order_of_their_stamps(machine):
    wire = machine.plug(1, XBOX, Wire([SOUTH]))
    main = SyntheticInputs(held=(17,))
    merged = MergedSource(main, [machine.source()])
    watch = merged.open()
    assert watch.held == (17, SOUTH)
    assert watch.devices == merged.devices == ("synthetic", "Xbox pad")
    assert {axis.device for axis in watch.axes} == {1}
    start_us = now_ns() // 1000
    while now_ns() // 1000 < start_us + 200:
        pass  # so that no stamp lies in the future, nor before the pad's first look
    for step in range(20):
        at_us = start_us + step * 10
        if step % 2:
            main.push(FocusChange(at_us * 1000, bool(step % 4 == 1), True))
        else:
            wire.send(event(3, ABS_X, step + 1, at_us), SYN)
    reports = []
    while len(reports) < 20:
        reports += merged.read(0.01)
    assert [report.t_ns // 1000 - start_us for report in reports] == [step * 10 for step in range(20)]
    assert {report.device for report in reports if isinstance(report, InputEvent)} == {1}
    machine.unplug(1)
    assert [fact[1] for fact in facts(merged.drain())] == [SOUTH, ABS_X, ABS_Y, HAT0X]
    main.push(InputEvent(now_ns(), EventKind.KEY, 17, 0))
    assert facts(merged.read(0.01)) == [("KEY", 17, 0, DEVICE)]
    merged.close()


def read_for(source, length_ns):
    reports, stop_ns = [], now_ns() + length_ns
    while now_ns() < stop_ns:
        reports += source.read(0.001)
    return reports


def test_a_pad_s_events_go_to_the_window_that_had_the_keys(machine, display, game, make_window):
    """Focus changes on a real server, and presses between them stamped by the clock of the kernel."""
    other = make_window(display, "other", (500, 40, 200, 200))
    game.focus()
    wire, dice = machine.plug(1, XBOX), random.Random(5)
    merged = MergedSource(XInputSource(game.id, display=display), [machine.source()])
    focused = merged.open().focus.keyboard
    expected, got, reports = [], [], []
    for number in range(150):
        window = dice.choice((game, other))
        window.handle.set_input_focus(X.RevertToParent, X.CurrentTime)
        window.connection.sync()
        reports += read_for(merged, 1_500_000)  # the display's stamps are whole milliseconds
        wire.send(event(3, ABS_X, number + 1, now_ns() // 1000), SYN)
        expected.append((number + 1, window is game))
        reports += read_for(merged, 1_500_000)
    for report in [*reports, *merged.drain()]:
        if isinstance(report, FocusChange):
            focused = report.keyboard
        elif report.kind is EventKind.AXIS:
            got.append((report.value, focused))
    merged.close()
    assert got == expected
