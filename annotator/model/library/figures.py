"""The figures of a library as one table, for spreadsheets: what, of whom or what, on which day, how much."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TextIO

from db.labelling.annotations import guarded
from db.labelling.labels import LabelKind, Review
from db.library.statistics import (
    AnnotatorWork,
    DayWork,
    GameProgress,
    LabelTime,
    annotators,
    label_times,
    labelled_by_day,
    progress,
    span_sums,
    work_by_day,
)
from db.store import Store

COLUMNS = ("table", "name", "day", "figure", "value")


@dataclass(frozen=True)
class Figures:
    """Everything that is counted."""

    games: Sequence[GameProgress] = ()
    labels: Sequence[LabelTime] = ()
    people: Sequence[AnnotatorWork] = ()
    days: Sequence[DayWork] = ()
    labelled_s: dict[date, float] = field(default_factory=dict)
    """Seconds of recordings by the day on which they were submitted."""

    @property
    def spoken_s(self) -> float:
        """Of recordings about which somebody has said something: what a label's coverage is a share of."""
        return sum(game.labelled_s for game in self.games)

    def coverage(self, label: LabelTime) -> float:
        """The label's share of the recordings that are labelled, in [0, 1]."""
        return min(label.seconds / self.spoken_s, 1.0) if self.spoken_s else 0.0

    def rows(self) -> list[tuple[str, str, str, str, float]]:
        """One row for every number, in the order of COLUMNS."""
        found: list[tuple[str, str, str, str, float]] = []
        for game in self.games:
            found += [("game", game.game, "", f"{state.value} s", game.seconds[state]) for state in Review]
            found.append(("game", game.game, "", "sessions", float(game.sessions)))
        for label in self.labels:
            name = label.value if label.kind is LabelKind.INSTRUCTION else f"{label.kind.value}: {label.value}"
            for figure, value in (("s", label.seconds), ("spans", label.spans), ("sessions", label.sessions)):
                found.append(("label", name, "", figure, float(value)))
            found.append(("label", name, "", "coverage", self.coverage(label)))
        for person in self.people:
            for figure, value in (("edits", person.edits), ("working s", person.working_s)):
                found.append(("annotator", person.author, "", figure, float(value)))
        for day in self.days:
            for figure, count in (("edits", day.edits), ("spans", day.spans), ("working s", day.working_s)):
                found.append(("annotator by day", day.author, day.day.isoformat(), figure, float(count)))
        for at, seconds in self.labelled_s.items():
            found.append(("labelled by day", "", at.isoformat(), "s", seconds))
        return found


def read_figures(store: Store) -> Figures:
    """Counts everything; slow in a large library."""
    days, sums = work_by_day(store), span_sums(store)
    labels, people = label_times(store, sums=sums), annotators(store, days, sums)
    return Figures(progress(store), labels, people, days, labelled_by_day(store))


def write_figures(file: TextIO, figures: Figures) -> None:
    """As CSV (RFC 4180). Open the file with newline=""."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for *names, value in figures.rows():
        writer.writerow([*(guarded(name) for name in names), round(value, 6)])
