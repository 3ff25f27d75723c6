"""A sitting: takes strung together in one group, since a session is one continuous recording of one size.

A pause, idleness, a resize, a hidden window, a suspend, a failed encoder or a discard ends a session and begins the next
one when that is due; a stop, a closed window, a lost display or a full disk ends the sitting.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from db.clock import now_ns
from db.errors import EncoderFailed, NothingRecorded, PlaytapeError
from db.labelling.labels import new_id
from db.recording.events import InputEvent
from db.recording.session import SessionMeta
from db.store import Store
from recorder import encoders
from recorder.backends import Choice, open_sources
from recorder.frames import LatestFrame
from recorder.inputs.source import InputSource
from recorder.order import Order
from recorder.screen.source import ScreenSource, WindowHidden
from recorder.states import AFTER, EndReason, Machine, PauseReason, Signal, State
from recorder.status import Result, Status
from recorder.take import Take
from recorder.workers import Worker

_LOOK_S = 0.25
_RESIZE_LOOKS = 2
"""A window that is being dragged to a new size has it when it was seen so many times in a row."""


class Sitting(Worker):
    """Records until it is stopped or has to end. Its thread owns a library connection; every method is for any thread.

    `results` holds what has been stored so far, one per session in order, and is whole once the thread has ended.
    """

    def __init__(
        self,
        library: Path,
        choice: Choice,
        order: Order,
        *,
        single: bool = False,
        sources: Callable[[Choice], tuple[ScreenSource, InputSource]] = open_sources,
        on_event: Callable[[InputEvent], None] = lambda event: None,
        on_start: Callable[[SessionMeta], None] = lambda meta: None,
        on_result: Callable[[Result], None] = lambda result: None,
    ) -> None:
        """single: end with the first session. sources: opens what is recorded, anew for each session. on_start, on_result: called in the sitting's thread when a session begins and when it is stored and judged."""
        super().__init__("sitting")
        self.results: list[Result] = []
        self.notice = ""
        self._library, self._choice, self._single, self._sources = library, choice, single, sources
        self._order = replace(order, group_id=order.group_id or new_id())
        self._on_event, self._on_start, self._on_result = on_event, on_start, on_result
        self._machine = Machine()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._take: Take | None = None
        self._ending: tuple[EndReason, str] | None = None
        self._paused = False
        self._cuts_ns: list[int] = []
        self._muted = False

    # What a person asks for

    def stop(self, reason: EndReason = EndReason.STOPPED, message: str = "") -> None:
        """Ends the session and the sitting; what was recorded is kept."""
        with self._lock:
            self._ending = self._ending or (reason, message)
            self._end_take(reason, message)

    def pause(self) -> None:
        """Ends the session; nothing is watched until `resume`."""
        with self._lock:
            self._paused = True
            self._end_take(EndReason.PAUSED, "Paused.")

    def resume(self) -> None:
        """Goes on with the next session."""
        with self._lock:
            self._paused = False
            self._wake.set()

    def mute(self, on: bool) -> None:
        """Keeps inputs (and, by the profile, the picture) out of the session, or lets them in again."""
        with self._lock:
            self._muted = on
            if self._take is not None:
                self._take.mute(on)

    def discard_last(self, seconds: float) -> None:
        """Removes what was recorded in the last `seconds`, also of sessions of this sitting that have ended, for good."""
        cut_ns = now_ns() - int(seconds * 1e9)
        with self._lock:
            self._cuts_ns.append(cut_ns)
            self._end_take(EndReason.DISCARDED, f"The last {seconds:g} s were discarded.", cut_ns)

    def status(self) -> Status:
        """How things stand, cheap enough to ask ten times a second."""
        take, machine = self._take, self._machine
        before_s = sum(result.summary.duration_s for result in self.results)
        status = take.status() if take is not None else Status(machine.state)
        return replace(
            status,
            state=machine.state,
            pause=machine.pause,
            reason=machine.reason,
            muted=take.muted if take is not None else self._muted,
            number=len(self.results) + 1,
            total_s=before_s + status.elapsed_s,
            notice=self.notice or (take.notice if take is not None else ""),
            free_bytes=status.free_bytes or _free(self._library),
        )

    @property
    def latest(self) -> LatestFrame | None:
        """The newest picture, while something is being looked at."""
        take = self._take
        return take.latest if take is not None else None

    def close(self) -> None:
        """Ends the session, keeps it, and joins."""
        self.stop()
        super().close()

    # What its thread does

    def run(self) -> None:
        with Store.open(self._library) as store:
            self._machine.fire(Signal.START)
            try:
                self._string(store)
            except PlaytapeError as error:
                if not self.results:
                    raise
                self.notice = str(error)  # what was recorded before is stored; there is only no next session
            finally:
                self._machine.fire(Signal.REST)

    def _string(self, store: Store) -> None:
        waiting: PauseReason | None = None
        while True:
            if not self._await_turn(store, waiting):
                return
            take = self._begin(store, waiting)
            if take is None:
                continue
            try:
                result = take.run(self._on_start)
            except NothingRecorded as error:
                self.notice = str(error)
                end = EndReason.DISCARDED if self._cuts_ns else EndReason.PAUSED
            except WindowHidden as error:
                if waiting is None and not self.results:
                    raise
                end = EndReason.WINDOW_HIDDEN
                self.notice = str(error)
            except EncoderFailed as error:
                end = EndReason.ENCODER
                self.notice = str(error)
            else:
                end = result.end_reason
                self._keep(result)
            finally:
                with self._lock:
                    self._muted = take.muted  # the hotkey works within the take; what follows begins as it stands
                    self._take = None
            if end is EndReason.ENCODER and not self._fall_back():
                raise EncoderFailed(self.notice)
            if end not in AFTER or (self._single and self.results):
                self._cut(store)
                return
            waiting = AFTER[end]

    def _begin(self, store: Store, waiting: PauseReason | None) -> Take | None:
        """The next take, ready to run; None where the person wants something else by now."""
        order = replace(self._order, wait_activity=waiting is PauseReason.IDLE)
        if self.results:
            order = replace(order, wait_focus_s=None, duration_s=self._time_left())
        if order.duration_s is not None and order.duration_s <= 0:
            self._ending = (EndReason.DURATION, "")
            return None
        take = Take(store, order, *self._sources(self._choice), machine=self._machine, on_event=self._on_event)
        with self._lock:
            if self._ending or self._paused or self._cuts_ns:
                return None
            if self._machine.state is not State.STARTING:
                self._machine.fire(Signal.NEXT)
            take.mute(self._muted)
            self._take = take
        return take

    def _await_turn(self, store: Store, waiting: PauseReason | None) -> bool:
        """Waits, between two sessions, for what the next one needs; False when the sitting is to end."""
        seen: list[tuple[int, int]] = []
        while self._ending is None:
            self._wake.clear()
            self._cut(store)
            if self._paused:
                self._rest(PauseReason.USER, "Paused. Nothing is watched; press Resume to go on.")
                self._wake.wait(_LOOK_S)
            elif waiting is PauseReason.HIDDEN:
                self._rest(PauseReason.HIDDEN, "The game's window is hidden; bring it back to go on.")
                if self._size() is not None:
                    return True
                self._wake.wait(_LOOK_S)
            elif waiting is PauseReason.RESIZED and seen[-_RESIZE_LOOKS:] != [self._size()] * _RESIZE_LOOKS:
                self._rest(PauseReason.RESIZED, "The game's window has a new size; the next session begins with it.")
                if (size := self._size()) is not None:
                    seen.append(size)
                self._wake.wait(_LOOK_S)
            else:
                return True
        self._cut(store)
        return False

    def _rest(self, pause: PauseReason, reason: str) -> None:
        if self._machine.pause is not pause:
            self._machine.fire(Signal.WAIT, pause, reason)

    def _size(self) -> tuple[int, int] | None:
        """The target's size at this moment, None while it is hidden. Raises WindowLost or NotFound where it is gone."""
        screen, _ = self._sources(self._choice)
        try:
            return screen.open().size_px
        except WindowHidden:
            return None
        finally:
            screen.close()

    def _keep(self, result: Result) -> None:
        self.results.append(result)
        take = self._take
        self.notice = result.message or self.notice or (take.notice if take is not None else "")
        # From now on it is this very window, whatever its title becomes and whichever others there are.
        if take is not None and take.target is not None and self._choice.title is not None:
            self._choice = replace(self._choice, title=None, window_id=take.target.window_id)
        self._on_result(result)

    def _cut(self, store: Store) -> None:
        """Takes what was discarded off the sessions that had ended already."""
        with self._lock:
            cuts_ns, self._cuts_ns = self._cuts_ns, []
        for cut_ns in cuts_ns:
            for result in [result for result in self.results if result.stop_ns > cut_ns]:
                summary = store.cut(result.summary.id, cut_ns)
                place = self.results.index(result)
                self.results[place : place + 1] = (
                    [replace(result, summary=summary, stop_ns=cut_ns)] if summary is not None else []
                )

    def _fall_back(self) -> bool:
        """Takes the next encoder; False where there is none."""
        capture = encoders.fallback(self._order.capture)
        if capture is None:
            return False
        self.notice = f"{self.notice} Going on with {capture.codec} ({capture.preset})."
        self._order = replace(self._order, capture=capture)
        return True

    def _time_left(self) -> float | None:
        if self._order.duration_s is None:
            return None
        return self._order.duration_s - sum(result.summary.duration_s for result in self.results)

    def _end_take(self, reason: EndReason, message: str, cut_ns: int | None = None) -> None:
        if self._take is not None:
            self._take.stop(reason, message, cut_ns=cut_ns)
        self._wake.set()


def _free(place: Path) -> int:
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return 0
