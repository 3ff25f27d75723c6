"""Shows what two people said about one label side by side, and lets a person settle it by one key."""

from __future__ import annotations

from PyQt6.QtCore import QElapsedTimer, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from annotator.model.document import Content
from annotator.model.edits.disputes import Choice, Dispute
from annotator.ui.annotate.editing import Editing
from db.clock import FrameClock

KEYS = {Choice.THEIRS: "T", Choice.MINE: "M", Choice.BOTH: "B"}


class Version(QFrame):
    """One side: who, what, and over which frames."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.who, self.text, self.place = QLabel(), QLabel(), QLabel()
        font = self.who.font()
        font.setBold(True)
        self.who.setFont(font)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        for label in (self.who, self.text, self.place):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addStretch()
        self.place.setForegroundRole(self.place.palette().ColorRole.PlaceholderText)

    def show_content(self, who: str, content: Content | None, clock: FrameClock) -> None:
        is_gone = content is None or content.deleted
        said = "" if content is None else " ".join(content.value.split("\n")) or "(no text)"
        self.who.setText(who)
        self.text.setText(f"Removed it (“{said}”)" if is_gone and said else "Removed it" if is_gone else said)
        self.place.setText(place_text(content, clock) if content is not None and not is_gone else "")
        self.place.setVisible(bool(self.place.text()))
        self.setAccessibleName(f"{who}: {self.text.text()} {self.place.text()}")


class ConflictDialog(QDialog):
    """One conflict after the other, until all are settled; Escape leaves them for later."""

    heed_after_ms = 400
    """Who was typing when it came up types on for a moment: those letters settle nothing."""

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self.setWindowTitle("Conflict")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(600)
        self.lead, self.count = QLabel(), QLabel()
        font = self.lead.font()
        font.setPointSizeF(font.pointSizeF() * 1.2)
        font.setBold(True)
        self.lead.setFont(font)
        for label in (self.lead, self.count):
            label.setWordWrap(True)
        self.count.setForegroundRole(self.count.palette().ColorRole.PlaceholderText)
        self.mine, self.theirs = Version(), Version()
        self.buttons: dict[Choice, QPushButton] = {}
        sides = QHBoxLayout()
        sides.setSpacing(12)
        sides.addWidget(self.theirs, 1)
        sides.addWidget(self.mine, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        for choice in KEYS:
            button = QPushButton()
            button.clicked.connect(lambda _, choice=choice: self.choose(choice))
            self.buttons[choice] = button
            row.addWidget(button)
        row.addStretch()
        self.later = QPushButton("Later (Esc)")
        self.later.setToolTip("Leave it as it is; the conflict stays marked and nothing is lost (Esc)")
        self.later.clicked.connect(self.reject)
        row.addWidget(self.later)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(16)
        outer.addWidget(self.lead)
        outer.addLayout(sides)
        outer.addWidget(self.count)
        outer.addLayout(row)
        self._dispute: Dispute | None = None
        self._open = QElapsedTimer()
        self._open.start()
        editing.conflicts.changed.connect(self.show_first)
        self.show_first()
        self.later.setFocus()  # an Enter or a Space too many settles nothing

    def show_first(self) -> None:
        """Shows the first that waits; closes where none does any more."""
        waiting = self._editing.conflicts.all
        if not waiting:
            self.accept()
            return
        self._dispute = dispute = waiting[0]
        clock = self._editing.document.clock
        is_own = dispute.mine_by == self._editing.document.author
        self.lead.setText(_lead(dispute, is_own))
        self.mine.show_content("Yours" if is_own else dispute.mine_by, dispute.mine, clock)
        self.theirs.show_content(dispute.theirs_by or "Somebody else", dispute.theirs, clock)
        left = len(waiting) - 1
        several = len(dispute.wanted) > 1
        parts = [f"Your change was about {len(dispute.wanted)} labels; it is kept or dropped as a whole."] * several
        parts += [f"{left} more conflict{'s' * (left != 1)} after this one."] * bool(left)
        self.count.setText(" ".join(parts))
        self.count.setVisible(bool(parts))
        words = {
            Choice.THEIRS: "Keep theirs" if is_own else f"Keep {dispute.theirs_by}'s",
            Choice.MINE: "Use mine" if is_own else f"Use {dispute.mine_by}'s",
            Choice.BOTH: "Keep both",
        }
        for choice, button in self.buttons.items():
            button.setText(f"{words[choice]} ({KEYS[choice]})")
            button.setToolTip(f"{_TIPS[choice]} ({KEYS[choice]})")
            button.setAccessibleName(words[choice])
            button.setVisible(choice in dispute.choices)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chosen = [choice for choice, key in KEYS.items() if event.text().upper() == key]
        if chosen:
            if not event.isAutoRepeat() and self._open.elapsed() >= self.heed_after_ms:
                self.choose(chosen[0])
        else:
            super().keyPressEvent(event)

    def choose(self, choice: Choice) -> None:
        """Settles the one that is shown."""
        dispute = self._dispute
        if dispute is not None and choice in dispute.choices:
            self._editing.conflicts.settle(dispute, choice)


_TIPS = {
    Choice.THEIRS: "What stands at the left counts",
    Choice.MINE: "What stands at the right counts",
    Choice.BOTH: "Both count, side by side; the right one gets the frames that are left free",
}


def place_text(content: Content, clock: FrameClock) -> str:
    """Such as `0:01.2 to 0:03.4, frames 36 to 101`; "" for what is about the whole session."""
    if content.start is None or content.stop is None:
        return ""
    edges_s = [(int(clock.edges_ns[frame]) - int(clock.edges_ns[0])) / 1e9 for frame in (content.start, content.stop)]
    begin, end = (f"{int(at // 60)}:{at % 60:04.1f}" for at in edges_s)
    return f"{begin} to {end}, frames {content.start} to {content.stop - 1}"


def _lead(dispute: Dispute, is_own: bool) -> str:
    what = dispute.mine.kind.value
    if not dispute.is_merged:
        return f"{dispute.theirs_by or 'Somebody else'} changed this {what} while you did"
    if is_own:
        return f"You and {dispute.theirs_by} changed this {what} apart from each other"
    return f"{dispute.mine_by} and {dispute.theirs_by} changed this {what} apart from each other"
