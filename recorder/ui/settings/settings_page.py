"""What can be chosen once for all recordings on this machine."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from db.recording.consent import LICENCES, Consent
from recorder.hotkeys import DEFAULTS, HotkeyAction, problems
from recorder.ui.scroll_column import ScrollColumn
from recorder.ui.segments import Segments
from recorder.ui.settings.encoder_choice import EncoderChoice
from recorder.ui.settings.key_capture import HotkeyField
from recorder.ui.settings.preferences import MAX_COUNTDOWN_S, SCHEMES, Preferences
from recorder.ui.theme import chosen_theme, dim, scaled, wear
from recorder.ui.tones import Sounds, Tone

_WIDTH_PX = 760
_NAMES = {
    HotkeyAction.RECORD: "Record and stop",
    HotkeyAction.PAUSE: "Pause and resume",
    HotkeyAction.MUTE: "Mute the keyboard",
    HotkeyAction.DISCARD: "Discard the last seconds",
}


class SettingsPage(ScrollColumn):
    """Everything takes effect at once; there is nothing to confirm."""

    rebound = pyqtSignal()
    """A hotkey is another one now."""
    capturing = pyqtSignal(bool)
    """A hotkey is being typed, so that none may act."""
    consent_wanted = pyqtSignal()
    """The person wants to read or change what was agreed to."""
    player_changed = pyqtSignal(str)

    def __init__(self, library: Path, preferences: Preferences, sounds: Sounds, encoder: EncoderChoice) -> None:
        super().__init__()
        self._library, self._preferences, self._sounds, self._encoder = library, preferences, sounds, encoder
        self._game_keys: Collection[int] = ()
        self.fields: dict[HotkeyAction, HotkeyField] = {}
        self.problems: dict[HotkeyAction, QLabel] = {}
        self.listener_problem = _complaint()
        inner = QWidget()
        inner.setMaximumWidth(_WIDTH_PX)
        self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(8, 8, 8, 16)
        self.column.setSpacing(12)
        for build in (
            self._build_hotkeys, self._build_start, self._build_view, self._build_encoder, self._build_person,
        ):  # fmt: skip
            self.column.addWidget(build())
        self.column.addStretch(1)
        outer = QWidget()
        outer.setObjectName("scrolled")
        around = QHBoxLayout(outer)
        around.setContentsMargins(0, 0, 0, 0)
        around.addStretch(1)
        around.addWidget(inner, 100)
        around.addStretch(1)
        self.setWidget(outer)

    def show_facts(self, consent: Consent | None, game_keys: Collection[int], listener_problem: str) -> None:
        """Called whenever the page comes up."""
        self._game_keys = game_keys
        self.player.setText(self._preferences.player)
        if consent is None:
            self._consent.setText("Not agreed to yet.")
        else:
            words = LICENCES.get(consent.licence, consent.licence)
            self._consent.setText(f"{words}\nAgreed to on {consent.given_at[:10]} by {consent.person}.")
        self.listener_problem.say(listener_problem)
        self._show_encoder()
        self._check_hotkeys()

    # What is in it

    def _build_hotkeys(self) -> QFrame:
        card, column = _card("Hotkeys", "They work from within the game, and are never written into a recording.")
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        bindings = self._preferences.bindings
        for row, action in enumerate(_NAMES):
            field = HotkeyField(bindings[action])
            field.setAccessibleName(_NAMES[action])
            field.rebound.connect(lambda _: self._rebind())
            field.listening.connect(self.capturing)
            self.fields[action] = field
            self.problems[action] = _complaint()
            grid.addWidget(QLabel(_NAMES[action]), row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(self.problems[action], row, 2)
        column.addLayout(grid)
        column.addWidget(self.listener_problem)
        usual = QPushButton("&Usual hotkeys")
        usual.setToolTip("F9 records, F10 pauses, F8 mutes, F7 discards")
        usual.clicked.connect(self._reset_hotkeys)
        column.addWidget(usual, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _build_start(self) -> QFrame:
        card, column = _card("Start and signs")
        self.countdown = QSpinBox()
        self.countdown.setRange(0, MAX_COUNTDOWN_S)
        self.countdown.setSuffix(" s")
        self.countdown.setSpecialValueText("none")
        self.countdown.setValue(self._preferences.countdown_s)
        self.countdown.setFixedWidth(110)
        self.countdown.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.countdown.valueChanged.connect(lambda value: setattr(self._preferences, "countdown_s", value))
        row = QHBoxLayout()
        label = QLabel("&Countdown before a recording")
        label.setBuddy(self.countdown)
        row.addWidget(label)
        row.addWidget(self.countdown)
        row.addStretch(1)
        column.addLayout(row)
        self.sounds = QCheckBox("S&ounds at start, stop, pause and warnings")
        self.sounds.setChecked(self._preferences.sounds and not self._sounds.problem)
        self.sounds.setEnabled(not self._sounds.problem)
        self.sounds.toggled.connect(self._switch_sounds)
        hear = QPushButton("&Hear it")
        hear.setEnabled(not self._sounds.problem)
        hear.clicked.connect(lambda: self._sounds.play(Tone.START))
        row = QHBoxLayout()
        row.addWidget(self.sounds)
        row.addWidget(hear)
        row.addStretch(1)
        column.addLayout(row)
        if self._sounds.problem:
            column.addWidget(dim(self._sounds.problem))
        self.pill = QCheckBox("A small &sign beside the game shows the state while this window is not in front")
        self.pill.setChecked(self._preferences.pill)
        self.pill.setToolTip("It takes no click and no focus, and never lies over what is recorded")
        self.pill.toggled.connect(lambda on: setattr(self._preferences, "pill", on))
        column.addWidget(self.pill)
        return card

    def _build_view(self) -> QFrame:
        card, column = _card("Look")
        self.preview = QCheckBox("Live &preview while recording")
        self.preview.setChecked(self._preferences.preview)
        self.preview.setToolTip("At most ten pictures a second; what it costs stands beside its switch")
        self.preview.toggled.connect(lambda on: setattr(self._preferences, "preview", on))
        column.addWidget(self.preview)
        self.scheme = Segments([("As the s&ystem", ""), ("&Dark", ""), ("&Light", "")])
        self.scheme.choose(SCHEMES.index(self._preferences.scheme))
        self.scheme.switched.connect(self._switch_scheme)
        column.addWidget(self.scheme, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _build_encoder(self) -> QFrame:
        card, column = _card("Encoder")
        self.encoder = QLabel()
        self.encoder.setWordWrap(True)
        self.retry = QPushButton("T&ry again")
        self.retry.setToolTip("Tries every encoder anew for two seconds, on the picture of what is picked")
        self.retry.clicked.connect(self._encoder.repeat)
        self._encoder.changed.connect(self._show_encoder)
        self._show_encoder()
        column.addWidget(self.encoder)
        column.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _show_encoder(self) -> None:
        self.encoder.setText(self._encoder.sentence)
        self.retry.setEnabled(self._encoder.can_repeat)

    def _build_person(self) -> QFrame:
        card, column = _card("Library and consent")
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        folder = QLineEdit(str(self._library))
        folder.setReadOnly(True)
        folder.setAccessibleName("The library's folder")
        self.player = QLineEdit(self._preferences.player)
        self.player.setAccessibleName("Player")
        self.player.setToolTip("Another player is asked to agree first")
        self.player.editingFinished.connect(self._rename)
        self._consent = QLabel()
        self._consent.setWordWrap(True)
        again = QPushButton("Read again or &change …")
        again.clicked.connect(self.consent_wanted)
        for row, (name, widget) in enumerate(
            (("Folder", folder), ("Player", self.player), ("Licence", self._consent), ("", again))
        ):
            place = Qt.AlignmentFlag.AlignLeft if widget is again else Qt.AlignmentFlag(0)
            grid.addWidget(dim(name, wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(widget, row, 1, place)
        column.addLayout(grid)
        return card

    # What it does

    def _rebind(self) -> None:
        self._preferences.bindings = {action: field.hotkey for action, field in self.fields.items()}
        self._check_hotkeys()
        self.rebound.emit()

    def _reset_hotkeys(self) -> None:
        for action, field in self.fields.items():
            field.set_hotkey(DEFAULTS[action])
        self._rebind()

    def _check_hotkeys(self) -> None:
        bindings = {action: field.hotkey for action, field in self.fields.items()}
        found = problems(bindings, self._game_keys)
        for action, complaint in self.problems.items():
            complaint.say(found.get(action, ""))

    def _switch_sounds(self, on: bool) -> None:
        self._preferences.sounds = on
        self._sounds.on = on

    def _switch_scheme(self, number: int) -> None:
        self._preferences.scheme = SCHEMES[number]
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        wear(app, chosen_theme())

    def _rename(self) -> None:
        name = self.player.text().strip()
        if name and name != self._preferences.player:
            self._preferences.player = name
            self.player_changed.emit(name)


class _Complaint(QLabel):
    """Takes no room while there is nothing to say."""

    def say(self, text: str) -> None:
        self.setText(text)
        self.setVisible(bool(text))


def _complaint() -> _Complaint:
    label = _Complaint()
    label.setProperty("bad", True)
    label.setWordWrap(True)
    label.hide()
    return label


def _card(title: str, words: str = "") -> tuple[QFrame, QVBoxLayout]:
    card = QFrame()
    card.setProperty("card", True)
    column = QVBoxLayout(card)
    column.setContentsMargins(18, 14, 18, 16)
    column.setSpacing(10)
    label = QLabel(title)
    label.setFont(scaled(label.font(), 1.15, bold=True))
    column.addWidget(label)
    if words:
        column.addWidget(dim(words))
    return card, column
