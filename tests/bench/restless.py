"""Speaks the protocol of `trainer serve` with hands that never rest: one key always down, others new in every tick, motion."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from db.errors import WireError
from db.recording.keys import BTN_LEFT, CODES
from db.specs import ActionSpace, ClipSpec
from db.wire import Peer, Server, new_key

CODES_USED = (*(CODES[f"KEY_{name}"] for name in ("W", "A", "S", "D", "SPACE", "LEFTSHIFT")), BTN_LEFT)
OTHERS = 2
"""So many of them are down beside the first at any time; that one stays down, as long as a model walks on."""
STEP = (7.0, -3.0)
CLIP = ClipSpec(size_px=(96, 72), rate_hz=20)


class Restless:
    """The server as a process. `options` are those with which `playtape-play` finds it."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "bench.restless"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        assert self._process.stdout is not None
        facts = json.loads(self._process.stdout.readline())
        self.options = ["--connect", facts["address"], "--key-file", facts["key_file"]]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate()


def _serve(peer: Peer, dice: random.Random) -> None:
    while True:
        message = peer.receive(None)
        if message.kind == "hello":
            facts: dict[str, Any] = {"clip": CLIP.model_dump(mode="json")}
            facts["space"] = ActionSpace(codes=CODES_USED).model_dump(mode="json")
            peer.send("ready", {**facts, "model": "restless", "actor": "model:restless"})
        elif message.kind == "frame":
            index = message.fields["index"]
            dx, dy = (STEP[0], STEP[1]) if index % 2 else (-STEP[0], -STEP[1])  # the pointer stays within the game
            action = {"down": [CODES_USED[0], *dice.sample(CODES_USED[1:], OTHERS)], "dx": dx, "dy": dy, "infer_ns": 0}
            peer.send("action", {"index": index, **action})
        elif message.kind == "bye":
            return


def _main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        server = Server(None, new_key(key_file))
        print(json.dumps({"address": server.address, "key_file": str(key_file)}), flush=True)
        dice = random.Random(3)
        while (peer := server.accept()) is not None:
            try:
                _serve(peer, dice)
            except WireError:
                pass
            finally:
                peer.close()


if __name__ == "__main__":
    _main()
