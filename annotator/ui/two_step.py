"""A button for what cannot be taken back: the first press asks, the second does it."""

from __future__ import annotations

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtGui import QFocusEvent
from PyQt6.QtWidgets import QPushButton, QWidget

ASKED_MS = 6000


class TwoStepButton(QPushButton):
    """`confirmed` comes with the second press; leaving the button, or a while, takes the question back."""

    confirmed = pyqtSignal()

    def __init__(self, text: str, question: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._text, self.question = text, question
        self.is_asking = False
        self.setToolTip(f"{tip} (press twice)")
        self.setAccessibleName(text)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.calm)
        self.clicked.connect(self._on_clicked)

    def calm(self) -> None:
        """Takes the question back."""
        self._timer.stop()
        self.is_asking = False
        self.setText(self._text)
        self.setAccessibleName(self._text)

    def _on_clicked(self) -> None:
        if self.is_asking:
            self.calm()
            self.confirmed.emit()
            return
        self.is_asking = True
        self.setText(self.question)
        self.setAccessibleName(self.question)
        self._timer.start(ASKED_MS)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.calm()
        super().focusOutEvent(event)
