"""Live play on a real X server, with a scripted server in place of a model."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from db import yardsticks
from db.clock import now_ns
from db.errors import WireError
from db.recording.events import ActorKind, EventKind, Origin
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from recorder.play.__main__ import main
from recorder.play.control import MODEL, PERSON
from recorder.play.policies import DEFAULT_SPACE, YardstickPolicy
from recorder.play.server import ModelServer, parse_address, serve_command

W, A, D, F11, F12 = 17, 30, 32, 87, 88


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
    assert set(told["split_ms"]) == {"grab", "wait", "resize", "wire", "infer", "inject"}
    assert told["split_ms"]["infer"] == [1.0, 1.0]
    assert all(0 <= p50 <= p99 for part, (p50, p99) in told["split_ms"].items() if part != "wire")
    assert told["late_per_minute"] >= 0
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
    assert [row["kind"] for row in log[:3]] == ["hello", "reset", "instruction"]
    assert log[2]["text"] == "go home"
    assert [row["kind"] for row in log].count("instruction") == 1
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


def test_a_yardstick_decides_as_a_policy_does():
    clip = ClipSpec()
    space = ActionSpace(codes=(W, A), dx_edges=(0.0,), dx_values=(-8.0, 8.0))
    policy = YardstickPolicy("random", clip, space, seed=1)
    assert (policy.name, policy.clip) == ("random", clip)
    twin = yardsticks.open_yardstick("random", space, seed=1)
    for index in range(50):
        said, deed = policy.decide(None, index, 0), twin.act()
        assert (said.down, said.dx, said.dy) == (deed.down, deed.dx, deed.dy)
