"""Nothing that goes to another window is ever kept, however and whenever the game loses the focus."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from bench import intruder, privacy
from db.recording.events import EventKind
from db.recording.keys import BTN_LEFT
from db.store import Store
from games.xserver import XServer
from recorder.inputs.source import FocusChange
from recorder.inputs.xinput import XInputSource


def wait_until(condition, what):
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s, f"waited for {what}"
        time.sleep(0.01)


def count_frames(facts):
    try:
        with closing(sqlite3.connect(f"{facts.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM frame").fetchone()[0])
    except sqlite3.OperationalError:  # the recorder has not made it yet
        return 0


@pytest.mark.parametrize(("switch", "rounds"), [("focus", 120), ("click", 80), ("alt-tab", 40)])
def test_a_marked_string_typed_elsewhere_is_nowhere(tmp_path, switch, rounds):
    with XServer(window_manager=switch != "focus") as server:
        findings = privacy.examine(server, tmp_path / "library", switch, rounds, seed=len(switch))
    assert findings["marked keys typed"] > rounds
    leaks = {name: count for name, count in findings.items() if "leak" in name}
    assert leaks == dict.fromkeys(leaks, 0)
    assert findings["of these not recorded, further from one"] == 0
    assert findings["keys sent to the game"] > rounds
    assert findings["frames taken while the game was covered"] == findings["of these black"]
    assert findings["files and folders open to others"] == 0


def test_the_measurement_finds_what_is_there(tmp_path):
    """A library into which the marked string did get, as text or as codes, is not called clean."""
    library = tmp_path / "library"
    with Store.open(library):
        pass
    assert privacy.find_text(library) == privacy.find_open(library) == 0
    (library / "log").write_text(f"said {intruder.MARKED_TEXT.upper()}")
    (library / "sessions" / "raw").write_bytes(bytes(intruder.MARKED))
    (library / "log").chmod(0o640)
    (library / "sessions").chmod(0o711)
    assert privacy.find_text(library) == 2
    assert privacy.find_open(library) == 2


def test_recovered_and_exported_sessions_are_their_owner_s_only(tmp_path, record, game):
    library = tmp_path / "library"
    command = record("--window-id", str(game.id), "--single", "--anyway", "--idle", "0")
    session_id = command.started()["session"]
    game.play()
    facts = library / "sessions" / session_id / "facts.sqlite"
    wait_until(lambda: count_frames(facts) > 30, "a commit")
    command.process.kill()
    command.close()
    options = ["--library", str(library)]
    exported = tmp_path / "sent"
    for words in (["recover"], ["export", session_id, "--out", str(exported)]):
        done = subprocess.run([sys.executable, "-m", "db", *words, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert privacy.find_open(library) == 0
    assert privacy.find_open(exported) == 0


def test_what_a_window_manager_held_back_is_not_the_game_s(display, game, make_window):
    """It looks at a click before the game may: till then the pointer's events wait, and are told when all is over."""
    manager, launcher = Display(display), make_window(display, "launcher", (500, 40, 200, 200))
    game.focus()
    source = XInputSource(game.id, display=display)
    source.open()
    synchronous, anything = X.GrabModeSync, X.AnyModifier
    window = manager.create_resource_object("window", game.id)
    window.grab_button(1, anything, True, X.ButtonPressMask, synchronous, X.GrabModeAsync, X.NONE, X.NONE)
    manager.sync()
    hand = launcher.connection
    xtest.fake_input(hand, X.ButtonPress, 1)
    xtest.fake_input(hand, X.ButtonRelease, 1)
    hand.sync()
    launcher.handle.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
    for _ in range(2):  # the private part, over more than one of the server's milliseconds
        xtest.fake_input(hand, X.MotionNotify, 1, x=3, y=3)
        xtest.fake_input(hand, X.ButtonPress, 3)
        xtest.fake_input(hand, X.ButtonRelease, 3)
        hand.sync()
        time.sleep(0.003)
    hand.ungrab_keyboard(X.CurrentTime)
    hand.sync()
    manager.allow_events(X.AsyncPointer, X.CurrentTime)
    manager.sync()
    events = [report for report in source.drain() if not isinstance(report, FocusChange)]
    window.ungrab_button(1, anything)
    manager.close()
    source.close()
    pressed = [event.code for event in events if event.kind is EventKind.KEY and event.value]
    assert pressed == [BTN_LEFT]
    assert not [event for event in events if event.kind is EventKind.MOTION]
