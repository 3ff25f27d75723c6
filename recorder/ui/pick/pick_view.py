"""Before the recording: what is picked, how it looks now, whether all works, and the button that starts."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from db.recording.profiles import GameProfile, profile_for
from db.specs import CaptureSpec
from recorder.frames import LatestFrame
from recorder.status import Status
from recorder.ui.engine import Engine
from recorder.ui.live.checks_row import ChecksRow
from recorder.ui.live.lookout import Found, Lookout
from recorder.ui.live.preview import Preview
from recorder.ui.pick.picker import Picker
from recorder.ui.pick.play_sheet import PlaySheet
from recorder.ui.pick.profile_card import ProfileCard
from recorder.ui.pick.profile_sheet import ProfileSheet
from recorder.ui.settings.encoder_choice import EncoderChoice
from recorder.ui.settings.preferences import Preferences
from recorder.ui.theme import dim

SIDE_PX = 340


class PickView(QWidget):
    """`start` gives the Found to record, `play` the Found to play and the options for `playtape-play`."""

    start = pyqtSignal(object)
    play = pyqtSignal(object, object)
    failed = pyqtSignal(str)

    def __init__(
        self, library: Path, lookout: Lookout, engine: Engine, preferences: Preferences, encoder: EncoderChoice
    ) -> None:
        super().__init__()
        self._engine, self._preferences, self._encoder = engine, preferences, encoder
        self.rate_hz: float | None = None
        """Frames a second by the command line, whatever the profile says."""
        self._seen_ns = 0
        self.picker = Picker(lookout, lambda title: profile_for(library, title) is not None)
        self.preview = Preview()
        self.checks = ChecksRow()
        self.card = ProfileCard(library, preferences)
        self.sheet = ProfileSheet(library)
        self.record = QPushButton("&Record")
        self.record.setProperty("main", "record")
        self.record.setEnabled(False)
        self.let_play = QPushButton("Let a &model play…")
        self.let_play.setToolTip("A trained policy plays what is picked, and you may take over (Alt+M)")
        self.play_sheet = PlaySheet(library)
        self._hint = dim()
        self._hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._side = QStackedWidget()
        self._build()
        self.picker.picked.connect(self._pick)
        self.picker.opened.connect(self._start)
        self.record.clicked.connect(self._start)
        self.card.edit.connect(self._open_sheet)
        self.card.failed.connect(self.failed)
        self.sheet.closed.connect(self._close_sheet)
        self.let_play.clicked.connect(self._open_play)
        self.play_sheet.closed.connect(self._close_play)
        self._found: Found | None = None
        self._pick(None)

    @property
    def profile(self) -> GameProfile | None:
        return self.card.profile

    @property
    def capture(self) -> CaptureSpec:
        """As the profile wants it, the encoder left open."""
        usual = self.profile.rate_hz if self.profile is not None else CaptureSpec().rate_hz
        return CaptureSpec(rate_hz=self.rate_hz or usual)

    @property
    def found(self) -> Found | None:
        return self._found

    def look_again(self) -> None:
        """Shows what is picked again, after a recording or a change of the settings."""
        self._hint.setText(f"or press {self._preferences.bindings['record']}, also from within the game")
        found, self._found = self._found, None
        self._pick(found)

    def rest(self, why: str) -> None:
        """Neither looks nor starts anything until `look_again`."""
        self._engine.look_away()
        self.preview.say(why)
        self.checks.hide()
        for button in (self.record, self.let_play):
            button.setEnabled(False)

    def draw(self, status: Status, latest: LatestFrame | None) -> None:
        """Ten times a second."""
        peek = self._engine.peek
        if peek is None:
            return
        self.checks.show_checks(status.checks)
        if peek.error is not None:
            self.preview.show_picture(None)
            self.preview.say(str(peek.error))
            return
        grab = latest.get(self._seen_ns, 0) if latest is not None else None
        if grab is None:
            return
        self._seen_ns = grab.t_ns
        peek.covered = not grab.bgra[::8, ::8, :3].any()
        if peek.covered:
            self.preview.fade("Covered by another window, or black.\nIt comes to the front when the recording starts.")
        else:
            peek.seen = True
            self.preview.show_picture(grab.bgra)
            self._encoder.look(grab.bgra, self.capture)

    def try_encoder(self, latest: LatestFrame | None) -> None:
        """While the countdown runs: the game is in front by then, also where it was covered before."""
        grab = latest.get(0, 0) if latest is not None else None
        if grab is not None and grab.bgra[::8, ::8, :3].any():
            self._encoder.look(grab.bgra, self.capture)

    def _build(self) -> None:
        panel = QWidget()
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self.preview.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.preview.setMaximumHeight(260)
        column.addWidget(self.preview, 4)
        column.addWidget(self.checks)
        column.addWidget(self.card)
        column.addStretch(1)
        column.addWidget(self.record)
        column.addWidget(self._hint)
        column.addWidget(self.let_play)
        self._side.addWidget(panel)
        self._side.addWidget(self.sheet)
        self._side.addWidget(self.play_sheet)
        self._side.setFixedWidth(SIDE_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.picker, 1)
        row.addWidget(self._side)

    def _pick(self, found: Found | None) -> None:
        same = found is not None and self._found is not None and found.choice == self._found.choice
        self._found = found
        self.record.setEnabled(found is not None)
        self.let_play.setEnabled(found is not None and found.choice.window_id is not None)
        self.card.set_title(found.title if found is not None else "")
        if same and self._engine.peek is not None and self._engine.peek.error is None:
            return
        problem = self._engine.aim(found.choice if found is not None else None)
        self._seen_ns = 0
        self.preview.show_still(found.picture if found is not None else None)
        self.preview.say(problem or ("" if found is not None else "Nothing is picked yet."))
        self.checks.setVisible(found is not None and not problem)
        if problem:
            self.record.setEnabled(False)

    def _start(self) -> None:
        if self._found is not None and self.record.isEnabled():
            self.start.emit(self._found)

    def _open_play(self) -> None:
        if self._found is not None:
            self.play_sheet.open(self.profile.name if self.profile is not None else self._found.title)
            self._side.setCurrentWidget(self.play_sheet)

    def _close_play(self, options: list[str] | None) -> None:
        self._side.setCurrentIndex(0)
        self.let_play.setFocus()
        if options is not None and self._found is not None:
            self.play.emit(self._found, options)

    def _open_sheet(self, profile: GameProfile) -> None:
        self.sheet.open(profile)
        self._side.setCurrentWidget(self.sheet)

    def _close_sheet(self, profile: GameProfile | None) -> None:
        self._side.setCurrentIndex(0)
        self.card.keep(profile)
        self.card.button.setFocus()
