"""A chip for one property that sessions are filtered by, with a menu of its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QMenu, QToolButton, QWidget

from annotator.ui.sessions.query import Order

Choices = Sequence[tuple[str, Any]]
"""(words, value) of each choice."""
MOST_CHOICES = 300
_OPENING = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down)
_CLEARING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class ChoiceMenu(QMenu):
    """Stays open when a choice that can be ticked is clicked, or ticked with Space; Enter ticks and closes."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.actionAt(event.position().toPoint())
        if action is not None and action.isCheckable() and action.isEnabled():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self.activeAction()
        if event.key() == Qt.Key.Key_Space and action is not None and action.isCheckable():
            action.trigger()
        else:
            super().keyPressEvent(event)


class FacetChip(QToolButton):
    """Lit while something is chosen. Of several values any will do. Delete or Backspace clears it."""

    chosen = pyqtSignal()
    opened = pyqtSignal()
    """The menu is shown, and would like to know how many sessions each choice finds (`show_counts`)."""
    asked = pyqtSignal()
    """Something that is not among the choices is to be asked for."""

    def __init__(
        self,
        title: str,
        choices: Callable[[], Choices],
        parent: QWidget | None = None,
        *,
        more: str = "",
        words_of: Callable[[Any], str] = str,
        tip: str = "",
        anything: str = "Any",
    ) -> None:
        """more: the choice that asks for a value, which is then the only one; there several cannot be chosen.

        tip: what choosing does, where it does not narrow a list; anything: what choosing nothing means.
        """
        super().__init__(parent)
        self.title, self._choices, self._more, self._words_of = title, choices, more, words_of
        self._tip, self._any_words = tip or f"Show only sessions by {title.lower()}", anything
        self.values: tuple[Any, ...] = ()
        self._actions: dict[Any, tuple[QAction, str]] = {}
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        menu = QMenu(self) if more else ChoiceMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)
        self._name()

    def choose(self, *values: Any) -> None:
        """Chooses these values and no others; none for any."""
        if values != self.values:
            self.values = values
            self._name()
            self.chosen.emit()

    def toggle_value(self, value: Any) -> None:
        """Chooses one more, or one less."""
        if self._more:
            self.choose(value)
        elif value in self.values:
            self.choose(*(other for other in self.values if other != value))
        else:
            self.choose(*self.values, value)

    def show_counts(self, counts: Mapping[Any, int]) -> None:
        """How many sessions each choice finds, while the menu is open."""
        for value, (action, words) in self._actions.items():
            action.setText(f"{words}\t{counts.get(value, 0):,}")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in _CLEARING:
            event.accept()  # here Delete means the filter, not the selected sessions
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _CLEARING:
            self.choose()
        elif event.key() in _OPENING:
            self.showMenu()
        else:
            super().keyPressEvent(event)

    def _name(self) -> None:
        known = {value: words for words, value in self._choices()}
        words = [known.get(value) or self._words_of(value) for value in self.values]
        short = ", ".join(words[:2]) + (f" +{len(words) - 2}" if len(words) > 2 else "")
        self.setText(f"{self.title}: {short}" if words else f"{self.title} ▾")
        self.setChecked(bool(words))
        self.setAccessibleName(f"{self.title}: {' or '.join(words) or self._any_words.lower()}")
        several = "" if self._more else ", Space ticks several: any of them will do"
        self.setToolTip(f"{self._tip} (Space opens{several}; Del clears)")
        self.updateGeometry()

    def _fill(self) -> None:
        menu = self.menu()
        assert menu is not None
        menu.clear()
        self._actions = {}
        choices = list(self._choices())
        known = {value for _, value in choices}
        choices += [(self._words_of(value), value) for value in self.values if value not in known]
        anything = _add(menu, self._any_words)
        anything.triggered.connect(lambda: (self.choose(), self._tick()))
        for words, value in choices[:MOST_CHOICES]:
            plain = words.replace("&", "&&")
            action = _add(menu, plain)
            action.triggered.connect(lambda _, value=value: (self.toggle_value(value), self._tick()))
            self._actions[value] = (action, plain)
        if self._more:
            menu.addSeparator()
            _add(menu, self._more).triggered.connect(self.asked)
        elif not choices:
            _add(menu, "None in this library yet").setEnabled(False)
        self._anything = anything
        self._tick()
        self.opened.emit()

    def _tick(self) -> None:
        for action, is_chosen in (
            (self._anything, not self.values),
            *((action, value in self.values) for value, (action, _) in self._actions.items()),
        ):
            action.setCheckable(True)
            action.setChecked(is_chosen)


class SortChip(QToolButton):
    """What the list is sorted by; choosing the same again turns the order round."""

    chosen = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.order, self.is_descending = Order.DATE, True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolTip("Sort the list, and so the queue; the same again turns it round (Space opens)")
        menu = QMenu(self)
        for order in Order:
            _add(menu, order.value.capitalize()).triggered.connect(lambda _, order=order: self.choose(order))
        self.setMenu(menu)
        self._name()

    def choose(self, order: Order) -> None:
        if order is self.order:
            self.put(order, not self.is_descending)
        else:
            self.put(order, order in (Order.DATE, Order.LENGTH, Order.FRAMES, Order.SIZE))

    def put(self, order: Order, is_descending: bool) -> None:
        """Sorts by this, this way round."""
        self.order, self.is_descending = order, is_descending
        self._name()
        self.chosen.emit()

    def _name(self) -> None:
        self.setText(f"Sort: {self.order.value} {'↓' if self.is_descending else '↑'}")
        self.setAccessibleName(f"Sorted by {self.order.value}, {'descending' if self.is_descending else 'ascending'}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _OPENING:
            self.showMenu()
        else:
            super().keyPressEvent(event)


def _add(menu: QMenu, words: str) -> QAction:
    action = menu.addAction(words)
    assert action is not None
    return action
