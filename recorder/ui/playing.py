"""A play that the recorder's window started: `playtape-play` as a process of its own, which goes on when the window closes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

_STOPPED = 130
_LOOK_MS = 200


class Playing(QObject):
    """One at a time."""

    ended = pyqtSignal(str)
    """Why it failed, in a sentence for people, or ''."""

    def __init__(self, library: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log = library / "cache" / "logs" / "play.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_on(self) -> bool:
        return self._process is not None

    def start(self, options: Sequence[str]) -> None:
        """Runs `python -P -m recorder.play options...`. Raises OSError where it or its log cannot be."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "recorder.play", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=os.name == "posix",
            )
        self._timer.start()

    def stop(self) -> None:
        """Asks it to keep what it has and end."""
        if self._process is not None:
            self._process.terminate()

    def _look(self) -> None:
        if self._process is None or (status := self._process.poll()) is None:
            return
        self._process = None
        self._timer.stop()
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        failed = status not in (0, _STOPPED)
        self.ended.emit((lines[-1] if lines else f"The play ended with status {status}.") if failed else "")
