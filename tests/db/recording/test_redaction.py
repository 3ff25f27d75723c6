"""Destroying private stretches: gone from every byte, and everything else as it was."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from db.errors import BadArgument, BadFile, DiskFull
from db.labelling.edits import read_mirror
from db.labelling.labels import Edit, LabelKind
from db.media.blackout import black_out
from db.media.video import count_frames, packet_table
from db.recording import redaction
from db.recording.events import Gap, GapReason, Origin
from db.recording.redaction import mark_redaction, redact_marked
from db.recording.session import FACTS_NAME, read_meta
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from recordings import FRAME_NS, KEY_A, KEY_W, START_NS, Take, key, move, read_barcode, record

SECRET = 12345.678901234
COUNT = 120


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "library") as opened:
        yield opened


def at(frame):
    return START_NS + frame * FRAME_NS


def take(**more):
    events = [
        key(at(5), KEY_W, 1), key(at(60), KEY_W, 0), key(at(42), KEY_A, 1), key(at(43), KEY_A, 0),
        *(move(at(45) + i, SECRET, 0) for i in range(300)), move(at(80), 7, 8),
    ]  # fmt: skip
    return Take(count=COUNT, events=sorted(events, key=lambda e: e.t_ns), **{"capture": CaptureSpec(crf=10)} | more)


def redact(store, session_id, *stretches):
    folder = store.session_folder(session_id)
    mark_redaction(folder, stretches)
    redact_marked(folder)
    return store.recording(session_id)


def pictures(recording):
    reader = recording.video()
    shown = [picture for _, picture in reader.read(range(len(recording.clock)))]
    reader.close()
    return shown


def test_the_stretch_is_black_and_everything_else_is_as_it_was(store):
    session_id = record(store, take())
    before = store.recording(session_id)
    was = pictures(before)
    after = redact(store, session_id, (40, 50))
    shown = pictures(after)
    assert [bool(picture.max() < 16) for picture in shown] == [40 <= i < 50 for i in range(COUNT)]
    assert [read_barcode(p) for i, p in enumerate(shown) if not 40 <= i < 50] == [*range(40), *range(50, COUNT)]
    assert all(np.array_equal(shown[i], was[i]) for i in range(30)), "an untouched group of pictures is copied"
    for name in ("pts", "t_ns", "t_before_ns", "segment"):
        assert np.array_equal(after.frames[name], before.frames[name])
    assert verify(after.folder, decode=True) == []
    assert (after.meta.revision, after.meta.redact_frames) == (2, ())
    assert store.enter(session_id).frames == COUNT


def test_no_input_is_left_and_holds_stay_whole(store):
    session_id = record(store, take())
    raw = store.recording(session_id).resolve()
    after = redact(store, session_id, (40, 50))
    inside = (after.events["t_ns"] > at(40)) & (after.events["t_ns"] < at(50))
    assert not inside.any()
    assert after.gaps == [Gap(at(40), at(50), GapReason.REDACTED)]
    ends = [(int(r["t_ns"]), int(r["value"]), int(r["origin"])) for r in after.events if r["t_ns"] in (at(40), at(50))]
    assert ends == [(at(40), 0, Origin.CLOSING), (at(50), 1, Origin.SNAPSHOT)]
    track = after.resolve(codes=raw.codes)
    assert np.flatnonzero(~track.known).tolist() == list(range(40, 50))
    assert np.array_equal(track.held[track.known], raw.held[track.known])
    assert np.array_equal(track.motion[track.known], raw.motion[track.known])


def test_nothing_of_it_is_left_in_the_bytes(store):
    session_id = record(store, take())
    folder = store.session_folder(session_id)
    mark = struct.pack(">d", SECRET)
    assert [p.name for p in folder.iterdir() if mark in p.read_bytes()] == [FACTS_NAME]
    packets = (folder / "video-000.mkv").read_bytes()
    redact(store, session_id, (40, 50))
    assert [p.name for p in folder.iterdir() if mark in p.read_bytes()] == []
    assert (folder / "video-000.mkv").read_bytes() != packets
    assert not [p.name for p in folder.iterdir() if p.suffix in (".new", ".part")]


def test_the_first_and_the_last_frame_and_all_of_it(store):
    for stretches in ([(0, 3), (COUNT - 3, COUNT)], [(0, COUNT)]):
        session_id = record(store, take())
        after = redact(store, session_id, *stretches)
        black = {i for a, b in stretches for i in range(a, b)}
        assert [bool(p.max() < 16) for p in pictures(after)] == [i in black for i in range(COUNT)]
        assert verify(after.folder, decode=True) == []


def test_several_segments_and_stretches_that_overlap(store):
    session_id = record(store, take(capture=CaptureSpec(crf=10, segment_s=1.5)))
    assert len(store.recording(session_id).meta.segments) > 2
    after = redact(store, session_id, (40, 50), (45, 70), (100, 101))
    assert [bool(p.max() < 16) for p in pictures(after)] == [40 <= i < 70 or i == 100 for i in range(COUNT)]
    assert [(gap.start_ns, gap.stop_ns) for gap in after.gaps] == [(at(40), at(70)), (at(100), at(101))]


def test_a_file_of_another_encoder_is_encoded_anew_whole(store):
    """Other parameter sets: the packets of the two cannot stand beside each other."""
    session_id = record(store, take(capture=CaptureSpec(crf=10, preset="ultrafast")))
    folder = store.session_folder(session_id)
    path = folder / "video-000.mkv"
    before = packet_table(path)[0]
    black_out(path, CaptureSpec(crf=12, preset="medium"), {7})
    assert packet_table(path)[0] == before
    assert count_frames(path) == COUNT


@pytest.mark.parametrize("stretch", [(-1, 3), (5, 5), (7, 3), (0, COUNT + 1)])
def test_a_stretch_that_is_none_is_refused(store, stretch):
    session_id = record(store, take())
    with pytest.raises(BadArgument, match="not a stretch"):
        mark_redaction(store.session_folder(session_id), [stretch])


@pytest.mark.parametrize("step", ["_redact_facts", "black_out", "_adopt_keyframes", "write_meta"])
def test_interrupted_at_any_step_it_is_done_at_the_next_launch(store, monkeypatch, step):
    session_id = record(store, take())
    folder = store.session_folder(session_id)
    mark_redaction(folder, [(40, 50)])
    with monkeypatch.context() as broken:
        broken.setattr(redaction, step, lambda *args: (_ for _ in ()).throw(DiskFull("No room.")))
        with pytest.raises(DiskFull):
            redact_marked(folder)
    assert read_meta(folder).redact_frames == ((40, 50),)
    redact_marked(folder)
    assert verify(folder, decode=True) == []
    assert [bool(p.max() < 16) for p in pictures(store.recording(session_id))] == [40 <= i < 50 for i in range(COUNT)]


def test_a_damaged_video_stays_as_it_is(store):
    session_id = record(store, take())
    path = store.session_folder(session_id) / "video-000.mkv"
    path.write_bytes(path.read_bytes()[:2000])
    damaged = path.read_bytes()
    with pytest.raises(BadFile):
        black_out(path, CaptureSpec(), {100})
    assert path.read_bytes() == damaged


def correction(session_id, start, stop):
    value = '{"kind": "key", "code": 30, "holds_ns": []}'
    return Edit(session_id=session_id, kind=LabelKind.ACTION, start=start, stop=stop, value=value, author="ann")


def test_the_library_destroys_corrections_and_caches_too(store):
    session_id = record(store, take())
    inside, outside = correction(session_id, 45, 60), correction(session_id, 60, 70)
    store.commit([inside, outside])
    moved = inside.revised("bob", start=90, stop=95)
    store.commit([moved])
    note = Edit(session_id=session_id, kind=LabelKind.FLAG, start=40, stop=50, value="private", author="ann")
    store.commit([note])
    cached = store.cache_dir / "clips" / f"{session_id}-r1.npy"
    cached.parent.mkdir()
    cached.touch()
    summary = store.redact(session_id, [(40, 50)])
    assert (summary.frames, summary.revision) == (COUNT, 2)
    assert {edit.id for edit in store.edits(session_id)} == {outside.id, note.id}
    assert {edit.id for edit in read_mirror(store.session_folder(session_id))} == {outside.id, note.id}
    assert not cached.exists()
    assert store.recover() == []
    left = [path for path in store.root.rglob("*") if path.is_file() and inside.entity_id.encode() in path.read_bytes()]
    assert left == []


def test_a_redaction_tells_how_far_it_is(store):
    session_id = record(store, take())
    told = []
    store.redact(session_id, [(40, 50), (90, 95)], lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_a_redaction_that_was_cut_off_is_ended_by_the_next_launch(store, monkeypatch):
    session_id = record(store, take())
    with monkeypatch.context() as broken:
        broken.setattr(redaction, "black_out", lambda *args: (_ for _ in ()).throw(DiskFull("No room.")))
        with pytest.raises(DiskFull):
            store.redact(session_id, [(40, 50)])
        store.recover()
    assert read_meta(store.session_folder(session_id)).redact_frames
    store.recover()
    assert store.summary(session_id).revision == 2
    assert not list((store.root / "unfinished").iterdir())
    with pytest.raises(BadArgument):
        store.redact(session_id, [(0, 10**6)])
    assert not list((store.root / "unfinished").iterdir())


def test_what_was_begun_with_a_session_that_is_gone_is_forgotten(store):
    session_id = record(store, take())
    (store.root / "unfinished").mkdir()
    (store.root / "unfinished" / session_id).touch()
    store.delete(session_id)
    assert store.recover() == []
    assert not list((store.root / "unfinished").iterdir())
