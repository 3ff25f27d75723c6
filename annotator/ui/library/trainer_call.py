"""Asks the trainer something that it answers within seconds, in a process of its own: the window never waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import QObject, QProcess, pyqtSignal

_END_MS = 2000


class TrainerCall(QObject):
    """One question at a time: a new one ends the one before. `close` ends what is asked."""

    answered = pyqtSignal(object)
    """The last JSON object that it printed."""
    failed = pyqtSignal(str)
    """The sentence why there is no answer."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def is_asking(self) -> bool:
        return self._process is not None

    def ask(self, options: Sequence[str]) -> None:
        """Runs `python -P -m trainer options... --json`."""
        self.close()
        self._process = process = QProcess(self)
        process.finished.connect(lambda code, _: self._on_finished(process, code))
        process.errorOccurred.connect(lambda error: self._on_error(process, error))
        process.start(sys.executable, ["-P", "-m", "trainer", *options, "--json"])

    def close(self) -> None:
        """What is being asked is not answered any more."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(_END_MS)
            process.deleteLater()

    def _on_error(self, process: QProcess, error: QProcess.ProcessError) -> None:
        if process is self._process and error is QProcess.ProcessError.FailedToStart:
            self._process = None
            process.deleteLater()
            self.failed.emit(f"The trainer cannot be started: {process.errorString()}.")

    def _on_finished(self, process: QProcess, code: int) -> None:
        if process is not self._process:
            return
        self._process = None
        answer = last_object(bytes(process.readAllStandardOutput()).decode("utf-8", "replace"))
        words = bytes(process.readAllStandardError()).decode("utf-8", "replace").strip().splitlines()
        process.deleteLater()
        if code == 0 and answer:
            self.answered.emit(answer)
        else:
            self.failed.emit(str(answer.get("error") or (words[-1] if words else f"The trainer ended: {code}.")))


def last_object(text: str) -> dict[str, Any]:
    """The last line of JSON in what a program printed, {} where there is none."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
    return {}
