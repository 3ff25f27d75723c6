"""What each part of the quick IDM is worth: it is trained again with one thing taken away, on the same data, for the same time.

    python -m bench ablations --library DIR --dataset ID --minutes M

Every row is one training and one scoring on the held-out sessions, in a process of its own, and a file in `--out`: a bench that
was ended goes on with the rows that are missing. Time is what is equal, not steps: what is cheaper takes more of them.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.trials import Row, read_row, scores_of, train
from db.files import replace_text
from db.store import Store
from trainer.configs import IdmConfig, ModelConfig, VptConfig
from trainer.data.manifest import Manifest, latest_dataset, read_manifest
from trainer.scoring.rivals import BASELINES, MODEL

WITHOUT: dict[str, dict[str, Any]] = {
    "photometric augmentation": {"augment": {"colour_chance": 0.0}},
    "shift augmentation": {"augment": {"shift_chance": 0.0}},
    "mirroring": {"augment": {"mirror": 0.0}},
    "weight on presses and releases": {"edge_weight": 0.0},
    "frame-shift correlation": {"sees_shifts": False},
    "frame differences": {"sees_changes": False},
    "future (0 ms)": {"context": "past"},
    "recurrence (nearest frames only)": {"context": "near"},
    "fine mouse bins (11 foveated)": {"mouse_head": "foveated"},
    "mouse bins (one number)": {"mouse_head": "number"},
}
QUICK, RIVAL = "quick", "vpt-style"
COLUMNS = ("macro AP", "onset F1", "onset ±1", "dx R²", "dy R²", "parameters", "steps", "seconds")


def configs() -> dict[str, ModelConfig]:
    """By row."""
    whole = IdmConfig()
    found: dict[str, ModelConfig] = {QUICK: whole}
    for name, change in WITHOUT.items():
        augment = whole.augment.model_copy(update=change.get("augment", {}))
        found[f"without {name}"] = whole.model_copy(update=change | {"augment": augment})
    return found | {RIVAL: VptConfig()}


def main(argv: list[str]) -> int:
    args = _parse(argv)
    with Store.open(args.library) as store:
        manifest = read_manifest(store, args.dataset or latest_dataset(store))
        args.dataset = manifest.id
        out: Path = args.out or args.library / "bench" / f"ablations-{manifest.id}"
        out.mkdir(parents=True, exist_ok=True)
        if args.only:
            row = _measure(store, manifest, args)
            replace_text(_path(out, args.only), json.dumps(row, indent=1) + "\n")
            return 0
    wanted = list(configs())
    waiting = [name for name in wanted if _read(out, name, manifest, args) is None]
    print(f"{len(wanted) - len(waiting)} of {len(wanted)} rows are there; {out}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        failed = _run_all(waiting, out, args)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with the rows that are missing", flush=True)
        return 130
    rows = {name: row for name in wanted if (row := _read(out, name, manifest, args)) is not None}
    table = "\n".join(_table(rows))
    replace_text(out / "table.txt", table + "\n")
    print(table, flush=True)
    return 1 if failed else 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench ablations", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, metavar="DIR")
    parser.add_argument("--dataset", metavar="ID", help="default: the newest")
    parser.add_argument("--minutes", type=float, default=4.0, metavar="M", help="of each training (default: 4)")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="rows at a time (default: 1)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each row (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: bench/ablations-ID in the library")
    parser.add_argument("--only", choices=tuple(configs()), metavar="ROW", help="measure this row, here and now")
    return parser.parse_args(argv)


def _run_all(waiting: list[str], out: Path, args: argparse.Namespace) -> list[str]:
    """Measures the rows, so many at a time, and returns those that failed. What is running is ended with the bench."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    failed, todo = [], list(waiting)
    try:
        while todo or running:
            while todo and len(running) < args.parallel:
                name = todo.pop(0)
                log = _path(out, name).with_suffix(".log").open("wb")
                with log:
                    running[name] = subprocess.Popen(_command(name, out, args), stdout=log, stderr=log)
            time.sleep(0.2)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if running.pop(name).returncode:
                    failed.append(name)
                left = len(todo) + len(running)
                print(f"   {name}: {'failed, see its log' if name in failed else 'done'}; {left} left", flush=True)
    finally:
        for process in running.values():
            process.terminate()
            process.wait()
    return failed


def _command(name: str, out: Path, args: argparse.Namespace) -> list[str]:
    given = {
        "library": args.library, "dataset": args.dataset, "minutes": args.minutes, "threads": args.threads,
        "parallel": args.parallel, "seed": args.seed, "out": out, "only": name,
    }  # fmt: skip
    options = [part for option, value in given.items() for part in (f"--{option}", str(value))]
    return [sys.executable, "-P", "-m", "bench.ablations", *options]


def _measure(store: Store, manifest: Manifest, args: argparse.Namespace) -> Row:
    """Trains and scores one row."""
    found = train(
        store, manifest, configs()[args.only], minutes=args.minutes, threads=args.threads, seed=args.seed
    )  # fmt: skip
    scores = {who: row for who, row in scores_of(store, found["model"]).items() if who in (MODEL, *BASELINES)}
    return {"key": _key(args.only, manifest, args), **found, "scores": scores}


def _key(name: str, manifest: Manifest, args: argparse.Namespace) -> Row:
    """What a row depends on; one that was measured otherwise is measured again."""
    config = configs()[name].model_dump(mode="json")
    return {
        "config": config, "dataset": manifest.hash, "minutes": args.minutes, "threads": args.threads,
        "parallel": args.parallel, "seed": args.seed,
    }  # fmt: skip


def _path(out: Path, name: str) -> Path:
    return out / ("".join(c if c.isalnum() else "-" for c in name) + ".json")


def _read(out: Path, name: str, manifest: Manifest, args: argparse.Namespace) -> Row | None:
    return read_row(_path(out, name), _key(name, manifest, args))


def _table(rows: dict[str, Row]) -> Iterator[str]:
    yield f"{'':<42}" + "".join(f"{column:>12}" for column in COLUMNS)
    if rows:
        scores = next(iter(rows.values()))["scores"]
        for baseline in BASELINES:
            yield f"{baseline:<42}" + _figures(scores[baseline])
    for name, row in rows.items():
        counts = (row["parameters"], row["steps"], round(row["seconds"]))
        yield f"{name:<42}" + _figures(row["scores"][MODEL]) + "".join(f"{count:>12,}" for count in counts)


def _figures(scores: Row) -> str:
    mouse = scores["mouse"]
    values = (
        scores["macro_ap"],
        scores["onset_f1"]["0"],
        scores["onset_f1"]["1"],
        mouse["dx"]["r2"],
        mouse["dy"]["r2"],
    )
    return "".join(f"{'-' if value is None else format(value, '.3f'):>12}" for value in values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
