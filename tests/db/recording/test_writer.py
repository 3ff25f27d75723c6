from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from db.errors import BadArgument, BadFile, DiskFull, NotFound, PlaytapeError, StoreLocked, StoreReadOnly, TooNew
from db.recording import factfile
from db.recording.events import Gap, GapReason, to_array
from db.recording.reader import Recording
from db.recording.session import FACTS_NAME, LOCK_NAME, META_NAME, SessionState, is_recording, read_meta
from db.recording.writer import SessionWriter
from recordings import KEY_W, START_NS, Take, facts_of, frame_times, key, lively_events, move


def test_what_was_written_is_read(tmp_path: Path) -> None:
    times = frame_times(20)
    events = [key(times[3], KEY_W, 1, simulated=True, device=2, server_ms=2**32 - 1), move(times[4], -1.5, 2)]
    gap = Gap(times[8], times[9], GapReason.UNFOCUSED)
    meta = Take(times_ns=times, events=events, gaps=[gap]).write(tmp_path)
    recording = Recording(tmp_path)
    assert recording.meta == meta
    assert recording.frames["t_ns"].tolist() == times
    assert recording.frames["t_before_ns"].tolist() == [t - 1000 for t in times]
    assert (recording.events == to_array(events)).all()
    assert recording.gaps == [gap]
    assert recording.clock.t_stop_ns == meta.t_stop_ns
    assert (meta.t_start_ns, meta.state, meta.end_reason) == (times[0], SessionState.COMPLETE, "stopped")
    track = recording.resolve()
    assert track.held[:, 0].tolist() == [False] * 3 + [True] * 5 + [False] * 12
    assert not track.known[8]
    assert track.edges_ns.tolist() == [*times, meta.t_stop_ns]


def test_a_finished_session_is_self_contained_and_unlocked(session_folder: Path) -> None:
    assert sorted(p.name for p in session_folder.iterdir()) == [FACTS_NAME, META_NAME, "video-000.mkv"]
    with sqlite3.connect(session_folder / FACTS_NAME) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_the_stop_never_precedes_the_last_frame(tmp_path: Path) -> None:
    writer = SessionWriter.create(tmp_path, Take().meta())
    writer.write_frames([(0, 0, 1, 100, True, False)])
    assert writer.finish(t_stop_ns=50, end_reason="", segments=[]).t_stop_ns == 101


def test_frame_times_must_increase(tmp_path: Path) -> None:
    writer = SessionWriter.create(tmp_path, Take().meta())
    with pytest.raises(ValueError, match="increase"):
        writer.write_frames([(0, 0, 1, 100, True, False), (0, 1, 1, 100, False, False)])
    writer.write_frames([(0, 0, 1, 100, True, False)])
    with pytest.raises(ValueError, match="increase"):
        writer.write_frames([(0, 1, 1, 99, False, False)])
    writer.abandon()
    writer.abandon()


def test_one_recording_a_folder(tmp_path: Path) -> None:
    writer = SessionWriter.create(tmp_path, Take().meta())
    assert is_recording(tmp_path)
    with pytest.raises(StoreLocked, match="being recorded into"):
        SessionWriter.create(tmp_path, Take().meta())
    writer.abandon()
    assert not is_recording(tmp_path)
    with pytest.raises(BadFile, match=r"never finished.*recover"):
        Recording(tmp_path)


def test_a_used_folder_is_not_recorded_over(session_folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in session_folder.iterdir()}
    with pytest.raises(BadArgument, match="holds a session already"):
        SessionWriter.create(session_folder, Take().meta())
    assert {p.name: p.read_bytes() for p in session_folder.iterdir() if p.name != LOCK_NAME} == before
    assert not is_recording(session_folder)


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((StoreReadOnly, BadFile)):
        SessionWriter.create(tmp_path / "file" / "session", Take().meta())


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    writer = SessionWriter.create(tmp_path, Take().meta())
    writer.write_frames([(0, 0, 1, 100, True, False)])
    writer.commit()
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite itself then reports a full disk
    with pytest.raises(DiskFull, match="no room"):  # noqa: PT012
        for i in range(1, 200):
            writer.write_events([key(START_NS + i, KEY_W, 1)] * 100)
            writer.commit()
    writer.abandon()
    with factfile.open_for_repair(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM frame").fetchone() == (1,)
    connection.close()


def test_a_disk_that_is_full_at_the_stop_leaves_a_session_to_recover(tmp_path: Path, monkeypatch: object) -> None:
    writer = SessionWriter.create(tmp_path, Take().meta())
    writer.write_frames([(0, 0, 1, 100, True, False)])
    (tmp_path / f"{META_NAME}.new").mkdir()  # so that the metadata cannot be replaced
    with pytest.raises(BadFile):
        writer.finish(t_stop_ns=200, end_reason="", segments=[])
    assert read_meta(tmp_path).state is SessionState.RECORDING
    assert not is_recording(tmp_path)
    assert (tmp_path / LOCK_NAME).exists()


def damage(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / FACTS_NAME)
    connection.executescript(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("PRAGMA user_version = 2", TooNew),
        ("DROP TABLE event", BadFile),
        ("ALTER TABLE event RENAME TO e; CREATE VIEW event AS SELECT * FROM e", BadFile),
        ("CREATE TRIGGER t AFTER INSERT ON gap BEGIN SELECT 1; END", BadFile),
        ("ALTER TABLE frame DROP COLUMN pts", BadFile),
        ("INSERT INTO gap VALUES (1, 2, 'bored')", BadFile),
        ("UPDATE event SET kind = 900", BadFile),
        ("UPDATE frame SET t_ns = 5", BadFile),
        ("DELETE FROM frame", BadFile),
    ],
)
def test_strange_facts_are_refused(session_folder: Path, statement: str, error: type[PlaytapeError]) -> None:
    damage(session_folder, statement)
    recording = Recording(session_folder)
    with pytest.raises(error) as caught:
        _ = recording.clock, recording.events, recording.gaps
    assert str(caught.value).endswith(".")


def test_damaged_facts_are_told(session_folder: Path) -> None:
    path = session_folder / FACTS_NAME
    whole = path.read_bytes()
    for broken in (b"", b"hello" * 100, whole[: len(whole) // 2], whole[:100] + bytes(len(whole) - 100)):
        path.write_bytes(broken)
        with pytest.raises(BadFile, match=FACTS_NAME):
            _ = Recording(session_folder).events, Recording(session_folder).frames
    path.unlink()
    with pytest.raises(NotFound, match=r"missing.*verify"):
        _ = Recording(session_folder).frames


def test_facts_have_the_watched_stretch(session_folder: Path) -> None:
    facts, clock = Recording(session_folder).facts, Recording(session_folder).clock
    assert (facts.start_ns, facts.stop_ns) == (clock.t_ns[0], clock.t_stop_ns)
    expected = facts_of(lively_events(clock.t_ns.tolist(), clock.t_stop_ns)).events
    assert (facts.events == expected).all()
    assert facts.events.dtype == expected.dtype
    assert np.all(np.diff(facts.events["t_ns"]) >= 0)
