"""Sessions become a LeRobot dataset and come in again; what a stranger's dataset may hold does no harm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from db.errors import BadArgument, BadFile, DiskFull, PlaytapeError
from db.formats.format import Asked
from db.formats.lerobot import FORMAT, layout
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.events import Gap, GapReason
from db.recording.keys import BTN_LEFT
from db.store import Store
from db.upkeep.withdrawal import withdraw
from recordings import FRAME_NS, KEY_D, KEY_W, START_NS, Take, key, move, read_barcode, record

pyarrow = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402

COUNT = 90
DATA, VIDEO = layout.place(layout.DATA, 0), layout.place(layout.VIDEO, 0)
EPISODES = layout.place(layout.EPISODES, 0)


def at(frame: float) -> int:
    return START_NS + int(frame * FRAME_NS)


EVENTS = [
    key(at(2.25), KEY_W, 1),
    key(at(40.5), KEY_W, 0),
    key(at(50.1), BTN_LEFT, 1),  # a tap
    key(at(50.2), BTN_LEFT, 0),
    move(at(7.5), 3, -2.5),
    move(at(7.6), 1, 0),
    key(at(60.5), KEY_D, 1),
    key(at(80.5), KEY_D, 0),
]


@pytest.fixture
def session(store):
    session_id = record(store, Take(count=COUNT, events=EVENTS))
    say(store, session_id, LabelKind.INSTRUCTION, 5, 40, "walk to “the” gate")
    say(store, session_id, LabelKind.INSTRUCTION, 30, 60, "turn left")
    return session_id


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def say(store: Store, session_id: str, kind: LabelKind, start: int, stop: int, value: str = "") -> None:
    store.commit([Edit(session_id=session_id, kind=kind, start=start, stop=stop, value=value, author="ann")])


def write(store, sessions, out, tell=lambda name, share: None, **asked):
    return list(FORMAT.writes.write(store, sessions, out, Asked(**asked), tell))


def bring(store, folder, **asked):
    return [
        FORMAT.reads.bring(store, source, Asked(**asked), lambda share: None) for source in FORMAT.reads.find(folder)
    ]


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*.*")
    }


def test_out_and_in_again_is_the_same_play(store, session, out):
    report = write(store, [session], out)[0]
    assert (report.outcome, report.frames, report.error) == ("written", COUNT, "")
    assert report.changed == {"taps within one interval, which read as held for all of it": 1}
    assert not report.dropped
    brought = bring(store, out)[0]
    assert (brought.outcome, brought.frames, dict(brought.dropped)) == ("imported", COUNT, {})
    before, after = store.recording(session), store.recording(brought.session_id)
    was, now = before.resolve(), after.resolve()
    assert now.codes == was.codes
    assert np.array_equal(now.active, was.active)
    assert np.array_equal(now.motion, was.motion)
    assert now.known.all()
    assert [read_barcode(picture) for _, picture in after.video().read(range(COUNT))] == list(range(COUNT))
    same = ("game", "player", "group_id")
    assert [getattr(after.meta, name) for name in same] == [getattr(before.meta, name) for name in same]
    said = [(e.start, e.stop, e.value) for e in spans(store.edits(brought.session_id))]
    assert said == [(5, 30, "walk to “the” gate"), (30, 60, "turn left")]
    assert bring(store, out)[0].outcome == "known"


def test_the_files_say_what_the_format_demands(store, session, out):
    write(store, [session], out)
    info = json.loads((out / layout.INFO).read_text())
    assert (info["codebase_version"], info["fps"], info["total_frames"], info["total_tasks"]) == ("v3.0", 30, COUNT, 3)
    names = info["features"]["action"]["names"]
    assert names == ["KEY_W", "KEY_D", "BTN_LEFT", "REL_X", "REL_Y", "REL_HWHEEL", "REL_WHEEL"]
    rows = pq.read_table(out / DATA).to_pydict()
    actions = np.array(rows["action"])
    assert np.flatnonzero(actions[:, 0]).tolist() == list(range(2, 40))
    assert np.flatnonzero(actions[:, 2]).tolist() == [50]
    assert actions[7, 3:].tolist() == [4.0, -2.5, 0, 0]
    assert rows["timestamp"] == pytest.approx(np.arange(COUNT) / 30, abs=1e-4)
    assert rows["frame_index"] == rows["index"] == list(range(COUNT))
    assert [rows["task_index"][i] for i in (0, 5, 29, 30, 59, 60)] == [0, 1, 1, 2, 2, 0]
    assert pq.read_table(out / layout.TASKS).to_pydict()["task"] == ["", "walk to “the” gate", "turn left"]
    with av.open(str(out / VIDEO)) as container:
        stream = container.streams.video[0]
        assert [float(frame.pts * stream.time_base) for frame in container.decode(video=0)] == pytest.approx(
            np.arange(COUNT) / 30, abs=1e-4
        )
        assert stream.average_rate == 30
    stats = json.loads((out / layout.STATS).read_text())
    assert stats["action"]["mean"] == pytest.approx(actions.mean(axis=0))
    assert stats["action"]["std"] == pytest.approx(actions.std(axis=0))
    assert stats["action"]["max"][3:5] == [4.0, 0.0]
    assert np.array(stats[layout.PICTURES]["mean"]).shape == (3, 1, 1)
    assert 0.1 < stats[layout.PICTURES]["mean"][0][0][0] < 0.9


def test_what_cannot_be_learnt_from_is_no_part_of_an_episode(store, out):
    gap = Gap(at(40), at(41), GapReason.UNFOCUSED)
    session_id = record(store, Take(count=COUNT, events=EVENTS, gaps=[gap]))
    say(store, session_id, LabelKind.TRIM, 54, COUNT)
    say(store, session_id, LabelKind.FLAG, 0, 5, "menu")
    report = write(store, [session_id], out)[0]
    assert report.dropped["frames that a person left out"] == 36
    assert report.dropped["frames whose inputs are not known"] == 1
    assert report.dropped["frames in usable stretches of less than 0.5 s"] == 13
    assert report.dropped["flags"] == 1
    assert report.frames == 40
    own = json.loads((out / layout.OWN).read_text())
    assert [episode["frames"] for episode in own["episodes"]] == [[0, 40]]


def test_what_is_down_where_an_episode_begins_was_not_pressed_there(store, session, out):
    say(store, session, LabelKind.TRIM, 20, 30)
    write(store, [session], out)
    tracks = [store.recording(report.session_id).resolve() for report in bring(store, out)]
    assert [len(track) for track in tracks] == [20, 60]
    for track, held, pressed in zip(tracks, (range(2, 20), range(10)), ([2], []), strict=True):
        column = track.codes.index(KEY_W)
        assert np.flatnonzero(track.held[:, column]).tolist() == list(held)
        assert np.flatnonzero(track.presses[:, column]).tolist() == pressed


def test_long_sessions_become_several_episodes(store, session, out, monkeypatch):
    monkeypatch.setattr("db.formats.lerobot.plan.LONGEST_S", 1.25)
    assert write(store, [session], out)[0].kept["episodes"] == 3
    brought = bring(store, out)
    assert sum(report.frames for report in brought) == COUNT
    numbers = [
        read_barcode(picture)
        for report in brought
        for _, picture in store.recording(report.session_id).video().read(range(report.frames))
    ]
    assert numbers == list(range(COUNT))


def test_another_rate_and_size(store, session, out):
    report = write(store, [session], out, options={"rate": "15", "size": "32x24"})[0]
    assert report.frames == COUNT // 2
    assert report.dropped["frames between those that are shown at 15 Hz"] == COUNT // 2
    assert report.changed["pictures scaled from 64x48 to 32x24"] == COUNT // 2
    brought = bring(store, out)[0]
    assert store.recording(brought.session_id).meta.size_px == (32, 24)
    motion = store.recording(brought.session_id).resolve().motion
    assert motion.sum(axis=0).tolist() == [4.0, -2.5]


@pytest.mark.parametrize(
    "options", [{"rate": "0"}, {"rate": "29.97"}, {"rate": "1000"}, {"size": "big"}, {"size": "1x9"}]
)
def test_options_that_cannot_be_are_refused(store, session, out, options):
    with pytest.raises(BadArgument):
        write(store, [session], out, options=options)
    assert not list(out.iterdir())


def test_a_dry_run_foresees_the_report_and_writes_nothing(store, session, out):
    foreseen = write(store, [session], out, dry_run=True)[0]
    assert not list(out.iterdir())
    report = write(store, [session], out)[0]
    assert (foreseen.frames, foreseen.kept, foreseen.changed, foreseen.dropped) == (
        report.frames, report.kept, report.changed, report.dropped,
    )  # fmt: skip
    expected = bring(store, out, dry_run=True)[0]
    assert not (store.sessions_dir / expected.session_id).exists()
    brought = bring(store, out)[0]
    assert (expected.session_id, expected.frames, expected.kept) == (brought.session_id, brought.frames, brought.kept)


def test_a_cancelled_export_is_no_dataset_and_goes_on_where_it_was(store, session, out):
    second = record(store, Take(count=COUNT, events=EVENTS))

    def stop(name: str, share: float) -> None:
        if name == second and share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(store, [session, second], out, stop)
    assert not (out / layout.INFO).exists()
    assert not list(out.rglob("*.new"))
    first = files_of(out)[VIDEO]
    assert [report.outcome for report in write(store, [session, second], out)] == ["known", "written"]
    assert files_of(out)[VIDEO] == first
    assert [report.outcome for report in bring(store, out)] == ["imported"] * 2


def test_what_is_there_unchanged_is_not_written_again(store, session, out):
    write(store, [session], out)
    before = files_of(out)
    assert write(store, [session], out)[0].outcome == "known"
    assert files_of(out) == before
    say(store, session, LabelKind.INSTRUCTION, 70, 80, "stand still")
    assert write(store, [session], out)[0].outcome == "written"
    assert "stand still" in pq.read_table(out / layout.TASKS).to_pydict()["task"]


def test_fewer_sessions_leave_no_files_of_the_others(store, session, out):
    second = record(store, Take(count=COUNT, events=EVENTS))
    write(store, [session, second], out)
    assert len(list(out.rglob("*.mp4"))) == 2
    write(store, [session], out)
    assert len(list(out.rglob("*.mp4"))) == len(list(out.glob("data/*/*.parquet"))) == 1
    assert json.loads((out / layout.INFO).read_text())["total_episodes"] == 1


def test_a_session_that_cannot_go_out_stops_none_of_the_others(store, session, out):
    broken, withdrawn, unknown = (record(store, Take(count=COUNT, events=EVENTS)) for _ in range(3))
    video = store.recording(broken).folder / "video-000.mkv"
    video.write_bytes(video.read_bytes()[:3000])
    withdraw(store, withdrawn)
    gap = Gap(START_NS, at(COUNT + 1), GapReason.UNRECORDED)
    blind = record(store, Take(count=COUNT, events=[], gaps=[gap]))
    reports = {report.name: report for report in write(store, [broken, withdrawn, session, blind, unknown], out)}
    assert [reports[name].outcome for name in (broken, withdrawn, blind)] == ["refused"] * 3
    assert all(reports[name].error for name in (broken, withdrawn, blind))
    assert reports[session].outcome == reports[unknown].outcome == "written"
    assert [report.frames for report in bring(store, out)] == [COUNT, COUNT]
    assert len(list(out.rglob("*.mp4"))) == 2


def test_another_tools_dataset_is_not_written_over(store, session, out):
    (out / "meta").mkdir()
    (out / layout.INFO).write_text("{}")
    with pytest.raises(BadArgument, match="did not write"):
        write(store, [session], out)
    assert (out / layout.INFO).read_text() == "{}"


def test_a_full_disk_ends_it_and_leaves_nothing_half_made(store, session, out, monkeypatch):
    def full(*args, **more):
        raise DiskFull("There is no room left.")

    monkeypatch.setattr("db.formats.lerobot.parts._write_rows", full)
    with pytest.raises(DiskFull):
        write(store, [session], out)
    assert not list(out.rglob("*.new"))
    assert not (out / layout.INFO).exists()


def test_a_robots_dataset_comes_in_without_inputs(store, session, out):
    write(store, [session], out)
    info = json.loads((out / layout.INFO).read_text())
    info["features"]["action"]["names"] = {"motors": [f"joint_{i}" for i in range(7)]}
    (out / layout.INFO).write_text(json.dumps(info))
    (out / layout.OWN).unlink()
    with pytest.raises(BadArgument, match="--game"):
        bring(store, out)
    report = bring(store, out, game="arm")[0]
    assert report.dropped["the action 'joint_3', which names no key and no motion"] == 1
    assert not store.recording(report.session_id).resolve().known.any()


# Hostile


def change_info(out: Path, **changes: object) -> None:
    info = json.loads((out / layout.INFO).read_text())
    (out / layout.INFO).write_text(json.dumps(info | changes))


def change_table(path: Path, **changes: object) -> None:
    table = pq.read_table(path)
    for name, values in changes.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pyarrow.array(values))
    pq.write_table(table, path)


def each(out: Path, name: str, row: int, value: object) -> list[object]:
    values = pq.read_table(out / DATA).column(name).to_pylist()
    values[row] = value
    return values


def cut(path: Path, share: float = 0.5) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


HOSTILE = {
    "info is cut off": (lambda out: cut(out / layout.INFO), "info.json"),
    "info is a list": (lambda out: (out / layout.INFO).write_text("[]"), "info.json"),
    "info is deep": (lambda out: (out / layout.INFO).write_text("[" * 10**6), "info.json"),
    "another version": (lambda out: change_info(out, codebase_version="v2.1"), "version 3"),
    "no rate": (lambda out: change_info(out, fps="fast"), "fps"),
    "a rate that is no number": (lambda out: change_info(out, fps=float("nan")), "fps"),
    "no features": (lambda out: change_info(out, features=[]), "features"),
    "no pictures": (lambda out: change_info(out, features={"action": {"dtype": "float32"}}), "pictures"),
    "files outside": (lambda out: change_info(out, data_path="../../etc/passwd"), "outside"),
    "files at the root": (lambda out: change_info(out, video_path="/etc/passwd"), "outside"),
    "a pattern that asks for more": (
        lambda out: change_info(out, data_path="{chunk_index.__class__}/{file_index!r}"), "missing",
    ),
    "a video that is a folder": (lambda out: change_info(out, video_path="videos"), "missing"),
    "episodes are cut off": (lambda out: cut(out / EPISODES), "Parquet"),
    "episodes are missing": (lambda out: (out / EPISODES).unlink(), "episodes"),
    "a billion frames": (lambda out: change_table(out / EPISODES, length=[10**9]), "1000000000"),
    "too much for memory": (lambda out: change_table(out / EPISODES, length=[9_000_000]), "tells of 9000000"),
    "no frames": (lambda out: change_table(out / EPISODES, length=[0]), "0 frames"),
    "fewer frames than there are": (lambda out: change_table(out / EPISODES, length=[COUNT - 1]), "more than"),
    "more frames than there are": (lambda out: change_table(out / EPISODES, length=[COUNT + 1]), "tells of"),
    "an episode before the video": (
        lambda out: change_table(out / EPISODES, **{f"videos/{layout.PICTURES}/from_timestamp": [-1.0]}), "number from 0",
    ),
    "an episode after the video": (
        lambda out: change_table(
            out / EPISODES,
            **{f"videos/{layout.PICTURES}/{word}_timestamp": [90.0 + 9 * (word == "to")] for word in ("from", "to")},
        ),
        "no picture",
    ),
    "an episode that ends nowhere": (
        lambda out: change_table(out / EPISODES, **{f"videos/{layout.PICTURES}/to_timestamp": [float("nan")]}), "nan",
    ),
    "numbers that are words": (lambda out: change_table(out / EPISODES, length=["x"]), "whole number"),
    "data is cut off": (lambda out: cut(out / DATA), "Parquet"),
    "data is another file": (lambda out: (out / DATA).write_bytes(b"PAR1" * 100), "Parquet"),
    "data is empty": (lambda out: (out / DATA).write_bytes(b""), "Parquet"),
    "times that go back": (lambda out: change_table(out / DATA, timestamp=each(out, "timestamp", 9, 0.1)), "frame 9"),
    "times that are no numbers": (
        lambda out: change_table(out / DATA, timestamp=each(out, "timestamp", 9, float("nan"))), "nan",
    ),
    "times of a century": (
        lambda out: change_table(out / DATA, timestamp=(np.arange(COUNT) * 1e9).tolist()), "last",
    ),
    "actions that are no numbers": (
        lambda out: change_table(out / DATA, action=each(out, "action", 3, [float("inf")] * 7)), "inf",
    ),
    "actions of another length": (
        lambda out: change_table(out / DATA, action=[[0.0] * (i % 3) for i in range(COUNT)]), "vector of 7",
    ),
    "actions that are not there": (
        lambda out: change_table(out / DATA, action=[None, *([[0.0] * 7] * (COUNT - 1))]), "vector of 7",
    ),
    "actions that are words": (lambda out: change_table(out / DATA, action=["x"] * COUNT), "vector of 7"),
    "the video is cut off": (lambda out: cut(out / VIDEO), "mp4"),
    "the video is none": (lambda out: (out / VIDEO).write_bytes(b"#EXTM3U\n/etc/passwd\n"), "mp4"),
    "the video is empty": (lambda out: (out / VIDEO).write_bytes(b""), "mp4"),
    "a key twice": (
        lambda out: change_info(
            out,
            features=json.loads((out / layout.INFO).read_text())["features"]
            | {"action": {"dtype": "float32", "shape": [7], "names": ["KEY_W"] * 7}},
        ),
        "twice",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lerobot")
    with Store.open(folder / "library") as store:
        session_id = record(store, Take(count=COUNT, events=EVENTS))
        (folder / "out").mkdir()
        write(store, [session_id], folder / "out")
    return folder / "out"


@pytest.mark.parametrize("name", HOSTILE)
def test_datasets_that_cannot_be_are_refused_with_the_place(store, exported, tmp_path, name):
    harm, said = HOSTILE[name]
    out = tmp_path / "hostile"
    shutil.copytree(exported, out)
    harm(out)
    with pytest.raises(PlaytapeError, match=said) as caught:
        bring(store, out)
    assert isinstance(caught.value, BadFile), caught.value
    assert str(tmp_path) in str(caught.value)
    assert not list(store.sessions_dir.iterdir())
