"""Discarding the end of a session: what stays is whole, and what goes is gone from the bytes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadFile, NotFound
from db.recording import cutting
from db.recording.cutting import cut_tail, mark_cut
from db.recording.events import EventKind, Gap, GapReason, Origin
from db.recording.session import FACTS_NAME, read_meta
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from recordings import FRAME_NS, KEY_A, KEY_W, START_NS, Take, key, move, read_barcode, record

SECRET = 12345.678901234
"""A movement that is to be discarded: a pattern of bytes that nothing else has."""


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "library") as opened:
        yield opened


def at(frame):
    return START_NS + frame * FRAME_NS


def take(count=60, **more):
    events = [key(at(5), KEY_W, 1), key(at(20), KEY_A, 1), key(at(25), KEY_A, 0), key(at(50), KEY_W, 0)]
    return Take(count=count, events=events, **more)


def test_what_stays_is_whole_and_what_goes_is_gone(store):
    gaps = [Gap(at(28), at(35), GapReason.UNFOCUSED), Gap(at(40), at(45), GapReason.MUTED)]
    session_id = record(store, take(gaps=gaps))
    summary = store.cut(session_id, at(30) + 1)
    assert summary.frames == 31
    recording = store.recording(session_id)
    assert verify(recording.folder, decode=True) == []
    reader = recording.video()
    assert [read_barcode(picture) for _, picture in reader.read(range(31))] == list(range(31))
    reader.close()
    assert recording.meta.t_stop_ns == at(30) + 1
    assert (recording.meta.revision, recording.meta.discard_from_ns) == (2, None)
    assert recording.gaps == [Gap(at(28), at(30) + 1, GapReason.UNFOCUSED)]
    last = recording.events[-1]
    assert (last["code"], last["value"], last["origin"]) == (KEY_W, 0, Origin.CLOSING)
    assert (recording.events["t_ns"] <= at(30) + 1).all()


def test_the_bytes_of_what_is_discarded_leave_the_folder(store):
    events = [key(at(5), KEY_W, 1), key(at(6), KEY_W, 0), *(move(at(45) + i, SECRET, 0) for i in range(400))]
    session_id = record(store, Take(count=60, events=events), enter=False)
    folder = store.session_folder(session_id)
    mark = struct.pack(">d", SECRET)

    def leaks():
        return [path.name for path in folder.iterdir() if mark in path.read_bytes()]

    assert leaks() == [FACTS_NAME]
    assert cut_tail(folder, at(30)) == 30
    assert leaks() == []


def test_several_segments(store):
    session_id = record(store, take(count=150, capture=CaptureSpec(crf=10, segment_s=2)))
    assert len(store.recording(session_id).meta.segments) == 3
    store.cut(session_id, at(40))
    recording = store.recording(session_id)
    assert [segment.name for segment in recording.meta.segments] == ["video-000.mkv"]
    assert sorted(path.name for path in recording.folder.glob("video-*")) == ["video-000.mkv"]
    assert verify(recording.folder, decode=True) == []


def test_nothing_left_deletes_the_session(store):
    session_id = record(store, take())
    assert store.cut(session_id, at(0)) is None
    assert store.search() == []
    with pytest.raises(NotFound):
        store.session_folder(session_id)


def test_a_cut_that_was_only_marked_is_done_when_the_session_is_entered(store):
    session_id = record(store, take(), enter=False)
    mark_cut(store.session_folder(session_id), at(10))
    (report,) = store.recover()
    assert (report.frames, report.error) == (10, "")
    assert store.recover() == []


def test_all_discarded_and_then_a_crash_leaves_nothing(store):
    session_id = record(store, take(), enter=False)
    mark_cut(store.session_folder(session_id), 0)
    (report,) = store.recover()
    assert (report.frames, report.error) == (0, "")
    assert list(store.sessions_dir.iterdir()) == []


@pytest.mark.parametrize("step", ["packet_table", "trim_segments", "write_meta"])
def test_a_crash_between_any_two_steps_is_mended_by_the_next_launch(store, monkeypatch, step):
    session_id = record(store, take())
    with monkeypatch.context() as broken:
        broken.setattr(cutting, step, lambda *args: (_ for _ in ()).throw(BadFile("The power went out.")))
        if step == "write_meta":
            mark_cut_alone(store, session_id)
        with pytest.raises(BadFile):
            cut_tail(store.session_folder(session_id), at(30))
    if step != "write_meta":
        mark_cut(store.session_folder(session_id), at(30))
    assert store.enter(session_id).frames == 30
    assert verify(store.session_folder(session_id), decode=True) == []


def mark_cut_alone(store, session_id):
    folder = store.session_folder(session_id)
    meta = read_meta(folder).model_copy(update={"discard_from_ns": at(30)})
    (folder / "session.json").write_text(meta.model_dump_json())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 59 * FRAME_NS))
def test_cut_anywhere_resolves_as_before_the_cut(store, offset_ns):
    session_id = record(store, take())
    before = store.recording(session_id)
    whole, clock = before.resolve(), before.clock
    store.cut(session_id, START_NS + offset_ns)
    after = store.recording(session_id)
    count = len(after.clock)
    assert count == int((clock.t_ns < START_NS + offset_ns).sum())
    track = after.resolve(codes=whole.codes) if count > 1 else None
    if track is not None:
        assert np.array_equal(track.held[: count - 1], whole.held[: count - 1])
    rows = after.events[after.events["kind"] == EventKind.KEY]
    balance = {int(code): int((rows["code"] == code).sum() % 2) for code in np.unique(rows["code"])}
    assert not any(balance.values())
