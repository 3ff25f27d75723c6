"""How far people agree who labelled the same sessions apart from each other: per pair, per flag, and in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from annotator.ui.errand import Errand
from annotator.ui.library.charts import ColumnChart, Series
from annotator.ui.library.ranges_chart import Ranged, RangesChart
from annotator.ui.notices import EmptyPage
from annotator.ui.scroll_column import ScrollColumn
from db.labelling.reliability import LEAST_SESSIONS, Compared, Figure, Reliability, by_pair, measure, read_compared
from db.library.index import index_stamp
from db.store import Store

EVERYBODY = "Everybody"
_EDGES = (-60, -30, -15, -8, -4, -1, 0, 1, 2, 5, 9, 16, 31, 61)
"""Of the columns of boundary errors: [a, b) frames; what lies beyond stands in the outermost ones."""
KAPPA_NOTE = (
    "Cohen's kappa, frame by frame: 0 is what chance gives, 1 is full agreement. Above 0.8 is very good, 0.6 is fair; "
    "below it, write down what the flag means."
)
FOUND_NOTE = "Instructions that both found (F1), how much their frames overlap (IoU), and how many say the same words. Above 0.7 is good."
EDGE_NOTE = (
    "How many frames later the second one starts and ends a span than the first. Narrow around 0 is good; a column off "
    "to one side means that one of them is always late."
)


@dataclass(frozen=True)
class Agreements:
    """What the page shows."""

    whole: Reliability = field(default_factory=lambda: Reliability(0))
    pairs: dict[tuple[str, str], Reliability] = field(default_factory=dict)


def read_agreements(store: Store, errand: Errand) -> Agreements:
    compared: Sequence[Compared] = read_compared(store, errand.tell, errand.is_cancelled)
    return Agreements(measure(compared), {people: measure(some) for people, some in by_pair(compared).items()})


class AgreementPage(QWidget):
    """Measures in a thread when `look` is called and the library has changed since."""

    def __init__(self, root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._stamp: tuple[int, ...] = ()
        self._errand: Errand | None = None
        self.agreements = Agreements()
        self.who = QComboBox()
        self.who.setMinimumHeight(28)
        self.who.setAccessibleName("Whose agreement")
        self.who.setToolTip("All who labelled the same sessions, or two of them")
        self.state = _dim(QLabel())
        self.flags = RangesChart("Cohen's kappa per flag", 0.0, 1.0, 0.8)
        self.spans = RangesChart("Agreement on instructions", 0.0, 1.0, 0.7)
        self.errors = ColumnChart("Boundary errors in frames")
        self.edges = _dim(QLabel())
        self.pairs = RangesChart("IoU of every pair", 0.0, 1.0, 0.7)
        self.empty = EmptyPage(
            "Nobody has been compared yet",
            "Set on the Rules page how many sessions two people label. Their agreement is measured when both are done.",
        )
        self._arrange()
        self.who.currentIndexChanged.connect(lambda _: self._show_who())
        self._show(self.agreements)

    def look(self) -> None:
        """Measures again where somebody has written to the library."""
        stamp = index_stamp(self._root)
        if self._errand is not None or stamp == self._stamp:
            return
        self._stamp = stamp
        self._errand = Errand(self._root, read_agreements, self)
        self._errand.progressed.connect(lambda done, total: self.state.setText(f"Comparing: {done} of {total}"))
        self._errand.ended.connect(self._show)
        self._errand.failed.connect(self.state.setText)
        self._errand.finished.connect(self._on_finished)
        self._errand.start()

    def close_threads(self) -> None:
        if self._errand is not None:
            self._errand.close()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        label = QLabel("Of")
        label.setBuddy(self.who)
        top.addWidget(label)
        top.addWidget(self.who)
        top.addWidget(self.state, 1)
        left = _column(
            ("Flags", self.flags, KAPPA_NOTE), ("Every pair, by the overlap of instructions", self.pairs, "")
        )
        right = _column(("Instructions", self.spans, FOUND_NOTE), ("Starts and ends", self.errors, EDGE_NOTE))
        inner = right.widget()
        assert inner is not None
        column = inner.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.count() - 1, self.edges)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(32)
        row.addWidget(left, 1)
        row.addWidget(right, 1)
        self._lists = QStackedWidget()
        self._lists.addWidget(both)
        self._lists.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self._lists, 1)

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None

    def _show(self, agreements: Agreements) -> None:
        self.agreements = agreements
        chosen = self.who.currentText()
        self.who.blockSignals(True)
        self.who.clear()
        self.who.addItem(EVERYBODY)
        for first, second in agreements.pairs:
            self.who.addItem(f"{first} and {second}", (first, second))
        self.who.setCurrentIndex(max(self.who.findText(chosen), 0))
        self.who.blockSignals(False)
        self._lists.setCurrentIndex(0 if agreements.whole.sessions else 1)
        self.who.setEnabled(bool(agreements.pairs))
        self.pairs.show_rows(
            [_ranged(f"{a} and {b}", one.iou, _sessions(one.sessions)) for (a, b), one in agreements.pairs.items()]
        )
        self._show_who()

    def _show_who(self) -> None:
        people = self.who.currentData()
        one = self.agreements.pairs.get(people, self.agreements.whole) if people else self.agreements.whole
        few = f"; ranges are given from {LEAST_SESSIONS} sessions on" if 0 < one.sessions < LEAST_SESSIONS else ""
        self.state.setText(f"{_sessions(one.sessions)} labelled twice{few}" if one.sessions else "")
        self.flags.show_rows([_ranged(word, figure, "frame{} marked") for word, figure in one.flags.items()])
        self.spans.show_rows(
            [
                _ranged("Found by both (F1)", one.found, "pair{}"),
                _ranged("Overlap (IoU)", one.iou, "pair{}"),
                _ranged("Same words", one.same_words, "pair{}"),
            ]
        )
        places, counts = histogram(one.errors_frames)
        self.errors.show_series(places, [Series("starts and ends", counts)])
        edge = one.boundary_frames
        self.edges.setText(
            "" if edge.value is None else f"Starts and ends are {edge.value:.1f} frames apart{_range(edge)}."
        )


def histogram(errors_frames: Sequence[int]) -> tuple[list[str], tuple[float, ...]]:
    """The names of the columns of signed errors, and how many errors stand in each."""
    clipped = np.clip(np.array(errors_frames, np.int64), _EDGES[0], _EDGES[-1] - 1)
    counts, _ = np.histogram(clipped, bins=np.array(_EDGES) - 0.5)
    names = []
    for low, high in zip(_EDGES, (edge - 1 for edge in _EDGES[1:]), strict=False):
        names.append(f"{low:+d}" if low == high and low else "0" if low == high else f"{low:+d}…{high:+d}")
    names[0], names[-1] = f"≤ {_EDGES[1] - 1:+d}", f"≥ {_EDGES[-2]:+d}"
    return names, tuple(float(count) for count in counts)


def _ranged(name: str, figure: Figure, of: str) -> Ranged:
    if figure.value is None:
        return Ranged(name, None, None, None, "nothing to measure", "Both said the same everywhere, or nothing.")
    count = of if of[:1].isdigit() else f"{figure.count} {of.format('s' * (figure.count != 1))}"
    return Ranged(name, figure.value, figure.low, figure.high, f"{figure.value:.2f}{_range(figure)} · {count}")


def _range(figure: Figure) -> str:
    return "" if figure.low is None or figure.high is None else f" ({figure.low:.2f} to {figure.high:.2f})"


def _sessions(count: int) -> str:
    return f"{count} session{'s' * (count != 1)}"


def _column(*parts: tuple[str, QWidget, str]) -> ScrollColumn:
    inside = QWidget()
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 12, 0)
    column.setSpacing(8)
    for title, chart, note in parts:
        head = QLabel(title)
        font = head.font()
        font.setBold(True)
        head.setFont(font)
        column.addWidget(head)
        column.addWidget(chart)
        if note:
            column.addWidget(_dim(QLabel(note)))
        column.addSpacing(12)
    column.addStretch()
    area = ScrollColumn(inside)
    area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the keyboard scrolls it
    area.setAccessibleName(", ".join(title for title, _, _ in parts))
    return area


def _dim(label: QLabel) -> QLabel:
    label.setWordWrap(True)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
