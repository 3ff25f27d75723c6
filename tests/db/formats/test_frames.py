"""Frames and actions go out as a table and come in again with the same actions on the same frames."""

from __future__ import annotations

import csv
import json
import shutil
from fnmatch import fnmatch

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadArgument, BadFile
from db.formats.format import Asked
from db.formats.frames import FORMAT, export_frames, import_frames
from db.formats.rowevents import RowEvents
from db.formats.table import has_parquet, read_table, write_table
from db.formats.transfer import bring_in, write_out
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.events import Gap, GapReason
from db.recording.writer import SessionWriter
from recordings import FRAME_NS, KEY_D, KEY_W, START_NS, Take, found_down, key, move, read_barcode, record

COUNT = 20


def at(frame: float) -> int:
    return START_NS + int(frame * FRAME_NS)


EVENTS = [
    found_down(at(0), KEY_D),
    key(at(1.5), KEY_D, 0),
    key(at(2.25), KEY_W, 1),
    key(at(5.5), KEY_W, 0),
    key(at(6.1), KEY_W, 1),  # a tap within one frame, twice
    key(at(6.2), KEY_W, 0),
    key(at(6.3), KEY_W, 1),
    key(at(6.4), KEY_W, 0),
    move(at(7.5), 3, -2.5),
    move(at(7.6), 1, 0),
    key(at(8.5), KEY_W, 1),
    found_down(at(12), KEY_W),
    key(at(14.5), KEY_W, 0),
]


@pytest.fixture
def session(store):
    session_id = record(store, Take(count=COUNT, events=EVENTS, gaps=[Gap(at(10), at(12), GapReason.UNFOCUSED)]))
    say = [
        (LabelKind.INSTRUCTION, 0, 6, "walk, then “run”"),
        (LabelKind.INSTRUCTION, 8, 12, "=1+1"),
        (LabelKind.FLAG, 3, 7, "menu"),
        (LabelKind.FLAG, 5, 9, "idle"),
        (LabelKind.TRIM, 18, 20, ""),
    ]
    store.commit([Edit(session_id=session_id, kind=k, start=a, stop=b, value=v, author="ann") for k, a, b, v in say])
    return session_id


@pytest.mark.parametrize("parquet", [False, True])
def test_out_and_in_again_is_the_same_play(store, session, tmp_path, parquet):
    if parquet and not has_parquet():
        pytest.skip("pyarrow is not installed")
    folder = export_frames(store, session, tmp_path / "out", parquet=parquet)
    report = import_frames(store, folder)
    assert report.created
    assert report.session_id != session
    assert report.notes == ()
    before, after = store.recording(session), store.recording(report.session_id)
    was, now = before.resolve(), after.resolve()
    assert now.codes == was.codes
    for name in ("held", "tapped", "presses", "motion", "scroll", "known"):
        assert np.array_equal(getattr(now, name)[was.known], getattr(was, name)[was.known]), name
    assert np.array_equal(now.known, was.known)
    assert np.abs((now.edges_ns - now.edges_ns[0]) - (was.edges_ns - was.edges_ns[0])).max() < 2
    said = [[(e.kind, e.start, e.stop, e.value) for e in spans(store.edits(s))] for s in (session, report.session_id)]
    assert sorted(said[0]) == sorted(said[1])
    for name in ("game", "player", "group_id", "layout"):
        assert getattr(after.meta, name) == getattr(before.meta, name), name
    assert after.meta.window.title == before.meta.window.title
    began = [recording.meta.anchor.wall_time(int(recording.clock.t_ns[0])) for recording in (before, after)]
    assert abs((began[1] - began[0]).total_seconds()) < 1e-3
    assert [read_barcode(picture) for _, picture in after.video().read(range(COUNT))] == list(range(COUNT))


def test_the_table_says_what_the_docstring_says(store, session, tmp_path):
    folder = export_frames(store, session, tmp_path / "out")
    with (folder / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["KEY_W"] for row in rows[:9]] == ["0", "0", "1", "1", "1", "0", "0", "0", "1"]
    assert [row["KEY_W.presses"] for row in rows[:9]] == ["0", "0", "1", "0", "0", "0", "2", "0", "1"]
    assert (rows[7]["dx"], rows[7]["dy"]) == ("4.0", "-2.5")
    assert [row["known"] for row in rows[9:13]] == ["1", "0", "0", "1"]
    assert rows[5]["flags"] == "idle|menu"
    assert rows[3]["instruction"] == "walk, then “run”"
    assert [row["used"] for row in rows[17:]] == ["1", "0", "0"]
    assert float(rows[3]["t_s"]) == pytest.approx(3 * FRAME_NS / 1e9, abs=1e-9)
    about = json.loads((folder / "about.json").read_text())
    assert about["frames"] == COUNT
    with av.open(str(folder / "video.mkv")) as container:
        assert sum(1 for _ in container.decode(video=0)) == COUNT


def test_about_explains_every_column(store, session, tmp_path):
    folder = export_frames(store, session, tmp_path / "out")
    header = (folder / "frames.csv").read_text().splitlines()[0].split(",")
    explained = json.loads((folder / "about.json").read_text())["columns"]
    patterns = [pattern for names in explained for pattern in names.split(", ")]
    assert [name for name in header if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert [names for names in list(explained)[:-2] if names not in header] == []


def test_the_report_counts_labels_and_what_has_no_place(store, session, tmp_path):
    comment = {"kind": LabelKind.COMMENT, "start": 2, "stop": 3, "value": "look"}
    store.commit([Edit(session_id=session, author="ann", **comment)])
    store.commit(
        [Edit(session_id=session, author="idm", kind=LabelKind.FLAG, start=1, stop=2, value="idle", suggested=True)]
    )
    (report,) = write_out(store, FORMAT, [session], tmp_path / "out", Asked())
    assert report.kept == {"frames": COUNT, "presses": 4, "instructions": 2, "flags": 2}
    assert report.dropped == {"comments": 1}


def test_several_segments_become_one_video(store, tmp_path):
    take = Take(count=90)
    take.capture = take.capture.model_copy(update={"segment_s": 1.01})
    session = record(store, take)
    assert len(store.recording(session).meta.segments) > 2
    folder = export_frames(store, session, tmp_path / "out")
    report = import_frames(store, folder)
    pictures = store.recording(report.session_id).video().read(range(90))
    assert [read_barcode(picture) for _, picture in pictures] == list(range(90))


def test_frames_less_than_a_millisecond_apart_keep_their_times(store, tmp_path):
    times = [START_NS + i * FRAME_NS + (600_000 - FRAME_NS) * (i == 7) for i in range(COUNT)]
    session = record(store, Take(times_ns=times))
    report = import_frames(store, export_frames(store, session, tmp_path / "out"))
    assert np.abs(np.diff(store.recording(report.session_id).clock.t_ns) - np.diff(times)).max() < 2


def test_what_is_here_with_another_game_says_so(store, session, tmp_path):
    folder = export_frames(store, session, tmp_path / "out")
    first = bring_in(store, FORMAT, [folder], Asked())
    again = bring_in(store, FORMAT, [folder], Asked(game="another"))
    assert [report.says for report in first] == [""]
    assert [(report.outcome, report.says) for report in again] == [("known", "here already, with the game testgame")]


def test_what_another_program_brings_in_meanwhile_is_known(store, session, tmp_path, monkeypatch):
    """Also where that one has not entered it yet."""
    folder = export_frames(store, session, tmp_path / "out")
    finish = SessionWriter.finish

    def meanwhile(writer, **more):
        meta = finish(writer, **more)
        shutil.copytree(writer.folder, store.sessions_dir / meta.id)
        return meta

    monkeypatch.setattr(SessionWriter, "finish", meanwhile)
    (report,) = bring_in(store, FORMAT, [folder], Asked())
    assert report.outcome == "known"
    assert store.summary(report.session_id).frames == COUNT
    assert {path.name for path in store.sessions_dir.iterdir()} == {session, report.session_id}


def test_a_table_of_somebody_else(store, session, tmp_path):
    folder = export_frames(store, session, tmp_path / "out")
    lines = ["t_s,KEY_W,BTN_LEFT,dx,reward,KEY_NOSUCH"]
    lines += [f"{i / 30},{'true' if 3 <= i < 6 else 'False'},{int(i == 9)},{i},0.5,1" for i in range(COUNT)]
    (folder / "frames.csv").write_text("\r\n".join(lines))
    (folder / "about.json").unlink()
    with pytest.raises(BadArgument, match="--game"):
        import_frames(store, folder)
    report = import_frames(store, folder, game="doom", player="bob")
    assert "KEY_NOSUCH, reward" in report.notes[0]
    track = store.recording(report.session_id).resolve()
    assert track.known.all()
    assert np.flatnonzero(track.held[:, track.codes.index(KEY_W)]).tolist() == [3, 4, 5]
    assert track.presses[:, track.codes.index(KEY_W)].sum() == 1
    assert track.motion[:, 0].tolist() == list(range(COUNT))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("t_s", "time", "t_s"),
        ("\r\n1,", "\r\n1,1,", "line 3"),
        ("0.0,", "nan,", "line 2"),
        ("0.0,", "soon,", "soon"),
        ("frame,", "dx,", "twice"),
        ("0.0,", "99,", "row 2"),
    ],
)
def test_tables_that_cannot_be_are_refused_with_the_place(store, session, tmp_path, old, new, said):
    folder = export_frames(store, session, tmp_path / "out")
    table = folder / "frames.csv"
    text = table.read_bytes().decode()
    assert old in text
    table.write_bytes(text.replace(old, new, 1).encode())
    before = sorted(path.name for path in store.sessions_dir.iterdir())
    with pytest.raises(BadFile, match=said):
        import_frames(store, folder)
    assert sorted(path.name for path in store.sessions_dir.iterdir()) == before


@pytest.mark.parametrize("keep", [0, 1, COUNT // 2, COUNT + 1])
def test_a_table_of_another_length_is_refused(store, session, tmp_path, keep):
    folder = export_frames(store, session, tmp_path / "out")
    table = folder / "frames.csv"
    lines = table.read_text().splitlines()
    lines += [",".join([str(COUNT), "99.0", *lines[-1].split(",")[2:]])] if keep > COUNT else []
    table.write_text("\n".join(lines[: keep + 1] if keep <= COUNT else lines) + "\n")
    with pytest.raises(BadFile, match=r"frames\.csv"):
        import_frames(store, folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "\0" * 10, "[" * 100_000])
def test_a_strange_about_file_is_refused(store, session, tmp_path, text):
    folder = export_frames(store, session, tmp_path / "out")
    (folder / "about.json").write_text(text)
    with pytest.raises(BadFile, match=r"about\.json"):
        import_frames(store, folder)


def test_what_is_there_is_not_written_over(store, session, tmp_path):
    export_frames(store, session, tmp_path / "out")
    with pytest.raises(BadArgument, match="there already"):
        export_frames(store, session, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [session]


def test_tables_keep_awkward_text(tmp_path):
    piece = {"a": ['with "quotes"', "two\nlines", "commas, too", ""], "b": [1.5, -0.0, 1e-12, 3e20], "c": [True] * 4}
    write_table(tmp_path / "t.csv", [piece])
    (read,) = read_table(tmp_path / "t.csv")
    assert read["a"] == piece["a"]
    assert [float(value) for value in read["b"]] == piece["b"]
    assert read["c"] == ["1"] * 4


_ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.booleans()), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ROWS)
def test_any_states_and_presses_resolve_to_themselves(tmp_path, rows):
    """Whatever a table says of a key, its events resolve to just that (where inputs are known)."""
    from db.recording.actions import resolve
    from recordings import facts_of

    held = np.array([row[0] for row in rows])
    presses = np.array([row[1] for row in rows])
    known = np.array([row[2] for row in rows])
    presses[~known] = 0
    columns = {"KEY_W": held.astype(float), "KEY_W.presses": presses.astype(float)}
    edges = START_NS + np.arange(len(rows) + 1, dtype=np.int64) * FRAME_NS
    read = RowEvents.of(columns, ".presses", tmp_path).read(edges, known)
    events = [event for some in read for event in some]
    gaps = [Gap(int(edges[i]), int(edges[i + 1]), GapReason.UNRECORDED) for i in np.flatnonzero(~known)]
    track = resolve(facts_of(events, gaps, start_ns=int(edges[0]), stop_ns=int(edges[-1])), edges, [KEY_W])
    assert np.array_equal(track.known, known)
    assert np.array_equal(track.held[known, 0], held[known])
    assert np.array_equal(track.presses[known, 0], presses[known])
