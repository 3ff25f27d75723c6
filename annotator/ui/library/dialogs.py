"""The two questions that the library asks: what to train, and what to play."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.trained import Trained
from db.labelling.labels import Review
from db.library.catalogue import SessionSummary

DEFAULT_MINUTES = 4.0


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


class TrainDialog(_Question):
    """Which accepted sessions, which models, for how long; `options()` are those of `annotator.training`."""

    def __init__(self, summaries: Sequence[SessionSummary], parent: QWidget | None = None) -> None:
        accepted = [summary for summary in summaries if summary.review is Review.ACCEPTED]
        super().__init__("Train", "", "Start training", parent)
        self._accepted = accepted
        self.game = QComboBox()
        self.game.setMinimumHeight(28)
        self.game.addItem("All games", "")
        for game in sorted({summary.game for summary in accepted}):
            self.game.addItem(game, game)
        self.idm = QCheckBox("Inverse-dynamics model: sees what was pressed")
        self.policy = QCheckBox("Policy: plays by written instructions")
        self.minutes = QDoubleSpinBox()
        self.minutes.setRange(0.5, 24 * 60)
        self.minutes.setDecimals(1)
        self.minutes.setValue(DEFAULT_MINUTES)
        self.minutes.setMinimumHeight(28)
        self.minutes.setSuffix(" min for each model")
        for field, name, tip in (
            (self.game, "Sessions", "Which game's accepted sessions are learned from"),
            (self.idm, "Inverse-dynamics model", "Learns to tell from the pictures which keys were pressed"),
            (self.policy, "Policy", "Learns to play from pictures and written instructions"),
            (self.minutes, "Time", "How long each model is trained, in minutes"),
        ):
            field.setAccessibleName(name)
            field.setToolTip(tip)
        self.form.addRow("Sessions", self.game)
        self.form.addRow("Models", self.idm)
        self.form.addRow("", self.policy)
        self.form.addRow("Time", self.minutes)
        for box in (self.idm, self.policy):
            box.setChecked(True)
            box.toggled.connect(self._judge)
        self.game.currentIndexChanged.connect(self._judge)
        self._judge()

    def options(self) -> list[str]:
        kinds = [kind for kind, box in (("idm", self.idm), ("policy", self.policy)) if box.isChecked()]
        game = ["--game", self.game.currentData()] if self.game.currentData() else []
        return ["--minutes", f"{self.minutes.value():g}", *game, "--models", *kinds]

    def _judge(self) -> None:
        """Training learns from accepted sessions only; says how many there are."""
        wanted = self.game.currentData()
        chosen = [summary for summary in self._accepted if wanted in ("", summary.game)]
        minutes, groups = sum(s.duration_s for s in chosen) / 60, len({s.group_id for s in chosen})
        if not chosen:
            text = "No session is accepted yet. Label sessions and accept them; only those are trained on."
        else:
            text = (
                f"{len(chosen)} accepted session{'s' * (len(chosen) != 1)} of {groups} sitting{'s' * (groups != 1)}, "
                f"{minutes:.1f} minutes. Whole sittings are held out to measure the models."
            )
        self.lead.setText(text)
        self.go.setEnabled(bool(chosen) and (self.idm.isChecked() or self.policy.isChecked()))


class PlayDialog(_Question):
    """Which policy plays in which window; `options()` are those of `playtape-play`."""

    def __init__(self, policies: Sequence[Trained], parent: QWidget | None = None) -> None:
        lead = (
            "The policy presses keys and moves the mouse in the game's window. Touch the keyboard or the mouse to take "
            "over at once; F11 gives control back, F12 ends the play."
        )
        super().__init__("Play", lead, "Start playing", parent)
        self.model = QComboBox()
        self.model.setMinimumHeight(28)
        for policy in policies:
            self.model.addItem(policy.id)
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
            self.model.currentText(),
            "--window-title",
            re.escape(self.window_title.text().strip()),
            *(["--instruction", text] if text else []),
        ]

    def _judge(self) -> None:
        self.go.setEnabled(self.model.count() > 0 and bool(self.window_title.text().strip()))
