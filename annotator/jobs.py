"""Starts the other programs of Playtape as processes of their own, which go on when the window that started them closes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from db.errors import StoreReadOnly

STOPPED = 130
"""The exit status of a program that was stopped before its end."""

if sys.platform == "win32":
    _DETACHED = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
else:
    _DETACHED = 0  # there a session of its own makes the process outlive its starter and its terminal


@dataclass
class Job:
    """A started process. What it says goes to `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        """Asks it to save what it has and end."""
        self.process.terminate()

    @property
    def error(self) -> str:
        """The last line it said where it ended badly, else ""; one that was asked to stop did not end badly."""
        if self.process.poll() in (None, 0, STOPPED):
            return ""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"It ended with status {self.process.returncode}."


def start_job(name: str, module: str, options: Sequence[str], logs_dir: Path) -> Job:
    """Runs `python -P -m module options...` detached. Raises StoreReadOnly where its log cannot be written."""
    try:
        logs_dir.mkdir(parents=True, exist_ok=True)
        log = logs_dir / f"{name}-{datetime.now():%Y%m%d-%H%M%S-%f}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *options],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=_DETACHED,
            )
    except OSError as error:
        raise StoreReadOnly(f"{name.capitalize()} cannot be started: {error}.") from None
    return Job(name, process, log)
