"""Asks before anything is destroyed, and says in numbers what that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QRadioButton, QVBoxLayout, QWidget

from annotator.model.edits.redaction import Loss
from annotator.ui.theme import tint

LEAD = "Destroy for good what must not stay in this session"
AFTER = (
    "The frames stay as black pictures, so that every label stays where it is. This cannot be taken back, neither by "
    "undo nor from the trash."
)
ELSEWHERE = (
    "Copies elsewhere stay as they are: exports, backups, other libraries, and models that were trained with it. "
    "Data sets with this session have to be made again."
)


class RedactDialog(QDialog):
    """One choice among those that there are; Cancel has the focus and answers Enter."""

    def __init__(self, losses: Mapping[str, Loss], parent: QWidget | None = None) -> None:
        """losses: what each choice would destroy, the one to begin with first."""
        super().__init__(parent)
        self._losses = dict(losses)
        self.setWindowTitle("Destroy private stretches")
        self.setMinimumWidth(480)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        lead = QLabel(LEAD)
        font = lead.font()
        font.setBold(True)
        lead.setFont(font)
        column.addWidget(lead)
        self.choices = [QRadioButton(f"{name}: {_extent(loss)}") for name, loss in self._losses.items()]
        for button, name in zip(self.choices, self._losses, strict=True):
            button.setToolTip(f"Destroy: {name[0].lower()}{name[1:]}")
            button.setAccessibleName(button.text())
            button.toggled.connect(self._show)
            column.addWidget(button)
        self.numbers, after, elsewhere = QLabel(), QLabel(AFTER), QLabel(ELSEWHERE)
        for label in (self.numbers, after, elsewhere):
            label.setWordWrap(True)
            column.addWidget(label)
        elsewhere.setForegroundRole(elsewhere.palette().ColorRole.PlaceholderText)
        buttons = QDialogButtonBox()
        self.cancel = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.burn = buttons.addButton("Destroy", QDialogButtonBox.ButtonRole.DestructiveRole)
        assert self.burn is not None
        tint(self.burn, "bad")
        self.cancel.setToolTip("Change nothing (Esc)")
        self.burn.clicked.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addSpacing(4)
        column.addWidget(buttons)
        self.burn.setAutoDefault(False)
        self.cancel.setDefault(True)
        self.cancel.setFocus()
        self.choices[0].setChecked(True)

    @property
    def stretches(self) -> Sequence[tuple[int, int]]:
        """Frames [start, stop) of the choice."""
        return self._chosen.stretches

    @property
    def _chosen(self) -> Loss:
        at = next((i for i, button in enumerate(self.choices) if button.isChecked()), 0)
        return list(self._losses.values())[at]

    def _show(self) -> None:
        loss = self._chosen
        gone = [f"the pictures of {_counted(loss.frames, 'frame')} ({loss.seconds:.1f} s)"]
        gone.append(_counted(loss.presses, "press of a key or button", "presses of keys and buttons"))
        gone.append(_counted(loss.motions, "movement of the mouse", "movements of the mouse"))
        if loss.corrections:
            gone.append(_counted(loss.corrections, "correction of actions", "corrections of actions"))
        self.numbers.setText(f"This destroys {', '.join(gone[:-1])} and {gone[-1]}.")
        self.burn.setText(f"Destroy {_counted(loss.frames, 'frame')}")
        self.burn.setToolTip("Cannot be taken back")
        self.burn.setAccessibleName(f"{self.burn.text()} for good")


def _extent(loss: Loss) -> str:
    text = f"{_counted(loss.frames, 'frame')}, {loss.seconds:.1f} s"
    return text if len(loss.stretches) == 1 else f"{text} in {len(loss.stretches)} stretches"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
