"""Which models are trained, how, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QStandardItemModel
from PyQt6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.wish import DEFAULT_MINUTES

_MODELS = (
    (
        "both",
        "Both",
        "An IDM first; it says what was pressed in videos, and a policy learns from those and from people",
    ),
    ("idm", "IDM", "An inverse-dynamics model: it tells from the pictures which keys were pressed"),
    ("policy", "Policy", "A policy: it plays from pictures and written instructions"),
)
_LONGEST_MIN = 14 * 24 * 60


@dataclass(frozen=True)
class Offer:
    """A configuration, as `playtape-train configurations` tells of it."""

    name: str
    what: str
    size_px: tuple[int, int]
    rate_hz: float
    runs_here: bool
    reason: str

    @classmethod
    def of(cls, says: dict[str, Any]) -> Offer:
        width, height = says["size_px"]
        rest = {name: says[name] for name in ("name", "what", "rate_hz", "runs_here", "reason")}
        return cls(size_px=(width, height), **rest)


QUICK = Offer("quick", "From scratch on minutes to hours of play.", (128, 96), 15.0, True, "")
"""What is always there, until the trainer has said what else is."""


def _over(field: QWidget, words: QLabel) -> QVBoxLayout:
    """A field and what is said of it; a form's own rows would leave room for more lines than there are."""
    column = QVBoxLayout()
    column.setSpacing(4)
    column.addWidget(field)
    column.addWidget(words)
    return column


class TrainForm(QWidget):
    """`changed` tells that another configuration is chosen."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offers = [QUICK]
        self._pictures: tuple[tuple[int, int], float] | None = None
        self._was_timed = False
        self.kinds = QButtonGroup(self)
        models = QVBoxLayout()
        models.setSpacing(4)
        for number, (_, word, tip) in enumerate(_MODELS):
            button = QRadioButton(word)
            button.setToolTip(tip)
            button.setMinimumHeight(24)
            self.kinds.addButton(button, number)
            models.addWidget(button)
        self.kinds.button(0).setChecked(True)
        self.config = QComboBox()
        self.config.setMinimumHeight(28)
        self.config.setAccessibleName("Configuration")
        self.config.setToolTip("How large the models are, and which pictures they see")
        self.what = QLabel()
        self.what.setWordWrap(True)
        self.what.setForegroundRole(self.what.palette().ColorRole.PlaceholderText)
        self.minutes = QDoubleSpinBox()
        self.minutes.setRange(0.1, _LONGEST_MIN)
        self.minutes.setDecimals(1)
        self.minutes.setSuffix(" min")
        self.minutes.setValue(DEFAULT_MINUTES["both"])
        self.minutes.setMinimumHeight(28)
        self.minutes.setAccessibleName("Time")
        self.minutes.setToolTip("How long is trained in all; reading the sessions and measuring comes on top")
        self.until = QLabel()
        self.until.setForegroundRole(self.until.palette().ColorRole.PlaceholderText)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Models", models)
        form.addRow("Configuration", _over(self.config, self.what))
        form.addRow("Time", _over(self.minutes, self.until))
        self.kinds.idToggled.connect(self._on_kind)
        self.minutes.valueChanged.connect(self._on_minutes)
        self.config.currentIndexChanged.connect(lambda _: (self._describe(), self.changed.emit()))
        self.offer([QUICK])

    @property
    def models(self) -> str:
        return _MODELS[self.kinds.checkedId()][0]

    @property
    def chosen(self) -> Offer:
        return self._offers[max(self.config.currentIndex(), 0)]

    @property
    def problem(self) -> str:
        """Why the chosen configuration cannot be used, "" where it can."""
        return self._problem(self.chosen)

    def choose_models(self, models: str) -> None:
        self.kinds.button([name for name, _, _ in _MODELS].index(models)).setChecked(True)

    def offer(self, offers: Sequence[Offer]) -> None:
        """What there is to choose from."""
        name = self.chosen.name
        self._offers = list(offers)
        self.config.blockSignals(True)
        self.config.clear()
        for one in self._offers:
            self.config.addItem(one.name)
        at = [one.name for one in self._offers].index(name) if name in {one.name for one in self._offers} else 0
        self.config.setCurrentIndex(at)
        self.config.blockSignals(False)
        self._judge()

    def suit(self, pictures: tuple[tuple[int, int], float] | None) -> None:
        """Only configurations for these pictures (size, rate) can be used; None for any."""
        self._pictures = pictures
        if pictures is not None and self._problem(self.chosen):
            usable = [at for at, one in enumerate(self._offers) if not self._problem(one)]
            if usable:
                self.config.setCurrentIndex(usable[0])
        self._judge()

    def show_until(self) -> None:
        """When it would be done if it began now."""
        done = datetime.now() + timedelta(minutes=self.minutes.value())
        day = f"{done:%H:%M}" if done.date() == datetime.now().date() else f"{done:%a %d %b, %H:%M}"
        self.until.setText(f"Done soon after {day}.")

    def _problem(self, offer: Offer) -> str:
        if not offer.runs_here:
            return offer.reason
        if self._pictures is not None and self._pictures != (offer.size_px, offer.rate_hz):
            return "The chosen dataset was frozen for other pictures."
        return ""

    def _judge(self) -> None:
        model = self.config.model()
        assert isinstance(model, QStandardItemModel)
        for at, one in enumerate(self._offers):
            item, problem = model.item(at), self._problem(one)
            item.setEnabled(not problem)
            item.setToolTip(problem or one.what)
            self.config.setItemText(at, f"{one.name}  (not here)" if not one.runs_here else one.name)
        self._describe()

    def _describe(self) -> None:
        one = self.chosen
        pictures = f"Pictures of {one.size_px[0]}×{one.size_px[1]} at {one.rate_hz:g} a second."
        hidden = [other for other in self._offers if not other.runs_here]
        why = f" {', '.join(other.name for other in hidden)}: {hidden[0].reason}" if hidden else ""
        self.what.setText(f"{one.what} {pictures} {one.reason}{why}".replace("  ", " "))
        self.show_until()

    def _on_kind(self, _: int, is_checked: bool) -> None:
        if is_checked and not self._was_timed:
            self.minutes.blockSignals(True)
            self.minutes.setValue(DEFAULT_MINUTES[self.models])
            self.minutes.blockSignals(False)
            self.show_until()

    def _on_minutes(self) -> None:
        self._was_timed = True
        self.show_until()
