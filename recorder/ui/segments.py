"""A row of buttons of which exactly one is down."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton


class Segments(QFrame):
    """`switched` gives the position of the button that went down."""

    switched = pyqtSignal(int)

    def __init__(self, names: Sequence[tuple[str, str]]) -> None:
        """names: (text with its mnemonic, tooltip) of each."""
        super().__init__()
        self.setObjectName("segments")
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 3, 3, 3)
        row.setSpacing(2)
        for number, (text, hint) in enumerate(names):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("segment", True)
            button.setToolTip(hint)
            self._group.addButton(button, number)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(self.switched)

    @property
    def current(self) -> int:
        return self._group.checkedId()

    def button(self, number: int) -> QPushButton:
        return self._group.button(number)

    def choose(self, number: int) -> None:
        """Puts a button down and says so."""
        if number != self.current:
            self._group.button(number).setChecked(True)
            self.switched.emit(number)
