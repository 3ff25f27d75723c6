"""Sittings: which sessions a pause, idleness, a resize, a hidden window, a suspend or a discard make of one recording."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from Xlib import X

from db.clock import ClockAnchor, now_ns
from db.errors import EncoderFailed, NothingRecorded
from db.media.video import VideoWriter
from db.recording.events import EventKind, GapReason, InputEvent
from db.recording.profiles import GameProfile
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from recorder import encoders
from recorder.backends import Choice
from recorder.hotkeys import Hotkey, HotkeyAction
from recorder.inputs.source import FocusChange
from recorder.inputs.synthetic import SyntheticInputs
from recorder.order import Order
from recorder.screen.source import WindowHidden, WindowResized
from recorder.screen.synthetic import SyntheticScreen
from recorder.sitting import Sitting
from recorder.states import EndReason, PauseReason, State

from .conftest import wait_until

W, F8 = 17, 66


class Rig:
    """A sitting on synthetic sources: a new pair for each session, as on a real desktop."""

    def __init__(self, library, **order):
        self.library = library
        self.inputs, self.screens, self.size_px = [], [], (64, 48)
        self.hidden = False
        more = {"capture": CaptureSpec(rate_hz=60, focus_grace_s=0.3), "idle_s": 0} | order
        self.sitting = Sitting(library, Choice(), Order(game="synthetic", player="ann", **more), sources=self.open)
        self.started = threading.Event()

    def open(self, choice):
        rig = self

        class Screen(SyntheticScreen):
            def open(self):
                if rig.hidden:
                    raise WindowHidden("It is hidden.")
                return super().open()

            def grab(self, *, blank_if_covered=False):
                if rig.hidden:
                    raise WindowHidden("It is hidden.")
                if rig.size_px != self._size_px:
                    raise WindowResized("It has another size.")
                return super().grab()

        self.inputs.append(SyntheticInputs())
        self.screens.append(Screen(self.size_px))
        return self.screens[-1], self.inputs[-1]

    def begin(self):
        self.sitting.start()
        self.recording()

    def recording(self, number=1):
        """Waits until this session of the sitting is being recorded."""
        wait_until(lambda: self.status() == (State.RECORDING, number), f"session {number}")
        wait_until(lambda: self.sitting.status().frames > 10, "frames")

    def status(self):
        status = self.sitting.status()
        return status.state, status.number

    def pause_is(self, reason):
        return wait_until(lambda: self.sitting.status().pause is reason, f"the pause {reason}")

    def press(self, code=W):
        for value in (1, 0):
            self.inputs[-1].push(InputEvent(now_ns(), EventKind.KEY, code, value))

    def end(self):
        self.sitting.close()
        self.sitting.check()
        with Store.open(self.library) as store:
            assert store.orphans() == []
            for result in self.sitting.results:
                assert verify(store.session_folder(result.summary.id), decode=True) == []
            assert {summary.id for summary in store.search()} == {r.summary.id for r in self.sitting.results}
            recordings = [store.recording(result.summary.id) for result in self.sitting.results]
        assert len({recording.meta.group_id for recording in recordings}) <= 1
        assert self.sitting.status().state is State.IDLE
        return recordings


@pytest.fixture
def rig(tmp_path):
    made = []

    def make(**order):
        made.append(Rig(tmp_path / "library", **order))
        return made[-1]

    yield make
    for one in made:
        one.sitting.close()


def test_a_pause_makes_two_sessions_and_watches_nothing_between(rig):
    made = rig()
    made.begin()
    made.sitting.pause()
    made.pause_is(PauseReason.USER)
    assert made.sitting.latest is None
    sources = len(made.inputs)
    threading.Event().wait(0.3)
    assert len(made.inputs) == sources
    made.sitting.resume()
    made.recording(2)
    first, second = made.end()
    assert [first.meta.end_reason, second.meta.end_reason] == [EndReason.PAUSED, EndReason.STOPPED]
    assert first.meta.t_stop_ns < second.meta.t_start_ns


def test_idleness_ends_the_session_and_the_next_input_begins_another(rig):
    made = rig(profile=GameProfile(name="synthetic", idle_s=0.4), idle_s=None)
    made.begin()
    made.pause_is(PauseReason.IDLE)
    wait_until(lambda: len(made.inputs) == 2 and made.sitting.latest is not None, "the next watch")
    threading.Event().wait(0.1)
    made.press()
    made.recording(2)
    first, second = made.end()
    assert first.meta.end_reason == EndReason.IDLE
    assert first.meta.profile.idle_s == 0.4
    assert second.clock.duration_ns > 0


def test_focus_lost_for_long_and_its_return(rig):
    made = rig()
    made.begin()
    made.inputs[-1].push(FocusChange(now_ns(), False, False))
    wait_until(lambda: made.sitting.results, "the end of the first session")
    made.recording(2)  # the next synthetic source has the focus
    first, _ = made.end()
    assert first.meta.end_reason == EndReason.FOCUS_LOST
    assert {gap.reason for gap in first.gaps} == {GapReason.UNFOCUSED}


def test_a_short_loss_of_focus_stays_within_the_session(rig):
    made = rig(capture=CaptureSpec(rate_hz=60))
    made.begin()
    made.inputs[-1].push(FocusChange(now_ns(), False, False))
    made.pause_is(PauseReason.UNFOCUSED)
    made.inputs[-1].push(FocusChange(now_ns(), True, True))
    wait_until(lambda: made.sitting.status().state is State.RECORDING, "recording again")
    (only,) = made.end()
    assert {gap.reason for gap in only.gaps} == {GapReason.UNFOCUSED}


def test_a_resize_begins_a_session_of_the_new_size(rig):
    made = rig()
    made.begin()
    made.size_px = (80, 60)
    made.recording(2)
    first, second = made.end()
    assert (first.meta.size_px, second.meta.size_px) == ((64, 48), (80, 60))
    assert first.meta.end_reason == EndReason.WINDOW_RESIZED


def test_a_hidden_window_is_waited_for(rig):
    made = rig()
    made.begin()
    made.hidden = True
    made.pause_is(PauseReason.HIDDEN)
    made.hidden = False
    made.recording(2)
    first, _ = made.end()
    assert first.meta.end_reason == EndReason.WINDOW_HIDDEN


def test_a_suspend_begins_a_new_session(rig, monkeypatch):
    made = rig()
    made.begin()
    slept = iter([5_000_000_000])
    monkeypatch.setattr(ClockAnchor, "suspended_ns", lambda self: next(slept, 0))
    made.recording(2)
    first, _ = made.end()
    assert first.meta.end_reason == EndReason.SUSPENDED


def test_an_encoder_that_fails_is_replaced(rig, monkeypatch):
    write = VideoWriter.write

    def fail_late(self, *args, **more):
        if self._spec.preset == "veryfast" and self.frame_count >= 60:
            raise EncoderFailed("The encoder gave up.")
        return write(self, *args, **more)

    monkeypatch.setattr(VideoWriter, "write", fail_late)
    made = rig(capture=CaptureSpec(rate_hz=60, preset="veryfast"))
    made.begin()
    made.recording(2)
    assert "Going on with libx264 (ultrafast)" in made.sitting.status().notice
    first, second = made.end()
    assert first.meta.capture.preset == "veryfast"
    assert len(first.clock) > 0
    assert second.meta.capture.preset == "ultrafast"


def test_the_last_seconds_are_discarded(rig):
    made = rig()
    made.begin()
    threading.Event().wait(1.0)
    before_ns = now_ns()
    threading.Event().wait(0.3)
    pressed_ns = now_ns()
    made.press()
    threading.Event().wait(0.3)
    made.sitting.discard_last((now_ns() - before_ns) / 1e9)
    made.recording(2)
    first, _ = made.end()
    assert first.meta.end_reason == EndReason.DISCARDED
    assert before_ns <= first.meta.t_stop_ns < pressed_ns
    assert first.clock.t_ns[-1] < pressed_ns
    assert not (first.events["code"] == W).any()
    assert first.meta.discard_from_ns is None
    assert first.meta.revision == 2


def test_discarding_more_than_there_is_leaves_nothing_of_it(rig):
    made = rig()
    made.begin()
    made.sitting.pause()
    made.pause_is(PauseReason.USER)
    made.sitting.resume()
    made.recording(2)
    made.sitting.discard_last(100)
    made.recording(1)
    assert len(made.end()) == 1


def test_discarding_while_paused_cuts_what_was_stored(rig):
    made = rig()
    made.begin()
    threading.Event().wait(0.8)
    made.sitting.pause()
    made.pause_is(PauseReason.USER)
    (stored,) = made.sitting.results
    seconds = (now_ns() - stored.stop_ns) / 1e9 + 0.4
    made.sitting.discard_last(seconds)
    wait_until(lambda: made.sitting.results[0].summary.frames < stored.summary.frames, "the cut")
    assert made.sitting.status().pause is PauseReason.USER
    (cut,) = made.end()
    assert cut.meta.t_stop_ns < stored.stop_ns - 300_000_000


def test_all_discarded_at_the_end_is_no_session(rig):
    made = rig()
    made.begin()
    made.sitting.discard_last(100)
    made.sitting.stop()
    assert made.end() == []


def test_muted_stretches_are_marked_and_black(rig):
    made = rig(hotkeys={HotkeyAction.MUTE: Hotkey(F8)})
    made.begin()
    made.press(F8)
    wait_until(lambda: made.sitting.status().muted, "muted")
    threading.Event().wait(0.2)
    made.press()
    threading.Event().wait(0.2)
    made.sitting.mute(False)
    wait_until(lambda: not made.sitting.status().muted, "heard again")
    threading.Event().wait(0.2)
    made.press(30)
    (only,) = made.end()
    assert {int(code) for code in only.events["code"]} == {30}
    assert {gap.reason for gap in only.gaps} == {GapReason.MUTED}
    start_ns, stop_ns = only.gaps[0].start_ns, only.gaps[-1].stop_ns
    inside = np.flatnonzero((only.clock.t_ns > start_ns + 5e7) & (only.clock.t_ns < stop_ns - 5e7))
    reader = only.video()
    assert reader.frame(int(inside[len(inside) // 2])).max() < 24
    assert reader.frame(0).max() > 60
    reader.close()


def test_muting_lasts_over_a_pause(rig):
    made = rig()
    made.begin()
    made.sitting.mute(True)
    made.sitting.pause()
    made.pause_is(PauseReason.USER)
    made.sitting.resume()
    made.recording(2)
    made.press()
    _, second = made.end()
    assert len(second.events) == 0
    assert {gap.reason for gap in second.gaps} == {GapReason.MUTED}


def test_what_the_hotkey_muted_stays_muted_in_the_next_session(rig):
    made = rig(hotkeys={HotkeyAction.MUTE: Hotkey(F8)})
    made.begin()
    made.press(F8)
    wait_until(lambda: made.sitting.status().muted, "muted")
    made.size_px = (80, 60)
    made.recording(2)
    made.press()
    assert made.sitting.status().muted
    first, second = made.end()
    assert [len(recording.events) for recording in (first, second)] == [0, 0]
    assert {gap.reason for gap in second.gaps} == {GapReason.MUTED}
    assert second.gaps[0].start_ns <= second.meta.t_start_ns


def test_a_black_window_is_refused_and_recorded_only_on_demand(rig):
    class Black(SyntheticScreen):
        def grab(self, *, blank_if_covered=False):
            grab = super().grab()
            return type(grab)(np.zeros_like(grab.bgra), grab.t_before_ns, grab.t_ns)

    made = rig()
    made.sitting._sources = lambda choice: (Black((64, 48)), SyntheticInputs())
    made.sitting.start()
    wait_until(lambda: not made.sitting.alive, "the refusal")
    assert "nothing but black" in str(made.sitting.error)
    assert made.sitting.status().state is State.IDLE


def test_a_stop_before_anything_was_recorded(rig):
    made = rig(wait_focus_s=None)
    made.sitting._sources = lambda choice: (SyntheticScreen((64, 48)), SyntheticInputs(focused=False))
    made.sitting.start()
    made.pause_is(PauseReason.UNFOCUSED)
    assert made.end() == []
    assert "nothing was recorded" in made.sitting.status().notice


def test_a_real_window_is_followed_through_resize_and_hiding(record, game, tmp_path):
    command = record("--window-title", "Barcode", "--idle", "0")
    ids = [command.started()["session"]]
    threading.Event().wait(0.3)
    game.handle.configure(width=200)
    game.connection.sync()
    ids += [fact["session"] for fact in (command.started(), command.started()) if fact["event"] == "started"]
    game.handle.unmap()
    game.connection.sync()
    assert command.started()["end_reason"] == EndReason.WINDOW_HIDDEN
    threading.Event().wait(0.3)
    game.handle.map()
    game.handle.set_input_focus(X.RevertToParent, X.CurrentTime)
    game.connection.sync()
    wait_until(lambda: game.describe().viewable, "the window")
    game.focus()
    ids.append(command.started()["session"])
    command.stop()
    with Store.open(tmp_path / "library") as store:
        summaries = [store.summary(session_id) for session_id in ids]
    assert len({summary.group_id for summary in summaries}) == 1
    assert len(ids) == 3


def test_nothing_recorded_is_an_error_of_the_command(record, make_window, display):
    made = make_window(display, "Never focused", (400, 300, 120, 90))
    command = record("--window-id", str(made.id))
    # A signal before Python has its handler would end the process as it ends any other.
    caught = Path(f"/proc/{command.process.pid}/status")
    wait_until(
        lambda: int(caught.read_text().split("SigCgt:")[1].split()[0], 16) >> (signal.SIGTERM - 1) & 1, "SIGTERM"
    )
    command.process.terminate()
    out, _ = command.process.communicate(timeout=30)
    assert command.process.returncode == 1
    assert NothingRecorded.__name__ in out


def test_the_encoder_is_tried_where_that_is_ordered(rig, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = rig(try_encoders=True)
    made.begin()
    (only,) = made.end()
    assert only.meta.capture.codec in (*encoders.HARDWARE, encoders.SOFTWARE)
    assert f"({only.meta.capture.preset}) encodes 64x48" in made.sitting.status().notice
