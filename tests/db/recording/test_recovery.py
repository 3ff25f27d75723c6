from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.__main__ import main
from db.cli import open_library
from db.errors import DiskFull
from db.media.video import VideoWriter
from db.recording.reader import Recording
from db.recording.recovery import DAMAGE_NAME, recover
from db.recording.session import (
    FACTS_NAME,
    FORMAT,
    LOCK_NAME,
    META_NAME,
    SessionMeta,
    SessionState,
    is_recording,
    read_meta,
    recording_lock,
    write_meta,
)
from db.recording.verification import verify
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store
from recordings import FRAME_NS, Take, barcode, frame_times, read_barcode

CAPTURE = CaptureSpec(segment_s=1.5, commit_s=0.5)

RECORD_UNTIL_KILLED = """
import sys
from pathlib import Path
from recordings import Take, barcode, FRAME_NS, KEY_W, key
from db.specs import CaptureSpec
from db.media.video import VideoWriter
from db.recording.writer import SessionWriter

folder = Path(sys.argv[1])
meta = Take(capture=CaptureSpec(segment_s=1.5, commit_s=0.5)).meta()
writer = SessionWriter.create(folder, meta)
video = VideoWriter(folder, meta.size_px, meta.capture)
committed = 0
for i in range(60_000):
    t = 10**9 + i * FRAME_NS
    writer.write_frames([video.write(barcode(i), t - 1, t)])
    writer.write_events([key(t + 5, KEY_W, (i + 1) % 2)])
    if t - committed >= 500_000_000:
        video.sync()
        writer.commit()
        committed = t
    print(i, flush=True)
"""


@contextlib.contextmanager
def cut_off(folder: Path, frames: int, committed: int, *, closed: bool = False):  # type: ignore[no-untyped-def]
    """A recording that stopped after `frames` frames of which `committed` rows were stored."""
    meta = Take(capture=CAPTURE).meta()
    writer = SessionWriter.create(folder, meta)
    video = VideoWriter(folder, meta.size_px, meta.capture)
    rows = [video.write(barcode(i), t - 1, t) for i, t in enumerate(frame_times(frames))]
    writer.write_frames(rows[:committed])
    writer.commit()
    if closed:
        video.close()
    yield writer, video
    writer.abandon()
    video.close()


def kill_after(folder: Path, frames: int) -> int:
    """Runs a recording in a process of its own, kills it once it wrote this many frames; returns the last it told of."""
    paths = [str(Path(__file__).parents[2]), str(Path(__file__).parents[3])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", "-c", RECORD_UNTIL_KILLED, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        last = -1
        for line in process.stdout:
            last = int(line)
            if last >= frames:
                break
        assert is_recording(folder)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    return int(rest[-1]) if rest else last


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_recording_loses_at_most_a_second(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "s"
    last = kill_after(folder, random.Random(seed).randrange(40, 260))
    assert not is_recording(folder)
    report = recover(folder)
    assert report.error == ""
    meta = read_meta(folder)
    assert meta.state is SessionState.RECOVERED
    recording = Recording(folder)
    assert report.frames == len(recording.clock)
    assert (last + 1 - report.frames) * FRAME_NS <= 10**9
    assert verify(folder) == []
    reader = recording.video()
    assert [read_barcode(picture) for _, picture in reader.read(range(report.frames))] == list(range(report.frames))
    reader.close()
    assert meta.t_stop_ns is not None
    assert meta.t_stop_ns > recording.clock.t_ns[-1]
    assert not list(folder.glob("*-wal"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert recover(folder).error == ""  # again, with nothing to do
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(("frames", "committed"), [(60, 60), (60, 40), (60, 46), (60, 45), (60, 44), (100, 1)])
def test_rows_and_packets_are_cut_to_each_other(tmp_path: Path, frames: int, committed: int) -> None:
    folder = tmp_path / "s"
    with cut_off(folder, frames, committed, closed=True) as (writer, _):
        writer.abandon()
        report = recover(folder)
    assert (report.frames, report.dropped_rows, report.dropped_packets) == (committed, 0, frames - committed)
    assert verify(folder) == []
    assert read_meta(folder).segments == tuple(s for s in read_meta(folder).segments if s.first_frame < committed)


def test_a_video_that_lags_behind_its_rows(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with cut_off(folder, 60, 60, closed=True) as (writer, _):
        writer.abandon()
        path = folder / "video-001.mkv"
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        report = recover(folder)
    assert report.error == ""
    assert 45 <= report.frames < 60
    assert report.dropped_rows == 60 - report.frames
    assert verify(folder) == []


def test_recovery_cut_off_itself_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with cut_off(folder, 60, 50, closed=True) as (writer, _):
        writer.abandon()
        assert recover(folder).frames == 50
    (folder / "video-001.mkv.new").write_bytes(b"half a file")
    write_meta(folder, read_meta(folder).model_copy(update={"state": SessionState.RECORDING, "segments": ()}))
    assert recover(folder).frames == 50
    assert verify(folder) == []


def test_a_session_being_recorded_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with cut_off(folder, 30, 30):
        assert "is being recorded" in recover(folder).error
        assert read_meta(folder).state is SessionState.RECORDING


def test_a_session_that_ended_before_its_first_frame_goes(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with cut_off(folder, 10, 0, closed=True) as (writer, _):
        writer.abandon()
        assert "nothing to keep" in recover(folder).error
    assert not folder.exists()


@pytest.mark.parametrize("facts", [None, b""])
def test_a_session_cut_off_while_it_was_made_goes(tmp_path: Path, facts: bytes | None) -> None:
    (tmp_path / "s").mkdir()
    write_meta(tmp_path / "s", Take().meta())
    if facts is not None:
        (tmp_path / "s" / FACTS_NAME).write_bytes(facts)
    assert "nothing to keep" in recover(tmp_path / "s").error
    assert not (tmp_path / "s").exists()


def test_a_long_video_without_times_stays(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with cut_off(folder, 60, 60, closed=True) as (writer, _):
        writer.abandon()
        (folder / FACTS_NAME).unlink()
        assert "nothing was changed" in recover(folder).error
    assert (folder / "video-000.mkv").exists()


def whole_orphan(folder: Path, meta: SessionMeta | None = None) -> SessionMeta:
    meta = Take(count=60).write(folder, meta).model_copy(update={"state": SessionState.RECORDING})
    write_meta(folder, meta)
    return meta


@pytest.mark.parametrize("broken", [b"junk" * 50, b"SQLite format 3\0" + bytes(500)])
def test_broken_facts_change_nothing(tmp_path: Path, broken: bytes) -> None:
    whole_orphan(tmp_path / "s")
    (tmp_path / "s" / FACTS_NAME).write_bytes(broken)
    assert FACTS_NAME in recover(tmp_path / "s").error
    assert (tmp_path / "s" / FACTS_NAME).read_bytes() == broken
    assert (tmp_path / "s" / "video-000.mkv").exists()


def test_a_broken_video_changes_nothing(tmp_path: Path) -> None:
    whole_orphan(tmp_path / "s")
    (tmp_path / "s" / "video-000.mkv").write_bytes(b"junk")
    facts = (tmp_path / "s" / FACTS_NAME).read_bytes()
    assert "nothing was changed" in recover(tmp_path / "s").error
    assert (tmp_path / "s" / FACTS_NAME).read_bytes() == facts


def test_missing_or_newer_metadata_is_reported(tmp_path: Path) -> None:
    meta = whole_orphan(tmp_path / "s")
    (tmp_path / "s" / META_NAME).write_text(meta.model_dump_json().replace('"format":2', '"format":9'))
    assert "update Playtape" in recover(tmp_path / "s").error
    (tmp_path / "s" / META_NAME).unlink()
    assert "session.json is missing" in recover(tmp_path / "s").error
    assert (tmp_path / "s" / "video-000.mkv").exists()


def test_an_empty_folder_goes_when_nothing_can_begin_in_it_any_more(store: Store) -> None:
    folder = store.create_session(Take().meta())
    (folder / LOCK_NAME).touch()
    assert store.recover() == []
    os.utime(folder, (0, 0))
    [report] = store.recover()
    assert "nothing to keep" in report.error
    assert not folder.exists()


def test_two_recoveries_at_once(tmp_path: Path) -> None:
    whole_orphan(tmp_path / "s")
    with recording_lock(tmp_path / "s"):
        assert "by another program" in recover(tmp_path / "s").error
    assert recover(tmp_path / "s").frames == 60


def test_damage_is_news_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    meta = Take().meta()
    folder = store.create_session(meta)
    whole_orphan(folder, meta)
    good = (folder / FACTS_NAME).read_bytes()
    (folder / FACTS_NAME).write_bytes(b"junk" * 50)
    arguments = argparse.Namespace(library=store.root, json=False)
    open_library(arguments).close()
    assert FACTS_NAME in capsys.readouterr().err
    for _ in range(2):
        open_library(arguments).close()
        assert capsys.readouterr().err.splitlines() == [
            "1 session is damaged and not in the library; `playtape-db recover` tries again and says why."
        ]
    [report] = store.recover()
    assert (report.known, report.lasting) == (True, True)
    assert main(["recover", "--library", str(store.root)]) == 1
    assert FACTS_NAME in capsys.readouterr().out
    (folder / FACTS_NAME).write_bytes(good)
    assert main(["recover", "--library", str(store.root)]) == 0
    assert store.recover() == []
    assert not (folder / DAMAGE_NAME).exists()


def test_what_may_pass_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = Take().meta()
    folder = store.create_session(meta)
    whole_orphan(folder, meta)
    with monkeypatch.context() as patch:
        patch.setattr("db.recording.recovery.remux", _disk_full)
        [report] = store.recover()
    assert "no room" in report.error
    assert not report.lasting
    assert not (folder / DAMAGE_NAME).exists()
    [report] = store.recover()
    assert (report.error, report.frames) == ("", 60)


def test_damage_that_an_older_playtape_found_is_looked_at_again(store: Store) -> None:
    meta = Take().meta()
    folder = store.create_session(meta)
    whole_orphan(folder, meta)
    (folder / DAMAGE_NAME).write_text(f"{FORMAT - 1} It cannot be read.\n")
    [report] = store.recover()
    assert (report.error, report.frames) == ("", 60)


def _disk_full(path: Path, count: int) -> None:
    raise DiskFull("There is no room left.")
