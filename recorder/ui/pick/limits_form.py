"""The verdict's limits of a game, one number each, made from the fields that `QaLimits` has."""

from __future__ import annotations

from annotated_types import Ge, Gt, Le
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QPushButton, QWidget

from db.recording.profiles import QaLimits
from recorder.ui.theme import dim

_UNITS = {"_s": " s", "_ms": " ms", "_pct": " %", "_per_minute": " a minute", "_px": " px", "_hz": " Hz"}
_WORDS = {
    "length": "Length", "rate": "Frame rate reached", "dropped": "Frames dropped", "dropped_events": "Inputs lost",
    "frame_gap": "Longest time without a frame", "same_picture": "Unchanged pictures", "black": "Black pictures",
    "unknown": "Time without inputs (gaps)", "actions": "Presses and moves", "keys_at_once": "Keys down at once",
    "key_share": "One key held", "crowded": "Frames with more keys than that", "frozen": "Longest standing picture",
    "interval_ratio": "Late frames (in wanted intervals)", "bits": "Detail of the video", "unmatched": "Releases missed",
    "mouse_counts": "Mouse motion a frame", "input_lag": "From an input to its frame",
    "expected_keys": "Expected keys that were used",
}  # fmt: skip


class LimitsForm(QWidget):
    """`limits` reads it, `show_limits` fills it."""

    def __init__(self) -> None:
        super().__init__()
        self._boxes: dict[str, QDoubleSpinBox] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        grid.addWidget(dim("A session beyond one of these is graded usable or bad."), 0, 0, 1, 3)
        for row, name in enumerate(QaLimits.model_fields, start=1):
            words, sense, unit = _describe(name)
            label = QLabel(words)
            label.setWordWrap(True)
            box = self._box(name, unit)
            box.setAccessibleName(f"{words}, {sense}")
            grid.addWidget(label, row, 0)
            grid.addWidget(dim(sense, wrap=False), row, 1, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(box, row, 2)
            self._boxes[name] = box
        usual = QPushButton("Usual limits")
        usual.setToolTip("Puts every limit back to what is usual")
        usual.clicked.connect(lambda: self.show_limits(QaLimits()))
        grid.addWidget(usual, grid.rowCount(), 2)
        self.show_limits(QaLimits())

    @property
    def limits(self) -> QaLimits:
        values = {
            name: int(box.value()) if QaLimits.model_fields[name].annotation is int else box.value()
            for name, box in self._boxes.items()
        }
        return self._kept.model_copy(update=values)

    def show_limits(self, limits: QaLimits) -> None:
        self._kept = limits
        for name, box in self._boxes.items():
            box.setValue(float(getattr(limits, name)))

    def _box(self, name: str, unit: str) -> QDoubleSpinBox:
        field = QaLimits.model_fields[name]
        box = QDoubleSpinBox()
        whole = field.annotation is int
        box.setDecimals(0 if whole else 2)
        low, high = 0.0, 1e6
        for fact in field.metadata:
            if isinstance(fact, Ge | Gt):
                low = float(fact.ge if isinstance(fact, Ge) else fact.gt + 0.01)
            elif isinstance(fact, Le):
                high = float(fact.le)
        box.setRange(low, high)
        box.setSuffix(unit)
        box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        box.setFixedWidth(120)
        return box


def _describe(name: str) -> tuple[str, str, str]:
    """(words, "at least" or "at most", unit) of a field such as `max_black_pct`."""
    sense = {"min": "at least", "max": "at most"}.get(name.partition("_")[0], "")
    rest = name.partition("_")[2] if sense else name
    unit = ""
    for ending, text in _UNITS.items():
        if rest.endswith(ending):
            rest, unit = rest.removesuffix(ending), text
            break
    return _WORDS.get(rest, rest.replace("_", " ").capitalize()), sense, unit
