"""`make demo`: records a real game, labels it, trains on it, lets it play, and shows what came out."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.errors import PlaytapeError
from demo import stages
from demo.plan import MINUTE, WHOLE, Plan
from demo.programs import ProgramFailed
from demo.progress import Progress
from demo.report import write_report
from demo.screens import Desktop, Screen
from demo.stages import Demo
from games.xserver import XServer, XServerError


def main() -> int:
    args = parse()
    plan = MINUTE if args.minute else WHOLE
    out: Path = args.out.resolve()
    if (out / "library").exists() and not free(out, args.yes):
        return 1
    out.mkdir(parents=True, exist_ok=True)
    try:
        with open_screen() as screen:
            demo = Demo(out, plan, screen, Progress(expected_seconds(plan)))
            run(demo)
    except (ProgramFailed, PlaytapeError, XServerError) as error:
        print(f"demo: {error}\nThe logs are in {out}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"demo: interrupted; what was made so far is in {out}.", file=sys.stderr)
        return 130
    return 0


def run(demo: Demo) -> None:
    """Every part in turn, then the report."""
    progress, plan = demo.progress, demo.plan
    with progress.stage("record", f"Recording {plan.recorded_s / 60:.1f} minutes of real play in {plan.groups} groups"):
        stages.record_groups(demo)
    with progress.stage("dataset", "Freezing the accepted sessions into a dataset"):
        stages.freeze_dataset(demo)
    with progress.stage("idm", "Training the inverse-dynamics model"):
        stages.train_model(demo, "idm")
    with progress.stage("policy", "Training the policy"):
        stages.train_model(demo, "policy")
    with progress.stage("evaluate", "Evaluating both on held-out recordings"):
        stages.evaluate_models(demo)
    with progress.stage("play", "Letting the policy play"):
        stages.play_all(demo)
    annotate = f".venv/bin/playtape-annotate --library {demo.library}"
    demo.figures |= {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "total_s": progress.total_s,
        "seconds": progress.seconds,
        "library": str(demo.library),
        "annotate": annotate,
    }
    page = write_report(demo.out, demo.figures)
    progress.say(f"\nDone in {progress.total_s / 60:.1f} minutes. The report: {page}")
    progress.say(f"Look at what was recorded, and label on:\n\n  {annotate}\n")


@contextmanager
def open_screen() -> Iterator[Screen]:
    """The desktop of whoever sits here, if they agree; else a private display that nobody sees."""
    if os.environ.get("DISPLAY") and sys.stdin.isatty():
        print("The demo can play on your screen, where you can watch. It then moves your pointer and types for several")
        print("minutes, so keep your hands off. Otherwise it plays on a private display.")
        if input("Play on your screen? [y/N] ").strip().lower() in ("y", "yes"):
            yield Desktop(os.environ["DISPLAY"])
            return
    with XServer(window_manager=True) as server:
        yield server


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR", help="where everything goes")
    parser.add_argument(
        "--minute", action="store_true", help="a version of about a minute that only shows that all works"
    )
    parser.add_argument("--yes", action="store_true", help="replace an earlier demo without asking")
    return parser.parse_args()


def free(out: Path, yes: bool) -> bool:
    """Makes room for a new demo where an earlier one lies, if that is wanted."""
    if not yes:
        if not sys.stdin.isatty():
            print(f"demo: {out} holds an earlier demo; move it away, or add --yes to replace it.", file=sys.stderr)
            return False
        if input(f"{out} holds an earlier demo. Replace it? [y/N] ").strip().lower() not in ("y", "yes"):
            return False
    shutil.rmtree(out)
    return True


def expected_seconds(plan: Plan) -> dict[str, float]:
    """What each part should take, for the finish time."""
    training = plan.train_minutes * 60 + 20
    playing = len(plan.played) * (plan.play_s + 8) + 4 * plan.play_s + 10
    recording = plan.groups * (plan.group_s + 7)
    return {"record": recording, "dataset": 5, "idm": training, "policy": training, "evaluate": 40, "play": playing}


if __name__ == "__main__":
    sys.exit(main())
