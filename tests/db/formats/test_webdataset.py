"""Sessions become WebDataset shards: the same ones again and again, whole or not at all, and taken up where they were cut off."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from db.errors import BadArgument
from db.formats.format import Asked
from db.formats.transfer import write_out
from db.formats.webdataset import FORMAT
from db.labelling.labels import Edit, LabelKind
from db.recording.consent import Consent
from db.recording.events import Gap, GapReason
from db.recording.keys import BTN_LEFT
from recordings import FRAME_NS, KEY_W, START_NS, Take, key, move, read_barcode, record

COUNT = 90


def at(frame: float) -> int:
    return START_NS + int(frame * FRAME_NS)


EVENTS = [
    key(at(2.25), KEY_W, 1),
    key(at(40.5), KEY_W, 0),
    key(at(50.1), BTN_LEFT, 1),
    key(at(50.2), BTN_LEFT, 0),
    move(at(7.5), 3, -2.5),
]
CLIPS = {"seconds": "1", "shard": "2"}


@pytest.fixture
def session(store):
    session_id = record(store, Take(count=COUNT, events=EVENTS))
    label = {"kind": LabelKind.INSTRUCTION, "start": 5, "stop": 40, "value": "walk to “the” gate"}
    store.commit([Edit(session_id=session_id, author="ann", **label)])
    return session_id


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def write(store, sessions, out, tell=lambda name, share: None, options=CLIPS, **asked):
    return list(FORMAT.writes.write(store, sessions, out, Asked(options=options, **asked), tell))


def samples(out: Path) -> list[tuple[str, dict[str, bytes]]]:
    """As WebDataset reads them: files that follow each other and have one name up to the first dot are a sample."""
    found: list[tuple[str, dict[str, bytes]]] = []
    for path in sorted(out.glob("shard-*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                name, _, ending = member.name.partition(".")
                if not found or found[-1][0] != name:
                    found.append((name, {}))
                found[-1][1][ending] = tar.extractfile(member).read()
    return found


def content_of(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def test_clips_hold_pictures_actions_and_instructions(store, session, out):
    report = write(store, [session], out)[0]
    assert (report.outcome, report.frames, report.kept["clips"]) == ("written", COUNT, 3)
    found = samples(out)
    assert [name for name, _ in found] == [f"{session}-{number:07d}" for number in range(3)]
    assert [path.name for path in sorted(out.iterdir())] == ["index.json", "shard-000000.tar", "shard-000001.tar"]
    shown, told = [], {"held": [], "motion": [], "instructions": [], "frames": []}
    for _, files in found:
        with av.open(io.BytesIO(files["mp4"])) as container:
            shown += [read_barcode(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        said = json.loads(files["json"])
        names = said["keys"]
        told["held"] += [[names[number] for number in row] for row in said["held"]]
        for name in ("motion", "instructions", "frames"):
            told[name] += said[name]
    track = store.recording(session).resolve()
    assert shown == told["frames"] == list(range(COUNT))
    assert told["motion"] == track.motion.tolist()
    assert [("KEY_W" in row) for row in told["held"]] == track.select([KEY_W])[:, 0].tolist()
    assert [("BTN_LEFT" in row) for row in told["held"]] == track.select([BTN_LEFT])[:, 0].tolist()
    assert [i for i, text in enumerate(told["instructions"]) if text] == list(range(5, 40))


def test_frames_hold_one_picture_and_its_action(store, session, out):
    report = write(store, [session], out, options={"sample": "frame", "rate": "15", "size": "128x96"})[0]
    assert report.frames == COUNT // 2
    found = samples(out)
    assert len(found) == COUNT // 2
    for _, files in found[:12]:
        said = json.loads(files["json"])
        picture = np.asarray(Image.open(io.BytesIO(files["jpg"])))
        assert picture.shape == (96, 128, 3)
        assert read_barcode(picture[::2, ::2]) == said["frame"]
        assert said["instruction"] == ("walk to “the” gate" if 5 <= said["frame"] < 40 else "")
    assert sum(json.loads(files["json"])["motion"][0] for _, files in found) == 3.0


def test_the_same_sessions_make_the_same_bytes(store, session, out, tmp_path):
    write(store, [session], out, options={"sample": "frame", "shard": "40"})
    (tmp_path / "again").mkdir()
    write(store, [session], tmp_path / "again", options={"sample": "frame", "shard": "40"})
    assert content_of(out) == content_of(tmp_path / "again")
    assert all(name.count(".") == 1 for name in content_of(out))


def test_what_cannot_be_learnt_from_is_in_no_sample(store, out):
    session = record(store, Take(count=COUNT, events=EVENTS, gaps=[Gap(at(45), at(50), GapReason.MUTED)]))
    store.commit([Edit(session_id=session, kind=LabelKind.TRIM, start=0, stop=20, author="ann")])
    report = write(store, [session], out)[0]
    assert report.dropped == {"frames that a person left out": 20, "frames whose inputs are not known": 5}
    frames = [number for _, files in samples(out) for number in json.loads(files["json"])["frames"]]
    assert frames == [*range(20, 45), *range(50, COUNT)]


def test_cut_off_it_goes_on_with_the_shard_that_is_missing(store, session, out):
    second = record(store, Take(count=COUNT, events=EVENTS))

    def stop(name: str, share: float) -> None:
        if name == second and share > 0.9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(store, [session, second], out, stop)
    before = content_of(out)
    assert list(before) == ["index.json", "shard-000000.tar", "shard-000001.tar"]
    assert [report.outcome for report in write(store, [session, second], out)] == ["known", "written"]
    after = content_of(out)
    assert [name for name in after if after[name] == before.get(name)] == ["shard-000000.tar", "shard-000001.tar"]
    assert [name.rpartition("-")[0] for name, _ in samples(out)] == [session] * 3 + [second] * 3
    assert [report.outcome for report in write(store, [session, second], out)] == ["known"] * 2
    assert content_of(out) == after


def test_fewer_sessions_and_other_labels(store, session, out):
    second = record(store, Take(count=COUNT, events=EVENTS))
    write(store, [session, second], out)
    assert [report.outcome for report in write(store, [session], out)] == ["written"]
    assert [name.rpartition("-")[0] for name, _ in samples(out)] == [session] * 3
    assert len(json.loads((out / "index.json").read_text())["shards"]) == 2
    store.commit([Edit(session_id=session, kind=LabelKind.TRIM, start=80, stop=90, author="ann")])
    assert write(store, [session], out)[0].outcome == "written"


def test_a_session_that_cannot_go_out_stops_none_of_the_others(store, session, out):
    broken, third = (record(store, Take(count=COUNT, events=EVENTS)) for _ in range(2))
    video = store.recording(broken).folder / "video-000.mkv"
    video.write_bytes(video.read_bytes()[:3000])
    reports = {report.name: report for report in write(store, [session, broken, third], out)}
    assert [reports[name].outcome for name in (session, broken, third)] == ["written", "refused", "written"]
    assert {name.rpartition("-")[0] for name, _ in samples(out)} == {session, third}
    assert not list(out.glob("*.new"))


@pytest.mark.parametrize(
    "options",
    [{"sample": "film"}, {"seconds": "0"}, {"shard": "many"}, {"rate": "0"}, {"sample": "frame", "seconds": "3"}],
)
def test_options_that_cannot_be_are_refused(store, session, out, options):
    with pytest.raises(BadArgument):
        list(write_out(store, FORMAT, [session], out, Asked(options=options)))
    assert not list(out.iterdir())


def test_shards_of_others_are_not_written_over(store, session, out):
    (out / "shard-000000.tar").write_bytes(b"theirs")
    with pytest.raises(BadArgument, match="did not write"):
        write(store, [session], out)
    assert content_of(out) == {"shard-000000.tar": b"theirs"}


@pytest.mark.parametrize("index", ["[", "[]", '{"mine": 1}', '{"format": "another", "shards": []}'])
def test_an_index_of_others_is_not_written_over(store, session, out, index):
    theirs = {"index.json": index.encode(), "shard-000000.tar": b"theirs"}
    for name, content in theirs.items():
        (out / name).write_bytes(content)
    with pytest.raises(BadArgument, match="did not write"):
        write(store, [session], out)
    assert content_of(out) == theirs


@pytest.mark.parametrize("shards", [[{"name": "../../x"}], [{}], [None], 3, None])
def test_an_index_that_cannot_be_is_as_good_as_none(store, session, out, tmp_path, shards):
    (tmp_path / "x").write_text("precious")
    (out / "index.json").write_text(json.dumps({"format": "playtape-webdataset", "shards": shards}))
    assert write(store, [session], out)[0].outcome == "written"
    assert (tmp_path / "x").read_text() == "precious"


def test_the_index_names_the_licence_of_each_session_that_has_one(store, tmp_path):
    consent = Consent(person="ann", licence="CC-BY-4.0", text_sha256="0" * 64, given_at="2026-11-30T12:00:00+00:00")
    given, bare = Take(count=60), Take(count=60)
    meta = given.meta().model_copy(update={"consent": consent})
    given.write(store.create_session(meta), meta)
    store.enter(meta.id)
    list(write_out(store, FORMAT, [meta.id, record(store, bare)], tmp_path / "out", Asked()))
    assert json.loads((tmp_path / "out" / "index.json").read_text())["licences"] == {meta.id: "CC-BY-4.0"}
