"""`playtape-db import` and `export` as people use them: what is said where something is forgotten, wrong, or in the other folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from db.__main__ import main
from db.errors import DiskFull
from db.formats.format import Asked
from db.formats.interchange import export_session
from db.formats.registry import FORMATS
from db.formats.steadyvideo import write_steady
from db.formats.transfer import write_out
from db.store import Store
from db.upkeep.withdrawal import withdraw, write_notice
from recordings import Take, barcode, frame_times, record

ROOT = Path(__file__).parents[3]


@pytest.fixture
def told(store, tmp_path, capsys):
    """Calls a command on a library: its status, and what it says on both streams."""

    def call(command: str, *words: object, library: Path = tmp_path / "other") -> tuple[int, str, str]:
        status = main([command, *map(str, words), "--library", str(library)])
        return status, *capsys.readouterr()

    return call


def exported(store, name: str, out: Path, count: int = 1) -> list[str]:
    sessions = [record(store) for _ in range(count)]
    list(write_out(store, FORMATS[name], sessions, out, Asked()))
    return sessions


def test_the_format_is_told_by_names_and_every_line_names_its_source(store, tmp_path, told):
    out = tmp_path / "von Jörg, 記録"
    exported(store, "vpt", out)
    (out / "notes.jsonl").write_text("{}\n")
    status, said, wrong = told("import", out)
    assert status == 1
    *lines, last = [line for line in said.splitlines() if not line.startswith("  - ")]
    (source,) = out.glob("*-*.jsonl")
    assert [line.split("  ")[1:] for line in lines] == [["imported, 20 frames, 1.0 s", str(source)]]
    assert last == "1 imported, 1 refused."
    assert "notes.jsonl has no video" in wrong
    (out / "notes.jsonl").unlink()
    _, said, _ = told("import", source)
    assert said.splitlines()[0].endswith(f"  here already  {source}")


def test_what_is_of_two_formats_or_of_none_is_asked_for(store, tmp_path, told):
    exported(store, "vpt", tmp_path / "one")
    exported(store, "owamcap", tmp_path / "two")
    (tmp_path / "none").mkdir()
    status, said, wrong = told("import", tmp_path / "one", tmp_path / "two")
    assert (status, said) == (1, "")
    assert "one like vpt" in wrong
    assert "two like owamcap" in wrong
    status, said, wrong = told("import", tmp_path / "none")
    assert (status, said) == (1, "")
    assert "name it with --format" in wrong
    assert not (tmp_path / "other").exists()


def test_a_folder_of_another_format_is_told_by_its_name(store, tmp_path, told):
    exported(store, "owamcap", tmp_path / "out")
    status, _, wrong = told("import", "--format", "vpt", tmp_path / "out")
    assert status == 1
    assert "holds nothing of the format vpt. It looks like owamcap, by " in wrong
    status, _, wrong = told("import", "--format", "vpt", store.root / "cache")
    assert wrong.endswith("holds nothing of the format vpt.\n")


def test_videos_without_a_game_are_refused_in_one_sentence(tmp_path, told):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"")
    status, said, wrong = told("import", tmp_path)
    assert (status, said) == (1, "")
    assert wrong.count("--game") == wrong.count("\n") == 1


@pytest.mark.parametrize("words", [["--game", "nosuch"], ["--text", "nosuch"], ["--all", "--grade", "bad"]])
def test_an_export_of_nothing_says_so_and_makes_nothing(store, tmp_path, told, words):
    record(store)
    status, said, wrong = told("export", *words, "--out", tmp_path / "out", library=store.root)
    assert (status, said) == (1, "")
    assert wrong.endswith("nothing is exported.\n")
    assert not (tmp_path / "out").exists()


def test_a_report_that_cannot_be_written_is_known_before_anything_is_done(store, tmp_path, told):
    for place in (tmp_path, tmp_path / "nowhere" / "report.json"):
        status, said, wrong = told(
            "export", record(store), "--out", tmp_path / "out", "--report", place, library=store.root
        )
        assert (status, said) == (1, "")
        assert str(place) in wrong
    assert not (tmp_path / "out").exists()


def test_a_report_of_what_was_finished_is_there_where_it_ended_early(store, tmp_path, told, monkeypatch):
    sessions = [record(store) for _ in range(3)]
    with monkeypatch.context() as full:
        full.setattr("db.formats.sessionfile.export_session", _full_at(sessions[1]))
        words = ["--out", tmp_path / "out", "--report", tmp_path / "report.json"]
        status, said, wrong = told("export", *sessions, *words, library=store.root)
    assert status == 1
    assert said.endswith(f"{sessions[0]}.playtape\n")
    assert "no room" in wrong
    assert json.loads((tmp_path / "report.json").read_text())["outcomes"] == {"written": 1}


def _full_at(session_id: str):
    def export(store, wanted, target, **more):
        if wanted == session_id:
            raise DiskFull("There is no room left.")
        return export_session(store, wanted, target, **more)

    return export


@pytest.mark.parametrize("said", ["rate", "rate=", "=20"])
def test_an_option_without_a_name_or_a_value_is_refused(store, tmp_path, told, said):
    words = ["--format", "lerobot", "--out", tmp_path / "out", "--option", said]
    status, _, wrong = told("export", record(store), *words, library=store.root)
    assert (status, wrong) == (1, f"playtape-db: --option takes NAME=VALUE, not {said!r}.\n")


def test_an_export_into_one_dataset_names_its_sessions(store, tmp_path, told):
    sessions = [record(store) for _ in range(2)]
    words = ["--format", "webdataset", "--out", tmp_path / "out"]
    _, said, _ = told("export", *sessions, *words, library=store.root)
    assert [line.split("  ")[0] for line in said.splitlines() if "frames," in line] == sessions
    assert said.endswith("2 written.\n")
    _, said, _ = told("export", *sessions, *words, library=store.root)
    assert said.endswith("2 there already.\n")


def test_what_is_refused_for_one_reason_is_told_once(tmp_path, told):
    (tmp_path / "junk.playtape").write_bytes(b"junk")
    status, said, wrong = told("import", *[tmp_path / "junk.playtape"] * 3)
    assert (status, said) == (1, "3 refused.\n")
    assert wrong.count("\n") == 1
    status, said, _ = told("import", *[tmp_path / "junk.playtape"] * 3, "--json")
    assert [json.loads(line)["outcome"] for line in said.splitlines()] == ["refused"] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="names there are Unicode")
def test_names_that_are_no_utf8_are_told_and_reported(store, tmp_path):
    exported(store, "playtape", tmp_path)
    (archive,) = tmp_path.glob("*.playtape")
    named = archive.rename(archive.with_name(os.fsdecode(b"J\xf6rg.playtape")))
    words = ["import", str(tmp_path), "--library", str(tmp_path / "other"), "--report", str(tmp_path / "report.json")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}
    for more in ([], ["--json"]):
        command = [sys.executable, "-P", "-m", "db", *words, *more]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert rb"J\udcf6rg.playtape" in done.stdout
        assert json.loads((tmp_path / "report.json").read_text())["of"][0]["file"] == str(named)


@pytest.mark.parametrize("place", [".", "sessions", "cache/new"])
def test_nothing_is_exported_into_the_library_itself(store, told, place):
    before = sorted(store.root.rglob("*"))
    words = ["--format", "vpt", "--out", store.root / "sessions" / ".." / place]
    status, said, wrong = told("export", record(store), *words, library=store.root)
    assert (status, said) == (1, "")
    assert "is inside the library" in wrong
    assert not [path for path in store.root.rglob("*.jsonl") if path not in before]
    assert not (store.root / "cache" / "new").exists()


def test_a_folder_of_sessions_is_taken_whole_and_what_was_taken_back_is_not(store, tmp_path, told):
    folder = tmp_path / "team"
    deep = folder / "von Jörg"
    deep.mkdir(parents=True)
    (back, kept, here) = (record(store) for _ in range(3))
    for session_id, place in ((back, folder), (kept, deep), (here, tmp_path)):
        export_session(store, session_id, place)
    assert told("import", tmp_path / f"{here}.playtape")[0] == 0
    for session_id in (back, here):
        write_notice(withdraw(store, session_id), deep)
    status, said, wrong = told("import", folder, "--dry-run")
    assert (status, said.splitlines()[-1]) == (0, "2 taken back, 2 would be imported.")
    status, said, wrong = told("import", folder)
    assert (status, said.splitlines()[-1]) == (1, "2 taken back, 1 refused, 1 imported.")
    assert f"Session {here} was withdrawn" in said
    assert f"Session {back} was withdrawn" in wrong
    with Store.open(tmp_path / "other") as other:
        assert [line.id for line in other.search()] == [kept]


def test_videos_are_found_in_folders_of_folders(tmp_path, told):
    film = tmp_path / "films" / "May" / "a.MP4"
    film.parent.mkdir(parents=True)
    write_steady(film, (av.VideoFrame.from_ndarray(barcode(i), format="bgra") for i in range(9)), (64, 48), 20, gop=20)
    status, said, _ = told("import", tmp_path / "films", "--game", "g")
    assert status == 0
    assert said.endswith(f"  {film}\n")


@pytest.mark.parametrize("place", [".", "sessions", "sessions/{}"])
def test_a_library_in_the_place_of_recordings_is_told_so(store, told, place):
    status, _, wrong = told("import", store.root / place.format(record(store)))
    assert status == 1
    assert wrong.endswith("is of a Playtape library; export the sessions there, and import the files that makes.\n")
    assert wrong.count("\n") == 1


@pytest.mark.parametrize("words", [["--all"], ["--game", "testgame"]])
def test_what_is_new_comes_last_and_the_rest_of_a_dataset_stays(store, tmp_path, told, words):
    words = [*words, "--format", "webdataset", "--option", "shard=1", "--out", tmp_path / "out", "--json"]
    outcomes = []
    for starts_s in ((1, 2), (3,)):
        takes = [Take(times_ns=frame_times(20, start_ns=start_s * 10**9)) for start_s in starts_s]
        sessions = [record(store, take) for take in takes]
        _, said, _ = told("export", *words, library=store.root)
        outcomes.append([json.loads(line)["outcome"] for line in said.splitlines()])
    assert outcomes == [["written"] * 2, ["known", "known", "written"]]
    assert json.loads(said.splitlines()[-1])["session_id"] == sessions[0]


def test_a_session_keeps_its_own_game_and_says_so(store, tmp_path, told):
    file = export_session(store, record(store), tmp_path)
    for more in (["--dry-run"], [], []):
        _, said, _ = told("import", file, "--game", "another", *more)
        assert "dropped: the game or player that was named" in said
    with Store.open(tmp_path / "other") as other:
        assert [line.game for line in other.search()] == ["testgame"]
