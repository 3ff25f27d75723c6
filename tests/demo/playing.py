"""Lets the policy play the real game through real input, and scores it from the game's own log, beside yardsticks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.programs import Program
from demo.recording import READY_S, Script
from demo.screens import Screen
from games.engine import turned_deg
from games.instructions import Instruction
from games.witness import read_rows

MEASURES = {
    "shoot": "kills a minute",
    "collect": "medkits a minute",
    "turn left": "degrees turned left a second",
    "turn right": "degrees turned right a second",
    "stand still": "% of the time without moving",
}
"""What each instruction is scored by, by its short name; more is better."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of one player's play under one instruction, as rows of the game's log."""

    tics: Sequence[Mapping[str, Any]]

    @property
    def seconds(self) -> float:
        return (self.tics[-1]["t_ns"] - self.tics[0]["t_ns"]) / 1e9 if len(self.tics) > 1 else 0.0

    def score(self, canonical: str) -> float:
        """The measure of one instruction (see MEASURES); NaN for a stretch without time."""
        if not self.seconds:
            return math.nan
        pairs = [(a, b) for a, b in zip(self.tics, self.tics[1:], strict=False) if a["episode"] == b["episode"]]
        right_deg = [turned_deg(a["angle_deg"], b["angle_deg"]) for a, b in pairs]
        match canonical:
            case "shoot":
                return (self.tics[-1]["kills"] - self.tics[0]["kills"]) / self.seconds * 60
            case "collect":
                return (self.tics[-1]["pickups"] - self.tics[0]["pickups"]) / self.seconds * 60
            case "turn left":
                return -sum(right_deg) / self.seconds
            case "turn right":
                return sum(right_deg) / self.seconds
        still = [
            turned == 0 and math.dist((a["x"], a["y"]), (b["x"], b["y"])) < 0.5
            for (a, b), turned in zip(pairs, right_deg, strict=True)
        ]
        return 100 * sum(still) / max(len(still), 1)


def read_stretches(log: Path) -> dict[str, list[Stretch]]:
    """The stretches of a game's log by instruction (short name), each without its first second of reading."""
    tics = [row for row in read_rows(log / "tics.jsonl") if row["kind"] == "tic"]
    given = [row for row in read_rows(log / "instructions.jsonl") if row["kind"] == "instruction"]
    found: dict[str, list[Stretch]] = {}
    for row, following in zip(given, [*given[1:], None], strict=True):
        start, stop = row["t_ns"] + 1_000_000_000, following["t_ns"] if following else math.inf
        own = [tic for tic in tics if start <= tic["t_ns"] < stop]
        if len(own) > 1:
            found.setdefault(row["canonical"], []).append(Stretch(own))
    return found


def mean_score(stretches: Sequence[Stretch], canonical: str) -> float:
    """The score over several stretches, weighted by their length."""
    seconds = sum(stretch.seconds for stretch in stretches)
    return sum(stretch.score(canonical) * stretch.seconds for stretch in stretches) / seconds if seconds else math.nan


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


def play(screen: Screen, instruction: str, seconds: float, seed: int, folder: Path, player: list[str]) -> Played:
    """The policy plays for some seconds under one instruction. `player` are playtape-play's arguments but for the window."""
    folder.mkdir(parents=True, exist_ok=True)
    env, errors = screen.env(), folder / "errors.log"
    script = Script("arena", "none", seconds=600, seed=seed)
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
    tics = [row for row in read_rows(folder / "tics.jsonl") if row["kind"] == "tic"]
    first_ns, last_ns = report.get("first_injection_ns"), report.get("stop_ns")
    own = [tic for tic in tics if (first_ns or 0) <= tic["t_ns"] <= (last_ns or math.inf)]
    return Played(instruction, str(started["session"]), report, Stretch(own))


def play_script(screen: Screen, actor: str, seconds: float, seed: int, folder: Path) -> Stretch:
    """A player of the game's own (random, noop) for comparison; it is deaf, so one run serves every instruction."""
    folder.mkdir(parents=True, exist_ok=True)
    with Program(
        Script("arena", actor, seconds, seed).arguments(screen.display, folder),
        screen.env(),
        folder / "errors.log",
        cwd=folder,
    ) as game:
        game.read("ready", READY_S)
        game.say("go")
        game.read("done", seconds + READY_S)
    return Stretch([row for row in read_rows(folder / "tics.jsonl") if row["kind"] == "tic"])
