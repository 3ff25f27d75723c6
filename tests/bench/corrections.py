"""One round of corrections: a policy plays, somebody takes over by turns, it learns from that, and it is played again.

    python -m bench corrections --out DIR --model ID [--minutes M] [--train-minutes M] [--episodes N]

`--out` is that of ``bench episodes``, whose library holds the policy. Three policies are played, on the same seeds: the one there
was, one that went on learning for so many minutes with the corrections, and one that went on as long without them. Every part
that is done is kept; a bench that was ended goes on with what is missing.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from bench.episodes import PLAYED, Bench, Row
from db.errors import PlaytapeError
from db.files import replace_text
from db.store import Store
from demo.playing import play
from demo.programs import ProgramFailed
from games.instructions import WORDINGS
from games.xserver import XServer, XServerError
from trainer.cards.tables import table
from trainer.models import read_card

GROUP = "corrections"
BEFORE, WITH, WITHOUT = "before", "with corrections", "without"


def main(argv: list[str]) -> int:
    args = _parse(argv)
    bench = Bench(args.out.resolve(), args)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        text = measure(bench)
    except (ProgramFailed, PlaytapeError, XServerError) as error:
        print(f"bench: {error}\nThe same command goes on; the logs are in {bench.out}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with what is missing", file=sys.stderr)
        return 130
    print(text, flush=True)
    return 0


def measure(bench: Bench) -> str:
    args = bench.args
    sessions = [take_over(bench, name, task) for name in args.scenarios for task in PLAYED[name]]
    budget = {"from": args.model, "minutes": args.train_minutes, "threads": args.threads}
    time = ["--minutes", str(args.train_minutes), "--threads", str(args.threads)]

    def correct() -> Row:
        chosen = [part for session in sessions for part in ("--session", session)]
        return bench.train("correct", "--model", args.model, *time, *chosen)

    def go_on() -> Row:
        with Store.open(bench.library) as store:
            card = read_card(store, args.model)
        begin = ["--dataset", card.dataset_id, "--config", card.config.name, "--start-from", card.id]
        return bench.train("policy", *begin, "--train-on", "human", *time)

    corrected = bench.keep(f"{GROUP}-{WITH}", budget | {"sessions": sessions}, correct)
    models = {
        BEFORE: args.model,
        WITH: str(corrected["model"]),
        WITHOUT: str(bench.keep(f"{GROUP}-{WITHOUT}", budget, go_on)["model"]),
    }
    scores = {who: {name: play_tasks(bench, name, model) for name in args.scenarios} for who, model in models.items()}
    said = f"{corrected['correction_seconds']:.0f} s of corrections in {len(corrected['corrections'])} sessions"
    text = f"{said}, {corrected['correction_share']:.0%} of the clips\n\n{render(scores)}"
    replace_text(bench.out / "corrections.txt", text + "\n")
    return text


def take_over(bench: Bench, name: str, canonical: str) -> str:
    """The session in which the policy played and the demonstrator took over by turns."""
    args, text = bench.args, WORDINGS[canonical][0]
    seconds = 60 * args.minutes / sum(len(PLAYED[one]) for one in args.scenarios)
    label = f"{GROUP}-{name}-{canonical.replace(' ', '-')}"

    def make() -> Row:
        player = ["recorder.play", "--headless", "--game", f"vizdoom-{name}", "--player", "bench", "--group", label]
        player += ["--model", args.model, *bench.shared]
        seed = 8000 + len(name) * 100 + PLAYED[name].index(canonical)
        with XServer(window_manager=True) as screen:
            played = play(screen, name, text, seconds, seed, bench.out / "windows" / label, player, beside="relief")
        return {"session": played.session_id, "take_overs": played.report["take_overs"]}

    return str(bench.keep(label, {"model": args.model, "seconds": seconds}, make)["session"])


def play_tasks(bench: Bench, name: str, model: str) -> list[Row]:
    """What a policy's card says of its episodes of this scenario, a row a task."""

    def make() -> Row:
        tasks = [part for canonical in PLAYED[name] for part in ("--task", WORDINGS[canonical][0])]
        found = bench.train(
            "evaluate", "--model", model, "--play", f"games.adapter:{name}", "--episodes", str(bench.args.episodes),
            *tasks,
        )  # fmt: skip
        return {"tasks": next(part for part in found["played"] if part["game"] == f"vizdoom-{name}")["tasks"]}

    tasks: list[Row] = bench.keep(f"{GROUP}-{name}-{model}", {"episodes": bench.args.episodes}, make)["tasks"]
    return tasks


def render(scores: dict[str, dict[str, list[Row]]]) -> str:
    """A line a task: each policy's mean and sd beside the demonstrator's mean."""
    lines: list[list[Any]] = []
    for name, tasks in scores[BEFORE].items():
        for number, task in enumerate(tasks):
            found = [scores[who][name][number]["players"]["model"] for who in (BEFORE, WITH, WITHOUT)]
            cells = [value for one in found for value in (one["mean"], one["sd"])]
            lines.append([f"{name}: {task['instruction']}", *cells, task["players"]["demonstrator"]["mean"]])
    heads = (part for who in (BEFORE, WITH, WITHOUT) for part in (who, "sd"))
    return table(("headless", *heads, "demonstrator"), lines)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench corrections")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="that of bench episodes")
    parser.add_argument("--model", required=True, metavar="ID", help="the policy from which somebody takes over")
    parser.add_argument("--minutes", type=float, default=8.0, metavar="M", help="of play with take-overs (8)")
    parser.add_argument("--train-minutes", type=float, default=4.0, metavar="M", help="with and without them (4 each)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="processor threads of a training (2)")
    parser.add_argument("--episodes", type=int, default=16, metavar="N", help="headless, of each task (16)")
    parser.add_argument("--scenarios", nargs="+", choices=PLAYED, default=("arena", "center"), metavar="S")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
