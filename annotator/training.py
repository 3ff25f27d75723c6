"""From accepted sessions to models in one go: freeze a dataset, then train what was asked for on it.

Each step is a command of the trainer, in a process of its own; the first that fails ends it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from db.cli import add_common, emit, run
from db.errors import PlaytapeError
from db.locations import default_library

KINDS = ("idm", "policy")


class TrainingFailed(PlaytapeError):
    """A step of the trainer ended with an error; the message is its own."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m annotator.training", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="for each model (default: %(default)g)")
    parser.add_argument("--game", help="only this game's sessions")
    parser.add_argument("--models", nargs="+", choices=KINDS, default=list(KINDS), help="what to train (default: both)")
    add_common(parser)
    return run(train, parser, argv)


def train(args: argparse.Namespace) -> int:
    library = ["--library", str(args.library or default_library())]
    dataset = run_step(["dataset", *library, *(["--game", args.game] if args.game else [])])
    emit(args, {"dataset": dataset["id"]}, f"dataset {dataset['id']}")
    for kind in args.models:
        options = [*library, "--dataset", dataset["id"], "--minutes", f"{args.minutes:g}"]
        model = run_step([kind, *options])
        emit(args, {kind: model.get("model")}, f"{kind}: {model.get('model')}")
    return 0


def run_step(options: list[str]) -> dict[str, Any]:
    """Runs one trainer command and returns the last JSON object that it printed. Raises TrainingFailed."""
    command = [sys.executable, "-P", "-m", "trainer", *options, "--json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    last: dict[str, Any] = said[-1] if said else {}
    if done.returncode != 0 or not last:
        words = done.stderr.strip().splitlines()
        raise TrainingFailed(last.get("error") or (words[-1] if words else f"{options[0]} ended: {done.returncode}."))
    return last


if __name__ == "__main__":
    sys.exit(main())
