"""Training runs as their folders tell them: `runs/<id>/progress.jsonl`, `log.txt`, `heartbeat`, and what was asked for.

Read only, but for the wish that a run may stop.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from annotator.model.library.following import Tail
from db.errors import from_os_error

ENDED = ("done", "stopped", "failed", "crashed")
SILENT_S = 30.0
"""A run beats every two seconds; one that is silent for so long and did not say that it ended has crashed."""
STOP_NAME = "stop"
FIGURES = ("val_loss", "macro_ap", "onset_f1_1", "dx_r2", "dy_r2")
"""What an evaluation during training tells."""
_LARGEST_LOG_BYTES = 2**20

Curve = tuple[tuple[int, float], ...]
"""(step, value), oldest first."""


@dataclass(frozen=True)
class StageState:
    """One stage of a pipeline."""

    name: str
    state: str
    run: str = ""
    note: str = ""


@dataclass(frozen=True)
class RunState:
    """How far a run is."""

    id: str
    phase: str
    kind: str = ""
    """`idm`, `policy` or `pipeline`; "" where it never said so."""
    config: str = ""
    dataset: str = ""
    model: str = ""
    """What it made."""
    step: int = 0
    steps: int = 0
    loss: float | None = None
    eta_s: float | None = None
    done_share: float | None = None
    """Of a pipeline: how much of all its time is over."""
    t_s: float = 0.0
    """Seconds since 1970 of the last word."""
    curve: Curve = ()
    """The loss of every row that has one."""
    figures: tuple[tuple[str, Curve], ...] = ()
    """Those of FIGURES that were measured on the way."""
    reason: str = ""
    """Why it failed."""
    last_words: str = ""
    """The last line of the log."""
    stages: tuple[StageState, ...] = ()
    """Of a pipeline."""
    part_of: str = ""
    """The pipeline that it is a stage of."""
    part: str = ""
    """That stage's name."""
    can_resume: bool = False

    @property
    def is_live(self) -> bool:
        return self.phase not in ENDED

    @property
    def share(self) -> float:
        """How much is done, in [0, 1]."""
        if self.phase == "done":
            return 1.0
        if self.done_share is not None:
            return min(max(self.done_share, 0.0), 1.0)
        return min(self.step / self.steps, 1.0) if self.steps else 0.0

    @property
    def title(self) -> str:
        """What it trains, for people."""
        parts = {"idm": "IDM", "pretrain": "Policy, first stage", "finetune": "Policy"}
        if self.stages:
            trained = dict.fromkeys("IDM" if s.name == "idm" else "policy" for s in self.stages if s.name in parts)
            return " and ".join(trained) or "Pipeline"
        kinds = {"idm": "IDM", "policy": "Policy", "pipeline": "Pipeline"}
        return parts.get(self.part) or kinds.get(self.kind) or self.id


class RunFolder:
    """The runs of a library; reads only what was written since the last look."""

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._known: dict[str, _Followed] = {}

    def states(self, now_s: float | None = None) -> list[RunState]:
        """Every run, the one that spoke last first; the runs of a pipeline follow it."""
        now_s = time.time() if now_s is None else now_s
        try:
            folders = [path for path in self._runs_dir.iterdir() if path.is_dir()]
        except OSError:
            return []
        found = {folder.name: self._state(folder, now_s) for folder in folders}
        states = {name: state for name, state in found.items() if state is not None}
        for state in list(states.values()):
            for stage in state.stages:
                if stage.run in states:
                    states[stage.run] = replace(states[stage.run], part_of=state.id, part=stage.name, can_resume=False)
        return list(_in_order(states))

    def _state(self, folder: Path, now_s: float) -> RunState | None:
        followed = self._known.get(folder.name)
        if followed is None:
            self._known[folder.name] = followed = _Followed(folder)
        state = followed.look()
        if state is None or not state.is_live:
            return state
        if now_s - followed.spoke_s > SILENT_S:
            return replace(state, phase="crashed", eta_s=None, can_resume=followed.can_resume)
        return replace(state, phase="stopping") if (folder / STOP_NAME).exists() else state


def read_state(folder: Path) -> RunState:
    """A run's state from its files. A line cut off by a crash, and one that is not as it should be, is left out."""
    return _Followed(folder).look() or RunState(folder.name, "starting")


def ask_to_stop(folder: Path) -> None:
    """The run saves and ends, wherever it runs; it can be gone on with. Raises StoreReadOnly, DiskFull."""
    try:
        (folder / STOP_NAME).touch()
    except OSError as error:
        raise from_os_error(error, folder) from None


def read_log(folder: Path) -> str:
    """The end of what it said, "" where it said nothing."""
    path = folder / "log.txt"
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LARGEST_LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


class _Followed:
    """One run's folder and what was read of it so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tail = Tail(folder / "progress.jsonl")
        self._last: dict[str, Any] = {}
        self._loss: list[tuple[int, float]] = []
        self._stage_loss: float | None = None
        self._share: float | None = None
        self._figures: dict[str, list[tuple[int, float]]] = {name: [] for name in FIGURES}
        self._asked: dict[str, Any] = {}
        self._asked_at: tuple[float, ...] = ()
        self._state: RunState | None = None

    @property
    def spoke_s(self) -> float:
        """Seconds since 1970 of its last sign of life."""
        return max(_touched_s(self._folder / name) for name in ("heartbeat", "progress.jsonl"))

    @property
    def can_resume(self) -> bool:
        return bool(self._asked)

    def look(self) -> RunState | None:
        """None for a folder without progress."""
        rows, is_anew = self._tail.read()
        asked_at = tuple(_touched_s(self._folder / name) for name in ("config.json", "pipeline.json"))
        if not rows and not is_anew and asked_at == self._asked_at:
            return self._state
        if asked_at != self._asked_at:
            self._asked_at = asked_at
            self._asked = _object(self._folder / "pipeline.json") or _object(self._folder / "config.json")
        if is_anew:
            self._last, self._stage_loss, self._share = {}, None, None
            for points in (self._loss, *self._figures.values()):
                points.clear()
        for row in rows:
            self._add(row)
        if not self._tail.is_there:
            return None
        self._state = self._sum_up()
        return self._state

    def _add(self, row: dict[str, Any]) -> None:
        self._last = row
        step = _count(row.get("step"))
        if (loss := _number(row.get("loss"))) is not None:
            self._loss.append((step, loss))
        if (loss := _number(row.get("stage_loss"))) is not None:
            self._stage_loss = loss
        if (share := _number(row.get("share"))) is not None:
            self._share = share
        for name, points in self._figures.items():
            if (value := _number(row.get(name))) is not None:
                points.append((step, value))

    def _sum_up(self) -> RunState:
        last, asked = self._last, self._asked
        phase, stages = str(last.get("phase", "starting")), _stages(asked)
        config = asked.get("config")
        options = asked.get("options")
        own = config if isinstance(config, dict) else options if isinstance(options, dict) else {}
        named = own.get("name") if own is config else own.get("config")
        datasets = [stage.get("dataset") for stage in asked.get("stages") or [] if isinstance(stage, dict)]
        dataset = asked.get("dataset_id") or own.get("dataset_id") or next((d for d in datasets[::-1] if d), "")
        return RunState(
            id=self._folder.name,
            phase=phase,
            kind="pipeline" if stages else str(own.get("kind") or self._folder.name.partition("-")[0]),
            config=str(named or ""),
            dataset=str(dataset or ""),
            model=str(last.get("model") or last.get("policy") or last.get("idm") or ""),
            step=_count(last.get("step")),
            steps=_count(last.get("steps")),
            loss=self._loss[-1][1] if self._loss else self._stage_loss,
            eta_s=_number(last.get("eta_s")),
            done_share=self._share,
            t_s=_number(last.get("t")) or 0.0,
            curve=tuple(self._loss),
            figures=tuple((name, tuple(points)) for name, points in self._figures.items() if points),
            reason=str(last.get("reason") or ""),
            last_words=_last_line(self._folder),
            stages=stages,
            can_resume=phase in ("stopped", "failed") and self.can_resume,
        )


def _stages(asked: dict[str, Any]) -> tuple[StageState, ...]:
    found = asked.get("stages")
    if not isinstance(found, list):
        return ()
    return tuple(
        StageState(*(str(stage.get(name) or "") for name in ("name", "state", "run", "note")))
        for stage in found
        if isinstance(stage, dict)
    )


def _in_order(states: dict[str, RunState]) -> Iterable[RunState]:
    tops = [state for state in states.values() if state.part_of not in states]
    for top in sorted(tops, key=lambda state: (-state.t_s, state.id)):
        yield top
        yield from (states[stage.run] for stage in top.stages if stage.run in states)


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(folder: Path) -> str:
    lines = read_log(folder).strip().splitlines()
    return lines[-1] if lines else ""


def _touched_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
