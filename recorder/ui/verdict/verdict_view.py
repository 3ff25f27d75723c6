"""After the recording: the verdict, until the person goes on."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from recorder.status import Result
from recorder.ui.verdict.verdict import VerdictCard


class VerdictView(QWidget):
    """`done` when the person is through with it."""

    done = pyqtSignal()
    annotate = pyqtSignal(str)

    def __init__(self, library: Path) -> None:
        super().__init__()
        self._library = library
        self.card = VerdictCard()
        self.card.kept.connect(self.done)
        self.card.annotate.connect(self.annotate)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.card)

    def show_results(self, results: list[Result]) -> None:
        self.card.show_results(results, self._library)

    def close_threads(self) -> None:
        self.card.close_pictures()
