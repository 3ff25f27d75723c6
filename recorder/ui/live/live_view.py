"""While it records: the state that nobody can misread, the picture, the numbers, and what can be done."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from db.recording import keys
from recorder.frames import LatestFrame
from recorder.states import PauseReason, State
from recorder.status import Status
from recorder.ui import glyphs
from recorder.ui.banner import Banner
from recorder.ui.flow_layout import FlowLayout
from recorder.ui.live.checks_row import ChecksRow
from recorder.ui.live.faces import Face, Shape
from recorder.ui.live.gauges import Figure, Lamp, clock_text, size_text, span_text
from recorder.ui.live.preview import Preview
from recorder.ui.live.rates import Rates
from recorder.ui.settings.preferences import DISCARDS_S, Preferences
from recorder.ui.theme import VIOLET, Theme, dim, heading

_SIDE_PX = 300
_CHECKS_S = 8.0
"""So long into a session the self-test's findings are shown."""
_TOLERATED = 0.01
"""The share of frames that may be dropped before their number turns red."""


class LiveView(QWidget):
    """Its buttons only say what the person wants."""

    stop = pyqtSignal()
    pause = pyqtSignal()
    mute = pyqtSignal()
    discard = pyqtSignal(float)

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._rates = Rates()
        self._seen_ns = 0
        self.banner, self.preview, self._checks = Banner(), Preview(), ChecksRow()
        self._stopper = QPushButton("Stop")
        self._pauser = QPushButton("Pause")
        self._muter = QPushButton("Mute keyboard")
        self._discarder = QToolButton()
        self.preview_switch = QPushButton("Preview")
        self._build()

    def begin(self) -> None:
        """Another recording is due."""
        self._rates = Rates()
        self._seen_ns = 0
        self.preview.show_picture(None)
        self.preview.say("")
        self.preview_switch.setChecked(self._preferences.preview)
        self._name_keys()
        self._stopper.setFocus()

    def draw(self, status: Status, face: Face, latest: LatestFrame | None, count_s: int) -> None:
        """Ten times a second."""
        counting = count_s > 0
        self.banner.show_face(face, "" if counting else clock_text(status.total_s))
        self.preview.count(str(count_s) if counting else "")
        self.preview.set_border(face.tone.ground if face.tone is not None else "")
        self._stopper.setText("Call off" if counting else "Stop")
        running = not counting and status.state in (State.RECORDING, State.PAUSED)
        by_person = status.pause is PauseReason.USER
        self._pauser.setText("Resume" if by_person else "Pause")
        self._pauser.setIcon(self._resume_icon if by_person else self._pause_icon)
        for button in (self._pauser, self._discarder):
            button.setEnabled(running)
        self._muter.setEnabled(running and not by_person)
        self._muter.setChecked(status.muted)
        self._muter.setIcon(self._mute_icons[status.muted])
        self._muter.setText("Unmute keyboard" if status.muted else "Mute keyboard")
        self._stopper.setEnabled(counting or status.state in (State.RECORDING, State.PAUSED, State.STARTING))
        self._draw_picture(status, latest, counting)
        self._draw_lamps(status)
        self._checks.show_checks(status.checks if status.elapsed_s < _CHECKS_S else ())
        if not counting:
            self._draw_figures(status)

    # What is in it

    def _build(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(14)
        middle.addWidget(self.preview, 1)
        middle.addWidget(self._build_side())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.banner)
        column.addLayout(middle, 1)
        column.addLayout(self._build_buttons())

    def _build_side(self) -> QWidget:
        self._session, self._sitting = Figure("this session"), Figure("this sitting", "All sessions since Record")
        self._fps, self._drops = Figure("frames a second"), Figure("frames dropped")
        self._events, self._size = Figure("inputs a second"), Figure("stored so far")
        self._number = Figure("session", "A pause, a resize or a discard ends a session and begins the next one")
        self._free = Figure("left on the disk")
        figures = (
            self._session, self._sitting, self._fps, self._drops, self._events, self._number, self._size, self._free,
        )  # fmt: skip
        numbers = _card()
        grid = QGridLayout(numbers)
        grid.setContentsMargins(14, 10, 14, 10)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        for place, figure in enumerate(figures):
            grid.addWidget(figure, place // 2, place % 2)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
        side = QWidget()
        side.setFixedWidth(_SIDE_PX)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(numbers)
        layout.addWidget(self._build_lamps())
        layout.addWidget(self._checks)
        layout.addStretch(1)
        return side

    def _build_lamps(self) -> QFrame:
        self._screen_lamp = Lamp("Screen", "Lit while pictures arrive and are stored")
        self._keyboard_lamp = Lamp("Keyboard", "Lights at every key")
        self._mouse_lamp = Lamp("Mouse", "Lights when the mouse moves, clicks or scrolls")
        self._pad_lamp = Lamp("Gamepad", "Lights when a gamepad's button or stick moves")
        self._pad_lamp.hide()
        self._held = QLabel("none")
        self._held.setWordWrap(True)
        self._held.setAccessibleName("Keys held")
        card = _card()
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 8, 14, 10)
        column.setSpacing(6)
        row = FlowLayout(10)
        for lamp in (self._screen_lamp, self._keyboard_lamp, self._mouse_lamp, self._pad_lamp):
            row.addWidget(lamp)
        column.addLayout(row)
        held = QHBoxLayout()
        held.addWidget(heading("Held"))
        held.addWidget(self._held, 1)
        column.addLayout(held)
        return card

    def _build_buttons(self) -> QHBoxLayout:
        self._stopper.setIcon(glyphs.icon(Shape.SQUARE, "#ffffff", 16))
        self._stopper.setProperty("main", "record")
        self._stopper.clicked.connect(self.stop)
        self._pauser.clicked.connect(self.pause)
        self._muter.setCheckable(True)
        self._muter.setProperty("mute", True)
        self._muter.clicked.connect(self.mute)
        self._discarder.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self._discarder.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._discarder.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._discarder.clicked.connect(lambda: self.discard.emit(self._preferences.discard_s))
        menu = QMenu(self._discarder)
        for seconds in DISCARDS_S:
            action = QAction(f"Discard the last {span_text(seconds)}", menu)
            action.triggered.connect(lambda _, seconds=seconds: self._choose_discard(seconds))
            menu.addAction(action)
        self._discarder.setMenu(menu)
        self.preview_switch.setCheckable(True)
        self.preview_switch.setToolTip("Shows the live picture here; the recording is the same without it")
        self.preview_switch.toggled.connect(self._switch_preview)
        self._cost = dim("", wrap=False)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._stopper)
        for button in (self._pauser, self._muter, self._discarder, self.preview_switch):
            button.setProperty("big", True)
            row.addWidget(button)
        row.addWidget(self._cost)
        row.addStretch(1)
        return row

    def _name_keys(self) -> None:
        """Buttons say their hotkeys, which work from within the game."""
        bindings = self._preferences.bindings
        for button, action, text in (
            (self._stopper, "record", "Ends the recording and keeps it"),
            (self._pauser, "pause", "Ends this session; Resume begins the next one"),
            (self._muter, "mute", "Keeps what you type out of the recording, for a chat line or a password"),
            (self._discarder, "discard", "Throws the last seconds away for good"),
        ):
            button.setToolTip(f"{text} ({bindings[action]})")
        self._discarder.setText(f"Discard last {span_text(self._preferences.discard_s)}")
        theme = Theme.of(self.palette())
        self._discarder.setIcon(glyphs.icon(Shape.SCISSORS, theme.text, 16))
        self._pause_icon = glyphs.icon(Shape.BARS, theme.text, 16)
        self._resume_icon = glyphs.icon(Shape.PLAY, theme.text, 16)
        self._mute_icons = [glyphs.icon(Shape.SLASHED_KEY, ink, 18) for ink in (theme.text, VIOLET.ink)]

    # What it does

    def _choose_discard(self, seconds: int) -> None:
        self._preferences.discard_s = seconds
        self._name_keys()
        self.discard.emit(seconds)

    def _switch_preview(self, on: bool) -> None:
        self._preferences.preview = on
        if not on:
            self.preview.show_picture(None)
            self.preview.say("The preview is off.")
            self._cost.setText("")

    def _draw_picture(self, status: Status, latest: LatestFrame | None, counting: bool) -> None:
        if not (self.preview_switch.isChecked() or counting) or not self.isVisible():
            return
        if latest is None:  # nothing is looked at
            self.preview.fade("" if status.state is State.STARTING else "Nothing is watched now.")
            return
        grab = latest.get(self._seen_ns, 0)
        if grab is None:
            return
        self._seen_ns = grab.t_ns
        if grab.bgra[::8, ::8, :3].any():
            self.preview.show_picture(grab.bgra)
        else:
            words = "Black: muted." if status.muted else "Black: another window lies over it, or it shows nothing."
            self.preview.fade(words)
        if self.preview.cost:
            self._cost.setText(f"costs {100 * self.preview.cost:.1f} % of a core")

    def _draw_lamps(self, status: Status) -> None:
        self._screen_lamp.set_age(status.screen_age_s)
        self._keyboard_lamp.set_age(status.keyboard_age_s)
        self._mouse_lamp.set_age(status.pointer_age_s)
        self._pad_lamp.set_age(status.gamepad_age_s)
        self._pad_lamp.setVisible(status.gamepad_age_s is not None)
        held = "  ".join(keys.label(code) for code in status.held) or "none"
        if held != self._held.text():
            self._held.setText(held)

    def _draw_figures(self, status: Status) -> None:
        self._rates.take(status)
        self._session.set_text(clock_text(status.elapsed_s) if status.frames else "–")
        self._sitting.set_text(clock_text(status.total_s))
        self._fps.set_text(self._rates.frames_text)
        self._events.set_text(self._rates.events_text)
        many = status.dropped_frames > _TOLERATED * (status.frames + status.dropped_frames)
        self._drops.set_text(str(status.dropped_frames), alarm=many)
        self._number.set_text(str(status.number))
        self._size.set_text(size_text(status.bytes))
        low = 0 < status.free_bytes < 2_000_000_000
        self._free.set_text(size_text(status.free_bytes) if status.free_bytes else "–", alarm=low)


def _card() -> QFrame:
    card = QFrame()
    card.setProperty("card", True)
    return card
