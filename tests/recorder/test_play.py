"""Live play on a real X server, with a scripted server in place of a model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from db import yardsticks
from db.clock import now_ns
from db.errors import WireError
from db.recording.events import ActorKind, EventKind, InputEvent, Origin
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from recorder.inputs.injection import Injection
from recorder.play.__main__ import main
from recorder.play.control import MODEL, PERSON, Control, Ledger, Mode
from recorder.play.policies import DEFAULT_SPACE, YardstickPolicy
from recorder.play.server import ModelServer, parse_address, serve_command

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).with_name("fake_server.py")
W, A, D, F11, F12 = 17, 30, 32, 87, 88


class PlayCommand:
    """`playtape-play` as a process of its own, connected to the fake server."""

    def __init__(self, display, library, server, *options):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG_SESSION"))}
        connect = ["--connect", server._address, "--key-file", str(server.key_file)] if server else []
        command = [sys.executable, "-m", "recorder.play", "--json", "--library", str(library)]
        self.process = subprocess.Popen(
            [*command, *connect, *options],
            cwd=ROOT,
            env=env | {"DISPLAY": display},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def started(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def finished(self):
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, out + err
        self.said = err
        return json.loads(out.splitlines()[-1])

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The fake server, started the way `playtape-play` starts a real one."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    seen = {}

    def remember(path):
        seen["key_file"] = path
        return path.read_bytes()

    monkeypatch.setattr("recorder.play.server.read_key", remember)
    made = ModelServer([sys.executable, str(FAKE), str(tmp_path / "server.log")])
    made.key_file = seen["key_file"]
    yield made
    made.close()


@pytest.fixture
def play(display, game, tmp_path, server):
    made = []

    def start(*options, served=True):
        options = ["--window-id", str(game.id), "--game", "barcode", "--player", "ann", *options]
        made.append(PlayCommand(display, tmp_path / "library", server if served else None, *options))
        return made[-1]

    yield start
    for command in made:
        command.close()


def recording_of(tmp_path, session_id):
    with Store.open(tmp_path / "library") as store:
        recording = store.recording(session_id)
        assert store.verify(session_id) == []
        return recording


def is_down(game, code):
    return bool(game.connection.query_keymap()[(code + 8) // 8] & (1 << (code + 8) % 8))


def wait_for(condition):
    deadline = now_ns() + 20_000_000_000
    while not condition():
        assert now_ns() < deadline
        threading.Event().wait(0.005)


def test_a_model_plays_and_is_recorded(play, game, tmp_path):
    game.play()
    game.grab()
    command = play("--instruction", "go home", "--duration", "2")
    session_id = command.started()["session"]
    told = command.finished()
    assert told["session"] == session_id
    assert told["take_overs"] == 0
    assert told["ticks"] >= 20
    assert told["late"] <= told["ticks"]
    assert "the model plays" in command.said
    assert told["infer_ms_p50"] == 1.0
    assert told["frame_to_injection_ms_p99"] > 0
    assert told["first_injection_ns"] < told["stop_ns"]
    recording = recording_of(tmp_path, session_id)
    meta = recording.meta
    assert [(actor.kind, actor.name) for actor in meta.actors] == [(ActorKind.PERSON, "ann"), (ActorKind.MODEL, "fake")]
    rows = recording.events[recording.events["origin"] == Origin.DEVICE]
    keys, motion = rows[rows["kind"] == EventKind.KEY], rows[rows["kind"] == EventKind.MOTION]
    assert set(keys["code"].tolist()) == {W, D}
    assert set(rows["actor"].tolist()) == {MODEL}
    assert rows["simulated"].all()
    # Every tick moves by (6, -2.5) in steps; the one that the end cuts off may miss some of them.
    assert abs(motion["x"].sum() - 6 * told["ticks"]) <= 6
    assert abs(motion["y"].sum() + 2.5 * told["ticks"]) <= 3
    assert not is_down(game, W)
    assert not is_down(game, D)
    log = [json.loads(line) for line in (tmp_path / "server.log").read_text().splitlines()]
    assert [row["kind"] for row in log[:3]] == ["hello", "instruction", "reset"]
    assert log[1]["text"] == "go home"
    frames = [row for row in log if row["kind"] == "frame"]
    assert [row["index"] for row in frames] == list(range(told["ticks"]))
    assert {row["bytes"] for row in frames} == {32 * 24 * 3}
    stamps = [row["t_ns"] for row in frames]
    assert stamps == sorted(set(stamps))
    assert log[-1]["kind"] == "bye"


def test_a_person_takes_over_and_gives_back(play, game, injector, tmp_path):
    command = play("--duration", "30")
    session_id = command.started()["session"]
    wait_for(lambda: is_down(game, W) or is_down(game, D))
    injector.set(A, True)  # not in the player's ledger, so for the player it is a person's
    injector._connection.sync()
    wait_for(lambda: not is_down(game, W) and not is_down(game, D))
    injector.set(A, False)
    threading.Event().wait(0.5)
    assert not is_down(game, W)
    assert not is_down(game, D)
    injector.set(F11, True)
    injector.set(F11, False)
    injector._connection.sync()
    wait_for(lambda: is_down(game, W) or is_down(game, D))
    injector.set(F12, True)
    injector.set(F12, False)
    injector._connection.sync()
    told = command.finished()
    assert told["take_overs"] == 1
    assert "panic" in told["message"]
    assert not is_down(game, W)
    assert not is_down(game, D)
    rows = recording_of(tmp_path, session_id).events
    keys = rows[(rows["kind"] == EventKind.KEY) & (rows["origin"] == Origin.DEVICE)]
    actors = Counter((int(row["code"]), int(row["actor"])) for row in keys)
    assert actors[(A, PERSON)] == 2
    assert all(actor == (PERSON if code == A else MODEL) for code, actor in actors)
    assert not {F11, F12} & set(keys["code"].tolist())


def test_lost_focus_releases_everything(play, game, display, make_window):
    other = make_window(display, "other", (500, 40, 200, 200))
    command = play("--duration", "30")
    command.started()
    wait_for(lambda: is_down(game, W) or is_down(game, D))
    other.focus()
    wait_for(lambda: not is_down(game, W) and not is_down(game, D))
    threading.Event().wait(0.2)
    assert not is_down(game, W)
    assert not is_down(game, D)
    game.focus()
    wait_for(lambda: is_down(game, W) or is_down(game, D))
    command.process.send_signal(signal.SIGTERM)
    assert command.finished()["end_reason"] == "interrupted"
    assert not is_down(game, W)


def test_a_killed_player_leaves_no_key_down(play, game):
    command = play("--duration", "30")
    command.started()
    wait_for(lambda: is_down(game, W) or is_down(game, D))
    command.process.kill()
    wait_for(lambda: not is_down(game, W) and not is_down(game, D))


def test_a_server_that_dies_ends_the_play(play, game, server):
    command = play("--duration", "30")
    command.started()
    wait_for(lambda: is_down(game, W) or is_down(game, D))
    server.close()
    out, err = command.process.communicate(timeout=60)
    assert command.process.returncode == 1
    assert "Traceback" not in err
    assert json.loads(out.splitlines()[0])["end_reason"] == "failed"
    assert not is_down(game, W)


@pytest.mark.parametrize("policy", yardsticks.NAMES)
def test_yardsticks(play, tmp_path, policy):
    command = play("--policy", policy, "--duration", "0.8", served=False)
    session_id = command.started()["session"]
    told = command.finished()
    recording = recording_of(tmp_path, session_id)
    assert recording.meta.actors[1].name == policy
    rows = recording.events
    if policy == "noop":
        assert len(rows) == told["changes"] == 0
    else:
        assert set(rows["code"][rows["kind"] == EventKind.KEY].tolist()) <= set(DEFAULT_SPACE.codes)
        assert told["changes"] > 0
        assert told["take_overs"] == 0
    if policy == "repeat-last":
        pressed = [row["code"] for row in rows if row["kind"] == EventKind.KEY and row["value"]]
        assert len(pressed) == len(set(pressed)), "what is held stays held"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "which window"),
        (["--window-title", "Barcode"], "which model"),
        (["--window-title", "Barcode", "--connect", "/nowhere"], "--key-file"),
        (["--window-title", "Barcode", "--policy", "noop", "--fps", "999"], "between 1 and 240"),
        (["--window-title", "no such game", "--policy", "noop"], "no such game"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(display, game, tmp_path, monkeypatch, capsys, options, word):
    monkeypatch.setenv("DISPLAY", display)
    assert main(["--headless", "--library", str(tmp_path / "library"), *options]) == 1
    assert word in capsys.readouterr().err


def test_a_server_that_does_not_start_says_why():
    with pytest.raises(WireError, match="no such thing"):
        ModelServer([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_addresses():
    assert parse_address("/tmp/x:1") == "/tmp/x:1"
    assert parse_address("gpu.example:5000") == ("gpu.example", 5000)
    assert serve_command("m", Path("/lib"), None)[1:3] == ["-P", "-m"]


def event(code, value, *, simulated=True):
    return InputEvent(now_ns(), EventKind.KEY, code, value, simulated=simulated)


def test_the_ledger_answers_once_for_each_event():
    ledger = Ledger()
    for injection in (Injection(now_ns(), W, 1), Injection(now_ns(), 0, 0, 3, -1), Injection(now_ns(), W, 0)):
        ledger.add(injection)
    assert not ledger.claim(event(A, 1))
    assert not ledger.claim(event(W, 1, simulated=False))
    assert ledger.claim(event(W, 1))
    assert not ledger.claim(event(W, 1))
    assert ledger.claim(event(W, 0))  # the motion between was swallowed
    assert not ledger.claim(InputEvent(now_ns(), EventKind.MOTION, x=3, y=-1, simulated=True))


class Hands:
    """An injector without a display."""

    def __init__(self):
        self.down = frozenset()

    def knows(self, code):
        return code != 999

    def hold_exactly(self, codes):
        self.down = codes

    def release_all(self):
        self.down = frozenset()

    def move(self, dx, dy):
        pass


class Nobody:
    def expect(self, codes):
        pass


def test_control_changes_hands():
    panics = []
    hands = Hands()
    control = Control(hands, Nobody(), lambda: panics.append(1))
    assert not control.hold(frozenset({W}))
    control.set_focus(True)
    assert control.hold(frozenset({W, F12, 999}))
    assert hands.down == {W}
    control.notice(event(A, 1))
    assert (control.mode, control.take_overs, hands.down) == (Mode.PERSON, 1, frozenset())
    control.set_focus(False)
    control.set_focus(True)
    assert control.mode is Mode.PERSON
    control.notice(event(F11, 1))
    assert control.mode is Mode.MODEL
    control.notice(event(F12, 1))
    assert panics == [1]
    assert control.mode is Mode.OVER
    control.give_back()
    assert not control.hold(frozenset({W}))


def test_a_yardstick_decides_as_a_policy_does():
    clip = ClipSpec()
    space = ActionSpace(codes=(W, A), dx_edges=(0.0,), dx_values=(-8.0, 8.0))
    policy = YardstickPolicy("random", clip, space, seed=1)
    assert (policy.name, policy.clip) == ("random", clip)
    twin = yardsticks.open_yardstick("random", space, seed=1)
    for index in range(50):
        said, deed = policy.decide(None, index, 0), twin.act()
        assert (said.down, said.dx, said.dy) == (deed.down, deed.dx, deed.dy)
