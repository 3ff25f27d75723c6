"""Whole sessions: recorded by the real command from a real window, and by a take from synthetic sources."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter

import numpy as np
import pytest
from Xlib import X

from db.clock import now_ns
from db.errors import CaptureUnavailable, DiskFull, NothingRecorded, WindowLost
from db.media.video import VideoWriter, count_frames, packet_table
from db.recording.events import Actor, ActorKind, EventKind, GapReason, InputEvent, Origin
from db.recording.keys import BTN_LEFT
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from games.xserver import XServer
from recorder.__main__ import main
from recorder.hotkeys import Hotkey, HotkeyAction
from recorder.inputs.injection import count_changes, sum_motion
from recorder.inputs.source import FocusChange
from recorder.inputs.synthetic import SyntheticInputs
from recorder.order import Order
from recorder.screen.synthetic import SyntheticScreen, read_index
from recorder.states import EndReason, State
from recorder.take import Take

W, A, S, M = 17, 30, 31, 50


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "library") as opened:
        yield opened


def check_whole(store, session_id):
    """Packets == rows == clock == decoded frames, and everything db itself verifies."""
    recording = store.recording(session_id)
    names = [segment.name for segment in recording.meta.segments]
    packets = sum(len(packet_table(recording.folder / name)[0]) for name in names)
    decoded = sum(count_frames(recording.folder / name) for name in names)
    assert packets == decoded == len(recording.frames) == len(recording.clock)
    assert verify(recording.folder, decode=True) == []
    assert np.all(recording.frames["t_before_ns"] <= recording.frames["t_ns"])
    return recording


def key_rows(recording, origin=Origin.DEVICE):
    rows = recording.events
    rows = rows[(rows["kind"] == EventKind.KEY) & (rows["origin"] == origin)]
    return [(int(row["code"]), int(row["value"])) for row in rows]


def motion_sum(recording):
    rows = recording.events
    rows = rows[rows["kind"] == EventKind.MOTION]
    return rows["x"].sum(), rows["y"].sum()


def test_everything_injected_is_in_the_session(record, game, injector, store):
    game.play()
    command = record("--window-title", "^Barcode game$", "--actor", "script", "--game", "barcode", "--player", "ann")
    started = command.started()
    for i in range(150):
        injector.set((W, A, S)[i % 3], True)
        injector.move(3 if i % 2 else -3, i % 3 - 1)  # without a grab the pointer must stay within
        injector.set((W, A, S)[i % 3], False)
        injector._connection.sync()
    injector.set(M, True)
    injector._connection.sync()  # else the stop may come before it
    finished = command.stop()
    assert finished["session"] == started["session"]
    assert finished["end_reason"] == EndReason.SIGNAL
    recording = check_whole(store, started["session"])
    meta = recording.meta
    assert (meta.game, meta.player, meta.size_px) == ("barcode", "ann", (320, 240))
    assert meta.dropped_events == 0
    assert Counter(key_rows(recording)) == count_changes(injector.ledger)
    assert motion_sum(recording) == sum_motion(injector.ledger)
    assert key_rows(recording, Origin.CLOSING) == [(M, 0)]
    assert {meta.actors[i].kind for i in recording.events["actor"]} == {ActorKind.SCRIPT}
    assert meta.server_clock["offset_ns"] < 5_000_000
    assert store.summary(meta.id).player == "ann"


def test_held_at_the_start_and_a_grabbing_game(record, game, injector, store):
    injector.set(W, True)
    injector._connection.sync()
    before = len(injector.ledger)
    game.grab()
    command = record("--window-id", hex(game.id))
    started = command.started()
    for _ in range(100):
        injector.move(7, -3)
        game.handle.warp_pointer(160, 120)
        game.connection.sync()
    injector.set(BTN_LEFT, True)
    injector.set(BTN_LEFT, False)
    injector._connection.sync()
    command.stop()
    recording = check_whole(store, started["session"])
    assert recording.meta.game == "Barcode game"
    assert key_rows(recording, Origin.SNAPSHOT) == [(W, 1)]
    assert motion_sum(recording) == sum_motion(injector.ledger[before:]) == (700, -300)
    assert key_rows(recording) == [(BTN_LEFT, 1), (BTN_LEFT, 0)]
    track = recording.resolve()
    assert track.select([W]).all()
    assert track.presses[:, track.codes.index(W)].sum() == 0


def test_nothing_typed_into_another_window_is_kept(record, game, injector, store, display, make_window):
    other = make_window(display, "private letter", (500, 40, 200, 200))
    command = record("--window-id", str(game.id))
    started = command.started()
    for _ in range(5):
        game.focus()
        injector.set(W, True)
        injector.set(W, False)
        injector.set(A, True)
        injector._connection.sync()
        threading.Event().wait(0.003)  # what shares its millisecond with a focus change is not kept
        other.focus()
        injector.set(A, False)
        for code in (M, BTN_LEFT):
            injector.set(code, True)
            injector.set(code, False)
        injector.move(5, 5)
        injector._connection.sync()
    game.focus()
    injector.set(W, True)
    injector.set(W, False)
    injector._connection.sync()
    command.stop()
    recording = check_whole(store, started["session"])
    rows = recording.events
    assert not np.isin(rows["code"][rows["kind"] == EventKind.KEY], (M, BTN_LEFT)).any()
    assert not (rows["kind"] == EventKind.MOTION).any()
    assert Counter(key_rows(recording)) == {(W, 1): 6, (W, 0): 6, (A, 1): 5}
    assert key_rows(recording, Origin.CLOSING) == [(A, 0)] * 5
    assert {gap.reason for gap in recording.gaps} == {GapReason.UNFOCUSED}
    assert not recording.resolve().known.all()


def test_a_killed_recording_is_recovered(record, game, injector, store):
    game.play()
    command = record("--window-title", "Barcode")
    session_id = command.started()["session"]
    folder = store.session_folder(session_id)
    for _ in range(100):
        injector.set(W, True)
        injector.set(W, False)
        injector._connection.sync()
        threading.Event().wait(0.02)
    command.process.kill()
    command.process.wait()
    assert (folder / "video-000.mkv").stat().st_size > 0
    [report] = store.recover()
    assert (report.session_id, report.error) == (session_id, "")
    assert report.frames > 30
    recording = check_whole(store, session_id)
    assert Counter(code for code, _ in key_rows(recording)).keys() == {W}
    assert store.summary(session_id).frames == report.frames


def test_a_closed_window_ends_the_sitting_and_keeps_the_session(record, game, store):
    command = record("--window-title", "Barcode")
    session_id = command.started()["session"]
    threading.Event().wait(0.3)
    game.handle.destroy()
    game.connection.sync()
    finished = command.finished()
    assert finished["end_reason"] == EndReason.WINDOW_LOST
    assert "closed" in finished["message"]
    check_whole(store, session_id)


def test_a_resized_window_ends_the_session_with_single(record, game, store):
    command = record("--window-title", "Barcode", "--single")
    session_id = command.started()["session"]
    threading.Event().wait(0.3)
    game.handle.configure(width=200)
    game.connection.sync()
    finished = command.finished()
    assert finished["end_reason"] == EndReason.WINDOW_RESIZED
    assert "resized" in finished["message"]
    check_whole(store, session_id)


def test_the_display_s_end_keeps_the_session(record, store, make_window):
    server = XServer()
    window = make_window(server.display, "Barcode game")
    window.focus()
    command = record("--window-title", "Barcode", on=server.display)
    session_id = command.started()["session"]
    threading.Event().wait(0.3)
    server.close()
    assert command.finished()["end_reason"] in (EndReason.DISPLAY_LOST, EndReason.FAILED)
    check_whole(store, session_id)


def test_a_region_has_no_focus_filter(record, game, injector, store):
    game.connection.set_input_focus(X.NONE, X.RevertToNone, X.CurrentTime)
    game.connection.sync()
    command = record("--region", "40,40,201,101", "--fps", "20")
    session_id = command.started()["session"]
    injector.set(M, True)
    injector.set(M, False)
    injector._connection.sync()
    command.stop()
    recording = check_whole(store, session_id)
    assert recording.meta.size_px == (200, 100)
    assert recording.meta.window.kind == "region"
    assert key_rows(recording) == [(M, 1), (M, 0)]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "what to record"),
        (["--window-title", "no such game"], "no such game"),
        (["--window-title", "Barcode", "--fps", "0"], "between 1 and 240"),
        (["--window-title", "Barcode", "--duration", "-1"], "--duration"),
        (["--region", "0,0,9999,10"], "not within the screen"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(display, game, tmp_path, monkeypatch, capsys, options, word):
    monkeypatch.setenv("DISPLAY", display)
    assert main(["--headless", "--json", "--library", str(tmp_path / "library"), *options]) == 1
    out, err = capsys.readouterr()
    assert word in err
    assert word in json.loads(out)["error"]


@pytest.mark.parametrize(
    ("options", "word"),
    [(["--duration", "3"], "--headless"), (["--monitor", "0"], "--headless"), (["--window-title", "("], "regular"),
     (["--fps", "0"], "between 1 and 240")],
)  # fmt: skip
def test_what_the_window_cannot_do_is_not_swallowed(display, tmp_path, monkeypatch, capsys, options, word):
    monkeypatch.setenv("DISPLAY", display)
    assert main(["--library", str(tmp_path / "library"), *options]) == 1
    assert word in capsys.readouterr().err


def test_the_windows_are_listed(display, game, monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", display)
    assert main(["--list-windows", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"id": game.id, "title": "Barcode game", "size_px": [320, 240], "position_px": [40, 40]} in rows


def order(**more):
    return Order(game="synthetic", player="ann", **{"capture": CaptureSpec(rate_hz=60), "duration_s": 0.5} | more)


def test_synthetic_frames_keep_their_index(store):
    take = Take(store, order(), SyntheticScreen((64, 48), repeat=2), SyntheticInputs())
    started = []
    result = take.run(started.append)
    assert result.end_reason is EndReason.DURATION
    assert take.status().state is State.IDLE
    assert started[0].id == result.summary.id
    recording = check_whole(store, result.summary.id)
    reader = recording.video()
    shown = [read_index(picture) for _, picture in reader.read(range(len(recording.frames)))]
    reader.close()
    same = [False, *(a == b for a, b in itertools.pairwise(shown))]
    assert recording.frames["duplicate"].tolist() == same
    assert any(same)
    assert recording.meta.dropped_frames + len(shown) >= 25


def test_a_session_that_is_stopped_as_soon_as_it_says_so_has_a_frame(store):
    screen = SyntheticScreen((64, 48), on_grab=lambda: threading.Event().wait(0.02))
    take = Take(store, order(), screen, SyntheticInputs())
    result = take.run(lambda meta: take.stop())
    assert result.end_reason is EndReason.STOPPED
    assert len(check_whole(store, result.summary.id).frames) >= 1


def test_a_slow_screen_skips_ticks_and_says_so(store):
    screen = SyntheticScreen((64, 48), on_grab=lambda: threading.Event().wait(0.05))
    result = Take(store, order(), screen, SyntheticInputs()).run()
    recording = check_whole(store, result.summary.id)
    assert recording.meta.dropped_frames > len(recording.frames)
    assert np.diff(recording.clock.t_ns).min() > 40_000_000  # never a burst to catch up


def test_a_window_lost_at_once_leaves_nothing(store):
    with pytest.raises(WindowLost):
        Take(store, order(), SyntheticScreen((64, 48), lost_after=0), SyntheticInputs()).run()
    assert store.search() == []
    assert list(store.sessions_dir.iterdir()) == []


def test_a_full_disk_refuses_the_start(store):
    with pytest.raises(DiskFull, match="make room"):
        Take(store, order(), SyntheticScreen(), SyntheticInputs(), free_bytes=lambda path: 10_000_000).run()


def test_a_disk_that_fills_ends_the_session_early(store):
    free = iter([10**12])
    take = Take(
        store,
        order(duration_s=20),
        SyntheticScreen((64, 48)),
        SyntheticInputs(),
        free_bytes=lambda path: next(free, 1_000_000),
    )
    result = take.run()
    assert result.end_reason is EndReason.DISK_FULL
    check_whole(store, result.summary.id)


def test_focus_lost_for_long_ends_the_session(store):
    inputs = SyntheticInputs()
    capture = CaptureSpec(rate_hz=30, focus_grace_s=0.3)
    take = Take(store, order(capture=capture, duration_s=20), SyntheticScreen((64, 48)), inputs)
    states = set()

    def lose(meta):
        inputs.push(FocusChange(now_ns(), False, False))

    watcher = threading.Thread(target=lambda: watch_states(take, states))
    watcher.start()
    result = take.run(lose)
    watcher.join()
    assert result.end_reason is EndReason.FOCUS_LOST
    assert State.PAUSED in states
    recording = check_whole(store, result.summary.id)
    assert recording.gaps
    assert not recording.resolve().known[-1]


def watch_states(take, states):
    while take.status().state is State.IDLE:
        threading.Event().wait(0.001)
    while (state := take.status().state) is not State.IDLE:
        states.add(state)
        threading.Event().wait(0.001)


def test_it_waits_for_the_focus(store):
    inputs = SyntheticInputs(focused=False)
    take = Take(store, order(wait_focus_s=0.2), SyntheticScreen((64, 48)), inputs)
    with pytest.raises(WindowLost, match="focus"):
        take.run()
    assert list(store.sessions_dir.iterdir()) == []


def test_a_stop_while_waiting_is_heard(store):
    take = Take(store, order(wait_focus_s=None), SyntheticScreen((64, 48)), SyntheticInputs(focused=False))
    timer = threading.Timer(0.1, take.stop)
    timer.start()
    with pytest.raises(NothingRecorded, match="Stopped before"):
        take.run()
    timer.join()


def test_inputs_that_break_end_the_session_and_keep_it(store):
    class Breaking(SyntheticInputs):
        def read(self, timeout_s):
            reports = super().read(timeout_s)
            if reports:
                raise CaptureUnavailable("The device is gone.")
            return reports

    inputs = Breaking()
    take = Take(store, order(duration_s=20), SyntheticScreen((64, 48)), inputs)

    def breaks_later(meta):
        timer = threading.Timer(0.2, lambda: inputs.push(InputEvent(0, EventKind.KEY, W, 1)))
        timer.start()

    result = take.run(breaks_later)
    assert (result.end_reason, result.message) == (EndReason.FAILED, "The device is gone.")
    check_whole(store, result.summary.id)


def test_storage_that_breaks_keeps_what_was_stored(store, monkeypatch):
    write = VideoWriter.write

    def fail_late(self, *args, **more):
        if self.frame_count == 60:
            raise DiskFull("The disk is full; the recording stopped and everything before is kept.")
        return write(self, *args, **more)

    monkeypatch.setattr(VideoWriter, "write", fail_late)
    take = Take(store, order(duration_s=20), SyntheticScreen((64, 48)), SyntheticInputs())
    result = take.run()
    assert result.end_reason is EndReason.DISK_FULL
    assert 0 < result.summary.frames <= 60
    check_whole(store, result.summary.id)


def test_the_actor_of_every_event_is_asked(store):
    inputs = SyntheticInputs()
    other = Actor(kind=ActorKind.MODEL, name="m")
    wanted = order(
        other_actors=(other,), attribute=lambda event: int(event.code == A), hotkeys={HotkeyAction.RECORD: Hotkey(S)}
    )
    take = Take(store, wanted, SyntheticScreen((64, 48)), inputs)

    def press(meta):
        for code in (W, A, S):
            inputs.push(InputEvent(now_ns(), EventKind.KEY, code, 1))

    recording = check_whole(store, take.run(press).summary.id)
    rows = recording.events[recording.events["origin"] == Origin.DEVICE]
    assert [(int(row["code"]), int(row["actor"])) for row in rows] == [(W, 0), (A, 1)]
