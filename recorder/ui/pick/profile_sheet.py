"""A game profile, opened at the window's side to be changed."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from db.errors import PlaytapeError
from db.recording.profiles import GameProfile, delete_profile, profile_path, save_profile
from recorder.ui.pick.limits_form import LimitsForm
from recorder.ui.scroll_column import ScrollColumn
from recorder.ui.settings.key_capture import KeyField
from recorder.ui.theme import dim, scaled


class ProfileSheet(QFrame):
    """`closed` gives the stored profile, or None where nothing was stored."""

    closed = pyqtSignal(object)

    def __init__(self, library: Path) -> None:
        super().__init__()
        self._library = library
        self._profile = GameProfile(name="Game")
        self.setObjectName("sheet")
        self.name, self.pattern = QLineEdit(), QLineEdit()
        self.keys = KeyField()
        self.only = QCheckBox("&Only these keys are stored")
        self.only.setToolTip("Any other key is never written; mouse and gamepad are not touched")
        self.idle, self.rate = _number(0, 86400, " s"), _number(1, 240, " a second")
        self.idle.setSpecialValueText("never")
        self.blank = QCheckBox("&Black picture while the keyboard is muted")
        self.more = QPushButton("&More: the verdict's limits ▸")
        self.more.setProperty("flat", True)
        self.more.setCheckable(True)
        self.limits = LimitsForm()
        self.limits.hide()
        self.more.toggled.connect(self._show_more)
        self._problem = QLabel()
        self._problem.setProperty("bad", True)
        self._problem.setWordWrap(True)
        self.delete = QPushButton("&Delete")
        self.store = QPushButton("&Save")
        self.store.setProperty("main", "go")
        self._build()
        self.keys.changed.connect(lambda: self.only.setEnabled(bool(self.keys.codes)))
        QShortcut(QKeySequence("Esc"), self, lambda: self.closed.emit(None), context=_WITHIN)
        QShortcut(QKeySequence("Ctrl+S"), self, self._store, context=_WITHIN)

    def open(self, profile: GameProfile) -> None:
        """Fills the sheet with this profile."""
        self._profile = profile
        self.name.setText(profile.name)
        self.pattern.setText(profile.title_pattern)
        self.keys.set_codes(profile.keys)
        self.only.setChecked(profile.only_these)
        self.only.setEnabled(bool(profile.keys))
        self.idle.setValue(round(profile.idle_s))
        self.rate.setValue(round(profile.rate_hz))
        self.blank.setChecked(profile.blank_when_muted)
        self.limits.show_limits(profile.limits)
        self.more.setChecked(False)
        self._say("")
        self._armed = False
        self.delete.setText("&Delete")
        self.delete.setVisible(self._is_stored)
        self.name.setFocus()

    @property
    def _is_stored(self) -> bool:
        return profile_path(self._library, self._profile.name).exists()

    def _build(self) -> None:
        title = QLabel("Game profile")
        title.setFont(scaled(title.font(), 1.3, bold=True))
        inner = QWidget()
        inner.setObjectName("scrolled")
        column = QVBoxLayout(inner)
        column.setContentsMargins(18, 16, 18, 8)
        column.setSpacing(6)
        column.addWidget(title)
        _field(column, "&Name", self.name, "As it stands in the library.")
        hint = "A regular expression; a window with it in its title is this game's. Empty: none."
        _field(column, "&Title pattern", self.pattern, hint)
        _field(column, "Keys that the game uses", self.keys, "Empty: not said. They are checked at the end.")
        column.addWidget(self.only)
        _field(column, "&Pause without input after", self.idle, "")
        _field(column, "&Frames", self.rate, "")
        column.addSpacing(4)
        column.addWidget(self.blank)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.limits)
        column.addStretch(1)
        self._scroll = scroll = ScrollColumn(inner)
        cancel = QPushButton("Cancel")
        cancel.setToolTip("Leaves the profile as it was (Esc)")
        cancel.clicked.connect(lambda: self.closed.emit(None))
        self.store.setToolTip("Stores the profile in the library (Ctrl+S)")
        self.store.clicked.connect(self._store)
        self.delete.clicked.connect(self._delete)
        row = QHBoxLayout()
        row.setContentsMargins(18, 8, 18, 16)
        row.setSpacing(8)
        row.addWidget(self.store)
        row.addWidget(cancel)
        row.addStretch(1)
        row.addWidget(self.delete)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        self._problem.setContentsMargins(18, 0, 18, 0)
        outer.addWidget(self._problem)
        outer.addLayout(row)

    def _show_more(self, on: bool) -> None:
        self.limits.setVisible(on)
        self.more.setText(f"&More: the verdict's limits {'▾' if on else '▸'}")
        if on:  # once it has been laid out
            QTimer.singleShot(0, lambda: self._scroll.ensureWidgetVisible(self.limits, 0, 0))

    def _store(self) -> None:
        try:
            profile = GameProfile(
                name=self.name.text().strip(),
                title_pattern=self.pattern.text().strip(),
                keys=self.keys.codes,
                only_these=self.only.isChecked() and bool(self.keys.codes),
                idle_s=self.idle.value(),
                rate_hz=self.rate.value(),
                blank_when_muted=self.blank.isChecked(),
                limits=self.limits.limits,
            )
            save_profile(self._library, profile)
            if self._is_stored and profile_path(self._library, profile.name) != self._path:
                delete_profile(self._library, self._profile.name)
        except ValidationError as error:
            self._say(_sentence(error))
            return
        except PlaytapeError as error:
            self._say(str(error))
            return
        self.closed.emit(profile)

    @property
    def _path(self) -> Path:
        return profile_path(self._library, self._profile.name)

    def _delete(self) -> None:
        """In two steps at the same place."""
        if not self._armed:
            self._armed = True
            self.delete.setText("Really &delete")
            return
        try:
            delete_profile(self._library, self._profile.name)
        except PlaytapeError as error:
            self._say(str(error))
            return
        self.closed.emit(None)

    def _say(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))


_WITHIN = Qt.ShortcutContext.WidgetWithChildrenShortcut


def _field(column: QVBoxLayout, name: str, widget: QWidget, hint: str) -> None:
    label = QLabel(name)
    label.setBuddy(widget)
    widget.setAccessibleName(name.replace("&", ""))
    column.addSpacing(6)
    column.addWidget(label)
    column.addWidget(widget)
    if hint:
        column.addWidget(dim(hint))


def _number(low: int, high: int, unit: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setSuffix(unit)
    box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
    return box


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, for people."""
    first = error.errors()[0]
    where = {"name": "The name", "title_pattern": "The title pattern"}.get(str(first["loc"][0]), str(first["loc"][0]))
    what = (
        first["msg"]
        .removeprefix("Value error, ")
        .removeprefix("String should ")
        .replace("have at least 1", "needs at least 1")
    )
    return f"{where} {what}."
