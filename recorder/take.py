"""One take: from the press of Record to the session in the library. `recorder.sitting` strings takes together."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from db.clock import now_ns
from db.errors import (
    CaptureUnavailable,
    DiskFull,
    EncoderFailed,
    NothingRecorded,
    PlaytapeError,
    WindowLost,
    from_os_error,
)
from db.library.catalogue import SessionSummary
from db.recording.events import Actor, ActorKind, InputEvent
from db.recording.session import SessionMeta, WindowSpec, new_meta, read_meta, write_meta
from db.specs import CaptureSpec
from db.store import Store
from recorder import encoders
from recorder.frames import FrameQueue, LatestFrame
from recorder.inputs.source import InputSource
from recorder.order import Order
from recorder.pipeline import InputPump, ScreenPump
from recorder.screen.source import DisplayLost, ScreenSource, Target, WindowHidden, WindowResized
from recorder.selftest import Check, examine, refusal
from recorder.sinks import Encoder, SessionFile
from recorder.states import EndReason, Machine, PauseReason, Signal, State
from recorder.status import Result, Status

START_FREE_BYTES = 512 * 1024 * 1024
STOP_FREE_BYTES = 200 * 1024 * 1024
_LOOK_S = 0.03
_DISK_S = 1.0
_SUSPENDED_NS = 1_000_000_000
KEPT = "The session is kept in {folder}; the next launch of any Playtape program puts it into the library."


class Take:
    """Records one session. `run` does it in the calling thread; everything else may be called from any."""

    def __init__(
        self,
        store: Store,
        order: Order,
        screen: ScreenSource,
        inputs: InputSource,
        *,
        machine: Machine | None = None,
        on_event: Callable[[InputEvent], None] = lambda event: None,
        on_focus: Callable[[], None] = lambda: None,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        """machine: the states of the sitting that this take is a part of; without one the take is all there is."""
        self._store, self._order, self._free_bytes = store, order, free_bytes
        self._machine, self._alone = machine or Machine(), machine is None
        self._inputs = InputPump(
            inputs, attribute=order.attribute, rules=order.key_rules, on_event=on_event, on_focus=on_focus
        )
        self._screen = ScreenPump(
            screen, order.capture.rate_hz, blank=lambda: not self._inputs.focused, black=self._is_private
        )
        self._stop = threading.Event()
        self._end = (EndReason.STOPPED, "")
        self._cut_ns: int | None = None
        self._frames: FrameQueue | None = None
        self._file: SessionFile | None = None
        self._folder: Path | None = None
        self._started_ns = self._stopped_ns = 0
        self._free = 0
        self.target: Target | None = None
        """What is recorded, once that is known."""
        self.notice = ""
        """Which encoder was chosen and why, where that was ordered."""
        self.checks: tuple[Check, ...] = ()
        """The self-test's findings, once it is done."""

    @property
    def latest(self) -> LatestFrame:
        """The newest picture, from `run` on; for a preview or a policy."""
        return self._screen.latest

    @property
    def focused(self) -> bool:
        """Whether keys go to the window at this moment."""
        return self._inputs.focused

    @property
    def muted(self) -> bool:
        """Whether inputs are kept out, by `mute` or by the hotkey."""
        return self._inputs.muted

    def stop(self, reason: EndReason = EndReason.STOPPED, message: str = "", *, cut_ns: int | None = None) -> None:
        """Asks `run` to end the session; the first reason stands. What was recorded from `cut_ns` on is discarded."""
        if not self._stop.is_set():
            self._end, self._cut_ns = (reason, message), cut_ns
            self._stop.set()

    def mute(self, on: bool) -> None:
        """Keeps inputs out of the session, or lets them in again."""
        self._inputs.mute(on)

    def run(
        self,
        on_start: Callable[[SessionMeta], None] = lambda meta: None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> Result:
        """Records until it is stopped or has to end, enters the session into the library and judges it.

        on_start: called once frames are being stored; on_stop: once it is decided that the session ends, while it is
        still recorded. Raises CaptureUnavailable, NotFound, WindowLost or DiskFull where there was nothing to record,
        and NothingRecorded where it was stopped before that, or all of it was discarded; whatever happens later ends
        the session and keeps what it has.
        """
        if self._alone:
            self._machine.fire(Signal.START)
        self._check_room(START_FREE_BYTES, self._store.root)
        try:
            self._screen.start()
            self.target = target = self._screen.target()
            self._inputs.start()
            self._inputs.wait_open()
            self._await_start(target)
            self._test_self()
            if self._stop.is_set():
                raise NothingRecorded("Stopped before the first frame; nothing was recorded.")
            meta = self._make_meta(target)
            self._folder = self._store.create_session(meta)
            return self._record(meta, on_start, on_stop)
        finally:
            self._screen.close()
            self._inputs.close()
            if self._alone and self._machine.state is not State.IDLE:
                self._machine.fire(Signal.REST)

    def status(self) -> Status:
        """How things stand, cheap enough to ask ten times a second."""
        now = now_ns()
        end_ns = self._stopped_ns or now
        frames, file, inputs = self._frames, self._file, self._inputs
        elapsed_s = (end_ns - self._started_ns) / 1e9 if self._started_ns else 0.0
        return Status(
            state=self._machine.state,
            pause=self._machine.pause,
            reason=self._machine.reason,
            muted=inputs.muted,
            elapsed_s=elapsed_s,
            total_s=elapsed_s,
            frames=self._screen.grabbed - (frames.dropped if frames else 0),
            dropped_frames=self._screen.missed + (frames.dropped if frames else 0),
            events=file.event_count if file else 0,
            dropped_events=inputs.dropped,
            bytes=_size(self._folder) if self._folder else 0,
            free_bytes=self._free,
            screen_age_s=_age(self._screen.last_ns, now),
            keyboard_age_s=_age(inputs.last_key_ns, now),
            pointer_age_s=_age(inputs.last_pointer_ns, now),
            gamepad_age_s=_age(inputs.last_gamepad_ns, now),
            held=inputs.held,
            checks=self.checks,
        )

    def _is_private(self) -> bool:
        """Whether not even the picture may be kept: what is typed while muted is seen in it."""
        return self._inputs.muted and (self._order.profile is None or self._order.profile.blank_when_muted)

    def _await_start(self, target: Target) -> None:
        """Returns once the window has the focus and, where that is ordered, somebody does something in it."""
        deadline_s = None if self._order.wait_focus_s is None else time.monotonic() + self._order.wait_focus_s
        while not self._inputs.focused or (self._order.wait_activity and not self._inputs.active_ns):
            if not self._inputs.focused:
                self._pause(PauseReason.UNFOCUSED, "Click into the game; recording begins as soon as it has the focus.")
            else:
                self._pause(PauseReason.IDLE, "Nothing was pressed or moved for a while; the next input goes on.")
            if self._stop.wait(_LOOK_S):
                raise NothingRecorded("Stopped before the game's window had the focus; nothing was recorded.")
            self._screen.check()
            self._inputs.check()
            if deadline_s is not None and time.monotonic() > deadline_s:
                raise WindowLost(
                    f"The window {target.title!r} did not get the keyboard focus within {self._order.wait_focus_s:g} s; "
                    "click into the game after the start."
                )

    def _test_self(self) -> None:
        """Raises CaptureUnavailable where what would be recorded is worthless; while muted, black is as it should be."""
        if self._is_private():
            return
        self.checks = examine(self._screen, self._inputs, self._stop)
        if (reason := refusal(self.checks)) and not self._order.anyway:
            raise CaptureUnavailable(reason)

    def _pause(self, pause: PauseReason, reason: str) -> None:
        if self._machine.pause is not pause:
            self._machine.fire(Signal.WAIT, pause, reason)

    def _choose_encoder(self, target: Target) -> CaptureSpec:
        """What to record with, tried on the present picture where that is ordered (and was not done before)."""
        grab = self._screen.latest.get(0, 0) if self._order.try_encoders else None
        if grab is None:
            return self._order.capture
        width, height = target.size_px
        chosen = encoders.choose(target.size_px, self._order.capture, [grab.bgra[:height, :width]])
        self.notice = chosen.sentence
        return chosen.capture

    def _make_meta(self, target: Target) -> SessionMeta:
        person = Actor(kind=ActorKind.PERSON, name=self._order.player)
        window = WindowSpec(
            kind=target.kind,
            title=target.title,
            window_id=target.window_id,
            position_px=target.position_px,
            size_px=target.size_px,
        )
        return new_meta(
            game=self._order.game or target.title,
            player=self._order.player,
            capture=self._choose_encoder(target),
            window=window,
            actors=(person, *self._order.other_actors),
            group_id=self._order.group_id,
            devices=self._inputs.devices,
            layout=self._inputs.layout,
            pointer=self._inputs.settings,
            profile=self._order.profile,
            consent=self._order.consent,
        )

    def _record(
        self, meta: SessionMeta, on_start: Callable[[SessionMeta], None], on_stop: Callable[[], None]
    ) -> Result:
        assert self._folder is not None
        width, height = meta.size_px
        self._frames = frames = FrameQueue(meta.capture.rate_hz, width * height * 4)
        self._file = file = SessionFile(self._folder, meta)
        encoder = Encoder(self._folder, meta, frames, file.put_frames)
        file.start()
        encoder.start()
        try:
            self._inputs.begin(file.offer)
            self._screen.begin(frames)
            self._started_ns = now_ns()
            self._machine.fire(Signal.BEGIN)
            on_start(meta)
            self._watch(meta, file, encoder)
            on_stop()
        except BaseException as error:  # a bug, or Ctrl-C: what was recorded is put away before it goes on
            self.stop(EndReason.FAILED, repr(error))
            raise
        finally:
            summary = self._finalise(meta, file, encoder)
        return Result(summary, *self._end, self._cut_ns or self._stopped_ns)

    def _watch(self, meta: SessionMeta, file: SessionFile, encoder: Encoder) -> None:
        """Returns when something ends the session; `_end` says what."""
        disk_s = time.monotonic()
        while not self._stop.wait(_LOOK_S):
            lost_ns = self._inputs.unfocused_since_ns
            if lost_ns is not None:
                self._pause(PauseReason.UNFOCUSED, "Another window has the focus; nothing that you do there is kept.")
            elif self._machine.state is State.PAUSED:
                self._machine.fire(Signal.BEGIN)
            try:
                for worker in (self._screen, self._inputs, encoder, file):
                    worker.check()
                if time.monotonic() > disk_s:
                    disk_s += _DISK_S
                    assert self._folder is not None
                    self._check_room(STOP_FREE_BYTES, self._folder)
            except PlaytapeError as error:
                self.stop(_end_of(error), str(error))
            grace_s = meta.capture.focus_grace_s
            if lost_ns is not None and now_ns() - lost_ns > grace_s * 1e9:
                self.stop(EndReason.FOCUS_LOST, f"The game was without the focus for more than {grace_s:g} s.")
            self._watch_time(meta)

    def _watch_time(self, meta: SessionMeta) -> None:
        idle_s, now = self._order.idle_limit_s, now_ns()
        if meta.anchor.suspended_ns() > _SUSPENDED_NS:
            self.stop(EndReason.SUSPENDED, "The machine was suspended.")
        if self._order.duration_s is not None and now - self._started_ns >= self._order.duration_s * 1e9:
            self.stop(EndReason.DURATION)
        if idle_s and self._inputs.focused and now - max(self._inputs.active_ns, self._started_ns) > idle_s * 1e9:
            self.stop(EndReason.IDLE, f"Nothing was pressed or moved for {idle_s:g} s.")

    def _finalise(self, meta: SessionMeta, file: SessionFile, encoder: Encoder) -> SessionSummary:
        """Ends the threads in the order of the stream, each when the one before has handed over everything."""
        assert self._folder is not None
        assert self._frames is not None
        if self._machine.state in (State.RECORDING, State.PAUSED):
            self._machine.fire(Signal.END)
        self._screen.close()
        self._stopped_ns = t_stop_ns = now_ns()
        self._inputs.finish(t_stop_ns)
        self._frames.end()
        encoder.close()
        try:
            return self._put_away(meta, file, encoder, t_stop_ns)
        except NothingRecorded:
            raise
        except PlaytapeError as error:
            if file.frame_count and self._folder.is_dir():
                raise type(error)(f"{error} {KEPT.format(folder=self._folder)}") from None
            raise

    def _put_away(self, meta: SessionMeta, file: SessionFile, encoder: Encoder, t_stop_ns: int) -> SessionSummary:
        assert self._folder is not None
        # A file that its encoder failed in ends whole all the same (db.media.video), and its rows are all here.
        stored = encoder.error is None or isinstance(encoder.error, EncoderFailed)
        if not stored or file.error is not None:
            return self._salvage(meta, file, encoder)
        file.finish(t_stop_ns=t_stop_ns, segments=encoder.segments, discard_from_ns=self._cut_ns, **self._end_facts())
        if file.frame_count == 0:
            shutil.rmtree(self._folder, ignore_errors=True)
            for worker in (self._screen, self._inputs, encoder):
                worker.check()
            raise NothingRecorded("The recording ended before its first frame; nothing was kept.")
        return self._store.enter(meta.id)

    def _end_facts(self) -> dict[str, Any]:
        """What is known of the session only at its end."""
        assert self._frames is not None
        return {
            "end_reason": str(self._end[0]),
            "dropped_frames": self._screen.missed + self._frames.dropped,
            "dropped_events": self._inputs.dropped,
            "devices": self._inputs.devices,
            "server_clock": self._inputs.clock_fit,
        }

    def _salvage(self, meta: SessionMeta, file: SessionFile, encoder: Encoder) -> SessionSummary:
        """Storing itself failed: what reached the disk is put in order as after a crash."""
        assert self._folder is not None
        file.close()
        with suppress(PlaytapeError):  # without room the session keeps the facts of its start
            write_meta(self._folder, read_meta(self._folder).model_copy(update=self._end_facts()))
        for report in self._store.recover():
            if report.session_id == meta.id and not report.error:
                return self._discard(meta.id) if self._cut_ns is not None else self._store.summary(meta.id)
        encoder.check()
        file.check()
        raise AssertionError("a storage thread failed without an error")

    def _discard(self, session_id: str) -> SessionSummary:
        assert self._cut_ns is not None
        if (summary := self._store.cut(session_id, self._cut_ns)) is None:
            raise NothingRecorded(f"All of session {session_id} was discarded.")
        return summary

    def _check_room(self, limit_bytes: int, place: Path) -> None:
        try:
            self._free = free = self._free_bytes(place)
        except OSError as error:
            raise from_os_error(error, place) from None
        if free < limit_bytes:
            raise DiskFull(
                f"Only {free / 1e6:.0f} MB are free where the library is and {limit_bytes / 1e6:.0f} MB are needed; make room first."
            )


_ENDS: tuple[tuple[type[PlaytapeError], EndReason], ...] = (
    (DiskFull, EndReason.DISK_FULL),
    (WindowResized, EndReason.WINDOW_RESIZED),
    (WindowHidden, EndReason.WINDOW_HIDDEN),
    (DisplayLost, EndReason.DISPLAY_LOST),
    (WindowLost, EndReason.WINDOW_LOST),
    (EncoderFailed, EndReason.ENCODER),
)


def _end_of(error: PlaytapeError) -> EndReason:
    """What an error of one of the threads makes of the session."""
    return next((reason for kind, reason in _ENDS if isinstance(error, kind)), EndReason.FAILED)


def _age(t_ns: int, now: int) -> float | None:
    return (now - t_ns) / 1e9 if t_ns else None


def _size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:
        return 0
