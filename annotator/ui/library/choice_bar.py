"""Chips that say which sessions a dataset is made of, and which of their frames."""

from __future__ import annotations

from datetime import datetime

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget

from annotator.model.library.wish import Choice
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.library.facet_chip import Choices, FacetChip
from annotator.ui.library.range_dialog import DateDialog
from annotator.ui.sessions.ranges import DATES, date_range, range_words
from db.labelling.labels import Flag
from db.library.facets import Facets

_ANY_REVIEW = "any"
_GRADES: Choices = (("usable or better", "usable"), ("good", "good"))
_SPLITS: Choices = (("whole games held out", "game"), ("whole players held out", "player"))


class ChoiceBar(QWidget):
    """`changed` tells that `choice` is another one."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facets = Facets()
        self.chips = {
            "game": FacetChip("Game", lambda: _plain(self._facets.games), tip="Learn from these games only"),
            "player": FacetChip("Player", lambda: _plain(self._facets.players), tip="Learn from these players only"),
            "tag": FacetChip("Tag", lambda: _plain(self._facets.tags), tip="Learn from sessions with these tags only"),
            "date": FacetChip(
                "Date", lambda: DATES, more="Between days…", words_of=range_words,
                tip="Learn from what was recorded in these days only",
            ),
            "grade": FacetChip("Verdict", lambda: _GRADES, tip="Learn from sessions with at least this verdict"),
            "review": FacetChip(
                "Status", lambda: (("all but the rejected", _ANY_REVIEW),), anything="Accepted",
                tip="Learn also from sessions that nobody has accepted yet",
            ),
            "flag": FacetChip(
                "Leave out", self._flags, anything="Frames with any flag",
                tip="Which frames are not learnt from; with nothing chosen, those with any flag",
            ),
            "split": FacetChip(
                "Held out", lambda: _SPLITS, anything="Whole sittings",
                tip="What is kept apart to measure the models on",
            ),
        }  # fmt: skip
        layout = FlowLayout(self, first_grows=False)
        for chip in self.chips.values():
            chip.setMinimumHeight(28)
            layout.addWidget(chip)
            chip.chosen.connect(self.changed)
        self.chips["date"].asked.connect(self._ask_days)
        for name in ("grade", "split"):
            chip = self.chips[name]
            chip.chosen.connect(lambda chip=chip: chip.choose(*chip.values[-1:]))

    def know(self, facets: Facets) -> None:
        """What there is to choose from, from now on."""
        self._facets = facets

    def choice(self, config: str = "quick") -> Choice:
        values = {name: chip.values for name, chip in self.chips.items()}
        day = values["date"][0] if values["date"] else ""
        since, until = date_range(day, datetime.now().astimezone().date()) if day else (None, None)
        return Choice(
            games=values["game"],
            players=values["player"],
            tags=values["tag"],
            since=since,
            until=until,
            is_any_review=bool(values["review"]),
            min_grade=values["grade"][0] if values["grade"] else "bad",
            flags_out=values["flag"],
            split_by=values["split"][0] if values["split"] else "group",
            config=config,
        )

    def _flags(self) -> Choices:
        known = [flag.value for flag in Flag if flag is not Flag.PRIVATE]
        return _plain(tuple(dict.fromkeys([*known, *(f for f in self._facets.flags if f != Flag.PRIVATE.value)])))

    def _ask_days(self) -> None:
        chip = self.chips["date"]
        dialog = DateDialog(chip.values[0] if chip.values else "", self)
        dialog.given.connect(chip.choose)
        dialog.open()


def _plain(words: tuple[str, ...]) -> Choices:
    return [(word, word) for word in words]
