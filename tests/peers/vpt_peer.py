"""VPT's own loader reads what we export: its functions that make actions of lines, and its worker on our video and lines.

Its agent needs MineRL (Minecraft, Java) and is not installed: a module stands in for it that resizes pictures as its own does.
"""

from __future__ import annotations

import json
import queue
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import cv2

CHECKOUT = Path(sys.argv[1])
sys.path.insert(0, str(CHECKOUT))
agent: Any = ModuleType("agent")
agent.AGENT_RESOLUTION, agent.ENV_KWARGS = (128, 128), {"resolution": [640, 360]}
agent.resize_image = lambda picture, size: cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
sys.modules["agent"] = agent
sys.modules["inverse_dynamics_model"] = MagicMock()

import data_loader  # noqa: E402
from run_inverse_dynamics_model import json_action_to_env_action  # noqa: E402

from db.formats.format import Asked  # noqa: E402
from db.formats.transfer import bring_in, write_out  # noqa: E402
from db.formats.vpt import FORMAT  # noqa: E402
from db.recording.keys import BTN_LEFT, CODES  # noqa: E402
from peers.meeting import library, record_session  # noqa: E402
from recordings import KEY_A, KEY_W  # noqa: E402


def main() -> None:
    with library() as (store, folder):
        session = record_session(store, CODES["KEY_4"], 1)
        list(write_out(store, FORMAT, [session], folder / "out", Asked()))
        track = store.recording(session).resolve()
        lines = [json.loads(line) for line in (folder / "out" / f"{session}.jsonl").read_text().splitlines()]
        names = {KEY_W: "forward", KEY_A: "left", BTN_LEFT: "attack", CODES["KEY_4"]: "hotbar.4"}
        for i, line in enumerate(lines):
            action, _ = json_action_to_env_action(line)
            for code, word in names.items():
                assert action[word] == int(track.active[i, track.codes.index(code)]), (i, word)
            turn = int(i * (360.0 / 2400.0))  # its array holds whole degrees
            assert action["camera"].tolist() == [-turn, turn], (i, action["camera"])
        actions = load(folder / "out", session)
        assert sum(action["forward"] for action in actions) == 6
        assert sum(action["hotbar.4"] for action in actions) == 1
        (back,) = bring_in(store, FORMAT, [folder / "out"], Asked())
        assert back.outcome == "imported", back.error
    print(f"its loader reads {len(actions)} steps of ours that are not idle")


def load(folder: Path, session: str) -> list[dict[str, Any]]:
    """Its worker, in this process."""
    tasks: Any = queue.Queue()
    found: Any = queue.Queue()
    tasks.put((0, str(folder / f"{session}.mp4"), str(folder / f"{session}.jsonl")))
    tasks.put(None)
    data_loader.CURSOR_FILE = str(CHECKOUT / "cursors" / "mouse_cursor_white_16x16.png")
    data_loader.data_loader_worker(tasks, found, MagicMock(is_set=lambda: False))
    steps = []
    while (step := found.get()) is not None:
        assert step[1].shape == (128, 128, 3)
        steps.append(step[2])
    return steps


main()
