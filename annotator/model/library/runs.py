"""Training runs as their folders tell them: `runs/<id>/progress.jsonl`, `log.txt` and `heartbeat`. Read only."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENDED = ("done", "stopped", "failed")
SILENT_S = 120.0
"""A run whose heartbeat is older than this and that did not say it ended was cut off."""


@dataclass(frozen=True)
class RunState:
    """How far a run is."""

    id: str
    phase: str
    step: int = 0
    steps: int = 0
    loss: float | None = None
    eta_s: float | None = None
    t_s: float = 0.0
    """Seconds since 1970 of the last word."""
    curve: tuple[tuple[int, float], ...] = ()
    """(step, loss) of every row that has a loss, oldest first."""
    last_words: str = ""
    """The last line of the log."""

    @property
    def is_live(self) -> bool:
        return self.phase not in (*ENDED, "cut off")

    @property
    def share(self) -> float:
        """How much is done, in [0, 1]."""
        if self.phase == "done":
            return 1.0
        return min(self.step / self.steps, 1.0) if self.steps else 0.0


class RunFolder:
    """The runs of a library; reads a run's files again only when they have changed."""

    def __init__(self, runs_dir: Path) -> None:
        self._runs_dir = runs_dir
        self._known: dict[str, tuple[tuple[float, int], RunState]] = {}

    def states(self, now_s: float | None = None) -> list[RunState]:
        """Every run, the one that spoke last first."""
        now_s = time.time() if now_s is None else now_s
        try:
            folders = [path for path in self._runs_dir.iterdir() if path.is_dir()]
        except OSError:
            return []
        found = [self._state(folder, now_s) for folder in folders]
        return sorted((state for state in found if state), key=lambda state: (-state.t_s, state.id))

    def _state(self, folder: Path, now_s: float) -> RunState | None:
        try:
            stat = (folder / "progress.jsonl").stat()
        except OSError:
            return None
        seen = (stat.st_mtime, stat.st_size)
        known = self._known.get(folder.name)
        if known is None or known[0] != seen:
            self._known[folder.name] = known = (seen, read_state(folder))
        state = known[1]
        if state.is_live and now_s - max(_touched_s(folder / "heartbeat"), stat.st_mtime) > SILENT_S:
            return RunState(**(vars(state) | {"phase": "cut off", "eta_s": None}))
        return state


def read_state(folder: Path) -> RunState:
    """A run's state from its files. A line cut off by a crash, and one that is not as it should be, is left out."""
    rows = _rows(folder / "progress.jsonl")
    curve = [(int(row.get("step", 0)), float(row["loss"])) for row in rows if isinstance(row.get("loss"), int | float)]
    last = rows[-1] if rows else {}
    eta = last.get("eta_s")
    return RunState(
        id=folder.name,
        phase=str(last.get("phase", "starting")),
        step=int(last.get("step") or 0),
        steps=int(last.get("steps") or 0),
        loss=curve[-1][1] if curve else None,
        eta_s=float(eta) if isinstance(eta, int | float) else None,
        t_s=float(last.get("t") or 0.0),
        curve=tuple(curve),
        last_words=_last_line(folder / "log.txt"),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line in _text(path).splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _last_line(path: Path) -> str:
    lines = _text(path).strip().splitlines()
    return lines[-1] if lines else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _touched_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
