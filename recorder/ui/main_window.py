"""The recorder's window: Record, My sessions and Settings; it shows what the engine does and adds nothing to it."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from PyQt6.QtCore import QProcess, QRect, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from db.errors import PlaytapeError
from db.labelling.labels import new_id
from db.recording.consent import Consent, find_consent
from recorder.hotkeys import HotkeyAction
from recorder.order import Order
from recorder.states import State
from recorder.ui import glyphs
from recorder.ui.consent_page import ConsentPage
from recorder.ui.engine import Ear, Engine, bring_forward
from recorder.ui.flow import Flow
from recorder.ui.live.faces import READY, Face, face_of_end, pause_word
from recorder.ui.live.gauges import clock_text
from recorder.ui.live.live_view import LiveView
from recorder.ui.live.lookout import Found, Lookout
from recorder.ui.notices import Notices, Weight
from recorder.ui.own.own_sessions import OwnSessions
from recorder.ui.pick.pick_view import PickView
from recorder.ui.pill import Pill
from recorder.ui.playing import Playing
from recorder.ui.segments import Segments
from recorder.ui.settings.encoder_choice import EncoderChoice
from recorder.ui.settings.preferences import Preferences
from recorder.ui.settings.settings_page import SettingsPage
from recorder.ui.theme import RED
from recorder.ui.tones import Sounds
from recorder.ui.tray import Tray
from recorder.ui.verdict.verdict_view import VerdictView

_TICK_MS = 100
RECORD, SESSIONS, SETTINGS = range(3)
_PLAY = "play"
_OVER_MS = 6000
"""So long the sign beside the game says how it ended."""


class RecorderWindow(QWidget):
    """Every session recorded before it is closed belongs to one group."""

    ended = pyqtSignal()
    """It is closed, and everything that it ran has ended."""

    def __init__(self, library: Path, args: argparse.Namespace) -> None:
        super().__init__()
        self._library, self._game = library, args.game
        self._window_id, self._window_title = args.window_id, args.window_title
        self._group = args.group or new_id()
        self._rate_hz = args.fps
        self.preferences = Preferences()
        if not self.preferences.player:
            self.preferences.player = args.player
        self._engine, self._ear, self._lookout = Engine(library), Ear(), Lookout()
        self._encoder = EncoderChoice()
        self.sounds = Sounds()
        self.sounds.on = self.preferences.sounds
        self.flow = Flow(self._engine, self.preferences, self.sounds)
        self.flow.refine = lambda found, capture: self._encoder.find(found.size_px, capture)
        self._playing = Playing(library, self)
        self._consent: Consent | None = None
        self._closing = False
        self._hid_itself = False
        self._end_face, self._over_words = READY, ""
        self._rect = QRect()
        self.setWindowTitle("Playtape Recorder")
        self.setWindowIcon(glyphs.badge(READY.shape, RED))
        self._build()
        self._connect()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._over = QTimer(self)
        self._over.setSingleShot(True)
        self._over.setInterval(_OVER_MS)

    def begin(self) -> None:
        """Looks once before this window lies over the others, and then goes on looking."""
        try:
            self.pick.picker.show_view(self._lookout.look_now())
        except PlaytapeError as error:
            self.notify(str(error), Weight.FAILED)
        self._lookout.start()
        self._listen()
        self._ask_consent()
        self._timer.start(_TICK_MS)

    def notify(self, text: str, weight: Weight = Weight.DONE, actions: object = (), topic: str = "") -> None:
        """A sentence within the window; never a dialog, which a game would hide."""
        self.notices.tell(text, weight, list(actions), topic=topic)

    # What is in it

    def _build(self) -> None:
        self.navigation = Segments(
            [
                ("Recor&d", "Pick a game and record it (Alt+D)"),
                ("My se&ssions", "What you have recorded, sent and withdrawn (Alt+S)"),
                ("Se&ttings", "Hotkeys, sounds, licence and more (Alt+T)"),
            ]
        )
        self._chip = QLabel()
        self._chip.setProperty("dim", True)
        self.notices = Notices()
        self.consent = ConsentPage(self._library)
        self.pick = PickView(self._library, self._lookout, self._engine, self.preferences, self._encoder)
        self.pick.picker.is_wanted = self._is_wanted
        self.pick.rate_hz = self._rate_hz
        self.live = LiveView(self.preferences)
        self.verdict = VerdictView(self._library)
        self._record = QStackedWidget()
        for page in (self.consent, self.pick, self.live, self.verdict):
            self._record.addWidget(page)
        self.sessions = OwnSessions(self._library, self.preferences.player)
        self.settings = SettingsPage(self._library, self.preferences, self.sounds, self._encoder)
        self._pages = QStackedWidget()
        for page in (self._record, self.sessions, self.settings):
            self._pages.addWidget(page)
        top = QHBoxLayout()
        top.addWidget(self.navigation)
        top.addStretch(1)
        top.addWidget(self._chip)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self.notices)
        column.addWidget(self._pages, 1)
        self.pill = Pill()
        self._build_tray()

    def _build_tray(self) -> None:
        self._tray_actions: dict[str, QAction] = {}
        for name, text, act in (
            ("record", "Record", self._toggle),
            ("pause", "Pause", self.flow.pause_or_resume),
            ("mute", "Mute keyboard", self.flow.mute_or_not),
            ("discard", "Discard the last seconds", lambda: self.flow.discard(self.preferences.discard_s)),
            ("show", "Show the window", self.come_forward),
            ("quit", "Quit", self.close),
        ):
            action = QAction(text, self)
            action.triggered.connect(act)
            self._tray_actions[name] = action
        actions = self._tray_actions
        self.tray = Tray(
            self,
            [
                actions["record"],
                actions["pause"],
                actions["mute"],
                actions["discard"],
                None,
                actions["show"],
                actions["quit"],
            ],
        )

    def _is_wanted(self, found: Found) -> bool:
        """Whether the command line names this window."""
        if self._window_id is not None:
            return found.choice.window_id == self._window_id
        return bool(self._window_title) and re.search(self._window_title, found.title, re.IGNORECASE) is not None

    def _connect(self) -> None:
        self.navigation.switched.connect(self._switch)
        self.consent.agreed.connect(self._agree)
        self.consent.left.connect(lambda: self._record.setCurrentWidget(self.pick))
        self.pick.start.connect(self._start)
        self.pick.play.connect(self._play)
        self._playing.ended.connect(self._end_play)
        self.pick.failed.connect(lambda text: self.notify(text, Weight.FAILED))
        self.live.stop.connect(self.flow.stop)
        self.live.pause.connect(self.flow.pause_or_resume)
        self.live.mute.connect(self.flow.mute_or_not)
        self.live.discard.connect(self.flow.discard)
        self.flow.began.connect(self._show_live)
        self.flow.ended.connect(self._show_end)
        self.flow.told.connect(self.notify)
        self.verdict.done.connect(self._show_pick)
        self.verdict.annotate.connect(self.annotate)
        self.sessions.annotate.connect(self.annotate)
        self.settings.rebound.connect(self._listen)
        self.settings.capturing.connect(self._ear.deafen)
        self.settings.consent_wanted.connect(self._review_consent)
        self.settings.player_changed.connect(self._change_player)
        self._ear.pressed.connect(self._hear)
        self._lookout.resting = lambda: self._record.currentWidget() is not self.pick or self.isMinimized()
        self._lookout.news.moved.connect(self._follow)

    # Pages

    def _switch(self, page: int) -> None:
        if page == SETTINGS:
            profile = self.pick.profile
            keys = profile.keys if profile is not None else ()
            self.settings.show_facts(self._consent, keys, self._ear.problem)
        self._pages.setCurrentIndex(page)

    def _ask_consent(self) -> None:
        """Shows the consent page unless this player has agreed to the present wording."""
        try:
            self._consent = find_consent(self._library, self.preferences.player)
        except PlaytapeError as error:
            self.notify(str(error), Weight.FAILED)
            self._consent = None
        if self._consent is None:
            self.consent.ask(self.preferences.player, None)
            self._record.setCurrentWidget(self.consent)
        elif not self.flow.busy:
            self._show_pick()

    def _review_consent(self) -> None:
        if not self.flow.busy:
            self.consent.ask(self.preferences.player, self._consent)
            self._record.setCurrentWidget(self.consent)
            self.navigation.choose(RECORD)

    def _agree(self, given: Consent) -> None:
        self._consent = given
        self.preferences.player = given.person
        self.sessions.set_player(given.person)
        self._show_pick()

    def _change_player(self, name: str) -> None:
        self.sessions.set_player(name)
        self._ask_consent()
        if self._consent is None:
            self.navigation.choose(RECORD)
        else:
            self._switch(SETTINGS)

    def _show_pick(self) -> None:
        if self._consent is None:
            return
        self._record.setCurrentWidget(self.pick)
        self.pick.look_again()

    def _show_live(self) -> None:
        self.notices.clear()
        self._over.stop()
        self.live.begin()
        self._record.setCurrentWidget(self.live)
        self.navigation.choose(RECORD)
        found = self.flow.target
        if found is None:
            return
        self._rect = QRect(*found.rect_px)
        self._lookout.follow(found.choice.window_id if found.choice.region_px is None else None)
        if found.choice.window_id is None or found.choice.region_px or found.choice.monitor is not None:
            self._step_aside()

    def _show_end(self, results: list) -> None:
        self._lookout.follow(None)
        if self._hid_itself:
            self.come_forward()
        elif not self.isActiveWindow():
            QApplication.alert(self)
        if self._closing:
            self.close()
            return
        if results:
            grades = [result.summary.grade for result in results]
            self._end_face = face_of_end(next((grade for grade in ("bad", "usable") if grade in grades), "good"))
            total = clock_text(sum(result.summary.duration_s for result in results))
            self._over_words = f"{self._end_face.word}  {total}"
            self._over.start()
            self.verdict.show_results(results)
            self._record.setCurrentWidget(self.verdict)
        else:
            self._show_pick()

    # What the person does

    def _start(self, found: Found) -> None:
        if self._consent is None or self.flow.busy or self._playing.is_on:
            return
        profile = self.pick.profile
        order = Order(
            game=self._game or (profile.name if profile is not None else found.title),
            player=self.preferences.player,
            capture=self.pick.capture,
            group_id=self._group,
            hotkeys=self.preferences.bindings,
            wait_focus_s=None,
            profile=profile,
            consent=self._consent,
        )
        self.flow.record(found, order)

    def _play(self, found: Found, options: list[str]) -> None:
        """By a program of its own; this window keeps out of it and says how it ends."""
        if self._consent is None or self.flow.busy or self._playing.is_on or found.choice.window_id is None:
            return
        profile = self.pick.profile
        game = self._game or (profile.name if profile is not None else found.title)
        options = [*options, "--library", str(self._library), "--window-id", str(found.choice.window_id)]
        options += ["--game", game, "--player", self.preferences.player, "--group", self._group]
        try:
            self._playing.start(options)
        except OSError as error:
            self.notify(f"The play could not be started: {error}.", Weight.FAILED)
            return
        self._ear.deafen(True)  # its keys are the play's now
        self.pick.rest("A model plays.")
        end = ("End the play", self._playing.stop)
        self.notify(f"A model plays {game}. Touch anything to take over; F12 ends it.", actions=[end], topic=_PLAY)
        if problem := bring_forward(found.choice.window_id):
            self.notify(problem, Weight.WARNING)

    def _end_play(self, why: str) -> None:
        self._ear.deafen(False)
        self.notices.drop(_PLAY)
        if why:
            self.notify(why, Weight.FAILED)
        else:
            self.notify("The play has ended; it is among your sessions.")
        self.pick.look_again()

    def _toggle(self) -> None:
        if self.flow.busy:
            self.flow.stop()
        elif self.pick.found is not None:
            self._start(self.pick.found)

    def _hear(self, action: HotkeyAction) -> None:
        if action is HotkeyAction.RECORD and not self.flow.busy:
            self._toggle()
        else:
            self.flow.act(action)

    def annotate(self, session_id: str) -> None:
        """Opens a session in the annotator, which is a program of its own."""
        options = ["-P", "-m", "annotator", session_id, "--library", str(self._library)]
        options += ["--author", self.preferences.player]
        started, _ = QProcess.startDetached(sys.executable, options)
        if not started:
            self.notify("The annotator could not be started.", Weight.FAILED)

    def come_forward(self) -> None:
        self._hid_itself = False
        self.showNormal()
        self.raise_()
        self.activateWindow()

    def _step_aside(self) -> None:
        """Leaves the picture: this window would be recorded with the screen."""
        if self._rect.intersects(self.frameGeometry()):
            self._hid_itself = True
            self.showMinimized()

    # What happens by itself

    def _listen(self) -> None:
        self._ear.listen(self.preferences.bindings)
        if self._ear.problem:
            self.notify(self._ear.problem, Weight.WARNING, topic="hotkeys")

    def _follow(self, rect: tuple[int, int, int, int]) -> None:
        self._rect = QRect(*rect)

    def _tick(self) -> None:
        status, face = self.flow.poll()
        if self.flow.busy:
            self.live.draw(status, face, self._engine.latest, self.flow.count_s)
            if self.flow.count_s:
                self.pick.try_encoder(self._engine.latest)
        elif self._record.currentWidget() is self.pick and self._pages.currentIndex() == RECORD:
            self.pick.draw(status, self._engine.latest)
        words = self._words(face, status)
        self._chip.setText("" if self._pages.currentIndex() == RECORD else words)
        self._show_signs(face, words, status.state)

    def _words(self, face: Face, status: object) -> str:
        if self.flow.count_s:
            return f"Recording in {self.flow.count_s}"
        if not self.flow.busy:
            return ""
        why = pause_word(status.pause)
        return f"{face.word}{f' · {why}' if why else ''}  {clock_text(status.total_s)}"

    def _show_signs(self, face: Face, words: str, state: State) -> None:
        """The pill beside the game and the tray's icon."""
        self.tray.show_face(face, words)
        for name in ("pause", "mute", "discard"):
            self._tray_actions[name].setEnabled(state in (State.RECORDING, State.PAUSED))
        self._tray_actions["record"].setText("Stop" if self.flow.busy else "Record")
        away = self.isMinimized() or not self.isActiveWindow()
        if not self.preferences.pill or not away or not (self.flow.busy or self._over.isActive()):
            self.pill.hide()
            return
        if words:
            self.pill.show_face(face, words)
        else:
            self.pill.show_face(self._end_face, self._over_words)
        self.pill.stand_by(self._rect, must_be_outside=self.flow.busy and not self.flow.count_s)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """A recording is stopped, kept and judged first; then the window closes by itself."""
        if self.flow.busy and not self._closing:
            self._closing = True
            self.flow.stop()
            if self.flow.busy:
                assert event is not None
                event.ignore()
                return
        self._timer.stop()
        self._ear.close()
        self._engine.close()
        self._lookout.close()
        self._encoder.close()
        self.verdict.close_threads()
        self.sessions.close_threads()
        self.sounds.close()
        self.tray.close()
        self.pill.close()
        super().closeEvent(event)
        self.ended.emit()
