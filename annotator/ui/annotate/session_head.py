"""What a session is, in words: game, facts, review state, verdict and its reasons."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from annotator.ui.notices import Chip
from annotator.ui.sessions.session_model import len_text
from annotator.ui.theme import Theme, tint
from db.library.catalogue import SessionSummary
from db.upkeep.presence import Present


class SessionHead(QWidget):
    """Shows one session's line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary: SessionSummary | None = None
        self.game, self.facts, self.reasons = QLabel(), QLabel(), QLabel()
        font = self.game.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        font.setBold(True)
        self.game.setFont(font)
        self.game.setWordWrap(True)
        for label in (self.facts, self.reasons):
            label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
            label.setWordWrap(True)
        self.review, self.grade = Chip(), Chip()
        chips = QHBoxLayout()
        chips.setSpacing(4)
        chips.addWidget(self.review)
        chips.addWidget(self.grade)
        chips.addStretch()
        self.present = QLabel()
        self.present.setWordWrap(True)
        self.present.setTextFormat(Qt.TextFormat.PlainText)
        self.conflicts = QPushButton()
        self.conflicts.setAccessibleName("Settle the conflicts")
        self.conflicts.setToolTip("Show what was said on both sides and settle it")
        for late in (self.present, self.conflicts):
            late.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.game)
        column.addWidget(self.facts)
        column.addLayout(chips)
        column.addWidget(self.reasons)
        column.addWidget(self.present)
        column.addWidget(self.conflicts, 0, Qt.AlignmentFlag.AlignLeft)

    def show_present(self, present: Sequence[Present]) -> None:
        """Who else has the session open."""
        names = sorted({other.person for other in present})
        verb = "has" if len(names) == 1 else "have"
        who = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
        self.present.setText(f"● {who} {verb} this open too" if names else "")
        tint(self.present, "good")
        self.present.setVisible(bool(names))

    def show_conflicts(self, count: int, key: str = "") -> None:
        """How many labels of the session have versions that compete."""
        self.conflicts.setText(f"{count} conflict{'s' * (count != 1)} to settle")
        self.conflicts.setToolTip(f"Show what was said on both sides and settle it ({key})")
        self.conflicts.setAccessibleName(self.conflicts.text())
        tint(self.conflicts, "bad")
        self.conflicts.setVisible(count > 0)

    def show_summary(self, summary: SessionSummary | None) -> None:
        self._summary = summary
        for chip in (self.review, self.grade):
            chip.setVisible(summary is not None)
        if summary is None:
            for label in (self.game, self.facts, self.reasons):
                label.clear()
            self.reasons.hide()
            return
        theme = Theme.of(self.palette())
        width, height = summary.size_px
        rate = summary.frames / max(summary.duration_s, 1e-9)
        self.game.setText(summary.game)
        self.facts.setText(
            f"{summary.player}, {summary.started_at.astimezone():%d %b %Y, %H:%M}\n{len_text(summary)}, "
            f"{summary.frames} frames at {rate:.1f} Hz, {width}×{height}, {summary.bytes / 1e6:.1f} MB"
        )
        self.review.tell(summary.review.value, theme.review(summary.review))
        self.grade.tell(summary.grade, theme.grade(summary.grade))
        self.reasons.setText("\n".join(summary.verdict.reasons))
        self.reasons.setVisible(bool(summary.verdict.reasons))

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange:
            self.show_summary(self._summary)
