"""The questions that the library asks about models: what to play, what an IDM is to label, and whose corrections to learn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.trained import Trained


class _Question(QDialog):
    """A form over an OK and a Cancel button."""

    def __init__(self, title: str, lead: str, go: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(440)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(16)
        self.lead = QLabel(lead)
        self.lead.setWordWrap(True)
        outer.addWidget(self.lead)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(8)
        outer.addLayout(self.form)
        buttons = QDialogButtonBox()
        cancel = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        cancel.setToolTip("Close this and do nothing (Esc)")
        self.go = buttons.addButton(go, QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setProperty("primary", True)
        self.go.setToolTip(f"{go} (Enter)")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        outer.addWidget(buttons)
        self.go.setDefault(True)  # once it is the dialog's: before that the dialog would choose Cancel


class PlayDialog(_Question):
    """Which policy plays in which window; `options()` are those of `playtape-play`."""

    def __init__(self, policies: Sequence[Trained], parent: QWidget | None = None, chosen: str = "") -> None:
        lead = (
            "The policy presses keys and moves the mouse in the game's window. Touch the keyboard or the mouse to take "
            "over at once; F11 gives control back, F12 ends the play. Ctrl+Alt+1 to 9 say the words of the vocabulary, "
            "Ctrl+Alt+Enter types others, and neither takes over."
        )
        super().__init__("Play", lead, "Start playing", parent)
        self.model = QComboBox()
        self.model.setMinimumHeight(28)
        for policy in policies:
            self.model.addItem(policy.title, policy.id)
        self.model.setCurrentIndex(max(self.model.findData(chosen), 0))
        self.window_title = QLineEdit()
        self.window_title.setPlaceholderText("part of the game window's title")
        self.instruction = QLineEdit()
        self.instruction.setPlaceholderText("such as: collect the medkits")
        for field, name, tip in (
            (self.model, "Policy", "Which trained policy plays"),
            (self.window_title, "Game window", "Words of the title of the window that it plays in"),
            (self.instruction, "Instruction", "What it is told to do; it can be left out"),
        ):
            field.setAccessibleName(name)
            field.setToolTip(tip)
        self.form.addRow("Policy", self.model)
        self.form.addRow("Game window", self.window_title)
        self.form.addRow("Instruction", self.instruction)
        self.window_title.textChanged.connect(self._judge)
        self._judge()

    def options(self) -> list[str]:
        text = self.instruction.text().strip()
        return [
            "--model",
            self.model.currentData(),
            "--window-title",
            re.escape(self.window_title.text().strip()),
            *(["--instruction", text] if text else []),
        ]

    def _judge(self) -> None:
        self.go.setEnabled(self.model.count() > 0 and bool(self.window_title.text().strip()))


class CorrectDialog(_Question):
    """Which policy goes on learning from where people took over; `options()` are those of `playtape-train correct`."""

    def __init__(self, policies: Sequence[Trained], parent: QWidget | None = None, chosen: str = "") -> None:
        lead = (
            "Where a person took over from a model, it was shown what to do. The policy goes on learning from these "
            "stretches, mixed with what it learnt from; it becomes a new model beside the old one, and both are scored on "
            "what was held out."
        )
        super().__init__("Learn from corrections", lead, "Start learning", parent)
        self.model, self.minutes = QComboBox(), QSpinBox()
        for policy in policies:
            self.model.addItem(policy.title, policy.id)
        self.model.setCurrentIndex(max(self.model.findData(chosen), 0))
        self.minutes.setRange(1, 24 * 60)
        self.minutes.setValue(4)
        self.minutes.setSuffix(" min")
        for field, name, tip in (
            (self.model, "Policy", "Which policy goes on learning"),
            (self.minutes, "Time", "How long it learns; it can be stopped and resumed on the Runs page"),
        ):
            field.setMinimumHeight(28)
            field.setAccessibleName(name)
            field.setToolTip(tip)
            self.form.addRow(name, field)
        self.go.setEnabled(self.model.count() > 0)

    def options(self) -> list[str]:
        return ["--model", self.model.currentData(), "--minutes", str(self.minutes.value())]


class LabelDialog(_Question):
    """Which IDM says what was pressed in which sessions; `options()` are those of `playtape-train label`."""

    def __init__(
        self,
        idms: Sequence[Trained],
        selected: Sequence[str],
        unwatched: Sequence[str],
        parent: QWidget | None = None,
        chosen: str = "",
    ) -> None:
        """selected: the sessions chosen in the list; unwatched: those whose inputs nobody recorded."""
        lead = (
            "The IDM suggests what was pressed where nobody recorded it; a person confirms or rejects it in the annotator. "
            "Where inputs were recorded it can doubt them."
        )
        super().__init__("Label by an IDM", lead, "Label", parent)
        self.model, self.sessions = QComboBox(), QComboBox()
        for idm in idms:
            self.model.addItem(idm.title, idm.id)
        self.model.setCurrentIndex(max(self.model.findData(chosen), 0))
        for ids, words in ((selected, "selected in the list"), (unwatched, "without inputs")):
            if ids:
                self.sessions.addItem(f"{len(ids)} session{'s' * (len(ids) != 1)} {words}", tuple(ids))
        self.doubts = QCheckBox("Doubt recorded keys too")
        self.any_game = QCheckBox("Also games that the IDM has not seen")
        for field, name, tip in (
            (self.model, "IDM", "Which inverse-dynamics model"),
            (self.sessions, "Sessions", "Which sessions are labelled"),
            (self.doubts, "Doubt recorded keys", "Suggest a change where the IDM is very sure of something else"),
            (self.any_game, "Any game", "Its word is worth little about games that it was not trained on"),
        ):
            field.setAccessibleName(name)
            field.setToolTip(tip)
            field.setMinimumHeight(28)
        self.form.addRow("IDM", self.model)
        self.form.addRow("Sessions", self.sessions)
        self.form.addRow("", self.doubts)
        self.form.addRow("", self.any_game)
        if not self.sessions.count():
            self.lead.setText("Select sessions in the list first; there is none without inputs.")
        self.go.setEnabled(self.sessions.count() > 0 and self.model.count() > 0)

    def options(self) -> list[str]:
        extra = ["--disagreements=0.95"] * self.doubts.isChecked() + ["--any-game"] * self.any_game.isChecked()
        return ["--model", self.model.currentData(), *extra, *self.sessions.currentData()]
