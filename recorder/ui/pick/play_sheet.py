"""Who plays what is picked, opened at the window's side: a policy of the library, and what it is told to do."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout

from db.library.models import named_models
from recorder.ui.theme import dim, scaled

_MODELS = "models"
HELP = (
    "It presses keys and moves the mouse in the game's window, and all of it is recorded. Touch the keyboard or the mouse to "
    "take over at once; F11 gives control back, F12 ends the play. Ctrl+Alt+1 to 9 say the words of the vocabulary, "
    "Ctrl+Alt+Enter types others."
)
_NONE_YET = "There is no policy in this library yet. Train one in the library's window, or with playtape-train."


class PlaySheet(QFrame):
    """`closed` gives the options for `playtape-play` that say who plays, or None where nobody shall."""

    closed = pyqtSignal(object)

    def __init__(self, library: Path) -> None:
        super().__init__()
        self._models_dir = library / _MODELS
        self.setObjectName("sheet")
        self.title, self.help = QLabel("Let a model play"), dim(HELP)
        self.title.setFont(scaled(self.title.font(), 1.25, bold=True))
        self.policy, self.instruction = QComboBox(), QLineEdit()
        self.play, self.cancel = QPushButton("&Play"), QPushButton("Cancel")
        self._build()

    def open(self, game: str) -> None:
        """game: what is picked, for the title."""
        self.title.setText(f"Let a model play {game}")
        chosen = self.policy.currentData()
        self.policy.clear()
        for model in named_models(self._models_dir, "policy"):
            self.policy.addItem(model.title, model.id)
        self.policy.setCurrentIndex(max(self.policy.findData(chosen), 0))
        has_one = self.policy.count() > 0
        for widget in (self.policy, self.instruction, self.play):
            widget.setEnabled(has_one)
        self.help.setText(HELP if has_one else _NONE_YET)
        (self.instruction if has_one else self.cancel).setFocus()

    def options(self) -> list[str]:
        text = self.instruction.text().strip()
        return ["--model", self.policy.currentData(), *(["--instruction", text] if text else [])]

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(8)
        self.title.setWordWrap(True)
        column.addWidget(self.title)
        for field, name, tip in (
            (self.policy, "P&olicy", "Which trained policy plays"),
            (self.instruction, "&Instruction", "What it is told to do; it can be left out, and changed while it plays"),
        ):
            label = QLabel(name)
            label.setBuddy(field)
            field.setAccessibleName(name.replace("&", ""))
            field.setToolTip(tip)
            column.addSpacing(4)
            column.addWidget(label)
            column.addWidget(field)
        self.policy.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.instruction.setPlaceholderText("such as: collect the medkits")
        column.addWidget(self.help)
        column.addStretch(1)
        self.play.setProperty("main", "go")
        self.play.setToolTip("The game comes to the front and the policy plays it (Alt+P, Enter)")
        self.play.clicked.connect(self._go)
        self.instruction.returnPressed.connect(self._go)
        self.cancel.setToolTip("Nobody plays (Esc)")
        self.cancel.clicked.connect(lambda: self.closed.emit(None))
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(lambda: self.closed.emit(None))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.play)
        row.addWidget(self.cancel)
        row.addStretch(1)
        column.addLayout(row)

    def _go(self) -> None:
        if self.play.isEnabled():
            self.closed.emit(self.options())
