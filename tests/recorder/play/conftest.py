"""`playtape-play` as a process of its own, with a scripted server in place of a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recorder.play.instructions import Instructions
from recorder.play.server import ModelServer

ROOT = Path(__file__).parents[3]
FAKE = Path(__file__).with_name("fake_server.py")


class PlayCommand:
    """The command, connected to the scripted server where there is one."""

    def __init__(self, display, library, server, cache, *options):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG_SESSION"))}
        connect = ["--connect", server._address, "--key-file", str(server.key_file)] if server else []
        command = [sys.executable, "-m", "recorder.play", "--json", "--library", str(library)]
        self.process = subprocess.Popen(
            [*command, *connect, *options],
            cwd=ROOT,
            env=env | {"DISPLAY": display, "XDG_CACHE_HOME": str(cache)},
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
    """The scripted server, started the way `playtape-play` starts a real one."""
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

    def start(*options, served=True, overlay=False, on=display, window=game):
        options = ["--window-id", str(window.id), "--game", "barcode", "--player", "ann", *options]
        options += [] if overlay else ["--no-overlay"]
        made.append(PlayCommand(on, tmp_path / "library", server if served else None, tmp_path / "cache", *options))
        return made[-1]

    yield start
    for command in made:
        command.close()


@pytest.fixture
def told_server(server, tmp_path):
    """What the scripted server was sent so far, message by message."""
    log = tmp_path / "server.log"
    return lambda: [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def wait_for():
    """Waits for a condition."""

    def wait(condition, timeout_s=20.0):
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, "waited in vain"
            time.sleep(0.005)

    return wait


class Told:
    """Stands for a running play."""

    def __init__(self):
        self.instructions, self.is_typing = Instructions("walk"), False
        self.done = threading.Event()

    def say(self, text):
        return self.instructions.change(text)

    def begin_typing(self):
        self.is_typing = True

    def end_typing(self, text):
        if text is not None:
            self.instructions.change(text)
        self.is_typing = False
        self.done.set()
        return self.instructions.text

    def status(self):
        return {
            "mode": "paused" if self.is_typing else "model", "model": "m", "instruction": self.instructions.text,
            "words": [["1", "shoot"]], "down": [], "motion": [0.0, 0.0], "rate_hz": 20.0, "wanted_hz": 20.0,
            "latency_ms": 5.0, "late_per_minute": 0.0, "window_id": None,
        }  # fmt: skip


@pytest.fixture
def told():
    return Told()
