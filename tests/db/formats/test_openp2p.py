"""open-p2p's folders: what its own recorder writes comes in, what goes out is what its trainer reads, and both pair as it does."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadFile
from db.formats.format import Asked
from db.formats.interchange import export_session, import_session
from db.formats.openp2p import FORMAT
from db.formats.openp2p.encoding import frame_bytes, metadata_bytes
from db.formats.openp2p.messages import Action, Event, Frame, Metadata, Text
from db.formats.openp2p.parsing import parse_frame
from db.formats.openp2p.reading import read_annotation
from db.formats.openp2p.writing import duration_s
from db.formats.protobuf import put_bytes, put_int
from db.formats.report import Report
from db.formats.sampling import sample
from db.formats.steadyvideo import write_steady
from db.formats.transfer import bring_in, write_out
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.events import Actor, ActorKind, Gap, GapReason
from db.recording.keys import BTN_LEFT, CODES
from db.store import Store
from db.upkeep.withdrawal import withdraw
from recordings import (
    KEY_A,
    KEY_D,
    KEY_W,
    START_NS,
    Take,
    barcode,
    found_down,
    key,
    move,
    read_barcode,
    record,
)  # fmt: skip

COUNT = 40
STEP = 50_000_000  # 20 frames a second, as theirs
TIMES = [START_NS + i * STEP for i in range(COUNT)]


def at(frame: float) -> int:
    return START_NS + int(frame * STEP)


EVENTS = [
    found_down(at(0), KEY_D),
    key(at(1.5), KEY_D, 0),
    key(at(2.25), KEY_W, 1),
    key(at(5.5), KEY_W, 0),
    key(at(6.1), KEY_W, 1),  # a tap within one frame
    key(at(6.2), KEY_W, 0),
    move(at(7.5), 3, -2),
    move(at(7.6), 1, 0),
    key(at(8.5), BTN_LEFT, 1),
    key(at(9), BTN_LEFT, 0),  # exactly on a frame
    key(at(14.5), KEY_A, 1),
    found_down(at(22), KEY_W),
    key(at(24.5), KEY_W, 0),
    key(at(30.5), CODES["KEY_TAB"], 1),
    key(at(31.5), CODES["KEY_TAB"], 0),
    key(at(33.5), CODES["KEY_KP5"], 1),
    key(at(34.5), CODES["KEY_KP5"], 0),
    key(at(35.5), CODES["BTN_SOUTH"], 1),
    key(at(37.5), CODES["BTN_SOUTH"], 0),
]


@pytest.fixture
def session(store):
    gaps = [Gap(at(20), at(22), GapReason.UNFOCUSED)]
    session_id = record(store, Take(times_ns=TIMES, events=EVENTS, gaps=gaps, group_id="sitting-1"))
    say = [
        (LabelKind.INSTRUCTION, 0, 7, "walk to the “gate”"),
        (LabelKind.INSTRUCTION, 10, 31, "shoot"),
        (LabelKind.INSTRUCTION, 39, 40, "too late"),
        (LabelKind.FLAG, 3, 7, "menu"),
        (LabelKind.TRIM, 26, 28, ""),
    ]
    store.commit([Edit(session_id=session_id, kind=k, start=a, stop=b, value=v, author="ann") for k, a, b, v in say])
    return session_id


def export(store: Store, session: str, out: Path, **options: str):
    (report,) = write_out(store, FORMAT, [session], out, Asked(options=options))
    assert report.outcome == "written", report.error
    return out / session, report


def bring(store: Store, folder: Path, **asked):
    (report,) = bring_in(store, FORMAT, [folder], Asked(**asked))
    return report


def annotations(folder: Path) -> list[Frame]:
    """As a reader of the published schema sees them, by the smallest of parsers."""
    data, at, found = (folder / "annotation.proto").read_bytes(), 0, []
    while at < len(data):
        tag, at = data[at], at + 1
        size = shift = 0
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if tag == 3 << 3 | 2:
            found.append(parse_frame(data[at : at + size]))
        at += size
    return found


def make(folder: Path, frames: list[Frame], count: int | None = None, metadata: Metadata | None = None) -> Path:
    """A folder as their recorder leaves it."""
    folder.mkdir(parents=True)
    said = metadata or Metadata(id="x", user="bob", rate_hz=20, env="doom")
    (folder / "annotation.proto").write_bytes(metadata_bytes(said) + b"".join(map(frame_bytes, frames)))
    film(folder / "192x192.mp4", len(frames) if count is None else count)
    return folder


def film(path: Path, count: int) -> None:
    pictures = (av.VideoFrame.from_ndarray(barcode(i)[..., :3].copy(), format="bgr24") for i in range(count))
    write_steady(path, pictures, (64, 48), 20, gop=20)


def regular(count: int, **more: Action) -> list[Frame]:
    return [Frame(7_000 + i * STEP, **more) for i in range(count)]


def held(store: Store, session_id: str, code: int) -> list[int]:
    track = store.recording(session_id).resolve()
    return np.flatnonzero(track.held[:, track.codes.index(code)]).tolist() if code in track.codes else []


# The pairing


def test_their_trainer_reads_our_actions_on_our_frames(store, session, tmp_path):
    """Its reader pairs frame i with annotation i + 1: that is our span of frame i, for every frame that has one."""
    folder, _ = export(store, session, tmp_path / "out")
    told, track = annotations(folder), store.recording(session).resolve()
    with av.open(str(folder / "192x192.mp4")) as video:
        assert len(told) == COUNT == sum(1 for _ in video.decode(video=0))
    names = {KEY_W: "w", KEY_D: "d", KEY_A: "a", CODES["KEY_TAB"]: "Tab", CODES["KEY_KP5"]: "KEY_KP5"}
    for i in range(COUNT - 1):
        user = told[i + 1].user
        expected = {
            names[code] for code, down in zip(track.codes, track.held[i], strict=True) if down and code in names
        }
        is_known = bool(track.known[i]) and i not in (26, 27)
        assert user.known == is_known
        assert set(user.keys) == (expected if is_known else set())
        assert user.delta == (tuple(track.motion[i]) if is_known else (0, 0))
    assert [i for i in range(COUNT) if "0" in told[i].user.buttons] == [9]
    assert not told[0].user.known


def test_half_a_count_that_is_left_over_changes_no_whole_one(store, tmp_path):
    events = [move(at(i + 0.5), 3 - 0.5 * (i == 4), -0.5) for i in range(1, 9)]
    folder, _ = export(store, record(store, Take(times_ns=TIMES[:12], events=events)), tmp_path / "out")
    came = store.recording(bring(store, folder).session_id).events
    assert came["x"].tolist() == [3, 3, 3, 2, 3, 3, 3, 3]
    assert came["y"].tolist() == [-1, 0] * 4


def test_what_their_recorder_writes_lies_on_the_frame_before(store, tmp_path):
    frames = regular(10)
    for j in range(1, 10):
        frames[j].user = Action(known=j != 6, keys=["w"] if 3 <= j < 5 else [], delta=(j, -j))
    report = bring(store, make(tmp_path / "in", frames))
    track = store.recording(report.session_id).resolve()
    assert held(store, report.session_id, KEY_W) == [2, 3]
    assert track.motion[:, 0].tolist() == [1, 2, 3, 4, 5, 0, 7, 8, 9, 0]
    assert track.known.tolist() == [True] * 5 + [False] + [True] * 3 + [False]  # nothing tells of the last one
    assert store.recording(report.session_id).meta.player == "bob"
    assert store.recording(report.session_id).meta.game == "doom"


def test_inputs_keep_their_own_times(store, tmp_path):
    frames = regular(6, user=Action(known=True))
    frames[3].user = Action(known=True, keys=["Space"])
    frames[3].events = [Event("key", frames[2].time_ns + 10_000_000, "Space", True)]
    frames[4].events = [
        Event("key", frames[3].time_ns + 1_000_000, "Space", True),  # an auto-repeat
        Event("key", frames[3].time_ns + 20_000_000, "Space", False),
        Event("button", frames[3].time_ns + 30_000_000, "Left", True),  # a tap that no state shows
        Event("button", frames[3].time_ns + 31_000_000, "Left", False),
    ]
    report = bring(store, make(tmp_path / "in", frames))
    recording = store.recording(report.session_id)
    times = [(int(e["t_ns"]) - START_NS, int(e["code"]), int(e["value"])) for e in recording.events]
    space = CODES["KEY_SPACE"]
    assert times == [
        (2 * STEP + 10_000_000, space, 1),
        (3 * STEP + 20_000_000, space, 0),
        (3 * STEP + 30_000_000, BTN_LEFT, 1),
        (3 * STEP + 31_000_000, BTN_LEFT, 0),
    ]
    assert sum(count for why, count in report.changed.items() if "auto-repeats" in why) == 1


def test_user_and_system(store, tmp_path):
    frames = regular(7, user=Action(known=True))
    for j in (2, 3):
        frames[j] = Frame(frames[j].time_ns, Action(keys=["a"]), Action(known=True, keys=["w"], delta=(5, 0)))
    frames[4] = Frame(frames[4].time_ns, Action(known=True, keys=["a"]), Action(known=True, keys=["d"]))
    report = bring(store, make(tmp_path / "in", frames))
    track = store.recording(report.session_id).resolve()
    person, model = ActorKind.PERSON.bit, ActorKind.MODEL.bit
    assert track.actors.tolist()[1:3] == [model, model]
    assert held(store, report.session_id, KEY_W) == [1, 2]
    assert held(store, report.session_id, KEY_D) == [3]
    assert held(store, report.session_id, KEY_A) == []
    assert any("both known" in why for why in report.changed)
    folder, _ = export(store, report.session_id, tmp_path / "out")
    told = annotations(folder)
    assert [(bool(f.user.known), bool(f.system.known)) for f in told[1:6]] == [
        (False, True), (False, True), (False, True), (False, True), (False, True),
    ]  # fmt: skip
    assert told[3].system.keys == ["w"]
    assert person not in track.actors


# Text


@given(st.integers(1, 7_000_000))
def test_durations_are_our_frame_counts_for_their_reader(frames):
    stored = struct.unpack("<f", struct.pack("<f", duration_s(frames)))[0]
    assert int(stored * 20) == frames


def test_instructions_cover_the_same_frames(store, session, tmp_path):
    folder, report = export(store, session, tmp_path / "out", annotator="gemini-2.5-flash")
    found = [(j - 1, j - 1 + int(t.duration_s * 20), t) for j, f in enumerate(annotations(folder)) for t in f.texts]
    assert [(a, b, t.instruction) for a, b, t in found] == [(0, 7, "walk to the “gate”"), (10, 31, "shoot")]
    assert {t.version for _, _, t in found} == {"gemini-2.5-flash"}
    assert report.kept["instructions"] == 2
    assert sum(count for why, count in report.dropped.items() if "instructions" in why) == 1
    assert sum(count for why, count in report.changed.items() if "embedding" in why) == 2


@pytest.mark.parametrize("duration", [math.nan, math.inf, -1.0, 0.0, 0.01])
def test_durations_that_cannot_be(store, tmp_path, duration):
    frames = regular(5, user=Action(known=True))
    frames[1].texts = [Text("go", duration_s=duration), Text("stay", duration_s=0.1)]
    report = bring(store, make(tmp_path / "in", frames))
    said = [(e.start, e.stop, e.value) for e in spans(store.edits(report.session_id))]
    assert said == [(0, 2, "stay")]
    assert sum(count for why, count in report.dropped.items() if "duration" in why) == 1


# Round trips


def test_out_and_in_again(store, session, tmp_path):
    folder, _ = export(store, session, tmp_path / "out", video="both")
    report = bring(store, folder)
    assert report.outcome == "imported", report.error
    before, after = store.recording(session), store.recording(report.session_id)
    was, now = before.resolve(), after.resolve()
    known = was.known.copy()
    known[26:28] = known[-1] = False  # left out by a person; and the last frame's, which no annotation tells
    assert np.array_equal(now.known, known)
    assert now.codes == was.codes
    for name in ("held", "tapped", "presses", "releases", "motion", "scroll"):
        assert np.array_equal(getattr(now, name)[known], getattr(was, name)[known]), name
    assert np.array_equal(now.edges_ns[:-1] - now.edges_ns[0], was.edges_ns[:-1] - was.edges_ns[0])
    mine = [int(e["t_ns"]) for e in before.events if e["origin"] == 0 and not at(26) <= e["t_ns"] < at(28)]
    assert [int(e["t_ns"]) for e in after.events if e["origin"] == 0] == mine
    said = [(e.start, e.stop, e.value) for e in spans(store.edits(report.session_id))]
    assert said == [(0, 7, "walk to the “gate”"), (10, 31, "shoot")]
    meta = after.meta
    assert (meta.game, meta.player, meta.group_id) == (before.meta.game, before.meta.player, before.meta.group_id)
    assert meta.anchor.wall_ns // 10**9 == int(before.meta.anchor.wall_time(TIMES[0]).timestamp())
    assert meta.window.title == before.meta.window.title
    assert [read_barcode(picture) for _, picture in after.video().read(range(COUNT))] == list(range(COUNT))
    assert sorted(path.name for path in folder.iterdir()) == [
        "192x192.mp4",
        "about.json",
        "annotation.proto",
        "video.mp4",
    ]


def test_a_faster_recording_is_sampled_at_20_hz_and_loses_no_input(store, tmp_path):
    times = [START_NS + i * 16_666_667 for i in range(121)]
    events = [move(START_NS + i * 1_000_000, 1, -1) for i in range(1900)]
    events += [key(START_NS + 700_000_000, KEY_W, 1), key(START_NS + 1_400_000_000, KEY_W, 0)]
    session = record(store, Take(times_ns=times, events=sorted(events, key=lambda e: e.t_ns)))
    folder, report = export(store, session, tmp_path / "out")
    told = annotations(folder)
    edges = sample(store.recording(session).clock, 20).edges_ns
    assert len(told) == len(edges) - 1 == 41
    within = [e.t_ns for e in events if edges[0] <= e.t_ns < edges[-2] and not e.code]
    assert sum(f.user.delta[0] for f in told) == len(within)
    assert report.dropped["inputs before the first frame at 20 Hz, or after the last"] == len(events) - 2 - len(within)
    down = [j for j, f in enumerate(told) if "w" in f.user.keys]
    first, last = told[down[0]].time_ns, told[down[-1]].time_ns
    assert 700_000_000 < first <= 700_000_000 + 67_000_000
    assert 1_400_000_000 - 67_000_000 <= last <= 1_400_000_000


def test_what_the_format_cannot_hold_is_told(store, session, tmp_path):
    _, report = export(store, session, tmp_path / "out")
    whys = {**report.changed, **report.dropped}
    for word in ("KEY_TAB", "KEY_KP5", "flags", "the last frame's actions", "left out", "pressed and released between"):
        assert any(word in why for why in whys), word
    (again,) = write_out(store, FORMAT, [session], tmp_path / "out", Asked())
    assert again.outcome == "known"
    withdraw(store, session)
    (refused,) = write_out(store, FORMAT, [session], tmp_path / "else", Asked())
    assert refused.outcome == "refused"
    assert "withdrawn" in refused.error


def test_old_recordings_without_times_or_inputs(store, tmp_path):
    frames = [Frame(0, Action(known=True, keys=["w"] if j in (3, 4) else [])) for j in range(8)]
    report = bring(store, make(tmp_path / "in", frames, count=7))
    recording = store.recording(report.session_id)
    assert held(store, report.session_id, KEY_W) == [2, 3]
    assert (recording.clock.t_ns[1] - recording.clock.t_ns[0]) == STEP
    assert recording.resolve().known.all()  # the annotation too many tells of the last frame
    assert report.dropped["rows without a frame in the video"] == 1


# Hostile files


def frames_of_a_file(count: int = 12) -> bytes:
    return b"".join(map(frame_bytes, regular(count, user=Action(known=True, keys=["w"]))))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no annotations"),
        (b"\x00", "byte 0"),
        (b"\x1a\xff\xff\xff\xff\x7f" + b"x" * 10, "claims"),
        (b"\x1a" + b"\xff" * 12, "ten bytes"),
        (b"\x1b", "kind 3"),
        (put_bytes(3, b"\x3a\x7f"), "annotation 0"),
        (frames_of_a_file() + put_bytes(3, b"\x48\x01"), "annotation 12"),
        (frames_of_a_file()[:-3], "left"),
        (frame_bytes(Frame(9 * STEP)) + frame_bytes(Frame(STEP)), "annotation 1: its time"),
        (frame_bytes(Frame(1)) + frame_bytes(Frame(2**63)), "claims to last"),
        (put_bytes(3, put_bytes(1, put_bytes(4, put_bytes(3, put_int(1, 2**40))))), "a motion"),
        (put_bytes(3, b"\x0a\x0b\x0a\x09\x19" + struct.pack("<d", math.nan)), "mouse motion of (nan"),
        (put_bytes(2, b"\x2a\x01x") + frames_of_a_file(), "metadata"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_are_refused_with_the_place(store, tmp_path, data, said):
    folder = make(tmp_path / "in", regular(12))
    (folder / "annotation.proto").write_bytes(data)
    for dry_run in (True, False):
        report = bring(store, folder, game="doom", dry_run=dry_run)
        assert report.outcome == "refused"
        assert said in report.error
        assert "annotation.proto" in report.error
    assert store.search() == []
    assert [path for path in store.sessions_dir.iterdir() if path.is_dir()] == []


def test_a_field_of_gigabytes_takes_no_memory_and_a_file_of_them_no_time(store, tmp_path):
    folder = make(tmp_path / "in", regular(12))
    file = folder / "annotation.proto"
    with file.open("wb") as out:
        out.write(b"\x1a\x80\x80\x80\x80\x20")
        out.truncate((8 << 30) + 100)  # a hole, not a byte on the disk
    with pytest.raises(BadFile, match="larger than can be"):
        read_annotation(file, Report("x", "imported"))
    assert "at most 4.3" in bring(store, folder, game="doom").error


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, 600), st.integers(0, 255)).map(
            lambda spot: (
                frames_of_a_file()[: spot[0] % len(frames_of_a_file())]
                + bytes([spot[1]])
                + frames_of_a_file()[spot[0] % len(frames_of_a_file()) + 1 :]
            )
        ),
    )
)
def test_any_bytes_are_read_or_refused(tmp_path, data):
    file = tmp_path / "annotation.proto"
    file.write_bytes(data)
    try:
        told = read_annotation(file, Report("x", "imported"))
    except BadFile as error:
        refused = str(error)
    else:
        assert len(told.offsets_ns) == len(told.known) > 0
        assert (np.diff(told.offsets_ns) >= 0).all()
        return
    assert str(file) in refused


def test_a_folder_of_folders_and_one_that_is_broken(store, tmp_path):
    for name in "abc":
        make(tmp_path / "in" / name, regular(6, user=Action(known=True)), metadata=Metadata(id=name, env="doom"))
    (tmp_path / "in" / "b" / "192x192.mp4").unlink()
    reports = list(bring_in(store, FORMAT, [tmp_path / "in"], Asked()))
    assert [report.outcome for report in reports] == ["imported", "refused", "imported"]
    assert "no video.mp4 or 192x192.mp4" in reports[1].error
    assert len(store.search()) == 2
    again = list(bring_in(store, FORMAT, [tmp_path / "in"], Asked()))
    assert [report.outcome for report in again] == ["known", "refused", "known"]


def test_one_recording_in_two_libraries_is_one_session_with_its_labels_once(store, session, tmp_path):
    folder, _ = export(store, session, tmp_path / "out")
    report = bring(store, folder)
    with Store.open(tmp_path / "other") as other:
        assert bring(other, folder).session_id == report.session_id
        path = export_session(other, report.session_id, tmp_path)
    merged = import_session(store, path)
    assert (merged.session_id, merged.created, merged.edits_added) == (report.session_id, False, 0)
    edits = store.edits(report.session_id)
    assert len(edits) == 2
    mine = Edit(session_id=report.session_id, kind=LabelKind.FLAG, start=0, stop=1, value="idle", author="ann")
    assert all(edit.id < mine.id for edit in edits)


def test_the_report_is_json(store, session, tmp_path):
    _, report = export(store, session, tmp_path / "out")
    assert json.loads(json.dumps(report.to_json()))["kept"]["instructions"] == 2


def test_actors_of_our_own_play(store, tmp_path):
    """A model plays, a person takes over: the system's actions up to there, the user's after it."""
    actors = (Actor(kind=ActorKind.PERSON, name="ann"), Actor(kind=ActorKind.MODEL, name="m"))
    events = [key(at(2.5), KEY_W, 1, actor=1), key(at(10.2), KEY_W, 0, actor=1), key(at(11.5), KEY_A, 1)]
    session = record(store, Take(times_ns=TIMES, events=events, actors=actors))
    folder, _ = export(store, session, tmp_path / "out")
    who = ["s" if f.system.known else "u" if f.user.known else "-" for f in annotations(folder)]
    assert "".join(who) == "-" + "s" * 11 + "u" * 28
    report = bring(store, folder)
    was, now = (store.recording(s).resolve() for s in (session, report.session_id))
    assert np.array_equal(was.held[:-1], now.held[:-1])
    assert np.array_equal(was.actors[:-1], now.actors[:-1])
