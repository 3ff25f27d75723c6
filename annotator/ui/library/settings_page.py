"""How a team works in this library: the rules of review and double labelling, and who may change them."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.queue import sampled_share
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.text_guard import TextGuard
from db.errors import PlaytapeError
from db.settings import LibrarySettings, change_settings, read_settings, settings_stamp

GIB = 2**30
_MOST_PX = 640
_LABEL_CHARS, _FIELD_CHARS = 24, 16


class SettingsPage(QWidget):
    """Shows the rules as they are stored; Save stores all of them at once, and other windows see it within a second."""

    told = pyqtSignal(str)

    def __init__(self, root: Path, person: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root, self._person = root, person
        self._stamp: tuple[int, int] | None = None
        self._shown = LibrarySettings()
        self.no_self_accept = QCheckBox("Nobody accepts what they labelled themselves")
        self.double_share = _number(0, 100, 1, " %")
        self.least_share = _number(0, 100, 1, " %")
        self.trusted_h = _number(0.1, 1000, 1, " h")
        self.quota = _number(0, 100_000, 1, " GiB")
        self.stewards = QLineEdit()
        self.stewards.setPlaceholderText("everybody")
        self.stewards.setMinimumHeight(28)
        TextGuard(self.stewards)
        self.state, self.sample = _dim(QLabel()), _dim(QLabel())
        self.save, self.put_back = QPushButton("Save"), QPushButton("Put back")
        self.save.setProperty("primary", True)
        self.save.setToolTip("Store these rules for everybody who opens this library (Enter)")
        self.put_back.setToolTip("Show again what is stored")
        self.save.clicked.connect(self.store)
        self.put_back.clicked.connect(self.show_stored)
        self._inputs = (
            self.no_self_accept,
            self.double_share,
            self.trusted_h,
            self.least_share,
            self.quota,
            self.stewards,
        )
        self._arrange()
        self.no_self_accept.toggled.connect(self._judge)
        for number in (self.double_share, self.trusted_h, self.least_share, self.quota):
            number.valueChanged.connect(self._judge)
        self.stewards.textEdited.connect(self._judge)
        self.stewards.returnPressed.connect(self.store)
        self.look()

    def look(self) -> None:
        """Shows what is stored where somebody has changed it; what is being changed here stays."""
        stamp = settings_stamp(self._root)
        if stamp == self._stamp:
            return
        is_first, self._stamp = self._stamp is None, stamp
        try:
            stored = read_settings(self._root)
        except PlaytapeError as error:
            self.state.setText(str(error))
            return
        if is_first or self.changed() == self._shown:
            self._shown = stored
            self.show_stored()
        elif stored != self._shown:
            self._shown = stored
            self.state.setText(
                "Somebody else has changed the rules meanwhile. Put back shows theirs, Save replaces them."
            )

    def show_stored(self) -> None:
        """Forgets what was changed here."""
        stored = self._shown
        self.no_self_accept.setChecked(stored.no_self_accept)
        self.double_share.setValue(stored.double_label_share * 100)
        self.least_share.setValue(stored.least_share * 100)
        self.trusted_h.setValue(stored.trusted_h)
        self.quota.setValue(stored.cache_quota_bytes / GIB)
        self.stewards.setText(", ".join(stored.stewards))
        self.state.clear()
        self._judge()

    def changed(self) -> LibrarySettings:
        """The rules as they stand in the fields, without regard to whether they are valid."""
        return self._changed(self._shown)

    def store(self) -> None:
        """Stores them, whole or not at all; why not is told."""
        if not self.save.isEnabled():
            return
        try:
            self._shown = change_settings(self._root, self._person, self._changed)
        except PlaytapeError as error:
            self.state.setText(str(error))
            self.told.emit(str(error))
            return
        self._stamp = settings_stamp(self._root)
        self.show_stored()
        self.state.setText("Saved. Everybody who has this library open works by these rules now.")

    def _changed(self, before: LibrarySettings) -> LibrarySettings:
        names = tuple(dict.fromkeys(name for part in self.stewards.text().split(",") if (name := part.strip())))
        given: dict[str, object] = {"no_self_accept": self.no_self_accept.isChecked(), "stewards": names}
        numbers = (
            ("double_label_share", self.double_share, self._shown.double_label_share * 100, 0.01),
            ("least_share", self.least_share, self._shown.least_share * 100, 0.01),
            ("trusted_h", self.trusted_h, self._shown.trusted_h, 1.0),
        )
        for name, field, shown, factor in numbers:
            if field.value() != round(shown, field.decimals()):  # what nobody touched keeps all its digits
                given[name] = field.value() * factor
        if self.quota.value() != round(self._shown.cache_quota_bytes / GIB, self.quota.decimals()):
            given["cache_quota_bytes"] = round(self.quota.value() * GIB)
        return before.model_copy(update=given)

    def _judge(self, *_: object) -> None:
        may, is_changed = self._shown.may_change(self._person), self.changed() != self._shown
        for field in self._inputs:
            field.setEnabled(may)
        self.save.setEnabled(may and is_changed)
        self.put_back.setEnabled(is_changed)
        if not may:
            who = ", ".join(self._shown.stewards)
            self.state.setText(f"These rules are changed by {who}. You are {self._person}; ask one of them.")
        rules = self.changed()
        shares = (f"{sampled_share(hours, rules):.0%} after {hours:g} h" for hours in (0, 1, 5, 20))
        self.sample.setText(f"With these, of a player's sessions in a game there are reviewed: {', '.join(shares)}.")

    def _arrange(self) -> None:
        inside = QWidget()
        inside.setMaximumWidth(_MOST_PX)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(8)

        def part(title: str, text: str, *rows: QWidget) -> None:
            column.addWidget(_bold(title))
            for row in rows:
                column.addWidget(row)
            column.addWidget(_dim(QLabel(text)))
            column.addSpacing(12)

        part(
            "Accepting",
            "Whoever has labels in a session cannot accept it; somebody else has to look. Off where one person does all.",
            self.no_self_accept,
        )
        part(
            "Two readings",
            "Of the sessions, so many are drawn to be labelled by a second person who does not see the first one's labels. "
            "Where the two differ is settled, and how far people agree is measured. 5 to 10 % is usual; 0 turns it off.",
            _row("Labelled by two people", self.double_share),
        )
        part(
            "Which sessions are reviewed",
            "What is flagged or badly recorded is always reviewed. Of the rest the fewer, the more hours of its player were "
            "accepted in that game: all at first, half after the first number, and never less than the second.",
            _row("Half of them after", self.trusted_h),
            _row("Always at least", self.least_share),
            self.sample,
        )
        part(
            "Cache",
            "Small pictures and proxies of videos. What was used longest ago is removed when they take more.",
            _row("Keep it under", self.quota),
        )
        part(
            "Words and flags",
            "The library's vocabulary and its own flags are everybody's: they are edited where they are used, in the "
            "annotator under Label.",
        )
        part(
            "Who may change these rules",
            "People's ids, commas between them; empty: everybody. It is an agreement, not a lock: whoever can write to the "
            "library's folder can change its files.",
            self.stewards,
        )
        column.addStretch()
        area = ScrollColumn(inside)
        area.setAccessibleName("Rules of this library")
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.save)
        foot.addWidget(self.put_back)
        foot.addWidget(self.state, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(area, 1)
        layout.addLayout(foot)
        for field, name in zip(self._inputs, _NAMES, strict=True):
            field.setAccessibleName(name)
            field.setToolTip(name)


_NAMES = (
    "Nobody accepts what they labelled themselves",
    "Share of the sessions that two people label",
    "Accepted hours after which half of a player's sessions are reviewed",
    "Share of a player's sessions that is always reviewed",
    "Most that the cache may take",
    "Who may change these rules, commas between them",
)


def _number(least: float, most: float, decimals: int, suffix: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(least, most)
    field.setDecimals(decimals)
    field.setSuffix(suffix)
    field.setMinimumHeight(28)
    return field


def _row(text: str, field: QWidget) -> QWidget:
    holder, label = QWidget(), QLabel(text)
    label.setBuddy(field)
    label.setMinimumWidth(label.fontMetrics().averageCharWidth() * _LABEL_CHARS)
    field.setMinimumWidth(field.fontMetrics().averageCharWidth() * _FIELD_CHARS)
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(label)
    row.addWidget(field)
    row.addStretch()
    return holder


def _bold(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _dim(label: QLabel) -> QLabel:
    label.setWordWrap(True)
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    return label
