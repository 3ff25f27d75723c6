"""What was written is recognised by names, and what others put beside it misleads nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.formats.format import Asked
from db.formats.recognition import recognise
from db.formats.registry import FORMATS
from db.formats.transfer import bring_in, write_out
from db.store import Store
from recordings import record

BOTH = [name for name, kind in FORMATS.items() if kind.reads and kind.writes]


def name_of(path: Path) -> str:
    clue = recognise(path)
    return clue.kind.name if clue else ""


@pytest.mark.parametrize("name", BOTH)
def test_what_was_written_is_recognised_as_a_folder_and_by_each_of_its_files(store, tmp_path, name):
    out = tmp_path / "out"
    list(write_out(store, FORMATS[name], [record(store)], out, Asked()))
    assert name_of(out) == name
    told = [clue for file in out.rglob("*") if file.is_file() and (clue := recognise(file))]
    assert {clue.kind.name for clue in told if not clue.kind.is_common} == {name}
    with Store.open(tmp_path / "other") as other:
        paths = {clue.path for clue in told if not clue.kind.is_common}
        reports = [list(bring_in(other, FORMATS[name], [path], Asked("doom"))) for path in paths]
        assert {report.outcome for of in reports for report in of} <= {"imported", "known", "merged"}
        assert len(other.search()) == 1


def test_videos_alone_are_videos_and_beside_facts_they_are_theirs(tmp_path):
    for name in ("a.MP4", "b.mp4", "c.mkv"):
        (tmp_path / name).touch()
    assert name_of(tmp_path) == name_of(tmp_path / "a.MP4") == "video"
    (tmp_path / "b.jsonl").touch()
    assert name_of(tmp_path / "a.MP4") == "video"
    assert recognise(tmp_path / "b.mp4").path == tmp_path / "b.jsonl"
    assert name_of(tmp_path) == "vpt"
    (tmp_path / "c.mcap").touch()
    assert name_of(tmp_path / "c.mkv") == "owamcap"
    (tmp_path / "frames.csv").touch()
    assert name_of(tmp_path / "a.MP4") == "frames"


def test_what_tells_outranks_videos_further_up(tmp_path):
    deep = tmp_path / "one" / "two"
    deep.mkdir(parents=True)
    (tmp_path / "a.mp4").touch()
    assert name_of(tmp_path) == "video"
    (deep / "meta").mkdir()
    (deep / "meta" / "info.json").touch()
    assert name_of(tmp_path) == "lerobot"


def test_nothing_is_recognised_where_nothing_tells(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert recognise(tmp_path) is recognise(tmp_path / "notes.txt") is recognise(tmp_path / "gone") is None
