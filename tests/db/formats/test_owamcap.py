"""Sessions become OWAMcap recordings and come in again event by event; what a stranger's file may hold does no harm."""

from __future__ import annotations

import json
import shutil
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from db.errors import BadArgument, BadFile, PlaytapeError
from db.formats.format import Asked
from db.formats.keynames import WINDOWS_KEYS
from db.formats.owamcap import FORMAT
from db.formats.owamcap.mcapreader import MAGIC, McapReader
from db.formats.owamcap.mcapwriter import McapWriter
from db.formats.owamcap.messages import SCHEMAS
from db.formats.table import has_parquet
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.events import EventKind, Gap, GapReason, InputEvent
from db.recording.keys import BTN_EXTRA, BTN_LEFT, BTN_RIGHT, CODES
from db.store import Store
from recordings import FRAME_NS, KEY_A, KEY_D, KEY_W, START_NS, Take, found_down, key, move, read_barcode, record

COUNT = 60
T0 = 1_700_000_000_000_000_000


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


def write(store, sessions, out, **asked):
    out.mkdir(exist_ok=True)
    return list(FORMAT.writes.write(store, sessions, out, Asked(**asked), lambda name, share: None))


def bring(store, path, **asked):
    return [FORMAT.reads.bring(store, source, Asked(**asked), lambda share: None) for source in FORMAT.reads.find(path)]


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
    assert np.array_equal(np.diff(after.clock.t_ns), np.diff(before.clock.t_ns))
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
    same = ("game", "player", "group_id")
    assert [getattr(after.meta, name) for name in same] == [getattr(before.meta, name) for name in same]
    assert bring(store, tmp_path / "out")[0].outcome == "known"
    assert write(store, [session], tmp_path / "out")[0].outcome == "known"


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


# Files of others


def film(store: Store, folder: Path, count: int = COUNT) -> None:
    """A video of 30 frames a second that a recording may refer to."""
    write(store, [record(store, Take(count=count, events=[]))], folder)
    shutil.move(next(folder.rglob("*.mkv")), folder / "film.mkv")
    for found in [path for path in folder.iterdir() if path.is_dir()]:
        shutil.rmtree(found)


def screen(frame: int, uri: str = "film.mkv") -> tuple[int, str, dict]:
    t_ns = T0 + round(frame * 1e9 / 30)
    return t_ns, "screen", {"utc_ns": t_ns, "media_ref": {"uri": uri, "pts_ns": round(frame * 1e9 / 30)}}


def pressed(frame: float, vk: int, kind: str = "press") -> tuple[int, str, dict]:
    t_ns = T0 + round(frame * 1e9 / 30)
    return t_ns, "keyboard", {"event_type": kind, "vk": vk}


def store_file(path: Path, messages: list[tuple[int, str, object]], profile: str = "owa") -> Path:
    with path.open("wb") as file, McapWriter(file, profile, "") as writer:
        for t_ns, topic, said in messages:
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            writer.write(topic, *SCHEMAS.get(topic, ("x/Other", b"{}")), t_ns, content)
    return path


SCREENS = [screen(i) for i in range(COUNT)]


@pytest.fixture
def folder(store, tmp_path):
    folder = tmp_path / "others"
    film(store, folder)
    for line in store.search():
        store.delete(line.id)
    return folder


def test_a_recording_of_the_desktop_recorder(store, folder):
    """Repeats, an absolute path of another machine, the mouse told of twice, a key that was down before the first frame."""
    messages = [(T0 - 10**8, "keyboard/state", {"buttons": [0x57, 0x10, 0xA0]})]
    messages += [screen(i, "C:\\Users\\bob\\film.mkv") for i in range(COUNT)]
    messages += [pressed(3.5, 0x57, "release"), pressed(5.1, 0x41), pressed(5.5, 0x41), pressed(6.5, 0x41)]
    messages += [pressed(9.5, 0x41, "release"), pressed(10, 0xFF), pressed(11.5, 0x11), pressed(12.5, 0x11, "release")]
    raw = {"last_x": 4, "last_y": -1, "button_flags": 0x401, "button_data": 65536 - 240}
    messages += [
        (T0 + 700_000_000, "mouse/raw", raw),
        (T0 + 700_000_000, "mouse", {"event_type": "move", "x": 9, "y": 9}),
    ]
    messages += [(T0 + 5, "audio", {"a": 1})]
    store_file(folder / "a.mcap", messages)
    with pytest.raises(BadArgument, match="--game"):
        bring(store, folder)
    report = bring(store, folder, game="doom", player="bob")[0]
    assert report.dropped == {
        "messages of 'audio'": 1,
        "repeats of keys that are down": 2,
        "events of the key with the virtual code 255": 1,
        "places of the pointer": 1,
    }
    assert report.changed["keys whose side is not told count as the left ones"] == 2
    track = store.recording(report.session_id).resolve()
    column = {code: i for i, code in enumerate(track.codes)}
    assert np.flatnonzero(track.held[:, column[KEY_W]]).tolist() == [0, 1, 2]
    assert track.presses[:, column[KEY_W]].sum() == 0
    assert np.flatnonzero(track.held[:, column[KEY_A]]).tolist() == [5, 6, 7, 8]
    assert track.presses[:, column[KEY_A]].sum() == 1
    assert track.held[-1, column[BTN_LEFT]]
    assert track.motion[21].tolist() == [4.0, -1.0]
    assert track.scroll[21].tolist() == [0.0, -2.0]
    assert track.held[0, column[CODES["KEY_LEFTSHIFT"]]]


def test_a_mouse_without_raw_motion_moves_by_what_its_places_differ(store, folder):
    mouse = [(T0 + i * 10**8, "mouse", {"event_type": "move", "x": 10 * i, "y": -i}) for i in range(5)]
    mouse += [(T0 + 6 * 10**8, "mouse", {"event_type": "click", "x": 40, "y": -4, "button": "left", "pressed": True})]
    mouse += [(T0 + 7 * 10**8, "mouse", {"event_type": "scroll", "x": 40, "y": -4, "dx": 0, "dy": 1})]
    store_file(folder / "a.mcap", [*SCREENS, *mouse])
    report = bring(store, folder, game="doom")[0]
    assert report.changed["motions are what the pointer's places differ by, after the system's acceleration"] == 4
    track = store.recording(report.session_id).resolve()
    assert track.motion.sum(axis=0).tolist() == [40.0, -4.0]
    assert track.scroll.sum(axis=0).tolist() == [0.0, 1.0]
    assert track.presses.sum() == 1


def test_pictures_alone_have_no_known_inputs(store, folder):
    store_file(folder / "a.mcap", SCREENS)
    report = bring(store, folder, game="doom")[0]
    assert not store.recording(report.session_id).resolve().known.any()


def test_a_video_with_more_and_fewer_frames_than_messages(store, folder):
    for name, frames in (("fewer", range(30)), ("other", range(10, 90))):
        store_file(folder / f"{name}.mcap", [*(screen(i) for i in frames), pressed(20.5, 0x57)])
        report = bring(store, folder / f"{name}.mcap", game="doom")[0]
        clock = store.recording(report.session_id).clock
        assert len(clock) == COUNT
        assert np.abs(np.diff(clock.t_ns) - 1e9 / 30).max() < 2_000_000


def test_times_that_go_back_are_those_before(store, folder):
    store_file(
        folder / "a.mcap", [*SCREENS, pressed(20.5, 0x57), *[(T0, "keyboard", {"event_type": "release", "vk": 0x57})]]
    )
    a = McapReader(folder / "a.mcap")
    assert [m.t_ns for m in a.messages()] == sorted(m.t_ns for m in a.messages()), "a chunk comes in order of time"
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'  # ends the chunk
    store_file(folder / "b.mcap", [pressed(20.5, 0x57), (T0, "audio", big), *SCREENS, pressed(0.5, 0x57, "release")])
    report = bring(store, folder / "b.mcap", game="doom")[0]
    assert report.changed["events that had an earlier time than the one before have its time"] == 1
    assert store.recording(report.session_id).resolve().presses.sum() == 1


MESSAGES = {
    "no pictures": ([pressed(1, 0x57)], "no pictures"),
    "another profile": (SCREENS, "profile"),
    "pictures on the net": ([screen(0, "https://example.org/film.mkv")], "beside it"),
    "pictures in the message": ([screen(0, "data:image/png;base64,AAAA")], "beside it"),
    "pictures elsewhere": ([screen(0, "../../../../etc/passwd")], "beside it"),
    "pictures at the root": ([screen(0, "/etc/passwd")], "beside it"),
    "pictures in the file itself": ([screen(0, "a.mcap")], "beside it"),
    "pictures in two videos": ([screen(0), screen(1, "other.mkv")], "another video"),
    "no time in the video": ([(T0, "screen", {"media_ref": {"uri": "film.mkv"}})], "no time in a video"),
    "a time before the video": (
        [(T0, "screen", {"media_ref": {"uri": "film.mkv", "pts_ns": -5}})],
        "no time in a video",
    ),
    "no JSON": ([*SCREENS, (T0, "keyboard", b"{")], "not JSON"),
    "deep JSON": ([*SCREENS, (T0, "keyboard", b"[" * 10**6)], "not JSON"),
    "no object": ([*SCREENS, (T0, "keyboard", b"[1]")], "not an object"),
    "another kind": ([*SCREENS, (T0, "keyboard", {"event_type": "smash", "vk": 1})], "smash"),
    "a key that is a word": ([*SCREENS, (T0, "keyboard", {"event_type": "press", "vk": "W"})], "'W'"),
    "a key that is no number": ([*SCREENS, (T0, "keyboard", {"event_type": "press", "vk": float("nan")})], "nan"),
    "a motion beyond all": ([*SCREENS, (T0, "mouse/raw", {"last_x": 10**400, "last_y": 0})], "cannot be"),
    "a state of words": ([(T0 - 9, "keyboard/state", {"buttons": ["W"]}), *SCREENS], "other things"),
    "a state without end": ([(T0 - 9, "keyboard/state", {"buttons": [1] * 1000}), *SCREENS], "list of at most"),
    "a time beyond all": ([*SCREENS, (2**64 - 1, "keyboard", {"event_type": "press", "vk": 1})], "cannot be"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_that_cannot_be_are_refused_with_the_place(store, folder, name):
    messages, said = MESSAGES[name]
    path = store_file(folder / "a.mcap", messages, profile="ros2" if name == "another profile" else "owa")
    refused(store, path, said)


def refused(store: Store, path: Path, said: str) -> None:
    for dry_run in (True, False):
        with pytest.raises(PlaytapeError, match=said) as caught:
            bring(store, path, game="doom", dry_run=dry_run)
        assert isinstance(caught.value, BadFile), caught.value
        assert str(path.parent) in str(caught.value)
    assert not list(store.sessions_dir.iterdir())


def record_of(kind: int, content: bytes, claimed: int | None = None) -> bytes:
    return struct.pack("<BQ", kind, len(content) if claimed is None else claimed) + content


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


HEADER = MAGIC + record_of(1, text(b"owa") + text(b""))


def chunk(records: bytes, packing: bytes = b"", size: int | None = None, crc: int = 0) -> bytes:
    head = struct.pack("<QQQI", 0, 0, len(records) if size is None else size, crc)
    return record_of(6, head + text(packing) + struct.pack("<Q", len(records)) + records)


def zeros_packed(count: int) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    return bytes(pyarrow.Codec("zstd").compress(bytes(count)))


BYTES = {
    "another file": (lambda: b"PK\x03\x04" * 9, "not an MCAP"),
    "nothing": (lambda: b"", "not an MCAP"),
    "the magic alone": (lambda: MAGIC, "header"),
    "no header": (lambda: MAGIC + record_of(5, b"x" * 30), "header"),
    "the header alone": (lambda: HEADER, "byte 28, where it is cut off"),
    "zeros to the end": (lambda: HEADER + bytes(5000), "byte 28, where it is cut off"),
    "an endless record": (
        lambda: HEADER + record_of(6, b"x" * 99, claimed=2**63),
        "claims 9,223,372,036,854,775,808 bytes",
    ),
    "a record that is cut off": (lambda: HEADER + record_of(6, b"x" * 99)[:50], "byte 28"),
    "half a head": (lambda: HEADER + b"\x06\x01", "cut off"),
    "a chunk of 2^60": (
        lambda: HEADER + record_of(6, b"x" * 99, claimed=2**60),
        "claims 1,152,921,504,606,846,976 bytes",
    ),
    "an endless record of no use": (
        lambda: HEADER + record_of(9, b"x" * 99, claimed=2**63),
        "byte 28, where it is cut off",
    ),
    "a channel of two topics": (
        lambda: (
            HEADER + b"".join(record_of(4, struct.pack("<HH", 1, 0) + text(name)) for name in (b"screen", b"keyboard"))
        ),
        "channel 1 is given another topic",
    ),
    "too many channels": (
        lambda: HEADER + b"".join(record_of(4, struct.pack("<HH", i, 0) + text(b"x")) for i in range(5000)),
        "over 4096 channels",
    ),
    "our metadata without end": (
        lambda: HEADER + record_of(0x0C, text(b"playtape") + text(bytes(17 << 20))),
        "metadata 'playtape' has",
    ),
    "our metadata of a million words": (
        lambda: (
            HEADER
            + record_of(0x0C, text(b"playtape") + text(b"".join(text(b"%d" % i) + text(b"") for i in range(110_000))))
        ),
        "over 100,000 texts",
    ),
    "a name without end": (lambda: HEADER + record_of(4, struct.pack("<HHI", 1, 0, 2**31)), "name has"),
    "a message of no channel": (lambda: HEADER + record_of(5, struct.pack("<HIQQ", 7, 0, 0, 0)), "channel 7"),
    "a short message": (lambda: HEADER + record_of(5, b"x"), "shorter"),
    "a chunk with half a record": (lambda: HEADER + chunk(record_of(5, b"x" * 30)[:20]), "shorter"),
    "a damaged chunk": (
        lambda: HEADER + chunk(record_of(3, b"\x01\x00"), crc=5),
        "outside the damaged chunk at byte 28",
    ),
    "an unknown packing": (lambda: HEADER + chunk(b"x", b"brotli"), "brotli"),
    "junk that is packed": (lambda: HEADER + chunk(b"x" * 50, b"zstd", 100), "outside the damaged chunk"),
    "a bomb that says so": (lambda: HEADER + chunk(zeros_packed(10**6), b"zstd", 2**40), "claims to unpack to"),
    "a bomb that does not": (
        lambda: HEADER + chunk(zeros_packed(300 << 20), b"zstd", 1000),
        "outside the damaged chunk",
    ),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_cannot_be_are_refused_with_the_place(store, folder, name):
    make, said = BYTES[name]
    content = make()
    path = folder / "a.mcap"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        refused(store, path, said)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def places_of(content: bytes, kind: int) -> list[int]:
    """Where the records of a kind begin."""
    found, place = [], len(MAGIC)
    while place < len(content) - len(MAGIC):
        here, length = struct.unpack_from("<BQ", content, place)
        found += [place] * (here == kind)
        place += 9 + length
    return found


@pytest.mark.parametrize("packed", [True, False])
def test_millions_of_messages_in_a_small_chunk_take_little_memory(folder, packed):
    """A bomb of a chunk: what it unpacks to is held, and of each message three numbers."""
    channel = record_of(4, struct.pack("<HH", 1, 0) + text(b"mouse") + text(b"json") + bytes(4))
    records = channel + record_of(5, struct.pack("<HIQQ", 1, 0, 5, 5)) * 100_000
    if packed:
        pyarrow = pytest.importorskip("pyarrow")
        small = bytes(pyarrow.Codec("zstd").compress(records))
        head = struct.pack("<QQQI", 0, 0, len(records), 0) + text(b"zstd") + struct.pack("<Q", len(small))
        content = HEADER + record_of(6, head + small)
    else:
        content = HEADER + chunk(records)
    (folder / "a.mcap").write_bytes(content + record_of(0x0F, bytes(4)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in McapReader(folder / "a.mcap").messages()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 24 << 20, (
            "a chunk of 3 MB, packed and not, and some numbers of a message"
        )
    finally:
        tracemalloc.stop()


def test_a_file_cut_off_anywhere_is_read_as_far_as_it_is_whole(folder):
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'  # ends a chunk
    messages = [*SCREENS[:3], (T0, "audio", big), *SCREENS[3:5], (T0, "audio", big), pressed(4.5, 0x57)]
    whole = store_file(folder / "a.mcap", messages).read_bytes()
    counts, lost = [], []
    for length in range(0, len(whole), max(len(whole) // 100, 1)):
        (folder / "a.mcap").write_bytes(whole[:length])
        if length < len(HEADER):
            with pytest.raises(BadFile, match=r"a\.mcap"):
                McapReader(folder / "a.mcap")
            continue
        reader = McapReader(folder / "a.mcap")
        counts.append(sum(1 for _ in reader.messages()))
        lost.append(reader.lost_from)
        assert reader.lost_from is None or reader.lost_from <= length
    assert counts == sorted(counts)
    assert set(counts) == {0, 4, 7, 8}, "chunk by chunk"
    assert None in lost, "one of which only the summary is cut off is whole"


def test_a_recorder_that_crashed_leaves_what_it_wrote(store, folder):
    """The inputs after the last whole chunk are not known, though the video goes on."""
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'
    early = [*SCREENS[:30], pressed(2.5, 0x57), pressed(9.5, 0x57, "release"), (T0 + 983_333_333, "audio", big)]
    path = store_file(folder / "a.mcap", [*early, *SCREENS[30:], pressed(40.5, 0x41)])
    whole = path.read_bytes()
    second = places_of(whole, 6)[1]
    path.write_bytes(whole[: second + 50])
    (report,) = bring(store, path, game="doom")
    assert report.outcome == "imported"
    (told,) = [why for why in report.dropped if "the end of the recording" in why]
    assert told.endswith(f"the file is whole up to byte {second:,} of {second + 50:,}")
    track = store.recording(report.session_id).resolve()
    assert np.flatnonzero(track.select([KEY_W])[:, 0]).tolist() == list(range(2, 9))
    assert track.known[:29].all()
    assert not track.known[30:].any()
    assert len(track) == COUNT


@pytest.mark.parametrize("damaged", [0, 1, 2, 3])
def test_a_damaged_chunk_costs_what_it_told_and_no_more(store, folder, damaged):
    """Four chunks of fifteen pictures; a key is held from the first into the third, the state of the keys is told in the third."""
    big = b'{"x":"' + b"x" * (1 << 20) + b'"}'  # ends a chunk
    messages = [
        *SCREENS,
        pressed(2.5, 0x57),
        pressed(35.5, 0x57, "release"),
        pressed(33.5, 0x41),
        pressed(50.5, 0x41, "release"),
    ]
    messages += [(T0 + 1_000_000_001, "keyboard/state", {"buttons": [0x57]}), pressed(58.5, 0x44)]
    messages += [(SCREENS[i][0] + 1, "audio", big) for i in (14, 29, 44)]
    path = store_file(folder / "a.mcap", sorted(messages, key=lambda message: message[0]))
    whole = bytearray(path.read_bytes())
    places = places_of(whole, 6)
    assert len(places) == 4
    whole[places[damaged] + 200] ^= 1
    path.write_bytes(whole)
    (report,) = bring(store, path, game="doom")
    assert report.dropped.pop("damaged chunks; inputs within the time that they were about are not known") == 1
    lost = slice(15 * damaged, 15 * damaged + 15)
    track = store.recording(report.session_id).resolve()
    assert len(track) == COUNT
    expected = np.ones(COUNT, np.bool_)
    expected[lost] = False
    unknown = np.flatnonzero(~track.known)
    assert set(unknown) - set(np.flatnonzero(~expected)) <= {15 * damaged - 1}, "from the last message before it on"
    assert not track.known[lost].any()
    w = [*range(2, 35)] if damaged else [*range(30, 35)]  # what the state of the keys tells again
    held = {0: w, 1: [i for i in w if i < 14 or i >= 30], 2: [i for i in w if i < 29], 3: w}[damaged]
    assert np.flatnonzero(track.select([KEY_W])[:, 0] & track.known).tolist() == held


def test_a_file_whose_chunks_are_all_damaged_is_refused_with_the_place(store, folder):
    path = store_file(folder / "a.mcap", SCREENS)
    whole = bytearray(path.read_bytes())
    (place,) = places_of(whole, 6)
    whole[place + 60] ^= 1
    path.write_bytes(whole)
    refused(store, path, f"outside the damaged chunk at byte {place}")


def test_a_video_that_is_none_is_refused(store, folder):
    (folder / "film.mkv").write_bytes(b"#EXTM3U\n/etc/passwd\n")
    refused(store, store_file(folder / "a.mcap", SCREENS), "film.mkv")
