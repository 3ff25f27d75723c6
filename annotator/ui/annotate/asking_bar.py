"""What a model is being asked just now: how far it is, when it will be done, and a button that stops it."""

from __future__ import annotations

import time

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from annotator.ui.keys.controls import follow


class AskingBar(QWidget):
    """Hidden unless something is going on. Its button is the action that stops it."""

    def __init__(self, stop: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._began_s = 0.0
        self._first = 0
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.bar.setFixedWidth(160)
        self.bar.setAccessibleName("How far the model is")
        self.stop = QPushButton("Stop")
        follow(self.stop, stop, "Stop; what was said so far is kept")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.words, 1)
        line.addWidget(self.bar)
        line.addWidget(self.stop)
        self.hide()

    def begin(self, what: str) -> None:
        """what: such as "Asking the model"."""
        self._what, self._began_s, self._first = what, time.monotonic(), -1
        self.words.setText(f"{what} …")
        self.bar.setRange(0, 0)
        self.show()

    def show_progress(self, done: int, total: int) -> None:
        if self._first < 0:
            self._first, self._began_s = done, time.monotonic()
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        self.words.setText(f"{self._what}: {done} of {total}{self._left(done, total)}")
        self.words.setToolTip(self.words.text())

    def finish(self) -> None:
        self.hide()

    def _left(self, done: int, total: int) -> str:
        """When it will be done, as far as what is done tells."""
        if done <= self._first or done >= total:
            return ""
        left_s = (time.monotonic() - self._began_s) / (done - self._first) * (total - done)
        if left_s < 90:
            return f", about {max(round(left_s), 1)} s left"
        ends = time.localtime(time.time() + left_s)
        return f", about {round(left_s / 60)} min left (until {ends.tm_hour}:{ends.tm_min:02d})"
