"""The rules of a verdict: what failed with its number and limit, and on demand what was passed."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from db.recording.qa import Grade, RuleResult, Verdict
from recorder.ui.verdict.grade_mark import GradeMark


class RuleList(QWidget):
    """Failed rules first, since they are what the person can change next time; passed ones behind a button."""

    def __init__(self) -> None:
        super().__init__()
        self._failed, self._passed = QWidget(), QWidget()
        self.fold = QPushButton()
        self.fold.setProperty("flat", True)
        self.fold.setCheckable(True)
        self.fold.toggled.connect(self._unfold)
        self._count = 0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._failed)
        column.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._passed)

    def show_verdict(self, verdict: Verdict) -> None:
        passed = [rule for rule in verdict.rules if rule.ok]
        _fill(self._failed, verdict.failed)
        _fill(self._passed, passed)
        self._failed.setVisible(bool(verdict.failed))
        self._count = len(passed)
        self.fold.setVisible(bool(passed))
        self.fold.setChecked(False)
        self._unfold(False)

    def _unfold(self, open_: bool) -> None:
        self._passed.setVisible(open_)
        checks = f"{self._count} check{'s' * (self._count != 1)} passed"
        self.fold.setText(f"▾  {checks}" if open_ else f"▸  {checks}")
        self.fold.setToolTip("Hide what is in order" if open_ else "Show what is in order, with its numbers")


def _fill(place: QWidget, rules: Sequence[RuleResult]) -> None:
    """Puts a line for each rule into a widget, in place of those that it had."""
    grid = place.layout()
    if grid is None:
        grid = QGridLayout(place)
    assert isinstance(grid, QGridLayout)
    while (item := grid.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, rule in enumerate(rules):
        mark = GradeMark(18, quiet=rule.ok)
        mark.show_grade(Grade.GOOD if rule.ok else rule.worst)
        text = QLabel(rule.text)
        text.setWordWrap(True)
        text.setProperty("dim", rule.ok)
        grid.addWidget(mark, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(text, row, 1)
