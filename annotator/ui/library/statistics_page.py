"""Figures of the whole library: time per game and label, what is labelled per day, and how fast people are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from annotator.model.library.figures import Figures, read_figures, write_figures
from annotator.ui.errand import Errand
from annotator.ui.library.bars import Bar, Bars, time_words
from annotator.ui.library.charts import COLOURS, Chart, ColumnChart, LineChart, Series
from annotator.ui.library.progress_panel import game_bars
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.theme import Theme
from db.errors import PlaytapeError
from db.files import replace_text
from db.labelling.labels import LabelKind
from db.library.index import index_stamp
from db.library.statistics import AnnotatorWork, DayWork, LabelTime

MOST_LABELS, MOST_PEOPLE, MOST_DAYS = 60, 6, 60


class StatisticsPage(QWidget):
    """Counts when `look` is called and the library has changed since; in a thread."""

    told = pyqtSignal(str)

    def __init__(self, root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._stamp: tuple[int, ...] = ()
        self._errand: Errand | None = None
        self.figures = Figures()
        self.games, self.labels = Bars("Time per game"), Bars("Time per label")
        self.people = Bars("Work per annotator")
        self.hours = ColumnChart("Minutes labelled per day", "min")
        self.speed = LineChart("Spans per hour, day by day", "spans an hour")
        self.notes: dict[QWidget, QLabel] = {
            part: QLabel() for part in (self.games, self.labels, self.people, self.hours, self.speed)
        }
        self.copy, self.save = QPushButton("Copy figures"), QPushButton("Save figures…")
        self.copy.setToolTip("Put every figure on the clipboard, for a spreadsheet")
        self.save.setToolTip("Write every figure to a CSV file")
        self.copy.clicked.connect(self.copy_figures)
        self.save.clicked.connect(self._choose)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.copy)
        foot.addWidget(self.save)
        foot.addStretch()
        both = QHBoxLayout()
        both.setSpacing(32)
        left = (
            ("Games", self.games),
            ("Labelled per day", self.hours),
            ("Speed", self.speed),
            ("Annotators", self.people),
        )
        both.addWidget(self._column(*left), 1)
        both.addWidget(self._column(("Labels", self.labels)), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(both, 1)
        layout.addLayout(foot)
        self._show(self.figures)

    def look(self) -> None:
        """Counts again where somebody has written to the library."""
        stamp = index_stamp(self._root)
        if self._errand is not None or stamp == self._stamp:
            return
        self._stamp = stamp
        self._errand = Errand(self._root, lambda store, _: read_figures(store), self)
        self._errand.ended.connect(self._show)
        self._errand.failed.connect(self.notes[self.games].setText)
        self._errand.finished.connect(self._on_finished)
        self._errand.start()

    def copy_figures(self) -> None:
        """Every figure as a table whose columns are set apart by tabs."""
        lines = ["\t".join(str(cell) for cell in row) for row in self.figures.rows()]
        clipboard = QGuiApplication.clipboard()
        assert clipboard is not None
        clipboard.setText("\n".join(lines))
        self.told.emit(f"{len(lines)} figures copied.")

    def save_figures(self, path: Path) -> None:
        """Every figure as CSV; why it could not be written is told."""
        text = io.StringIO(newline="")
        write_figures(text, self.figures)
        try:
            replace_text(path, text.getvalue())
        except PlaytapeError as error:
            self.told.emit(str(error))
        else:
            self.told.emit(f"{len(self.figures.rows())} figures written to {path}.")

    def close_threads(self) -> None:
        if self._errand is not None:
            self._errand.close()

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange:
            self._show(self.figures)

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Save figures", "", "CSV (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save_figures(Path(path)))
        dialog.open()

    def _column(self, *parts: tuple[str, Bars | Chart]) -> ScrollColumn:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(8)
        for title, part in parts:
            head = QLabel(title)
            font = head.font()
            font.setBold(True)
            head.setFont(font)
            note = self.notes[part]
            note.setWordWrap(True)
            note.setForegroundRole(note.palette().ColorRole.PlaceholderText)
            note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for widget in (head, part, note):
                column.addWidget(widget)
            column.addSpacing(12)
        column.addStretch()
        area = ScrollColumn(inside)
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the keyboard scrolls it
        area.setAccessibleName(", ".join(title for title, _ in parts))
        return area

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None

    def _show(self, figures: Figures) -> None:
        self.figures = figures
        theme = Theme.of(self.palette())
        self.games.show_bars(game_bars(figures.games))
        self.notes[self.games].setText("" if figures.games else "Nothing is recorded yet.")
        longest_s = max((label.seconds for label in figures.labels), default=1.0) or 1.0
        shown = figures.labels[:MOST_LABELS]
        self.labels.show_bars([_label_bar(label, figures.coverage(label), longest_s, theme) for label in shown])
        rest = len(figures.labels) - MOST_LABELS
        more = f"and {rest} more. " if rest > 0 else ""
        self.notes[self.labels].setText(
            f"{more}The share is of the time of all labelled sessions." if shown else "Nothing is labelled yet."
        )
        most = max((person.edits for person in figures.people), default=1)
        self.people.show_bars([_person_bar(person, most) for person in figures.people])
        self.notes[self.people].setText(
            "Time is counted between edits that follow each other within a minute."
            if figures.people
            else "Nobody has labelled anything yet."
        )
        self._show_days(figures)
        for button in (self.copy, self.save):
            button.setEnabled(bool(figures.games))

    def _show_days(self, figures: Figures) -> None:
        days = shown_days({*figures.labelled_s, *(work.day for work in figures.days)})
        names = [f"{day.day} {day:%b}" for day in days]
        minutes = tuple(figures.labelled_s.get(day, 0.0) / 60 for day in days)
        self.hours.show_series(names, [Series("labelled", minutes, "good")])
        self.notes[self.hours].setText(
            "Minutes of recordings, by the day on which their labels were submitted." if any(minutes) else
            "Nothing is submitted yet."
        )  # fmt: skip
        series = [
            Series(person.author, _speeds(figures.days, person.author, days), COLOURS[at % len(COLOURS)])
            for at, person in enumerate(figures.people[:MOST_PEOPLE])
        ]
        series = [one for one in series if any(value is not None for value in one.values)]
        self.speed.show_series(names if series else [], series if series else [])
        theme = Theme.of(self.palette())
        legend = "  ".join(
            f'<span style="color:{getattr(theme, one.colour)}">■</span> {_plain(one.name)}' for one in series
        )
        self.notes[self.speed].setText(
            f"{legend}<br>New spans in an hour of work, for days with at least a minute of it." if series else
            "Nobody has worked for a minute yet."
        )  # fmt: skip
        for chart in (self.hours, self.speed):
            chart.setVisible(bool(chart.places))


def shown_days(found: set[date]) -> list[date]:
    """Every day from the first to the last on which something was done, the last MOST_DAYS of them."""
    if not found:
        return []
    last = max(found)
    count = min((last - min(found)).days + 1, MOST_DAYS)
    return [last - timedelta(days=ago) for ago in range(count - 1, -1, -1)]


def _speeds(days: Sequence[DayWork], author: str, shown: Sequence[date]) -> tuple[float | None, ...]:
    speeds = {work.day: work.spans_per_hour for work in days if work.author == author}
    return tuple(speeds.get(day) for day in shown)


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _label_bar(label: LabelTime, coverage: float, longest_s: float, theme: Theme) -> Bar:
    colours = {LabelKind.INSTRUCTION: theme.accent, LabelKind.TRIM: theme.warn}
    colour = colours.get(label.kind) or theme.flag(label.value).name()
    name = label.value if label.kind is LabelKind.INSTRUCTION else f"{label.kind.value}: {label.value}".rstrip(": ")
    spans = f"{label.spans} span{'s' * (label.spans != 1)}"
    where = f"{spans} in {label.sessions} session{'s' * (label.sessions != 1)}"
    figure = f"{time_words(label.seconds)} · {coverage:.1%} · {where}"
    return Bar(name or "(no words)", figure, ((label.seconds / longest_s, colour),))


def _person_bar(person: AnnotatorWork, most: int) -> Bar:
    speed = f" · {person.seconds_per_edit:.1f} s each" if person.working_s else ""
    figure = f"{person.edits} edits{speed} · {time_words(person.working_s)} at work · {person.sessions} sessions"
    return Bar(person.author, figure, ((person.edits / most, "key"),))
