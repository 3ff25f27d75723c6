"""Asks for a stretch of lengths or of days to filter sessions by."""

from __future__ import annotations

from PyQt6.QtCore import QDate, Qt, pyqtSignal
from PyQt6.QtWidgets import QDateEdit, QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QVBoxLayout, QWidget

from annotator.ui.sessions.ranges import length_range

LONGEST_MIN = 10_000.0


class RangeDialog(QDialog):
    """Two fields; `given` has the range as a text of `annotator.ui.sessions.ranges`."""

    given = pyqtSignal(str)

    def __init__(self, title: str, low: QWidget, high: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.setSpacing(16)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for word, field in (("From", low), ("To", high)):
            field.setMinimumHeight(28)
            field.setMinimumWidth(160)
            field.setAccessibleName(f"{title}: {word.lower()}")
            field.setToolTip(f"{word}; Enter shows the sessions, Esc leaves it")
            form.addRow(word, field)
        outer.addLayout(form)
        buttons = QDialogButtonBox()
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        go = buttons.addButton("Show", QDialogButtonBox.ButtonRole.AcceptRole)
        assert go is not None
        buttons.accepted.connect(self._give)
        buttons.rejected.connect(self.reject)
        outer.addWidget(buttons)
        go.setDefault(True)  # once it is the dialog's: before that the dialog would choose Cancel

    def text(self) -> str:
        raise NotImplementedError

    def _give(self) -> None:
        self.given.emit(self.text())
        self.accept()


class LengthDialog(RangeDialog):
    """In minutes."""

    def __init__(self, value: str, parent: QWidget | None = None) -> None:
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        least_s, most_s = length_range(value)
        for field, seconds in ((self.low, least_s), (self.high, most_s)):
            field.setRange(0, LONGEST_MIN)
            field.setDecimals(1)
            field.setSuffix(" min")
            field.setValue((seconds or 0.0) / 60)
        self.high.setSpecialValueText("any length")
        self.low.selectAll()  # what is typed takes its place
        super().__init__("Length", self.low, self.high, parent)

    def text(self) -> str:
        low_s, high_s = self.low.value() * 60, self.high.value() * 60
        if high_s and high_s < low_s:
            low_s, high_s = high_s, low_s
        return f"{low_s:g}..{high_s:g}" if high_s else f"{low_s:g}.."


class DateDialog(RangeDialog):
    """Whole days, the last one included."""

    def __init__(self, value: str, parent: QWidget | None = None) -> None:
        first, _, last = value.partition("..")
        today = QDate.currentDate()
        self.low, self.high = QDateEdit(), QDateEdit()
        for field, text, other in ((self.low, first, today.addDays(-6)), (self.high, last, today)):
            given = QDate.fromString(text, Qt.DateFormat.ISODate)
            field.setDisplayFormat("yyyy-MM-dd")
            field.setCalendarPopup(True)
            field.setDate(given if given.isValid() else other)
        super().__init__("Days", self.low, self.high, parent)

    def text(self) -> str:
        days = sorted(field.date().toString(Qt.DateFormat.ISODate) for field in (self.low, self.high))
        return "..".join(days)
