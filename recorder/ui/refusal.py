"""Why nothing can be recorded here, where that is known before anything else."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from recorder.ui import glyphs
from recorder.ui.live.faces import Shape
from recorder.ui.theme import AMBER, scaled


class RefusalPage(QWidget):
    """A window that says it in one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.setWindowTitle("Playtape Recorder")
        sign = QLabel()
        sign.setPixmap(glyphs.badge(Shape.TRIANGLE, AMBER).pixmap(64, 64))
        title = QLabel("Nothing can be recorded here")
        title.setFont(scaled(title.font(), 1.6, bold=True))
        self.reason = QLabel(reason)
        self.reason.setWordWrap(True)
        self.reason.setMaximumWidth(560)
        self.reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QPushButton("&Close")
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 32, 48, 32)
        column.setSpacing(14)
        column.addStretch(1)
        for widget in (sign, title, self.reason, close):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        close.setFocus()
