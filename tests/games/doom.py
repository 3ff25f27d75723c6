"""Run the game in its window with a player, and log what happens: ``python -m games.doom --help``.

Three logs are written to ``--log``, one JSON object a line, each line as soon as it is known:
``tics.jsonl`` (one row per tic: the game's own account), ``instructions.jsonl`` (instructions given, episodes and trials ended)
and ``injections.jsonl`` (the ledger of injected input). All times are ``perf_counter_ns`` of this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from games.demonstrator import Demonstrator
from games.engine import BINDINGS, LOOK_DEG_PER_PX, SIZE_PX, TICS_PER_S, TURN_DEG_PER_PX, Doom, GameError, Tic
from games.hand import QUIET_TICS, REST, Hand
from games.instructions import NOTHING, Instruction, Schedule
from games.player import Exercise, NoOp, Player, Random, Relief
from games.rounds import Rounds
from games.scenarios import SCENARIOS, Scenario

ACTORS = ("demonstrator", "relief", "random", "noop", "exercise", "none")


class Log:
    """Appends rows to the three files; every row is on its way to the disk when the call returns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files = {name: _open(folder / f"{name}.jsonl") for name in ("tics", "instructions", "injections")}

    def write(self, name: str, row: dict[str, Any]) -> None:
        file = self._files[name]
        file.write(json.dumps(row) + "\n")
        file.flush()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Play:
    """One run: the game, perhaps a player with a hand, a schedule or one fixed instruction, and the logs."""

    def __init__(
        self, game: Doom, log: Log, player: Player | None, hand: Hand | None, instruct: Callable[[Tic], Instruction]
    ) -> None:
        self._game, self._log, self._player, self._hand, self._instruct = game, log, player, hand, instruct
        self._instruction = NOTHING
        self._logged = 0
        self._episode_start: Tic | None = None
        self.tic: Tic | None = None

    def idle(self, go: Callable[[], bool]) -> None:
        """Let the game run, untouched, until ``go()``."""
        while not go():
            self._step()

    def act(self, seconds: float, enough: Callable[[], bool]) -> None:
        """Play for so many seconds, or until ``enough()``; then take the hands off and let the log see that."""
        end_ns = time.perf_counter_ns() + int(seconds * 1e9)
        while time.perf_counter_ns() < end_ns and not enough():
            tic = self._step()
            self._give_instruction(tic)
            if self._player is not None and self._hand is not None:
                quiet = self._game.remaining_tics <= QUIET_TICS
                self._hand.follow(REST if quiet else self._player.decide(tic, self._instruction), tic.number)
            self._log_injections()
        for _ in range(QUIET_TICS):
            tic = self._step()
            if self._hand is not None:
                self._hand.follow(REST, tic.number)
            self._log_injections()

    def count_changes(self) -> int:
        """How many presses and releases have been injected."""
        return sum(injection.kind != "motion" for injection in self._hand.ledger) if self._hand else 0

    def close_episode(self) -> None:
        """Log what the running episode came to."""
        first, last = self._episode_start, self.tic
        if first is not None and last is not None:
            row = {"kind": "episode", "episode": first.episode, "start_ns": first.t_ns, "stop_ns": last.t_ns}
            score = {"kills": last.kills - first.kills, "pickups": last.pickups - first.pickups, "health": last.health}
            self._log.write("instructions", row | score | {"tics": last.number - first.number + 1})
        self._episode_start = None

    def _step(self) -> Tic:
        if self._game.ended:
            self.close_episode()
            self._game.restart()
        self.tic = tic = self._game.step()
        if self._episode_start is None:
            self._episode_start = tic
        self._log.write("tics", tic.to_row())
        return tic

    def _give_instruction(self, tic: Tic) -> None:
        instruction = self._instruct(tic)
        if instruction != self._instruction:
            self._instruction = instruction
            row = {"kind": "instruction", "t_ns": tic.t_ns, "text": instruction.text}
            self._log.write("instructions", row | {"canonical": instruction.canonical})

    def _log_injections(self) -> None:
        ledger = self._hand.ledger if self._hand is not None else []
        for injection in ledger[self._logged :]:
            self._log.write("injections", injection.to_row())
            self._logged += 1


def main() -> int:
    """Run from the command line. Exit status 0 after a whole run or a SIGTERM, 1 if the game does not run."""
    options = _parse()
    try:
        with _stop_signals() as stopped:
            _run(options, stopped)
    except GameError as error:
        print(f"games.doom: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, stopped: Callable[[], bool]) -> None:
    with ExitStack() as stack:
        log = stack.enter_context(Log(options.log))
        game = stack.enter_context(
            Doom(
                SCENARIOS[options.scenario],
                options.display,
                options.log,
                seed=options.seed,
                size_px=options.size,
            )
        )
        player = _player(options.actor, SCENARIOS[options.scenario], options.seed)
        hand = stack.enter_context(Hand(options.display, seed=options.seed)) if player is not None else None
        play = Play(game, log, player, hand, _instructions(options, game, log))
        log.write("tics", _start_row(options))
        _say(_ready_row(game, options))
        gone = _go_file(options.go) if options.go else _go_line(sys.stdin)
        play.idle(lambda: stopped() or gone())
        count = options.count or 1 << 62
        play.act(options.seconds, lambda: stopped() or play.count_changes() >= count)
        play.close_episode()
        last = play.tic
        if last is not None:
            score = {"tics": last.number, "kills": last.kills, "pickups": last.pickups, "episodes": last.episode + 1}
            end = {"kind": "end", "t_ns": last.t_ns, **score}
            log.write("tics", end)
            _say({"done": True, **score})


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m games.doom", description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, default="arena")
    parser.add_argument("--display", default=os.environ.get("DISPLAY"), help="default: $DISPLAY")
    parser.add_argument("--log", type=Path, required=True, metavar="DIR", help="folder for the logs")
    parser.add_argument(
        "--actor", choices=ACTORS, default="none", help="none: somebody else plays; relief: takes over from it by turns"
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="T", help="how long to play after the go")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="end after N injected presses and releases")
    parser.add_argument("--seed", type=int, default=0, metavar="K")
    parser.add_argument("--size", type=_size, default=SIZE_PX, metavar="WxH", help="of the window (default: 640x480)")
    parser.add_argument("--instructions", metavar="A,B,...", help="which to give, in turn (default: the scenario's)")
    parser.add_argument("--instruction", metavar="TEXT", help="give this one all the time")
    parser.add_argument("--go", type=Path, metavar="FILE", help="begin when FILE exists; default: at a line on stdin")
    options = parser.parse_args()
    if not options.display:
        parser.error("no display: give --display :N or set DISPLAY")
    if options.instruction is not None and options.instructions is not None:
        parser.error("give --instruction or --instructions, not both")
    known = SCENARIOS[options.scenario].instructions
    unknown = set(options.instructions.split(",") if options.instructions else ()) - set(known)
    if unknown:
        parser.error(f"unknown instruction {', '.join(sorted(unknown))}; {options.scenario} has: {', '.join(known)}")
    return options


def _size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.split("x"))
    return width, height


def _player(actor: str, scenario: Scenario, seed: int) -> Player | None:
    match actor:
        case "demonstrator":
            return Demonstrator(scenario, seed=seed)
        case "relief":
            return Relief(Demonstrator(scenario, seed=seed))
        case "random":
            return Random(seed=seed)
        case "noop":
            return NoOp()
        case "exercise":
            return Exercise(seed=seed)
    return None


def _instructions(options: argparse.Namespace, game: Doom, log: Log) -> Callable[[Tic], Instruction]:
    """By time, or by trial where the scenario has those; nothing but trials for players who are deaf."""
    chosen = options.instructions.split(",") if options.instructions else SCENARIOS[options.scenario].instructions
    schedule = Schedule(chosen, seed=options.seed)
    fixed = Instruction.from_text(options.instruction) if options.instruction is not None else None
    if game.scenario.targets:
        draw = schedule.draw if fixed is None else lambda: fixed
        return Rounds(game, draw, lambda row: log.write("instructions", row)).follow
    if fixed is not None:
        return lambda tic: fixed
    if options.instructions is None and options.actor != "demonstrator":
        return lambda tic: NOTHING
    return lambda tic: schedule.at(tic.t_ns)


def _start_row(options: argparse.Namespace) -> dict[str, Any]:
    """What a reader needs to make sense of the rows that follow."""
    return {
        "kind": "start",
        "t_ns": time.perf_counter_ns(),
        "scenario": options.scenario,
        "actor": options.actor,
        "seed": options.seed,
        "tics_per_s": TICS_PER_S,
        "buttons": {str(code): button.name for code, (_, _, button) in BINDINGS.items()},
        "turn_deg_per_px": TURN_DEG_PER_PX,
        "look_deg_per_px": LOOK_DEG_PER_PX,
    }


def _ready_row(game: Doom, options: argparse.Namespace) -> dict[str, Any]:
    window = game.window
    place = {"x_px": window.x_px, "y_px": window.y_px, "size_px": window.size_px}
    names = {"window_id": window.id, "window_title": window.title, "window_class": window.wm_class}
    return {"ready": True, "display": options.display, **names, **place, "log": str(options.log)}


def _say(row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8")


def _go_file(path: Path) -> Callable[[], bool]:
    return path.exists


def _go_line(stream: TextIO) -> Callable[[], bool]:
    """True once a line, or the end of the input, can be read."""
    return lambda: bool(select.select([stream], [], [], 0)[0])


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or SIGINT has come; within the block they only set this."""
    came: list[int] = []
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda got, frame: came.append(got)) for number in wanted}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
