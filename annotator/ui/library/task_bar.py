"""What the trainer is doing for this window just now: measuring, comparing or labelling, with a way to stop it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from annotator.jobs import Job
from annotator.model.library.following import Tail
from annotator.ui.library.trainer_call import last_object
from annotator.ui.pace import Pace

Then = Callable[[dict[str, object]], object]


class TaskBar(QWidget):
    """One task at a time. `look` follows it; what was asked for then is done with its answer."""

    told = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self._then: Then = lambda answer: None
        self._tail, self._pace = None, Pace()
        self._sessions, self._done = 1, 0
        self.text, self.bar, self.cancel = QLabel(), QProgressBar(), QPushButton("Stop")
        self.bar.setMaximumWidth(240)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("How far it is")
        self.cancel.setToolTip("Stop it; what is done so far is kept")
        self.cancel.clicked.connect(self.stop)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.cancel)
        self.hide()

    def begin(self, job: Job, words: str, then: Then, sessions: int = 1) -> None:
        """sessions: how many it works through, each telling how far it is."""
        self.job, self._words, self._then = job, words, then
        self._tail, self._pace = Tail(job.log), Pace()
        self._sessions, self._seen, self._step = max(sessions, 1), [], 0.0
        self.text.setText(words)
        self.bar.setMaximum(0)
        self.cancel.setEnabled(True)
        self.show()

    def stop(self) -> None:
        if self.job is not None and not self.job.has_ended:
            self.job.stop()
            self.cancel.setEnabled(False)
            self.text.setText(f"{self._words} Stopping…")

    def look(self) -> None:
        if self.job is None:
            return
        assert self._tail is not None
        for row in self._tail.read()[0]:
            self._hear(row)
        if not self.job.has_ended:
            return
        job, self.job = self.job, None
        self.hide()
        if job.error:
            answer = last_object(job.log.read_text(encoding="utf-8", errors="replace"))
            self.told.emit(str(answer.get("error") or job.error))
        elif job.process.returncode == 0:
            self._then(last_object(job.log.read_text(encoding="utf-8", errors="replace")))
        else:
            self.told.emit("Stopped; what was done so far is kept.")

    def _hear(self, row: dict[str, object]) -> None:
        session, step, steps = row.get("session"), row.get("step"), row.get("steps")
        if session is None or not isinstance(step, int) or not isinstance(steps, int) or not steps:
            return
        if session not in self._seen:
            self._seen.append(session)
        done = round(1000 * (len(self._seen) - 1 + step / steps))
        self.bar.setMaximum(1000 * self._sessions)
        self.bar.setValue(done)
        left = self._pace.words(done, 1000 * self._sessions)
        self.text.setText(f"{self._words}" + f" {left}." * bool(left))
