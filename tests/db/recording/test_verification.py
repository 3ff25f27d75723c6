from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from db.media.video import VideoWriter
from db.recording.session import FACTS_NAME, META_NAME, SessionState, read_meta, write_meta
from db.recording.verification import folder_bytes, verify
from db.specs import CaptureSpec
from recordings import Take, barcode, frame_times


def test_a_whole_session(session_folder: Path) -> None:
    assert verify(session_folder) == []
    assert verify(session_folder, decode=False) == []
    assert folder_bytes(session_folder) == sum(p.stat().st_size for p in session_folder.iterdir())


def test_a_whole_session_of_several_segments(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    times = frame_times(40, 100_000_000)
    meta = Take(times_ns=times, capture=CaptureSpec(segment_s=1.5)).write(folder)
    assert [segment.first_frame for segment in meta.segments] == [0, 15, 30]
    assert verify(folder) == []


def change(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / FACTS_NAME)
    connection.executescript(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM frame WHERE idx = 29", "30 packets but 29 frames"),
        ("UPDATE frame SET pts = pts + 1 WHERE idx = 7", "other presentation times"),
        ("UPDATE frame SET keyframe = 1 WHERE idx = 7", "other keyframes"),
        ("UPDATE frame SET keyframe = 0 WHERE idx = 0", "begin with a keyframe"),
        ("UPDATE frame SET segment = 1 WHERE idx > 20", "order of the session's segments"),
        ("UPDATE frame SET segment = 1 WHERE idx = 5", "order of the session's segments"),
        ("UPDATE frame SET t_ns = t_ns - 100000000000", "negative"),
        ("UPDATE event SET x = 9e999", "not a number"),
        ("UPDATE event SET actor = 9", "does not name"),
        ("DELETE FROM frame", "no usable frame times"),
        ("DROP TABLE frame", "tables of a session"),
    ],
)
def test_what_is_wrong_is_said(session_folder: Path, statement: str, said: str) -> None:
    change(session_folder, statement)
    problems = verify(session_folder)
    assert len(problems) == 1
    assert said in problems[0]
    assert verify(session_folder, decode=False) == problems


def test_a_truncated_video(session_folder: Path) -> None:
    path = session_folder / "video-000.mkv"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "packets but 30 frames" in verify(session_folder)[0]
    path.write_bytes(b"")
    assert verify(session_folder) == ["video-000.mkv is not there, or not a Matroska video."]
    path.unlink()
    assert verify(session_folder) == ["video-000.mkv is not there, or not a Matroska video."]


def test_pictures_that_do_not_decode(session_folder: Path) -> None:
    """Every packet in place, with its time and its flag, and nothing in it."""
    path = session_folder / "video-000.mkv"
    data = bytearray(path.read_bytes())
    start = len(data) // 4
    for at in range(start, len(data) - len(data) // 4):
        data[at] ^= 0x5A
    path.write_bytes(data)
    assert verify(session_folder)


def test_a_video_that_belongs_to_nobody(session_folder: Path) -> None:
    meta = read_meta(session_folder)
    other = session_folder.parent / "other"
    other.mkdir()
    writer = VideoWriter(other, meta.size_px, meta.capture)
    writer.write(barcode(0), 0, 1)
    writer.close()
    (other / "video-000.mkv").rename(session_folder / "video-001.mkv")
    assert verify(session_folder) == ["video-001.mkv belongs to no segment."]


def test_an_unfinished_and_a_missing_session(session_folder: Path) -> None:
    meta = read_meta(session_folder)
    write_meta(session_folder, meta.model_copy(update={"state": SessionState.RECORDING}))
    assert "recover" in verify(session_folder)[0]
    (session_folder / META_NAME).unlink()
    assert "session.json is missing" in verify(session_folder)[0]
