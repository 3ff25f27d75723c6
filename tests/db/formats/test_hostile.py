"""What strangers may do to the files of any format: pipes, devices and links in the place of files, and claims beyond all memory."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest

from db.errors import BadFile
from db.files import check_near, read_object
from db.formats.format import Asked
from db.formats.frames import import_frames
from db.formats.registry import FORMATS
from db.formats.runs import Runs
from db.formats.table import LONGEST_LINE, MOST_ROWS, read_table
from db.formats.transfer import bring_in, write_out
from db.store import Store
from recordings import Take, record

READ = {
    "playtape": ["*.playtape"],
    "video": ["*.mkv"],
    "frames": ["*/*.csv", "*/*.mkv", "*/about.json"],
    "open-p2p": ["*/*.proto", "*/*.mp4"],
    "vpt": ["*.jsonl", "*.mp4"],
    "lerobot": [
        "meta/info.json",
        "meta/playtape.json",
        "meta/tasks.parquet",
        "meta/episodes/*/*",
        "data/*/*",
        "videos/*/*/*",
    ],
    "owamcap": ["*/*.mcap", "*/*.mkv"],
}
"""The files of each format that are read."""
NEEDLESS = {"playtape.json", "tasks.parquet"}
"""Without these a dataset is somebody else's, and says no words. Nor need frames tell of themselves, but what is there is read."""


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A good export in each format that is read."""
    folder = tmp_path_factory.mktemp("exports")
    with Store.open(folder / "library") as store:
        session_id = record(store, Take(count=20))
        for name in READ:
            out = folder / name
            if FORMATS[name].writes:
                reports = list(write_out(store, FORMATS[name], [session_id], out, Asked()))
                assert [report.outcome for report in reports] == ["written"]
            else:
                out.mkdir()
                shutil.copy(store.session_folder(session_id) / "video-000.mkv", out / "film.mkv")
    return folder


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nothing(path: Path) -> None:
    path.symlink_to(path.parent / "gone")


@pytest.mark.skipif(os.name != "posix", reason="pipes, devices and links as POSIX has them")
@pytest.mark.parametrize("name", READ)
def test_what_is_no_plain_file_is_refused_at_once(store, exports, tmp_path, name):
    before = sorted(store.root.rglob("*"))
    for pattern in READ[name]:
        for harm in (pipe, device, nothing, Path.mkdir):
            out = tmp_path / f"{harm.__name__} {pattern.replace('/', ' ').replace('.', ' ')}"
            shutil.copytree(exports / name, out)
            (path,) = out.glob(pattern)
            path.unlink()
            harm(path)
            # As a person names it: the folder, and where it is a file that is looked for, the file itself.
            for named in (out, path) if name in ("playtape", "video", "owamcap") else (out,):
                reports = list(bring_in(store, FORMATS[name], [named], Asked("doom", "ann", dry_run=True)))
                is_needless = path.name in NEEDLESS or (path.name == "about.json" and harm is nothing)
                wanted = "imported" if is_needless else "refused"
                assert [report.outcome for report in reports] == [wanted], (harm, path, reports)
                assert wanted == "imported" or str(out) in reports[0].error
    assert sorted(store.root.rglob("*")) == before


@pytest.mark.parametrize("name", [name for name, patterns in READ.items() if len(patterns) > 1])
def test_a_link_may_lead_where_the_others_lead_and_not_elsewhere(store, exports, tmp_path, name):
    """Else a stranger's folder could have a person's own films sent on. Caches of downloads keep all files in one other folder."""
    videos = [pattern for pattern in READ[name] if pattern.endswith((".mp4", ".mkv")) or pattern.startswith("videos")]
    for alone in (True, False):
        out, blobs = tmp_path / f"out {alone}", tmp_path / f"blobs {alone}"
        shutil.copytree(exports / name, out)
        blobs.mkdir()
        for number, path in enumerate([p for pattern in (videos if alone else READ[name]) for p in out.glob(pattern)]):
            shutil.move(path, blobs / str(number))
            path.symlink_to(os.path.relpath(blobs / str(number), path.parent))
        reports = list(bring_in(store, FORMATS[name], [out], Asked("doom", "ann", dry_run=True)))
        assert [report.outcome for report in reports] == ["refused" if alone else "imported"], reports
        assert ("leads out of" in reports[0].error) == alone


def test_a_file_beside_another_is_where_it_says(tmp_path):
    inside, outside = tmp_path / "in" / "a", tmp_path / "out"
    inside.parent.mkdir()
    for path in (inside, outside):
        path.touch()
    (tmp_path / "in" / "b").symlink_to("a")
    (tmp_path / "in" / "c").symlink_to("../out")
    check_near(tmp_path / "in" / "b", tmp_path / "in", inside)
    check_near(tmp_path / "in" / "c", tmp_path / "in", tmp_path / "in" / "c")
    with pytest.raises(BadFile, match="leads out of"):
        check_near(tmp_path / "in" / "c", tmp_path / "in", inside)


def test_an_object_larger_than_it_can_be_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}' + " " * 100)
    assert read_object(path, 108) == {"a": 1}
    with pytest.raises(BadFile, match="too large"):
        read_object(path, 107)
    path.write_text('{"a": ' + "9" * 5000 + "}")
    with pytest.raises(BadFile, match="not JSON"):
        read_object(path, 10_000)


def test_a_codec_that_nobody_knows(store, exports, tmp_path):
    content = next(exports.glob("video/*.mkv")).read_bytes()
    assert content.count(b"V_MPEG4/ISO/AVC") == 1
    path = tmp_path / "film.mkv"
    path.write_bytes(content.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ"))
    for dry_run in (True, False):
        (report,) = bring_in(store, FORMATS["video"], [path], Asked("doom", "ann", dry_run=dry_run))
        assert report.outcome == "refused"
        assert str(path) in report.error
    assert not list(store.sessions_dir.iterdir())


def test_pictures_larger_than_a_session_can_have_are_not_decoded(store, tmp_path):
    path = tmp_path / "film.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 10_000, 2, "rgb24"
        for frame in (av.VideoFrame.from_ndarray(np.zeros((2, 10_000, 3), np.uint8), "rgb24"), None):
            out.mux(stream.encode(frame))
    for dry_run in (True, False):
        (report,) = bring_in(store, FORMATS["video"], [path], Asked("doom", "ann", dry_run=dry_run))
        assert report.outcome == "refused"
        assert "pictures of 10000x2" in report.error


# Tables


def frames_folder(exports: Path, tmp_path: Path, table: str | None) -> Path:
    (source,) = (path for path in (exports / "frames").iterdir() if path.is_dir())
    folder = Path(shutil.copytree(source, tmp_path / "in"))
    if table is not None:
        (folder / "frames.csv").write_text(table)
    return folder


TABLES = {
    "a line without end": ("t_s,dx\n" + "0" * (LONGEST_LINE + 1), "line of over 1,048,576 letters"),
    "a header without end": ("t_s," * LONGEST_LINE, "line of over 1,048,576 letters"),
    "columns without end": (",".join(["t_s", *(f"c{i}" for i in range(3000))]) + "\n", "3001 columns"),
    "a field without end": ('t_s,instruction\n0,"' + "a\n" * 200_000, "is not CSV: field larger than"),
    "an infinite motion": ("t_s,dx\n0,1\n1,inf\n", "line 3: dx is 'inf'"),
    "an infinite motion, far down": (
        "t_s,dx\n" + "".join(f"{i},0\n" for i in range(25_000)) + "25000,-inf\n", "line 25002: dx is '-inf'",
    ),
    "presses without end": (
        "t_s,KEY_W.presses\n" + "".join(f"{i},0\n" for i in range(25_000)) + "25000,1e9\n",
        r"line 25002: KEY_W.presses is 1e\+09",
    ),
    "times from before": ("t_s\n-1\n-2\n", "row 2: its t_s"),
    "times of an age": ("t_s\n0\n1e15\n", "claims to last"),
    "labels without end": (
        "t_s,instruction\n" + "".join(f"{i},{i % 2}\n" for i in range(100_001)), "row 100001: up to here it says over 100,000",
    ),
    "flags without end": ("t_s,flags\n0," + "|".join(map(str, range(100_001))) + "\n", "fields|field larger|over 100,000"),
    "zeros": ("t_s\n0\n\0\n", "line 3: t_s is|is not CSV"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_strangers_are_refused_with_the_place(store, exports, tmp_path, name):
    table, said = TABLES[name]
    folder = frames_folder(exports, tmp_path, table)
    tracemalloc.start()
    try:
        with pytest.raises(BadFile, match=said) as caught:
            import_frames(store, folder)
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
    assert str(folder) in str(caught.value)
    assert not list(store.sessions_dir.iterdir())


def test_labels_have_a_length_in_all(monkeypatch):
    monkeypatch.setattr("db.formats.runs.MOST_LETTERS", 10)
    runs = Runs("t.csv")
    for row, words in enumerate((["walk"], ["walk", "run"], [" "], ["run"])):
        runs.say(row, words)
    assert runs.end(4) == [(0, 2, "walk"), (1, 2, "run"), (3, 4, "run")]
    with pytest.raises(BadFile, match=r"t\.csv, row 5"):
        runs.say(4, ["on"])


def test_a_table_is_read_in_pieces_whatever_its_width(tmp_path):
    path = tmp_path / "t.csv"
    row = ",".join(["0"] * 2000)
    path.write_text("\n".join([",".join(f"c{i}" for i in range(2000)), *[row] * 450]))
    assert [len(piece["c0"]) for piece in read_table(path)] == [200, 200, 50]
    path.write_text("\n".join(["a,b", *["x" * 100_000 + ",y"] * 400]))
    assert [len(piece["a"]) for piece in read_table(path, ["a"])] == [168, 168, 64], "some 16 million letters"


def test_one_long_text_in_every_row_of_a_parquet_table_is_kept_once(store, exports, tmp_path):
    """A dictionary has it once too; written out it would be 400 MB."""
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    folder = frames_folder(exports, tmp_path, None)
    (folder / "frames.csv").unlink()
    texts = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 20, pyarrow.int32()), ["x" * (20 << 20)])
    columns = {"t_s": [i / 30 for i in range(20)], "instruction": texts, "KEY_W": [True] * 20, "note": texts}
    pq.write_table(pyarrow.table(columns), folder / "frames.parquet", store_schema=False)
    pool = pyarrow.default_memory_pool()
    before = pool.max_memory()
    tracemalloc.start()
    try:
        report = import_frames(store, folder)
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
    assert pool.max_memory() < max(before, 200 << 20)
    (edit,) = store.edits(report.session_id)
    assert (edit.start, edit.stop, edit.value) == (0, 20, "x" * 20_000)


def test_parquet_tables_of_strangers_are_refused_with_the_place(store, exports, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    folder = frames_folder(exports, tmp_path, None)
    path = folder / "frames.parquet"
    t_s = [i / 30 for i in range(20)]
    tables = [
        ({"t_s": pyarrow.nulls(MOST_ROWS + 1, pyarrow.float64())}, "over 10,000,000 rows"),
        ({"t_s": t_s, "KEY_W": [[1, 2]] * 20}, "'KEY_W' has list"),
        ({"t_s": t_s, "KEY_W": [{"a": 1}] * 20}, "'KEY_W' has struct"),
        ({"t_s": t_s, "dx": [float("nan")] * 20}, "line 2: dx is 'nan'"),
        ({"t_s": t_s, "dx": ["far"] * 20}, "line 2: dx is 'far'"),
        ({"t_s": t_s[::-1]}, "row 2: its t_s"),
    ]
    for columns, said in tables:
        pq.write_table(pyarrow.table(columns), path)
        with pytest.raises(BadFile, match=said) as caught:
            import_frames(store, folder)
        assert str(path) in str(caught.value)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:40] + bytes(8) + whole[48:], b"PAR1" + whole[4:-8] + b"\xff\xff\xff\x7fPAR1"):
        path.write_bytes(content)
        with pytest.raises(BadFile, match=r"frames\.parquet"):
            import_frames(store, folder)
    assert not list(store.sessions_dir.iterdir())
