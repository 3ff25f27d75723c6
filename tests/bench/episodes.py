"""Policies trained from recorded play, measured by playing: recording, training, episodes headless and in the window, a report.

    python -m bench episodes --out DIR [--minutes M] [--train-minutes M] [--episodes N] [--model ID]

Every part that is done is kept in `--out`: a bench that was ended goes on with what is missing. At its usual size it takes about
two hours on two cores: half an hour of play, a quarter of an hour of training for each scenario, and the episodes.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import episode_report
from db.errors import PlaytapeError
from db.files import replace_text
from db.store import Store
from demo import plots
from demo.corpus import Corpus, plan, say
from demo.playing import play
from demo.programs import ProgramFailed, run
from demo.screens import Screen
from games.adapter import EPISODE_S
from games.instructions import WORDINGS, Instruction
from games.scenarios import BUTTONS, SCENARIOS
from games.scores import MEASURES, Stretch, mean_score, read_stretches
from games.xserver import XServer, XServerError
from trainer.models import read_card
from trainer.training.runs import open_run

Row = dict[str, Any]

PLAYED = {
    "arena": ("shoot", "collect", "turn right", "stand still"),
    "center": ("shoot", "turn left", "look up", "dodge"),
    "corridor": ("vest", "return", "look down", "stand still"),
    "cover": ("evade", "go left", "go right", "stand still"),
    "buttons": BUTTONS.targets,
}
"""Which of a scenario's instructions are played, by their short names."""
USUAL = ("arena", "center", "buttons")
TRIALS_S = 40.0
"""How long a window is played in which there is one trial after the other."""


@dataclass(frozen=True)
class Bench:
    """One experiment: where everything goes, and how much of it there is."""

    out: Path
    args: argparse.Namespace

    @property
    def library(self) -> Path:
        return self.out / "library"

    @property
    def shared(self) -> list[str]:
        return ["--library", str(self.library), "--json"]

    def keep(self, name: str, key: Row, make: Callable[[], Row]) -> Row:
        """What `make` returns, from its file where it was made before for the same `key`."""
        path = self.out / "parts" / f"{name}.json"
        try:
            found: Row = json.loads(path.read_text(encoding="utf-8"))
            if found["key"] == key:
                row: Row = found["row"]
                return row
        except (FileNotFoundError, ValueError, KeyError):
            pass
        say(f"   {name}")
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps({"key": key, "row": made}, indent=1) + "\n")
        return made

    def train(self, *arguments: str) -> Row:
        """Runs `playtape-train` and returns the last line that it prints."""
        return run(["trainer", *arguments, *self.shared], self.out / "train.log", timeout_s=4 * 3600)[-1]


def main(argv: list[str]) -> int:
    args = _parse(argv)
    bench = Bench(args.out.resolve(), args)
    bench.library.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if not args.model:
            record(bench)
        found = {name: measure(bench, name) for name in args.scenarios}
    except (ProgramFailed, PlaytapeError, XServerError) as error:
        print(f"bench: {error}\nThe same command goes on; the logs are in {bench.out}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with what is missing", file=sys.stderr)
        return 130
    print(episode_report.write(bench.out, found), flush=True)
    return 0


def record(bench: Bench) -> None:
    """Play of every scenario in equal parts, in sittings that are held out whole; what the library holds counts."""
    args = bench.args
    sittings = plan(args.scenarios, args.minutes, args.groups)
    say(f"recording {args.minutes:g} minutes in {len(sittings)} sittings, where they are not there yet")
    Corpus(bench.library, bench.out / "logs", sittings, 1).fill()


def measure(bench: Bench, name: str) -> Row:
    """One scenario: its policy, and what that is worth in play."""
    args = bench.args
    model = args.model or own_policy(bench, name)
    headless = bench.keep(
        f"{name}-headless", {"model": model, "episodes": args.episodes, "played": PLAYED[name]} | _same(name),
        lambda: play_headless(bench, name, model),
    )  # fmt: skip
    windows = [play_window(bench, name, model, task, n) for task in PLAYED[name] for n in range(args.window_episodes)]
    return {
        "model": model,
        "headless": headless,
        "window": windows,
        "recorded": recorded_scores(bench, name),
        "measures": {canonical: MEASURES[canonical] for canonical in PLAYED[name]},
    }


def own_policy(bench: Bench, name: str) -> str:
    """The id of the policy that is trained on this scenario alone."""
    args = bench.args
    share = str(max(0.2, 1 / args.groups))
    dataset = bench.keep(
        f"{name}-dataset",
        {"minutes": args.minutes, "groups": args.groups},
        lambda: {
            "id": bench.train("dataset", "--game", f"vizdoom-{name}", "--by", "group", "--held-out-share", share)["id"]
        },
    )["id"]
    trained = {"dataset": dataset, "minutes": args.train_minutes, "threads": args.threads}
    return str(bench.keep(f"{name}-policy", trained, lambda: {"id": train_policy(bench, dataset)})["id"])


def train_policy(bench: Bench, dataset: str) -> str:
    """The id of a policy trained on a dataset; a training that was cut off goes on."""
    with Store.open(bench.library) as store:
        done = {read_card(store, path.parent.name).run_id for path in store.models_dir.glob("[!.]*/model.json")}
        cut_off = []
        for path in sorted(store.runs_dir.glob("policy-*/config.json")):
            _, config = open_run(store, path.parent.name)
            if config.dataset_id == dataset and config.minutes == bench.args.train_minutes and config.id not in done:
                cut_off.append(config.id)
    begin = ["--dataset", dataset, "--config", "quick", "--minutes", str(bench.args.train_minutes)]
    how = ["--resume", cut_off[-1]] if cut_off else begin
    return str(bench.train("policy", *how, "--threads", str(bench.args.threads))["model"])


def play_headless(bench: Bench, name: str, model: str) -> Row:
    """Episodes through the game's interface; where words alone decide, also with other words and without."""
    tasks = [part for canonical in PLAYED[name] for part in ("--task", WORDINGS[canonical][0])]
    tells = ["--tell", "nothing", "another", "unseen"] if SCENARIOS[name].targets else []
    found = bench.train(
        "evaluate", "--model", model, "--play", f"games.adapter:{name}", "--episodes", str(bench.args.episodes),
        "--films", "2", *tasks, *tells,
    )  # fmt: skip
    game = f"vizdoom-{name}"
    played = next(part for part in found["played"] if part["game"] == game)
    return {"played": played, "eyes": found["eyes"][game], "card": found["card"]}


def play_window(bench: Bench, name: str, model: str, canonical: str, number: int) -> Row:
    """One episode in the window, recorded; scored by the same function from the game's own log."""
    text, seconds = WORDINGS[canonical][0], TRIALS_S if SCENARIOS[name].targets else EPISODE_S
    label = f"{name}-window-{canonical.replace(' ', '-')}-{number + 1}"

    def make() -> Row:
        command = [
            "recorder.play",
            "--headless",
            "--game",
            f"vizdoom-{name}-played",
            "--player",
            "bench",
            "--model",
            model,
        ]
        with XServer(window_manager=True) as screen:
            return _played(bench, screen, name, text, seconds, 7000 + number, label, [*command, *bench.shared])

    return bench.keep(label, {"model": model, "text": text, "seconds": seconds} | _same(name), make)


def recorded_scores(bench: Bench, name: str) -> dict[str, float | None]:
    """What the demonstrator scored in the window, in the play that was recorded."""
    given: dict[str, list[Stretch]] = {}
    for log in sorted((bench.out / "logs").glob(f"{name}-*")):
        for canonical, stretches in read_stretches(log).items():
            given.setdefault(canonical, []).extend(stretches)
    scores = {canonical: mean_score(given.get(canonical, []), canonical) for canonical in PLAYED[name]}
    return {canonical: None if np.isnan(score) else score for canonical, score in scores.items()}


def _played(
    bench: Bench, screen: Screen, name: str, text: str, seconds: float, seed: int, label: str, player: list[str]
) -> Row:
    played = play(screen, name, text, seconds, seed, bench.out / "windows" / label, player)
    picture = f"{label}.png"
    with Store.open(bench.library) as store:
        plots.draw_play(store.recording(played.session_id), text, bench.out / picture)
    canonical = Instruction.from_text(text).canonical
    tics = played.stretch.tics
    # The first second is for reading, as it is in headless episodes; trials are whole or not counted.
    read = [tic for tic in tics if tic["t_ns"] >= tics[0]["t_ns"] + 1_000_000_000]
    score = Stretch(read, played.stretch.trials).score(canonical)
    names = ("ticks", "late", "infer_ms_p50", "frame_to_injection_ms_p50", "frame_to_injection_ms_p99")
    return {
        "canonical": canonical,
        "score": None if np.isnan(score) else score,
        "trials": len(played.stretch.trials),
        "session": played.session_id,
        "picture": picture,
        "report": {name: played.report.get(name) for name in names},
    }


def _same(name: str) -> Row:
    """What scores depend on beside the model: a bench goes on only with episodes that were played alike."""
    scenario = SCENARIOS[name]
    return {"episode_s": scenario.trial_s or EPISODE_S}


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench episodes")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where everything goes, and goes on")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="M", help="of play, all scenarios together (30)")
    parser.add_argument("--groups", type=int, default=5, metavar="N", help="sittings of each scenario (5)")
    parser.add_argument("--train-minutes", type=float, default=15.0, metavar="M", help="for each policy (15)")
    parser.add_argument(
        "--model", metavar="ID", help="a policy of OUT's library, for every scenario, instead of one trained for each"
    )
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="processor threads of a training (2)")
    parser.add_argument("--episodes", type=int, default=16, metavar="N", help="headless, of each task and player (16)")
    parser.add_argument("--window-episodes", type=int, default=4, metavar="N", help="in the window, of each task (4)")
    parser.add_argument(
        "--scenarios", nargs="+", choices=PLAYED, default=USUAL, metavar="S", help=f"of {', '.join(PLAYED)} ({', '.join(USUAL)})"
    )  # fmt: skip
    args = parser.parse_args(argv)
    if args.groups < 3:
        parser.error("--groups must be at least 3: one to train on, one to tune with, one to hold out")
    return args


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
