"""What goes wrong around a recording, with the real command: disks, limits, libraries, other programs, signals.

Whatever happens, what was recorded is in the library, or comes into it at the next launch of any program.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from Xlib import X

from db import clock
from db.errors import StoreLocked
from db.library.index import NAME
from db.recording.session import SessionState, read_meta, write_meta
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from games.xserver import XServer
from recorder.inputs.synthetic import SyntheticInputs
from recorder.order import Order
from recorder.screen.synthetic import SyntheticScreen
from recorder.states import EndReason
from recorder.take import Take
from recordings import Take as SmallTake

ROOT = Path(__file__).parents[2]
WINDOW = ("--window-title", "Barcode", "--single")
as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk for this"
)


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 GB in memory, and a function that leaves so many bytes free on it."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1000m", "playtape-test", place], check=True)

    def leave(free_bytes: int) -> None:
        usage = shutil.disk_usage(place)
        options = f"remount,size={usage.used + free_bytes}"
        subprocess.run(["mount", "-o", options, place], check=True)

    yield place, leave
    subprocess.run(["umount", "--lazy", place], check=True)


def the_session(library: Path, *, frames: int = 5, state: SessionState | None = None):
    """The one session of a library, whole, in the library or put into it by this launch."""
    with Store.open(library) as store:
        assert [report.error for report in store.recover()] in ([], [""])
        [summary] = store.search()
        assert verify(store.session_folder(summary.id)) == []
        assert summary.frames >= frames
        assert state is None or summary.state is state
        return summary


@as_root
def test_a_disk_that_fills_ends_the_session_with_what_is_there(record, game, small_disk):
    place, leave = small_disk
    game.play()
    command = record(*WINDOW, library=place / "library")
    command.started()
    pause(0.7)
    leave(100_000_000)
    finished = command.finished()
    assert finished["end_reason"] == EndReason.DISK_FULL
    assert "make room" in finished["message"]
    the_session(place / "library", state=SessionState.COMPLETE)


@as_root
def test_no_byte_of_room_is_left_in_the_middle_of_a_write(record, game, injector, small_disk):
    place, leave = small_disk
    game.play()
    command = record(*WINDOW, library=place / "library")
    command.started()
    for _ in range(100):
        injector.move(3, 1)
        injector._connection.sync()
        pause(0.01)
    leave(4096)
    out, err = command.process.communicate(timeout=60)
    assert "Traceback" not in err
    assert "room" in out + err
    assert command.process.returncode in (0, 1)
    leave(100_000_000)
    the_session(place / "library")


def limit(command, kilobytes: int) -> None:
    """From now on no file of this process may grow beyond a size, which is how a quota or a failing disk shows."""
    if sys.platform != "linux":
        pytest.skip("limits of another process are set on Linux only")
    size = kilobytes * 1024
    resource.prlimit(command.process.pid, resource.RLIMIT_FSIZE, (size, size))


def test_a_write_of_the_video_that_fails_ends_the_session(record, game, tmp_path):
    command = record(*WINDOW)
    session_id = command.started()["session"]
    limit(command, 400)
    pen = game.handle.create_gc()
    while command.process.poll() is None:  # noise makes a large video
        game.handle.put_image(pen, 0, 0, 320, 100, X.ZPixmap, 24, 0, os.urandom(320 * 100 * 4))
        game.connection.sync()
        pause(0.02)
    finished = command.finished()
    assert finished["end_reason"] == EndReason.DISK_FULL
    assert "video-000.mkv" in finished["message"]
    assert the_session(tmp_path / "library", state=SessionState.RECOVERED).id == session_id


def test_a_write_of_the_inputs_that_fails_ends_the_session(record, game, injector, tmp_path):
    command = record(*WINDOW, "--fps", "10")
    session_id = command.started()["session"]
    limit(command, 200)
    while command.process.poll() is None:
        for _ in range(50):
            injector.move(1, 1)
            injector.move(-1, -1)
        injector._connection.sync()
        pause(0.02)
    finished = command.finished()
    assert finished["end_reason"] == EndReason.DISK_FULL
    assert "facts.sqlite" in finished["message"]
    assert the_session(tmp_path / "library", frames=1, state=SessionState.RECOVERED).id == session_id


def test_two_recorders_on_one_library_and_one_window(record, game, tmp_path):
    game.play()
    commands = [record(*WINDOW), record(*WINDOW), record("--region", "0,0,200,200", "--single")]
    ids = {command.started()["session"] for command in commands}
    pause(0.5)
    for command in commands:
        command.process.terminate()
    for command in commands:
        assert command.finished()["end_reason"] == EndReason.SIGNAL
    with Store.open(tmp_path / "library") as store:
        assert store.recover() == []
        assert {summary.id for summary in store.search()} == ids
        assert len(ids) == 3
        for session_id in ids:
            assert verify(store.session_folder(session_id)) == []


@as_root
@pytest.mark.parametrize("there", [True, False], ids=["a library", "no library yet"])
def test_a_place_that_cannot_be_written_to(record, game, small_disk, there):
    place, _ = small_disk
    if there:
        Store.open(place / "library").close()
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    facts, err = record(*WINDOW, library=place / "library").failed()
    assert facts["kind"] == "StoreReadOnly"
    assert err.count("\n") == 1


def test_a_library_of_another_owner(record, game, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("nothing is read-only to root")
    Store.open(tmp_path / "library").close()
    for folder in (tmp_path / "library" / "sessions", tmp_path / "library"):
        folder.chmod(0o500)
    facts, _ = record(*WINDOW).failed()
    assert facts["kind"] == "StoreReadOnly"


def test_a_library_that_is_removed_while_recording(record, game, tmp_path):
    command = record(*WINDOW)
    command.started()
    pause(0.3)
    shutil.rmtree(tmp_path / "library")
    facts, err = command.failed()
    assert "kept" not in facts["error"]
    assert str(tmp_path / "library") in err


def test_an_index_that_is_in_use_for_a_while(record, game, tmp_path):
    command = record(*WINDOW)
    session_id = command.started()["session"]
    pause(0.3)
    other = sqlite3.connect(tmp_path / "library" / NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    command.process.terminate()
    pause(1.5)
    assert command.process.poll() is None
    other.execute("ROLLBACK")
    other.close()
    assert command.finished()["session"] == session_id
    the_session(tmp_path / "library", state=SessionState.COMPLETE)


def test_an_index_that_stays_in_use_leaves_the_session_for_the_next_launch(tmp_path, monkeypatch):
    monkeypatch.setattr("db.library.index._BUSY_S", 0.2)
    with Store.open(tmp_path / "library") as store:
        order = Order(game="synthetic", player="ann", capture=CaptureSpec(rate_hz=30))
        take = Take(store, order, SyntheticScreen((64, 48)), SyntheticInputs())
        other = sqlite3.connect(tmp_path / "library" / NAME, isolation_level=None)

        def lock(meta):
            other.execute("BEGIN IMMEDIATE")
            take.stop()

        with pytest.raises(StoreLocked, match=r"in use.*is kept in .*next launch"):
            take.run(lock)
        other.close()
    the_session(tmp_path / "library", frames=1, state=SessionState.COMPLETE)


def test_a_stop_while_it_waits_for_the_focus(record, game, make_window, display, tmp_path):
    make_window(display, "another", (500, 40, 100, 100)).focus()
    command = record(*WINDOW)
    lock = tmp_path / "library" / NAME
    while not lock.exists():
        pause(0.01)
    pause(0.5)
    command.process.terminate()
    facts, _ = command.failed()
    assert "nothing was recorded" in facts["error"]
    assert list((tmp_path / "library" / "sessions").iterdir()) == []


def test_many_signals_while_it_finalises(record, game, tmp_path):
    game.play()
    command = record(*WINDOW)
    command.started()
    pause(0.5)
    with Store.open(tmp_path / "library") as store:
        while not store.search():
            command.process.send_signal(signal.SIGTERM)
            command.process.send_signal(signal.SIGINT)
            pause(0.005)
    assert command.finished()["end_reason"] == EndReason.SIGNAL
    the_session(tmp_path / "library", state=SessionState.COMPLETE)


def test_the_display_s_end_is_told(record, make_window, tmp_path):
    server = XServer()
    window = make_window(server.display, "Barcode game")
    window.focus()
    command = record(*WINDOW, on=server.display)
    command.started()
    pause(0.5)
    server.close()
    finished = command.finished()
    assert finished["end_reason"] == EndReason.DISPLAY_LOST
    assert "display" in finished["message"]
    the_session(tmp_path / "library", state=SessionState.COMPLETE)


def test_a_suspend_ends_the_session_where_it_began(tmp_path, monkeypatch):
    """The clock since boot, which counts sleep, jumps ahead of the one that does not."""
    awake_ns = clock.boottime_ns
    slept_ns = [0]
    monkeypatch.setattr(clock, "boottime_ns", lambda: awake_ns() + slept_ns[0])
    with Store.open(tmp_path / "library") as store:
        order = Order(game="synthetic", player="ann", capture=CaptureSpec(rate_hz=30))
        take = Take(store, order, SyntheticScreen((64, 48)), SyntheticInputs())

        def sleep_soon(meta):
            threading.Timer(0.4, lambda: slept_ns.append(slept_ns.pop() + 3_600_000_000_000)).start()

        result = take.run(sleep_soon)
        assert result.end_reason is EndReason.SUSPENDED
        assert "suspended" in result.message
        assert store.recording(result.summary.id).meta.end_reason == EndReason.SUSPENDED
    the_session(tmp_path / "library", state=SessionState.COMPLETE)


PROGRAMS = {
    "playtape": ["annotator.library"],
    "playtape-annotate": ["annotator"],
    "playtape-record": ["recorder"],
    "playtape-record --headless": ["recorder", "--headless", "--window-title", "no such window", "--json"],
    "playtape-play": ["recorder.play", "--window-title", "no such window", "--policy", "noop"],
    "playtape-train": ["trainer", "dataset", "--json"],
    "playtape-db": ["db", "list"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_any_launch_recovers_what_was_cut_off(tmp_path, display, program):
    with Store.open(tmp_path / "library") as store:
        meta = SmallTake().meta()
        folder = store.create_session(meta)
        SmallTake(count=60).write(folder, meta)
        write_meta(folder, read_meta(folder).model_copy(update={"state": SessionState.RECORDING, "segments": ()}))
        assert [path.name for path in store.orphans()] == [meta.id]
        module, *options = PROGRAMS[program]
        command = [sys.executable, "-P", "-m", module, *options, "--library", str(tmp_path / "library")]
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
        environment["HOME"] = str(tmp_path)
        with subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            while process.poll() is None and not store.search():
                pause(0.02)
            if process.poll() is None and not options:
                process.terminate()
            assert process.stdout is not None
            said = process.stdout.read()
        assert [summary.frames for summary in store.search()] == [60], said
        assert "Traceback" not in said
        assert store.orphans() == []


def test_a_second_launch_leaves_a_running_recording_alone(record, game, tmp_path):
    command = record(*WINDOW)
    session_id = command.started()["session"]
    with Store.open(tmp_path / "library") as store:
        assert store.recover() == []
        lock = store.session_folder(session_id) / "recording.lock"
        with pytest.raises(TimeoutError):
            FileLock(lock, timeout=0).acquire()
    command.stop()
    the_session(tmp_path / "library", frames=1, state=SessionState.COMPLETE)
