"""Words to search for, and a chip for everything else that sessions can be filtered and sorted by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QToolButton, QWidget

from annotator.ui.flow_layout import FlowLayout
from annotator.ui.library.facet_chip import Choices, FacetChip, SortChip
from annotator.ui.library.range_dialog import DateDialog, LengthDialog
from annotator.ui.sessions.query import Order, Query
from annotator.ui.sessions.ranges import DATES, LENGTHS, date_range, length_range, range_words
from annotator.ui.text_guard import TextGuard
from db.labelling.labels import Review
from db.library.catalogue import NOBODY, Wanted
from db.library.facets import Facets
from db.recording.qa import Grade

FILTER_MS = 150
FACETS = ("game", "player", "review", "grade", "flag", "tag", "assignee", "length", "date")
_TITLES = {
    "game": "Game", "player": "Player", "review": "Status", "grade": "Verdict", "flag": "Flag", "tag": "Tag",
    "assignee": "Assigned to", "length": "Length", "date": "Date",
}  # fmt: skip
_RANGES = {"length": (LENGTHS, "Between lengths…", LengthDialog), "date": (DATES, "Between days…", DateDialog)}

_EDITING = frozenset(
    {Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X, Qt.Key.Key_Y, Qt.Key.Key_Z, Qt.Key.Key_Left}
    | {Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Backspace, Qt.Key.Key_Delete}
)
"""Keys that mean the text together with Control."""


class SearchGuard(TextGuard):
    """Keeps typing within the field, and lets the window have its keys with Control."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            is_command = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if is_command and Qt.Key(event.key()) not in _EDITING:
                return False
        return super().eventFilter(watched, event)


class FilterField(QLineEdit):
    """Escape clears it; Escape again, Enter or Down go to the list."""

    left = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)


class FilterBar(QWidget):
    """`changed` tells that `query` is another one: at once for a chip, after a short rest for words."""

    changed = pyqtSignal()
    counts_wanted = pyqtSignal(str)
    """The choices of this facet are shown: how many sessions would each find? (`show_counts`)"""

    def __init__(self, names: Iterable[str] = FACETS, person: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facets, self._person = Facets(), person
        self.field = FilterField()
        self.field.setPlaceholderText("Search games, players, labels, notes")
        self.field.setAccessibleName("Search sessions")
        self.field.setToolTip("Words in instructions, notes, flags, tags, games and players")
        self.field.setMinimumWidth(152)
        self.field.setMinimumHeight(28)
        SearchGuard(self.field)
        self.chips = {name: self._chip(name) for name in names}
        self.sort = SortChip()
        self.clear_all = _button("✕ Clear", "Clear every filter")
        self.news = _button("", "Show the new ones: clear every filter")
        layout = FlowLayout(self)
        for widget in (self.field, *self.chips.values(), self.sort, self.clear_all, self.news):
            if widget is not self.field:
                widget.setMinimumHeight(28)
            layout.addWidget(widget)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(FILTER_MS)
        self._soon.timeout.connect(self._on_changed)
        self.field.textChanged.connect(lambda: self._soon.start())
        for chip in (*self.chips.values(), self.sort):
            chip.chosen.connect(self._on_changed)
        for button in (self.clear_all, self.news):
            button.clicked.connect(lambda: self.clear())
            button.hide()

    def query(self, *, trashed: bool = False, without: str = "") -> Query:
        """What is asked for now, but for one facet."""
        fields: dict[str, Any] = {}
        for name, chip in self.chips.items():
            if not chip.values or name == without:
                continue
            if name in _RANGES:
                fields |= _range_fields(name, chip.values[0])
            elif name == "review":
                fields[name] = tuple(Review(value) for value in chip.values)
            else:
                fields[name] = chip.values
        wanted = Wanted(text=self.field.text().strip() or None, trashed=trashed, **fields)
        return Query(wanted, self.sort.order, self.sort.is_descending)

    def clear(self) -> None:
        """Asks for every session again; the order stays. The list has the keyboard then, so that its keys mean themselves."""
        self.restore({"sort": [self.sort.order.value, self.sort.is_descending]})
        self.field.left.emit()

    def state(self) -> dict[str, Any]:
        """What is asked for, as plain values for JSON; `restore` asks for it again."""
        chips = {name: list(chip.values) for name, chip in self.chips.items() if chip.values}
        return {
            "text": self.field.text().strip(),
            "chips": chips,
            "sort": [self.sort.order.value, self.sort.is_descending],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Asks for what `state` gave once; what is unknown or odd in it is left out."""
        chips = state.get("chips")
        chips = chips if isinstance(chips, dict) else {}
        for name, chip in self.chips.items():
            values = chips.get(name)
            values = values if isinstance(values, list) else []
            if name == "review":
                values = [value for value in values if value in set(Review)]
            chip.blockSignals(True)
            chip.choose(*(str(value) for value in values))
            chip.blockSignals(False)
        match state.get("sort"):
            case [str(order), bool(is_descending)] if order in set(Order):
                self.sort.blockSignals(True)
                self.sort.put(Order(order), is_descending)
                self.sort.blockSignals(False)
        self.field.setText(str(state.get("text") or ""))
        self._soon.stop()
        self._on_changed()

    def know(self, facets: Facets) -> None:
        """What there is to choose from, from now on."""
        self._facets = facets

    def fields_of(self, facet: str) -> dict[str, dict[str, Any]]:
        """What each choice of a facet means where that is not a word; else nothing."""
        if facet not in _RANGES:
            return {}
        values = [value for _, value in self._choices(facet)] + list(self.chips[facet].values)
        return {value: _range_fields(facet, value) for value in values}

    def show_counts(self, facet: str, counts: dict[str, int]) -> None:
        """How many sessions each choice of a facet finds beside the other filters."""
        if facet in self.chips:
            self.chips[facet].show_counts(counts)

    def show_news(self, count: int) -> None:
        """How many sessions came that the filters hide."""
        self.news.setText(f"{count} new, hidden by the filters")
        self.news.setAccessibleName(f"{count} new sessions are hidden by the filters; show them")
        self.news.setVisible(count > 0 and self.query().is_filtered)

    def stop(self) -> None:
        self._soon.stop()

    def _chip(self, name: str) -> FacetChip:
        more, words_of = (_RANGES[name][1], range_words) if name in _RANGES else ("", lambda value: value or "nobody")
        chip = FacetChip(_TITLES[name], lambda: self._choices(name), more=more, words_of=words_of)
        chip.opened.connect(lambda: self.counts_wanted.emit(name))
        chip.asked.connect(lambda: self._ask(name))
        return chip

    def _ask(self, name: str) -> None:
        chip = self.chips[name]
        dialog = _RANGES[name][2](chip.values[0] if chip.values else "", self)
        dialog.given.connect(chip.choose)
        dialog.open()

    def _on_changed(self) -> None:
        is_filtered = self.query().is_filtered
        self.clear_all.setVisible(is_filtered)
        if not is_filtered:
            self.news.hide()
        self.changed.emit()

    def _choices(self, name: str) -> Choices:
        facets = self._facets
        if name == "assignee":
            others = [(person, person) for person in facets.assignees if person != self._person]
            return [("nobody", NOBODY), *([(f"{self._person} (me)", self._person)] * bool(self._person)), *others]
        words = {"game": facets.games, "player": facets.players, "flag": facets.flags, "tag": facets.tags}
        if name in words:
            return [(word, word) for word in words[name]]
        if name in _RANGES:
            return _RANGES[name][0]
        return [(one.value, one.value) for one in (Review if name == "review" else Grade)]


def _range_fields(name: str, value: str) -> dict[str, Any]:
    if name == "length":
        least_s, most_s = length_range(value)
        return {"least_s": least_s, "most_s": most_s}
    since, until = date_range(value, datetime.now().astimezone().date())
    return {"since": since, "until": until}


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setToolTip(tip)
    button.setAccessibleName(tip.partition(" (")[0])
    return button
