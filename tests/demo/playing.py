"""Lets the policy play the real game through real input, and scores it from the game's own log, beside yardsticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.programs import Program
from demo.recording import READY_S, Script
from demo.screens import Screen
from games.instructions import Instruction
from games.scores import Stretch
from games.witness import read_rows


@dataclass(frozen=True)
class Played:
    """What came of one policy run: its session, the player's own report, and its stretch in the game's log."""

    instruction: str
    session_id: str
    report: dict[str, Any]
    stretch: Stretch

    @property
    def canonical(self) -> str:
        return Instruction.from_text(self.instruction).canonical


def play(
    screen: Screen,
    scenario: str,
    instruction: str,
    seconds: float,
    seed: int,
    folder: Path,
    player: list[str],
    *,
    beside: str = "none",
) -> Played:
    """The policy plays for some seconds under one instruction. `player` are playtape-play's arguments but for the window.

    beside: who else has a hand in it, one of games.doom's actors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    env, errors = screen.env(), folder / "errors.log"
    script = Script(scenario, beside, seconds=600, seed=seed)
    arguments = [*script.arguments(screen.display, folder), "--instruction", instruction]
    with Program(arguments, env, errors, cwd=folder) as game:
        window = str(game.read("ready", READY_S)["window_id"])
        game.say("go")
        command = [*player, "--window-id", window, "--instruction", instruction, "--duration", str(seconds)]
        with Program(command, env, errors) as policy:
            started = policy.read("session", READY_S)
            report = policy.read("ticks", seconds + READY_S)
            policy.wait(READY_S)
        game.stop()
    first_ns, last_ns = report.get("first_injection_ns") or 0, report.get("stop_ns") or math.inf
    return Played(instruction, str(started["session"]), report, read_stretch(folder, first_ns, last_ns))


def read_stretch(log: Path, first_ns: float = 0, last_ns: float = math.inf) -> Stretch:
    """What a game's log says of the time between, with the trials that began and ended in it."""
    tics = [row for row in read_rows(log / "tics.jsonl") if row["kind"] == "tic"]
    trials = [row for row in read_rows(log / "instructions.jsonl") if row["kind"] == "trial"]
    own = [tic for tic in tics if first_ns <= tic["t_ns"] <= last_ns]
    return Stretch(own, [t for t in trials if first_ns <= t["start_ns"] and t["stop_ns"] <= last_ns])


def play_script(screen: Screen, scenario: str, actor: str, seconds: float, seed: int, folder: Path) -> Stretch:
    """A player of the game's own (random, noop) for comparison; it is deaf, so one run serves every instruction."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = Script(scenario, actor, seconds, seed).arguments(screen.display, folder)
    with Program(arguments, screen.env(), folder / "errors.log", cwd=folder) as game:
        game.read("ready", READY_S)
        game.say("go")
        game.read("done", seconds + READY_S)
    return read_stretch(folder)
