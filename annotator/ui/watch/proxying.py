"""The proxy of the session that is watched: what there is of it is used, and the rest is made by a process beside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, QTimer, pyqtSignal

from annotator.model.video.proxy import Proxy, is_worthwhile
from db.recording.reader import Recording

NEAR_MS = 1000
"""How often the process is told where somebody looks."""
_END_MS = 3000


class Proxying(QObject):
    """Owns the process that makes the proxy of one session; `close` ends it at once, and the next time it goes on."""

    progressed = pyqtSignal(float, object)
    """(the share that is done in [0, 1], the seconds left or None where that is not known yet)"""
    grown = pyqtSignal()
    """There is more of the proxy than before."""
    ended = pyqtSignal(str)
    """"" when all of it is there; else the sentence why it could not be made: everything works without, more slowly."""

    def __init__(self, root: Path, recording: Recording, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.proxy = Proxy(root / "cache", recording) if is_worthwhile(recording) else None
        """None where the video itself is quick enough."""
        self._root, self._session_id = root, recording.meta.id
        self._process: QProcess | None = None
        self._near, self._told = 0, -1
        self._timer = QTimer(self)
        self._timer.setInterval(NEAR_MS)
        self._timer.timeout.connect(self._tell_near)

    @property
    def is_working(self) -> bool:
        return self._process is not None

    @property
    def is_ended(self) -> bool:
        """Whether `close` would not have to wait."""
        return self._process is None or self._process.state() is QProcess.ProcessState.NotRunning

    def start(self) -> None:
        """Begins to make what is lacking, if anything is."""
        if self.proxy is None or self.proxy.is_whole or self._process is not None:
            return
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(self._on_said)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start(sys.executable, ["-P", "-m", "annotator.proxy_maker", str(self._root), self._session_id])
        self._timer.start()

    def look_at(self, index: int) -> None:
        """What is made next is what lies there."""
        self._near = index

    def halt(self) -> None:
        """Ends the process without waiting for its end; `close` or `resume` follows."""
        self._timer.stop()
        if self._process is not None:
            self._process.blockSignals(True)
            self._process.kill()  # a file that is not whole has no name yet, so there is nothing to lose

    def resume(self) -> None:
        """Goes on after `halt`."""
        self.close()
        self.start()

    def close(self) -> None:
        self.halt()
        process, self._process = self._process, None
        if process is not None:
            process.waitForFinished(_END_MS)

    def _tell_near(self) -> None:
        if self._process is not None and self._near != self._told:
            self._told = self._near
            self._process.write(f"{self._near}\n".encode())

    def _on_said(self) -> None:
        assert self._process is not None
        assert self.proxy is not None
        last: dict[str, float | None] = {}
        while self._process.canReadLine():
            last = json.loads(bytes(self._process.readLine()))
        if last:
            before = self.proxy.frames_done
            if int(last["done"] or 0) >= before:
                self._refresh()
            self.progressed.emit((last["done"] or 0) / max(last["total"] or 1, 1), last["left_s"])

    def _on_finished(self, status: int) -> None:
        assert self._process is not None
        assert self.proxy is not None
        self._timer.stop()
        said = bytes(self._process.readAllStandardError()).decode(errors="replace").strip()
        process, self._process = self._process, None
        process.deleteLater()
        self._refresh()
        if status or not self.proxy.is_whole:
            self.ended.emit(said.splitlines()[-1] if said else "The cache has no room for all of the proxy.")
        else:
            self.ended.emit("")

    def _refresh(self) -> None:
        assert self.proxy is not None
        before = self.proxy.frames_done
        self.proxy.refresh()
        if self.proxy.frames_done != before:
            self.grown.emit()

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            process, self._process = self._process, None
            self._timer.stop()
            if process is not None:
                self.ended.emit(f"Smooth seeking cannot be prepared: {process.errorString()}.")
                process.deleteLater()
