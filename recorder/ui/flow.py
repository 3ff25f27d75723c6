"""From the press of Record to the verdict: countdown, sitting, end; what is said and sounded on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from db.errors import CaptureUnavailable
from db.specs import CaptureSpec
from recorder.hotkeys import HotkeyAction
from recorder.order import Order
from recorder.states import PauseReason, State
from recorder.status import Status
from recorder.ui.engine import Engine, bring_forward
from recorder.ui.live.faces import READY, Face, Shape, face_of
from recorder.ui.live.gauges import clock_text, span_text
from recorder.ui.live.lookout import Found
from recorder.ui.notices import Action, Weight
from recorder.ui.settings.preferences import Preferences
from recorder.ui.theme import BLUE
from recorder.ui.tones import Sounds, Tone
from recorder.ui.watchdog import Watchdog

_AGAIN_MS = 400


@dataclass(frozen=True)
class _Discard:
    """One that was asked for and is not done yet."""

    seconds: float
    total_s: float
    """Of the sitting when it was asked for."""


class Flow(QObject):
    """Holds what is under way. `poll` is called ten times a second by the window's timer."""

    began = pyqtSignal()
    """A countdown runs, or a recording."""
    ended = pyqtSignal(list)
    """It is over; the results of the sitting, empty where nothing was recorded."""
    told = pyqtSignal(str, object, object, str)
    """(sentence, Weight, actions, topic) for the person."""

    def __init__(self, engine: Engine, preferences: Preferences, sounds: Sounds) -> None:
        super().__init__()
        self._engine, self._preferences, self._sounds = engine, preferences, sounds
        self._wanted: tuple[Found, Order] | None = None
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._count)
        self.count_s = 0
        """Seconds until the recording begins; 0 while none is due."""
        self._last = Status(State.IDLE)
        self._discard: _Discard | None = None
        self._watchdog = Watchdog()
        self._notice = ""
        self.refine: Callable[[Found, CaptureSpec], CaptureSpec] = lambda found, capture: capture
        """The encoder to begin with, asked for when the countdown is over: what is tried in it counts."""

    @property
    def busy(self) -> bool:
        """Whether a recording is due, running or being finished."""
        return self.count_s > 0 or self._engine.sitting is not None

    @property
    def target(self) -> Found | None:
        """What is recorded."""
        return self._wanted[0] if self._wanted is not None else None

    # What a person asks for

    def record(self, found: Found, order: Order) -> None:
        """Counts down, then records."""
        if self.busy:
            return
        self._wanted = (found, order)
        self._notice = ""
        self._bring_forward()
        self.count_s = self._preferences.countdown_s
        self.began.emit()
        if self.count_s:
            self._sounds.play(Tone.COUNT)
            self._second.start()
        else:
            self._begin()

    def stop(self) -> None:
        """Ends it and keeps what was recorded; a countdown is called off."""
        if self.count_s:
            self._second.stop()
            self.count_s = 0
            self.ended.emit([])
        elif self._engine.sitting is not None:
            self._engine.sitting.stop()

    def pause_or_resume(self) -> None:
        sitting = self._engine.sitting
        if sitting is None:
            return
        if self.paused_by_person:
            self._bring_forward()
            sitting.resume()
        else:
            sitting.pause()

    @property
    def paused_by_person(self) -> bool:
        return self._last.pause is PauseReason.USER

    def mute_or_not(self) -> None:
        if self._engine.sitting is not None:
            self._engine.sitting.mute(not self._last.muted)

    def discard(self, seconds: float) -> None:
        """Throws the last `seconds` away and says afterwards exactly what went."""
        sitting = self._engine.sitting
        if sitting is None or self._last.state is State.FINALISING:
            return
        self._discard = _Discard(seconds, self._last.total_s)
        sitting.discard_last(seconds)

    def act(self, action: HotkeyAction) -> None:
        """A hotkey. Muting is heard within the stream of inputs instead, at the very key press."""
        if action is HotkeyAction.RECORD and self.busy:
            self.stop()
        elif action is HotkeyAction.PAUSE:
            self.pause_or_resume()
        elif action is HotkeyAction.DISCARD:
            self.discard(self._preferences.discard_s)

    # What happens by itself

    def poll(self) -> tuple[Status, Face]:
        """How things stand; notices when the sitting has ended."""
        if self.count_s:
            what = self._wanted[0].title if self._wanted else ""
            reason = f"Recording of {what} begins in {self.count_s} s."
            return self._look(), Face("Get ready", Shape.HOURGLASS, BLUE, reason)
        if self._engine.sitting is None:
            return self._look(), READY
        status = self._engine.sitting.status()
        self._follow(status)
        if (sitting := self._engine.finish()) is not None:
            self._end(sitting.results, sitting.error)
            return self._look(), READY
        if status.state is State.IDLE:  # its thread has hardly begun
            status = replace(status, state=State.STARTING)
        profile = self._wanted[1].profile if self._wanted is not None else None
        mute_key = str(self._preferences.bindings[HotkeyAction.MUTE])
        return status, face_of(status, mute_key=mute_key, blank=profile is None or profile.blank_when_muted)

    def _look(self) -> Status:
        peek = self._engine.peek
        if peek is None:
            return Status(State.IDLE)
        status = peek.status(keyboard_known=self._preferences.keyboard_seen)
        if status.keyboard_age_s is not None and not self._preferences.keyboard_seen:
            self._preferences.keyboard_seen = True
        return status

    def _count(self) -> None:
        self.count_s -= 1
        if self.count_s > 0:
            self._sounds.play(Tone.COUNT)
        else:
            self._second.stop()
            self._begin()

    def _bring_forward(self, *, again: bool = True) -> None:
        """Asks for the game's window, twice: a window manager may still be busy giving this one the focus for a click."""
        if self._wanted is None or self._wanted[0].choice.window_id is None:
            return
        if reason := bring_forward(self._wanted[0].choice.window_id):
            self.told.emit(reason, Weight.WARNING, [], "front")
        if again:
            QTimer.singleShot(_AGAIN_MS, lambda: self.busy and self._bring_forward(again=False))

    def _begin(self) -> None:
        assert self._wanted is not None
        found, order = self._wanted
        order = replace(order, capture=self.refine(found, order.capture))
        self._last = Status(State.IDLE)
        self._watchdog = Watchdog()
        self._discard = None
        self._engine.begin(found.choice, order)

    def _follow(self, status: Status) -> None:
        before, self._last = self._last, status
        if status.state is State.RECORDING and before.state is not State.RECORDING:
            self._sounds.play(Tone.RESUME if before.total_s else Tone.START)
        elif status.state is State.PAUSED and before.state is not State.PAUSED and status.total_s:
            self._sounds.play(Tone.PAUSE)
        elif status.state is State.RECORDING and status.muted != before.muted:
            self._sounds.play(Tone.MUTE)
        self._pass_on(status)
        if status.keyboard_age_s is not None and not self._preferences.keyboard_seen:
            self._preferences.keyboard_seen = True
        if (warning := self._watchdog.look(status)) is not None:
            self._sounds.play(Tone.WARNING)
            self.told.emit(warning.text, Weight.WARNING, [], warning.topic)
        self._report_discard(status)

    def _pass_on(self, status: Status) -> None:
        """Says what the sitting has to say, but for what the person has just asked for."""
        if status.notice == self._notice or status.state is State.FINALISING:
            return
        self._notice = status.notice
        if status.notice and self._discard is None and not self.paused_by_person:
            self.told.emit(status.notice, Weight.WARNING, [], "sitting")

    def _report_discard(self, status: Status) -> None:
        """Says what went, once it is gone: the state has moved on and less is there than when it was asked for."""
        asked, sitting = self._discard, self._engine.sitting
        if asked is None or sitting is None or status.state is State.FINALISING or status.total_s >= asked.total_s:
            return
        self._discard = None
        self._tell_discard(asked, sum(result.summary.duration_s for result in sitting.results))

    def _tell_discard(self, asked: _Discard, kept_s: float) -> None:
        gone_s = max(asked.total_s - kept_s, 0)
        text = f"Discarded for good: the last {gone_s:.1f} s, from {clock_text(kept_s)} to {clock_text(asked.total_s)}."
        if gone_s < asked.seconds - 1:
            text += f" You asked for {span_text(asked.seconds)}; there was no more."
        self.told.emit(text, Weight.DONE, [], "discard")

    def _end(self, results: list, error: Exception | None) -> None:
        self._sounds.play(Tone.STOP if results else Tone.WARNING)
        if self._discard is not None:
            self._tell_discard(self._discard, sum(result.summary.duration_s for result in results))
            self._discard = None
        if error is not None:
            self._tell_failure(error)
        elif not results:
            self.told.emit(self._notice or "Nothing was recorded.", Weight.WARNING, [], "sitting")
        self.ended.emit(list(results))

    def _tell_failure(self, error: Exception) -> None:
        actions: list[Action] = []
        if isinstance(error, CaptureUnavailable) and self._wanted is not None:
            found, order = self._wanted
            actions = [("Record anyway", lambda: self.record(found, replace(order, anyway=True)))]
        self.told.emit(str(error), Weight.FAILED, actions, "sitting")
