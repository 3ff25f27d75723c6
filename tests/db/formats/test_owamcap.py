"""Sessions become OWAMcap recordings and come in again event by event."""

from __future__ import annotations

import av
import numpy as np
import pytest

from db.errors import DiskFull
from db.formats.keynames import WINDOWS_KEYS
from db.formats.table import has_parquet
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.corrections import ImputedCorrection, KeyCorrection
from db.recording.events import EventKind, Gap, GapReason, InputEvent
from db.recording.keys import BTN_EXTRA, BTN_LEFT, BTN_RIGHT, CODES
from owamcaps import COUNT, bring, write
from recordings import FRAME_NS, KEY_A, KEY_D, KEY_W, START_NS, Take, found_down, key, move, read_barcode, record


def at(frame: float) -> int:
    return START_NS + int(frame * FRAME_NS)


def scroll(t_ns: int, x: float, y: float) -> InputEvent:
    return InputEvent(t_ns, EventKind.SCROLL, x=x, y=y, x2=x, y2=y)


EVENTS = [
    found_down(at(0), KEY_D),
    key(at(1.5), KEY_D, 0),
    key(at(2.25), KEY_W, 1),
    key(at(5.5), KEY_W, 0),
    key(at(6.1), BTN_EXTRA, 1),
    key(at(6.2), BTN_EXTRA, 0),
    key(at(6.3), BTN_RIGHT, 1),
    move(at(7.5), 3, -2),
    move(at(7.6), -1, 0),
    scroll(at(8.5), 0, -2),
    scroll(at(8.6), 0.5, 1),
    key(at(9.5), BTN_RIGHT, 0),
    key(at(18.5), KEY_A, 1),
    found_down(at(22), KEY_A),
    key(at(24.5), KEY_A, 0),
]


@pytest.fixture
def session(store):
    session_id = record(store, Take(count=COUNT, events=EVENTS, gaps=[Gap(at(20), at(22), GapReason.UNFOCUSED)]))
    say = [
        (LabelKind.INSTRUCTION, 5, 40, "walk to “the” gate"), (LabelKind.FLAG, 3, 9, "menu"), (LabelKind.TRIM, 50, 60, ""),
    ]  # fmt: skip
    store.commit([Edit(session_id=session_id, kind=k, start=a, stop=b, value=v, author="ann") for k, a, b, v in say])
    return session_id


@pytest.mark.parametrize("packed", [True, False])
def test_out_and_in_again_is_the_same_play(store, session, tmp_path, packed, monkeypatch):
    if packed and not has_parquet():
        pytest.skip("pyarrow is not installed")
    monkeypatch.setattr("db.formats.owamcap.mcapwriter.has_parquet", lambda: packed)
    report = write(store, [session], tmp_path / "out")[0]
    assert (report.outcome, report.frames, dict(report.dropped)) == ("written", COUNT, {})
    brought = bring(store, tmp_path / "out")[0]
    assert (brought.outcome, dict(brought.changed), dict(brought.dropped)) == ("imported", {}, {})
    before, after = store.recording(session), store.recording(brought.session_id)
    was, now = before.resolve(), after.resolve()
    assert now.codes == was.codes
    for name in ("held", "tapped", "presses", "motion", "scroll", "known"):
        assert np.array_equal(getattr(now, name)[was.known], getattr(was, name)[was.known]), name
    assert np.array_equal(np.diff(after.clock.edges_ns), np.diff(before.clock.edges_ns))
    keys = [event for event in before.events if event["kind"] == EventKind.KEY and event["origin"] == 0]
    came = [event for event in after.events if event["kind"] == EventKind.KEY and event["origin"] == 0]
    shift = int(after.clock.t_ns[0] - before.clock.t_ns[0])
    assert {(int(e["t_ns"]) + shift, int(e["code"]), int(e["value"])) for e in keys} <= {
        (int(e["t_ns"]), int(e["code"]), int(e["value"])) for e in came
    }
    assert [read_barcode(picture) for _, picture in after.video().read(range(COUNT))] == list(range(COUNT))
    assert [(gap.start_ns - shift, gap.stop_ns - shift, gap.reason) for gap in after.gaps] == [
        (gap.start_ns, gap.stop_ns, gap.reason) for gap in before.gaps
    ]
    said = [[(e.kind, e.start, e.stop, e.value) for e in spans(store.edits(s))] for s in (session, brought.session_id)]
    assert said[0] == said[1]
    same = ("game", "player", "group_id", "layout")
    assert [getattr(after.meta, name) for name in same] == [getattr(before.meta, name) for name in same]
    assert bring(store, tmp_path / "out")[0].outcome == "known"
    assert write(store, [session], tmp_path / "out")[0].outcome == "known"


def test_stretches_that_a_model_filled_in_come_back_known(store, tmp_path):
    """An imputed stretch that a person confirmed is known, though nothing was recorded in it."""
    session = record(store, Take(count=COUNT, events=[], gaps=[Gap(at(20), at(40), GapReason.UNRECORDED)]))
    keys = (KeyCorrection(code=KEY_W, holds_ns=((at(22.5), at(26.5)),)),)
    said = ImputedCorrection(confidence=0.9, keys=keys, moves=()).model_dump_json()
    store.commit([Edit(session_id=session, kind=LabelKind.ACTION, start=20, stop=30, value=said, author="ann")])
    write(store, [session], tmp_path / "out")
    (report,) = bring(store, tmp_path / "out")
    track = store.recording(report.session_id).resolve()
    assert np.flatnonzero(~track.known).tolist() == list(range(30, 40))
    assert np.flatnonzero(track.select([KEY_W])[:, 0]).tolist() == [22, 23, 24, 25]


def test_half_counts_change_no_whole_one_after_them(store, tmp_path):
    events = [move(at(2.5), 0.5, -0.5), *(move(at(i + 0.5), 3, -2) for i in range(3, 20))]
    session = record(store, Take(count=COUNT, events=events))
    write(store, [session], tmp_path / "out")
    (report,) = bring(store, tmp_path / "out")
    motion = store.recording(report.session_id).resolve().motion
    assert motion[3:20].tolist() == [[3.0, -2.0]] * 17


def test_a_full_disk_ends_the_export(store, session, tmp_path, monkeypatch):
    """It is no fault of the video, though FFmpeg tells of it."""

    def full(*args):
        av.error.err_check(-28)

    monkeypatch.setattr("db.formats.owamcap.writing.join_segments", full)
    with pytest.raises(DiskFull):
        write(store, [session], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_every_key_that_the_format_has_comes_in_as_it_went_out(store, tmp_path):
    codes = [*WINDOWS_KEYS, BTN_LEFT, BTN_RIGHT, BTN_EXTRA]
    events = [key(START_NS + i * 1000, code, value) for i, code in enumerate(codes) for value in (1, 0)]
    session = record(store, Take(events=events))
    assert write(store, [session], tmp_path / "out")[0].kept["presses"] == len(codes)
    came = store.recording(bring(store, tmp_path / "out")[0].session_id).events
    assert came["code"].tolist() == [code for code in codes for _ in range(2)]
    assert came["value"].tolist() == [1, 0] * len(codes)


def test_what_the_format_has_not_is_told(store, tmp_path):
    odd = [CODES["KEY_KATAKANA"], CODES["BTN_SOUTH"]]
    events = [key(START_NS + i, code, value) for i, code in enumerate(odd) for value in (1, 0)]
    events += [key(START_NS + 10, CODES["KEY_KPENTER"], 1), key(START_NS + 11, CODES["KEY_KPENTER"], 0)]
    events += [move(START_NS + 20 + i, 0.4, 0) for i in range(10)]
    report = write(store, [record(store, Take(events=events))], tmp_path / "out")[0]
    assert report.dropped == {
        "events of the key KEY_KATAKANA, which the format has not": 2,
        "events of the button BTN_SOUTH, which the format has not": 2,
    }
    assert report.changed["the Enter key of the keypad reads as the other one"] == 2
    track = store.recording(bring(store, tmp_path / "out")[0].session_id).resolve()
    assert track.codes == (CODES["KEY_ENTER"],)
    assert track.motion.sum(axis=0).tolist() == [4.0, 0.0]
