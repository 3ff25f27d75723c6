"""A run's folder, `runs/<id>/`: everything that a window, or a person, needs to follow it, and all it needs to go on.

config.json       RunConfig, written once, atomically, before the first step
progress.jsonl    one object a line: step, steps, loss, eta_s, phase, t and, after an evaluation, its figures
log.txt           what was said, with times
heartbeat         touched at least every few seconds while the run lives
stop              put there by whoever wants the run to save and end; gone again when it goes on
last.safetensors  weights, averaged weights, optimiser and position of the last save
best.safetensors  the averaged weights that scored best on the calibration split
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from db.errors import BadFile, NotFound, PlaytapeError, TooNew
from db.files import replace_text
from db.specs import Spec
from db.store import Store
from trainer.configs import AnyConfig
from trainer.data.manifest import Source
from trainer.weights import read_text, refuse_escape

CONFIG_NAME, PROGRESS_NAME, LOG_NAME, HEARTBEAT_NAME = "config.json", "progress.jsonl", "log.txt", "heartbeat"
STOP_NAME = "stop"
LAST_NAME, BEST_NAME = "last.safetensors", "best.safetensors"
_HEARTBEAT_S = 2.0
_MOST_PROGRESS_BYTES = 64 * 2**20
FORMAT = 1

Phase = Literal[
    "freezing", "imputing", "reading sessions", "trial", "training", "evaluating", "saving", "done", "stopped", "failed",
]  # fmt: skip


class RunConfig(Spec):
    """What a run does. A time budget has become `steps` by the time this is written."""

    format: int = FORMAT
    id: str
    config: AnyConfig
    dataset_id: str
    dataset_hash: str
    seed: int
    steps: Annotated[int, Field(ge=1)]
    precision: Literal["float32", "bfloat16"]
    minutes: float | None = None
    """The time budget that was asked for, if one was."""
    threads: int
    step_s: float | None = None
    """What a step took in the trial."""
    train_on: Source = "all"
    """Whose actions of the training split it learns."""
    start_from: str | None = None
    """The model whose weights it begins with; None: fresh ones."""
    correction_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Of the clips, those in which a person had taken over from a model; None: as many as there are."""


class _Header(BaseModel):
    format: int = 1


class Run:
    """Writes a run's folder. One process owns it."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing."""
        self.folder = folder
        self.id = folder.name
        folder.mkdir(parents=True, exist_ok=True)
        self._beat_s = 0.0

    def log(self, text: str) -> None:
        """One line with its time."""
        with (self.folder / LOG_NAME).open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text}\n")

    def progress(self, phase: Phase, *, step: int = 0, steps: int = 0, **figures: float | str | None) -> dict[str, Any]:
        """Appends a row and returns it. `t` is seconds since 1970; figures that are NaN become null."""
        plain = {name: _finite(value) for name, value in figures.items()}
        row = {"step": step, "steps": steps, "phase": phase, "t": round(time.time(), 3), **plain}
        with (self.folder / PROGRESS_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.beat()
        return row

    def beat(self) -> None:
        """Says that the run lives; cheap enough for every step."""
        now_s = time.monotonic()
        if now_s - self._beat_s >= _HEARTBEAT_S:
            (self.folder / HEARTBEAT_NAME).touch()
            self._beat_s = now_s

    def is_asked_to_stop(self) -> bool:
        """Whether somebody, from this machine or another one, has put the file there; cheap enough for every step."""
        return (self.folder / STOP_NAME).exists()

    def forget_stop(self) -> None:
        """What asked an earlier process to stop does not ask the next one."""
        (self.folder / STOP_NAME).unlink(missing_ok=True)

    def forget_after(self, step: int) -> None:
        """Drops progress of steps that will be done again, so that a curve never doubles back."""
        rows = [row for row in read_progress(self.folder) if row.get("step", 0) <= step and row["phase"] != "stopped"]
        replace_text(self.folder / PROGRESS_NAME, "".join(json.dumps(row) + "\n" for row in rows))


class Pulse:
    """Beats for a run from a thread of its own, where what is done says nothing for minutes. A context manager."""

    def __init__(self, run: Run) -> None:
        self._run, self._ended = run, threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse of {run.id}", daemon=True)

    def _beat(self) -> None:
        while not self._ended.wait(_HEARTBEAT_S):
            with contextlib.suppress(OSError):  # a full disk is told by who has something to write
                self._run.beat()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def told_of_failure(run: Run) -> Iterator[None]:
    """Whoever follows the run's folder learns how it ended."""
    try:
        yield
    except BaseException as error:
        reason = reason_of(error)
        run.log(f"failed: {reason}")
        run.progress("failed", reason=reason)
        raise


def reason_of(error: BaseException) -> str:
    """A sentence for who follows a run."""
    return str(error) if isinstance(error, PlaytapeError) else f"{type(error).__name__}: {error}"


def write_config(run: Run, config: RunConfig) -> None:
    replace_text(run.folder / CONFIG_NAME, config.model_dump_json(indent=1) + "\n")


def new_run(store: Store, kind: str) -> Run:
    """A new, empty run with an id that tells its kind and when it began."""
    stamp = f"{kind}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in range(1000):
        folder = store.runs_dir / (f"{stamp}-{number}" if number else stamp)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return Run(folder)
    raise AssertionError("a thousand runs began within one second")


def open_run(store: Store, run_id: str) -> tuple[Run, RunConfig]:
    """A run to go on with. Raises NotFound (naming what there is), or BadFile where it never got to its first step."""
    folder = store.runs_dir / run_id
    if not run_id or Path(run_id).name != run_id or not folder.is_dir():
        known = sorted(path.parent.name for path in store.runs_dir.glob(f"*/{CONFIG_NAME}"))
        raise NotFound(f"There is no run {run_id!r}" + (f"; there are: {', '.join(known)}." if known else "."))
    for path in (folder, *folder.iterdir()):
        refuse_escape(path, store.runs_dir)
    path = folder / CONFIG_NAME
    try:
        text = read_text(path)
        written = _Header.model_validate_json(text).format
        if written > FORMAT:
            raise TooNew(f"{path} has format {written}, this Playtape reads up to {FORMAT}; update Playtape to go on.")
        config = RunConfig.model_validate_json(text)
        if config.id != run_id:
            raise ValueError(f"it is of a run {config.id[:80]!r}")
    except FileNotFoundError:
        raise BadFile(f"Run {run_id} was ended before its first step; start a new one.") from None
    except (OSError, ValueError, ValidationError) as error:
        raise BadFile(f"{folder / CONFIG_NAME} is damaged ({str(error).splitlines()[0]}); start a new run.") from None
    return Run(folder), config


def read_progress(folder: Path) -> list[dict[str, Any]]:
    """The rows written so far; a line cut off by a crash, or that is no row at all, is left out."""
    try:
        with (folder / PROGRESS_NAME).open("rb") as file:
            file.seek(max(0, (folder / PROGRESS_NAME).stat().st_size - _MOST_PROGRESS_BYTES))
            lines = file.read(_MOST_PROGRESS_BYTES).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and _is_row(row):
            rows.append(row)
    return rows


def _is_row(row: dict[str, Any]) -> bool:
    counts, t = [row.get("step", 0), row.get("steps", 0)], row.get("t", 0.0)
    return (
        isinstance(row.get("phase"), str)
        and all(isinstance(count, int) and 0 <= count < 2**53 for count in counts)
        and isinstance(t, int | float)
        and math.isfinite(t)
    )


def _finite(value: float | str | None) -> float | str | None:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
