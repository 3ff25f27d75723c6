"""From a frame to the injection that answers it, and where the time goes, with a model of the usual size on this machine."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import torch

from bench.intruder import GAME_COLOUR, Window
from db.recording.keys import BTN_LEFT, CODES
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from games.xserver import XServer
from recorder.screen.windows import connect, disconnect, take_focus
from trainer.configs import named_config
from trainer.models import Card, MarginalCard, build, save_model

CLIP = ClipSpec(size_px=(128, 96), rate_hz=20.0)
RECT = (80, 60, 640, 480)
_KEYS = tuple(CODES[f"KEY_{name}"] for name in ("W", "A", "S", "D", "SPACE"))
_EDGES = (-20.0, -5.0, -0.5, 0.5, 5.0, 20.0)
_VALUES = (-40.0, -10.0, -2.0, 0.0, 2.0, 10.0, 40.0)
SPACE = ActionSpace(
    codes=(*_KEYS, BTN_LEFT), dx_edges=_EDGES, dx_values=_VALUES, dy_edges=_EDGES, dy_values=_VALUES
)  # fmt: skip


def measure(seconds: float = 60.0) -> dict[str, Any]:
    """The configuration `quick`, untrained, plays a window of 640x480 that changes all the time, recorded at 30 frames a second."""
    with tempfile.TemporaryDirectory() as name, XServer(window_manager=True) as server:
        library = Path(name) / "library"
        with Store.open(library) as store:
            model = make_model(store)
        with _Screen(server.display) as window:
            command = [sys.executable, "-P", "-m", "recorder.play", "--headless", "--json", "--library", str(library)]
            command += ["--model", model, "--device", "cpu", "--window-id", str(window.handle.id), "--game", "bench"]
            env = os.environ | {"DISPLAY": server.display, "XDG_CACHE_HOME": str(Path(name) / "cache")}
            out = subprocess.run(
                [*command, "--duration", str(seconds)], env=env, check=True, stdout=subprocess.PIPE, text=True
            ).stdout  # fmt: skip
        told = json.loads(out.splitlines()[-1])
    parts = {f"{part}, ms, p50 / p99": both for part, both in told["split_ms"].items()}
    return {
        "decisions, wanted a second": [told["ticks"], CLIP.rate_hz],
        "frame to injection, ms, p50 / p99": [told["frame_to_injection_ms_p50"], told["frame_to_injection_ms_p99"]],
        **parts,
        "deadlines missed, and a minute": [told["late"], told["late_per_minute"]],
        "drawn with": told["sampling"],
        "load of the machine before and after": [round(load, 1) for load in os.getloadavg()[:2]],
    }


def make_model(store: Store) -> str:
    """An untrained policy of the usual size, which is as slow as a trained one."""
    torch.manual_seed(0)
    config = named_config("policy", "quick")
    net = build(config, CLIP, SPACE)
    flat = (1 / len(_VALUES),) * len(_VALUES)
    marginal = MarginalCard(keys=(0.1,) * len(SPACE.codes), dx=flat, dy=flat, motion=(0.0, 0.0))
    card = Card(
        id="policy-untrained", config=config, clip=CLIP, space=SPACE, dataset_id="none", dataset_hash="none", run_id="none",
        seed=0, steps=1, best_step=1, created_at="2026-01-01T00:00:00+00:00", thresholds=(0.5,) * len(SPACE.codes),
        marginal=marginal,
    )  # fmt: skip
    save_model(store, card, net.state_dict())
    return card.id


class _Screen(threading.Thread):
    """A focused window on which squares appear, sixty times a second."""

    def __init__(self, display: str) -> None:
        super().__init__(name="screen", daemon=True)
        self._window = Window.open(display, "Lively game", RECT, GAME_COLOUR)
        self._window.map()
        self._over = threading.Event()
        connection = connect(display)
        take_focus(connection, self._window.handle.id)
        disconnect(connection)
        self._window.wait_focus()
        self._window.handle.warp_pointer(RECT[2] // 2, RECT[3] // 2)

    def run(self) -> None:
        dice, handle = random.Random(1), self._window.handle
        pen = handle.create_gc()
        while not self._over.wait(1 / 60):
            pen.change(foreground=dice.getrandbits(24))
            handle.fill_rectangle(pen, dice.randrange(RECT[2] - 60), dice.randrange(RECT[3] - 60), 60, 60)
            self._window.connection.flush()

    def __enter__(self) -> Window:
        self.start()
        return self._window

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self._window.close()
