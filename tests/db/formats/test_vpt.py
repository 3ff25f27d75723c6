"""VPT's contractor data: its quirks are put right, what goes out is what its tools read, and it comes in again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadFile
from db.formats.format import Asked
from db.formats.report import Report
from db.formats.steadyvideo import write_steady
from db.formats.transfer import bring_in, write_out
from db.formats.vpt import FORMAT
from db.formats.vpt.reading import read_lines
from db.labelling.labels import Edit, LabelKind
from db.recording.events import EventKind, Gap, GapReason, Origin
from db.recording.keys import BTN_LEFT, CODES
from db.store import Store
from hostile import NASTY
from recordings import KEY_A, KEY_D, KEY_W, START_NS, Take, barcode, key, move, read_barcode, record

COUNT = 20
STEP = 50_000_000
TIMES = [START_NS + i * STEP for i in range(COUNT)]
KEY = "key.keyboard."
ID = "cheeky-cornflower-setter-02e496ce4abb-20220421-092639"


def at(frame: float) -> int:
    return START_NS + int(frame * STEP)


def step(i: int, keys: str = "", buttons: tuple[int, ...] = (), **more: Any) -> dict[str, Any]:
    """A line as MineRec writes it, as far as anybody reads it."""
    mouse = {
        "x": 640.0, "y": 360.0, "dx": 0.0, "dy": 0.0, "scaledX": 0.0, "scaledY": 0.0, "dwheel": 0.0,
        "buttons": list(buttons), "newButtons": [],
    }  # fmt: skip
    keyboard = {"keys": [KEY + name for name in keys.split()], "newKeys": [], "chars": ""}
    line = {"mouse": mouse, "keyboard": keyboard, "hotbar": 0, "tick": i, "milli": 1650533199000 + 50 * i}
    line |= {"isGuiOpen": False, "inventory": [{"type": "dirt", "quantity": 3}], "yaw": 1.5, "stats": {"a": 1}}
    for name, value in more.items():
        target = mouse if name in mouse else keyboard if name in keyboard else line
        target[name] = value
    return line


def make(folder: Path, lines: list[dict[str, Any]], count: int | None = None, name: str = ID) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    count = len(lines) if count is None else count
    pictures = (av.VideoFrame.from_ndarray(barcode(i)[..., :3].copy(), format="bgr24") for i in range(count))
    write_steady(folder / f"{name}.mp4", pictures, (64, 48), 20, gop=20)
    return folder


def bring(store: Store, folder: Path, **asked: Any) -> Report:
    (report,) = bring_in(store, FORMAT, [folder], Asked(**asked))
    return report


def pressed(store: Store, report: Report, code: int) -> tuple[list[int], int]:
    """The frames at whose end it is down, and how often it was pressed."""
    track = store.recording(report.session_id).resolve()
    if code not in track.codes:
        return [], 0
    column = track.codes.index(code)
    return np.flatnonzero(track.held[:, column]).tolist(), int(track.presses[:, column].sum())


def test_a_line_is_what_was_done_on_its_frame(store, tmp_path):
    lines = [step(i) for i in range(COUNT)]
    lines[3] = step(3, "w left.shift", newKeys=[KEY + "w"], dx=4.0, dy=-2.5, dwheel=-1.0)
    lines[4] = step(4, "w", (1,), newButtons=[1])
    lines[5] = step(5, "w", newKeys=[KEY + "w"])  # let go and pressed again
    lines[7] = step(7, newKeys=[KEY + "space"])  # a tap
    report = bring(store, make(tmp_path / "in", lines))
    assert report.outcome == "imported", report.error
    recording = store.recording(report.session_id)
    track = recording.resolve()
    assert pressed(store, report, KEY_W) == ([3, 4, 5], 2)
    assert pressed(store, report, CODES["KEY_LEFTSHIFT"]) == ([3], 1)
    assert pressed(store, report, CODES["BTN_RIGHT"]) == ([4], 1)
    assert pressed(store, report, CODES["KEY_SPACE"]) == ([], 1)
    assert track.tapped[7, track.codes.index(CODES["KEY_SPACE"])]
    assert track.motion[3].tolist() == [4.0, -2.5]
    assert track.scroll[3].tolist() == [0.0, -1.0]
    assert track.known.all()
    assert (recording.meta.game, recording.meta.player) == ("minecraft", "cheeky-cornflower-setter")
    assert recording.meta.anchor.wall_ns == 1650533199000 * 10**6
    assert [read_barcode(picture) for _, picture in recording.video().read(range(COUNT))] == list(range(COUNT))


def test_attack_that_is_stuck_from_the_start_is_taken_away_until_it_is_pressed(store, tmp_path):
    lines = [step(i, "", (0,)) for i in range(COUNT)]
    lines[0]["mouse"]["newButtons"] = [0]
    lines[12]["mouse"]["newButtons"] = [0]
    report = bring(store, make(tmp_path / "in", lines))
    assert pressed(store, report, BTN_LEFT)[0] == list(range(12, COUNT))
    assert [count for why, count in report.changed.items() if "stuck" in why] == [12]
    lines[0]["mouse"]["newButtons"] = []  # held from before: that is a person
    report = bring(store, make(tmp_path / "held", lines))
    assert pressed(store, report, BTN_LEFT)[0] == list(range(COUNT))
    first = store.recording(report.session_id).events[0]
    assert first["origin"] == Origin.SNAPSHOT


def test_a_slot_that_the_wheel_chose_is_a_tap_of_its_key(store, tmp_path):
    lines = [step(i, hotbar=4 if i < 5 else 6 if i < 9 else 1) for i in range(COUNT)]
    lines[9] = step(9, "2", newKeys=[KEY + "2"], hotbar=1)
    report = bring(store, make(tmp_path / "in", lines))
    assert pressed(store, report, CODES["KEY_5"]) == ([], 0)  # the slot at the start was chosen before
    assert pressed(store, report, CODES["KEY_7"]) == ([], 1)
    assert pressed(store, report, CODES["KEY_2"]) == ([9], 1)
    assert [count for why, count in report.changed.items() if "hotbar" in why] == [1]


@pytest.mark.parametrize(
    ("folder", "version", "expected"), [("6.9", "", 8.0), ("5.7", "", 2.0), ("10.0", "", 4.0), ("x", "6.7", 8.0)]
)
def test_motion_in_a_menu_by_the_recorders_version(store, tmp_path, folder, version, expected):
    lines = [step(i, dx=4.0, isGuiOpen=i >= 10, x=100.0 + i, y=50.0) for i in range(COUNT)]
    options = {"version": version} if version else {}
    report = bring(store, make(tmp_path / folder, lines), options=options)
    recording = store.recording(report.session_id)
    assert recording.resolve().motion[:, 0].tolist() == [4.0] * 10 + [expected] * 10
    places = recording.events[recording.events["kind"] == EventKind.POSITION]
    assert places["x"].tolist() == [110.0 + i for i in range(10)]
    assert {(p["x2"], p["y2"]) for p in places} == {(1280.0, 720.0)}


@pytest.mark.parametrize("count", [COUNT - 4, COUNT + 3])
def test_videos_of_another_length_than_the_lines(store, tmp_path, count):
    lines = [step(i, "w") for i in range(COUNT)]
    report = bring(store, make(tmp_path / "in", lines, count=count))
    known = store.recording(report.session_id).resolve().known
    assert known.tolist() == [True] * min(count, COUNT) + [False] * max(count - COUNT, 0)
    assert report.frames == count
    assert sum((report.changed | report.dropped).get(why, 0) for why in (
        "frames of which only the video tells: their inputs are not known", "rows without a frame in the video",
    )) == abs(count - COUNT)  # fmt: skip


def test_out_for_its_tools_and_in_again(store, tmp_path):
    events = [
        key(at(2.25), KEY_W, 1), key(at(5.5), KEY_W, 0),
        key(at(6.1), KEY_D, 1), key(at(6.2), KEY_D, 0),
        move(at(7.5), 3, -2.5), move(at(7.6), 1, 0),
        key(at(8.5), BTN_LEFT, 1), key(at(9.5), BTN_LEFT, 0),
        key(at(10.5), CODES["KEY_3"], 1), key(at(10.7), CODES["KEY_3"], 0),
        key(at(11.5), CODES["KEY_YEN"], 1), key(at(12.5), CODES["KEY_YEN"], 0),
        key(at(12.6), KEY_A, 1), key(at(13.2), KEY_A, 0),
    ]  # fmt: skip
    gaps = [Gap(at(15), at(17), GapReason.MUTED)]
    session = record(store, Take(times_ns=TIMES, events=events, gaps=gaps, game="minecraft"))
    edit = Edit(session_id=session, kind=LabelKind.INSTRUCTION, start=1, stop=5, value="dig", author="ann")
    store.commit([edit])
    out = tmp_path / "out"
    (report,) = write_out(store, FORMAT, [session], out, Asked())
    assert sorted(path.name for path in out.iterdir()) == [f"{session}{end}" for end in (".json", ".jsonl", ".mp4")]
    lines = [json.loads(line) for line in (out / f"{session}.jsonl").read_text().splitlines()]
    with av.open(str(out / f"{session}.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (640, 360)
        assert len(lines) == COUNT == sum(1 for _ in video.decode(video=0))
    assert [i for i, line in enumerate(lines) if KEY + "w" in line["keyboard"]["keys"]] == [2, 3, 4]
    assert [i for i, line in enumerate(lines) if KEY + "w" in line["keyboard"]["newKeys"]] == [2]
    assert [i for i, line in enumerate(lines) if line["mouse"]["buttons"] == [0]] == [8]
    assert (lines[7]["mouse"]["dx"], lines[7]["mouse"]["dy"]) == (4.0, -2.5)
    assert [line["hotbar"] for line in lines] == [0] * 10 + [2] * 10
    whys = report.changed | report.dropped
    for word in ("KEY_YEN", "instructions", "within a frame: down", "not known: nothing is done"):
        assert any(word in why for why in whys), word
    (again,) = write_out(store, FORMAT, [session], out, Asked())
    assert again.outcome == "known"
    back = bring(store, out)
    was, now = store.recording(session).resolve(), store.recording(back.session_id).resolve()
    for code in now.codes:
        mine, theirs = was.active[:, was.codes.index(code)], now.active[:, now.codes.index(code)]
        assert np.array_equal(mine, theirs), code
    assert set(was.codes) - set(now.codes) == {CODES["KEY_YEN"]}
    assert np.array_equal(was.motion, now.motion)


def test_an_attack_that_a_person_begins_with_goes_out_as_theirs(store, tmp_path):
    """And not as one that is stuck, which readers take away."""
    events = [key(at(0.25), BTN_LEFT, 1), key(at(6.5), BTN_LEFT, 0)]
    session = record(store, Take(times_ns=TIMES, events=events, game="minecraft"))
    list(write_out(store, FORMAT, [session], tmp_path / "out", Asked()))
    assert pressed(store, bring(store, tmp_path / "out"), BTN_LEFT)[0] == list(range(6))


def test_inputs_before_the_first_frame_that_is_shown_are_told(store, tmp_path):
    """Of a recording at 60 Hz the first tick shows the second frame."""
    times = [START_NS + i * 10**9 // 60 for i in range(90)]
    events = [key(START_NS + 5_000_000, KEY_W, 1), key(times[-1], KEY_W, 0)]
    session = record(store, Take(times_ns=times, events=events, game="minecraft"))
    (report,) = write_out(store, FORMAT, [session], tmp_path / "out", Asked())
    assert report.dropped["inputs before the first frame that is shown at 20 Hz"] == 1


GOOD = json.dumps(step(0, "w"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no lines"),
        ("{}\n", "line 1, is not a step"),
        (f"{GOOD}\n[]\n", "line 2"),
        (f"{GOOD}\n" + "[" * 100_000, "line 2"),
        (f"{GOOD}\n{GOOD[:-9]}", "line 2"),
        (GOOD.replace('"dx": 0.0', '"dx": NaN'), "dx is nan"),
        (GOOD.replace('"dx": 0.0', '"dx": 1e300'), "dx is 1e+300"),
        (GOOD.replace('"milli": 16', '"milli": -16'), "milli is -16"),
        (f"{json.dumps(step(9))}\n{json.dumps(step(3))}\n", "line 2: its milli"),
        (GOOD.replace('"keys": [', '"keys": [' + '"k", ' * 300), "no list of some"),
        ("x" * (1 << 21), "longer than"),
        ("\x00\x01", "line 1"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_are_refused_with_the_place(store, tmp_path, text, said):
    folder = make(tmp_path / "in", [step(0)])
    (folder / f"{ID}.jsonl").write_text(text)
    report = bring(store, folder)
    assert report.outcome == "refused"
    assert said in report.error
    assert f"{ID}.jsonl" in report.error
    assert [path for path in store.sessions_dir.iterdir() if path.is_dir()] == []


def test_decreasing_times_may_be_set_aside(store, tmp_path):
    folder = make(tmp_path / "in", [step(9), step(3), step(4)])
    report = bring(store, folder, options={"times": "video"})
    assert np.diff(store.recording(report.session_id).clock.t_ns).tolist() == [STEP, STEP]


def test_one_without_the_other(store, tmp_path):
    folder = make(tmp_path / "in", [step(0)])
    (folder / f"{ID}.mp4").rename(folder / "other.mp4")
    lone, missing = bring_in(store, FORMAT, [folder], Asked())
    assert "has no video" in lone.error
    assert "other.jsonl is missing" in missing.error
    assert "other.jsonl is missing" in bring(store, folder / "other.mp4").error
    assert "such as 6.9" in bring(store, make(tmp_path / "in2", [step(0)]), options={"version": "abc"}).error


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["mouse", "keyboard", "hotbar", "milli", "isGuiOpen", "dx", "keys", "buttons", "x"]), NASTY)
def test_anything_in_any_place_is_read_or_refused(tmp_path, name, value):
    line = step(0, "w")
    (line["mouse"] if name in line["mouse"] else line["keyboard"] if name in line["keyboard"] else line)[name] = value
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(line))
    try:
        (found,) = read_lines(file)
    except BadFile as error:
        refused = str(error)
    else:
        assert 0 <= found.slot < 9
        assert np.isfinite(found.motion).all()
        return
    assert f"{file}, line 1" in refused
