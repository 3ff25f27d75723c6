"""The self-test as ticks: what works, what is still waited for, and one line about the first that is not well."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from recorder.selftest import Check, Outcome
from recorder.ui.live.faces import Shape
from recorder.ui.notices import Sign
from recorder.ui.theme import Theme, dim


class ChecksRow(QWidget):
    """Hidden while there is nothing to check."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[Check, ...], str] | None = None
        self._signs: list[tuple[Sign, QLabel]] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        self._line = dim()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._row)
        column.addWidget(self._line)

    @property
    def text(self) -> str:
        return self._line.text()

    def show_checks(self, checks: Sequence[Check]) -> None:
        theme = Theme.of(self.palette())
        key = (tuple(checks), theme.window)
        if key == self._shown:
            return
        self._shown = key
        self.setVisible(bool(checks))
        while len(self._signs) < len(checks):
            sign, label = Sign(Shape.RING), QLabel()
            self._row.addWidget(sign)
            self._row.addWidget(label)
            self._row.addStretch(1)
            self._signs.append((sign, label))
        for (sign, label), check in zip(self._signs, checks, strict=False):
            shape, colour = {
                Outcome.OK: (Shape.TICK, theme.good),
                Outcome.WARNING: (Shape.RING, theme.dim),
                Outcome.FAILED: (Shape.CROSS, theme.bad),
            }[check.outcome]
            sign.show_sign(shape, colour)
            label.setText(check.name.capitalize())
            label.setToolTip(check.text)
        worst = [check for check in checks if check.outcome is Outcome.FAILED]
        worst += [check for check in checks if check.outcome is Outcome.WARNING]
        self._line.setText(worst[0].text if worst else "Everything works.")
        self.setAccessibleName("Self-test")
        self.setAccessibleDescription(" ".join(check.text for check in checks))
