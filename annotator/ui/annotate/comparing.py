"""Two readings of the open session being settled, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from annotator.model.edits.comparison import Choice, Disagreement, Settle, SettleAgreed, compare
from annotator.model.library.seat import Role
from annotator.ui.keys.bindings import with_keys
from db.labelling.labels import LabelKind, Review
from db.labelling.readings import source_of

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing

_FEW = 50
"""So many changed labels are shown at once."""
NOT_COMPARING = "Two readings are compared here: open one from the library window's Review page, under To compare."


class Comparing(QObject):
    """Part of an Editing; knows the places that are still to settle, and the one chosen among them."""

    changed = pyqtSignal()

    def __init__(self, editing: Editing) -> None:
        super().__init__(editing)
        self._editing = editing
        self._places: tuple[object, list[Disagreement]] | None = None
        self.chosen = ""
        """The key of the chosen place, "" for none."""
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.changed)
        if self.is_on:
            editing.changed.connect(self._on_changed)

    @property
    def is_on(self) -> bool:
        return self._editing.seat.role is Role.COMPARE

    @property
    def places(self) -> list[Disagreement]:
        """What is still to settle, in order."""
        if not self.is_on:
            return []
        document, begun = self._editing.document, self._editing.begun
        revision = document.generation, document.edit_count
        if self._places is None or self._places[0] != revision:
            only = begun.only_first if begun is not None else frozenset()
            self._places = revision, compare(document, self._editing.seat.second, only)
        return self._places[1]

    @property
    def is_ended(self) -> bool:
        """Whether the comparison has been ended already."""
        said = self._editing.document.contents(LabelKind.REVIEW).values()
        source = source_of(self._editing.seat.second)
        return any(one.source == source and one.value == Review.ACCEPTED and not one.deleted for one in said)

    @property
    def place(self) -> Disagreement | None:
        return next((one for one in self.places if one.key == self.chosen), None)

    def choose(self, key: str) -> None:
        """Goes to a place: selects what the second reading has there, and shows its first frame."""
        self.chosen = key
        if (place := self.place) is not None:
            self._editing.go_to(place.second or place.first)
        self.changed.emit()

    def choose_next(self) -> None:
        """Goes to the next place, after the last one to the first."""
        if not self._is_asked():
            return
        keys = [one.key for one in self.places]
        at = keys.index(self.chosen) + 1 if self.chosen in keys else 0
        self.choose(keys[at % len(keys)])

    def settle(self, choice: Choice) -> None:
        """Settles the chosen place and goes to the next; with none chosen, only goes there."""
        if not self._is_asked():
            return
        place = self.place
        if place is None:
            self.choose_next()
            return
        at = self.places.index(place)
        if self._editing.do(Settle(place, choice)) and self.places:
            self.choose(self.places[min(at, len(self.places) - 1)].key)

    def settle_agreed(self) -> None:
        """Settles everything that both say alike."""
        if not self.is_on:
            self._editing.refused.emit(NOT_COMPARING)
        elif not self._editing.do(SettleAgreed(self._editing.seat.second, self.places)):
            self._editing.refused.emit("There is no place left where both say the same.")

    def _is_asked(self) -> bool:
        if not self.is_on:
            self._editing.refused.emit(NOT_COMPARING)
        elif not self.places:
            self._editing.refused.emit(with_keys("Everything is settled: {submit:Ctrl+Enter} ends the comparison."))
        return self.is_on and bool(self.places)

    def _on_changed(self, entities: frozenset[str]) -> None:
        """Hundreds that were settled at once have taken long enough: what shows them follows when the window comes round."""
        if len(entities) > _FEW:
            self._later.start(0)
        else:
            self.changed.emit()
