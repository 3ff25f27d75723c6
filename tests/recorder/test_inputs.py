"""Raw input from a real X server, against what was injected."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections import Counter

import pytest
from Xlib import X
from Xlib.ext import xtest

from db.clock import now_ns
from db.errors import CaptureUnavailable
from db.recording.events import EventKind
from db.recording.keys import BTN_EXTRA, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE
from recorder.inputs.focus import Detail, FocusTracker, KeyboardFocus, Mode
from recorder.inputs.injection import Injector, count_changes, sum_motion
from recorder.inputs.source import FocusChange
from recorder.inputs.xinput import XInputSource
from recorder.screen.windows import connect

W, A, S, D = 17, 30, 31, 32


@pytest.fixture
def source(display, game):
    made = XInputSource(game.id, display=display)
    made.open()
    yield made
    made.close()


def drain(source, injector):
    injector._connection.sync()
    return source.drain()


def events(reports, kind):
    return [report for report in reports if not isinstance(report, FocusChange) and report.kind is kind]


def states(reports):
    return [(report.keyboard, report.pointer) for report in reports if isinstance(report, FocusChange)]


def test_counts_and_sums_are_exact(source, injector):
    before = now_ns()
    for i in range(300):
        injector.set((W, A, S, D)[i % 4], True)
        injector.move(7 if i % 3 else -11, (i % 5) - 2)
        injector.set((W, A, S, D)[i % 4], False)
    reports = drain(source, injector)
    keys = events(reports, EventKind.KEY)
    assert Counter((event.code, event.value) for event in keys) == count_changes(injector.ledger)
    assert [(event.code, event.value) for event in keys] == [(e.code, e.value) for e in injector.ledger if e.code]
    motion = events(reports, EventKind.MOTION)
    assert (sum(event.x for event in motion), sum(event.y for event in motion)) == sum_motion(injector.ledger)
    assert all(event.simulated and event.server_ms > 0 for event in keys + motion)
    times = [report.t_ns for report in reports]
    assert times == sorted(times)
    # A stamp is the server's, in whole milliseconds, and never later than its arrival here.
    assert before - 2_000_000 <= times[0]
    assert times[-1] <= now_ns()


def test_motion_is_whole_while_a_game_grabs_and_recentres_the_pointer(source, injector, game):
    game.grab()
    for _ in range(200):
        injector.move(7, -3)
        injector._connection.sync()
        game.handle.warp_pointer(160, 120)
        game.connection.sync()
    motion = events(drain(source, injector), EventKind.MOTION)
    game.connection.ungrab_pointer(X.CurrentTime)
    game.connection.sync()
    assert (sum(event.x for event in motion), sum(event.y for event in motion)) == (1400, -600)


def test_an_injected_place_is_a_move_by_its_distance(source, injector, game):
    for place in ((100, 100), (130, 90)):
        xtest.fake_input(injector._connection, X.MotionNotify, 0, x=place[0], y=place[1])
        motion = events(drain(source, injector), EventKind.MOTION)
        if place == (130, 90):
            assert [(event.x, event.y) for event in motion] == [(30, -10)]


def test_every_button_and_one_scroll_event_a_notch(source, injector):
    for button in (BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, BTN_EXTRA):
        injector.set(button, True)
        injector.set(button, False)
    for number in (4, 5, 6, 7, 4):
        xtest.fake_input(injector._connection, X.ButtonPress, number)
        xtest.fake_input(injector._connection, X.ButtonRelease, number)
    reports = drain(source, injector)
    assert Counter((e.code, e.value) for e in events(reports, EventKind.KEY)) == count_changes(injector.ledger)
    scroll = [(event.x, event.y) for event in events(reports, EventKind.SCROLL)]
    assert scroll == [(0, 1), (0, -1), (-1, 0), (1, 0), (0, 1)]


def test_held_before_the_start_is_found(display, game, injector):
    for code in (W, 42, BTN_LEFT):
        injector.set(code, True)
    injector._connection.sync()
    source = XInputSource(game.id, display=display)
    watch = source.open()
    source.close()
    assert set(watch.held) == {W, 42, BTN_LEFT}
    assert watch.focus.keyboard
    assert watch.focus.pointer
    assert any("XTEST" in name for name in watch.devices)
    assert "us" in watch.layout


def test_a_long_hold_is_one_press_and_one_release(display, game, injector):
    """The server repeats a held key (after 200 ms here); raw events do not, and the recorder counts one press."""
    source = XInputSource(game.id, display=display)
    source.open()
    connection = connect(display)
    connection.screen().root.change_attributes(event_mask=X.NoEventMask)
    injector.set(W, True)
    injector._connection.sync()
    reports = source.drain()
    repeats = 0
    game.handle.change_attributes(event_mask=X.KeyPressMask)
    game.connection.sync()
    while repeats < 3:  # wait until the window itself was sent repeats
        repeats += game.connection.next_event().type == X.KeyPress
    injector.set(W, False)
    reports += drain(source, injector)
    source.close()
    connection.close()
    assert [event.value for event in events(reports, EventKind.KEY)] == [1, 0]


def test_focus_is_told_in_order_with_the_keys(source, injector, game, display, make_window):
    other = make_window(display, "other", (500, 40, 200, 200))
    source.drain()
    for window, code in ((game, W), (other, A), (game, S), (other, D)):
        window.handle.set_input_focus(X.RevertToParent, X.CurrentTime)
        window.connection.sync()
        injector.set(code, True)
        injector.set(code, False)
        injector._connection.sync()
    state, got = True, {True: set(), False: set()}
    for report in source.drain():
        if isinstance(report, FocusChange):
            state = report.keyboard
        else:
            got[state].add(report.code)
    assert got == {True: {W, S}, False: {A, D}}


def test_without_a_focused_window_it_follows_the_pointer(source, injector, game):
    game.connection.set_input_focus(X.PointerRoot, X.RevertToNone, X.CurrentTime)
    game.connection.sync()
    assert states(source.drain())[-1] == (True, True)
    for x, expected in ((700, (False, False)), (100, (True, True))):
        xtest.fake_input(injector._connection, X.MotionNotify, 0, x=x, y=100)
        assert states(drain(source, injector))[-1] == expected


def test_a_keyboard_grab_of_another_program_takes_the_focus(source, injector, game):
    root = game.connection.screen().root
    root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
    assert states(drain(source, injector)) == [(False, True)]
    game.connection.ungrab_keyboard(X.CurrentTime)
    game.connection.sync()
    assert states(source.drain()) == [(True, True)]


def test_the_window_manager_s_active_window_counts(managed_display, make_window):
    first, second = make_window(managed_display, "first"), make_window(managed_display, "second")
    source = XInputSource(first.id, display=managed_display)
    source.open()
    seen = []
    for window, expected in ((second, False), (first, True), (second, False)):
        window.handle.set_input_focus(X.RevertToParent, X.CurrentTime)
        window.connection.sync()
        while source._state()[0] != expected:
            seen += source.read(0.05)
    source.close()
    assert source._focus.focus is KeyboardFocus.OTHER


def change_matrix(connection, device, scale):
    """Makes the server scale what a pointer device reports, as its acceleration does."""
    atom, kind = connection.intern_atom("Coordinate Transformation Matrix"), connection.intern_atom("FLOAT")
    values = [struct.unpack("<I", struct.pack("<f", value))[0] for value in (scale, 0, 0, 0, scale, 0, 0, 0, 1)]
    connection.xinput_change_device_property(device, atom, kind, X.PropModeReplace, (32, values))
    connection.sync()


def test_raw_and_accelerated_motion_stay_apart_and_the_settings_between_them_are_kept(display, game, injector):
    connection = connect(display)
    connection.xinput_query_version()
    device = next(
        info.deviceid for info in connection.xinput_query_device(0).devices if info.name.endswith("XTEST pointer")
    )
    change_matrix(connection, device, 3.0)
    source = XInputSource(game.id, display=display)
    try:
        source.open()
        for _ in range(5):
            injector.move(4, -2)
        motion = events(drain(source, injector), EventKind.MOTION)
    finally:
        change_matrix(connection, device, 1.0)
        connection.close()
        source.close()
    assert (sum(event.x for event in motion), sum(event.y for event in motion)) == (20, -10)
    assert (sum(event.x2 for event in motion), sum(event.y2 for event in motion)) == (60, -30)
    settings = source.settings
    assert settings["Virtual core XTEST pointer: Coordinate Transformation Matrix"] == "3, 0, 0, 0, 3, 0, 0, 0, 1"
    assert settings["core pointer: acceleration"] == "2/1 above 4 px"
    assert settings["Xvfb mouse: Device Accel Profile"] == "0"
    assert settings["Xvfb mouse: Device Accel Constant Deceleration"] == "1"


def test_all_is_ours_without_a_window(display, game):
    source = XInputSource(display=display)
    watch = source.open()
    source.close()
    assert watch.focus.keyboard
    assert watch.focus.pointer


def test_no_display_is_said():
    with pytest.raises(CaptureUnavailable, match="desktop session"):
        XInputSource(display=":987").open()


def test_a_server_that_goes_away_ends_the_source_not_the_program():
    """In a process of its own, since Xlib's default is to end it."""
    script = """
import sys
from games.xserver import XServer
from recorder.inputs.xinput import XInputSource
from recorder.screen.source import DisplayLost
server = XServer()
source = XInputSource(display=server.display)
source.open()
server.close()
try:
    while True:
        source.read(0.05)
except DisplayLost as error:
    print(error)
source.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": ".:tests", "PATH": "/usr/bin:/bin"},
    )
    assert "has gone away" in done.stdout, done.stderr


def test_the_injector_sends_changes_only(display, game):
    with Injector(display) as injector:
        injector.set(W, True)
        injector.set(W, True)
        injector.set(A, False)
        injector.hold_exactly(frozenset({A, BTN_LEFT}))
        assert injector.down == {A, BTN_LEFT}
        injector.move(0, 0)
        injector.release_all()
        ledger = [(entry.code, entry.value) for entry in injector.ledger]
    assert ledger == [(W, 1), (W, 0), (A, 1), (BTN_LEFT, 1), (A, 0), (BTN_LEFT, 0)]


@pytest.mark.parametrize(
    ("steps", "keyboard"),
    [
        ([("out", Mode.NORMAL, Detail.NONLINEAR)], False),
        ([("out", Mode.NORMAL, Detail.INFERIOR)], True),
        ([("out", Mode.GRAB, Detail.NONLINEAR), ("in", Mode.WHILE_GRABBED, Detail.NONLINEAR)], False),
        ([("out", Mode.GRAB, Detail.NONLINEAR), ("in", Mode.UNGRAB, Detail.NONLINEAR)], True),
        ([("out", Mode.NORMAL, Detail.NONLINEAR), ("in", Mode.NORMAL, Detail.VIRTUAL)], True),
    ],
)
def test_focus_details(steps, keyboard):
    tracker = FocusTracker(KeyboardFocus.OURS, inside=True)
    for direction, mode, detail in steps:
        (tracker.focus_in if direction == "in" else tracker.focus_out)(mode, detail)
    assert tracker.keyboard is keyboard
