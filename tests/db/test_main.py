from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from db.__main__ import build_parser, main
from db.labelling.labels import Edit, LabelKind, Review, new_id
from db.library.index import NAME
from db.recording.session import SessionState, read_meta, write_meta
from db.store import Store
from recordings import Take, frame_times, record

ROOT = Path(__file__).parents[2]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A library, made once, with a long and a short session; the second is accepted and labelled."""
    folder = tmp_path_factory.mktemp("stocked") / "library"
    with Store.open(folder) as store:
        ids = [record(store, Take(times_ns=frame_times(56, 100_000_000))), record(store, Take(game="doom"))]
        kind = LabelKind.INSTRUCTION
        edit = Edit(session_id=ids[1], kind=kind, start=2, stop=9, value="open the door", author="ann")
        store.commit([edit])
        store.set_review(ids[1], Review.ACCEPTED, "ann")
    return folder, ids


@pytest.fixture
def sessions(library: Path, stocked: tuple[Path, list[str]]) -> list[str]:
    """The sessions of a copy of that library, which the test may change."""
    shutil.copytree(stocked[0], library)
    return stocked[1]


def run(*words: object, library: Path | None, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PLAYTAPE_LIBRARY"}
    environment["PYTHONPATH"] = str(ROOT)
    if library is not None:
        environment["PLAYTAPE_LIBRARY"] = str(library)
    command = [sys.executable, "-P", "-m", "db", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **more)


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """A command in this process: its exit status and what it printed on both channels."""
    status = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


def lines_of(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    parser = build_parser()
    names = ("list", "show", "verify", "recover", "rebuild", "export", "import", "withdraw", "delete")
    assert all(name in parser.format_help() for name in names)
    for name in names:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        text = capsys.readouterr().out
        assert "--library DIR" in text
        assert "--json" in text
        assert "PLAYTAPE_LIBRARY" in text


def test_as_a_program(sessions: list[str], library: Path) -> None:
    listed = run("list", "--json", library=library)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line["id"] for line in lines_of(listed.stdout)] == sessions[::-1]
    wrong = run("show", "nothing", library=library)
    assert wrong.returncode == 1
    assert wrong.stderr == f"playtape-db: There is no session nothing in {library}.\n"
    assert wrong.stdout == ""


@pytest.mark.parametrize("words", [[], ["dance"], ["list", "--grade", "superb"], ["show"]])
def test_a_wrong_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: playtape-db" in capsys.readouterr().err


def test_a_reader_that_stops_early_is_no_error_to_see(sessions: list[str], library: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "db", "list", "--library", str(library)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_the_library_comes_from_the_option_before_the_environment(
    sessions: list[str],
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PLAYTAPE_LIBRARY", str(tmp_path / "nowhere"))
    status, out, err = call(capsys, "list")
    assert (status, out) == (1, "")
    assert err == f"playtape-db: There is no Playtape library in {tmp_path / 'nowhere'}.\n"
    assert not (tmp_path / "nowhere").exists()
    assert call(capsys, "list", "--library", library)[0] == 0
    monkeypatch.setenv("PLAYTAPE_LIBRARY", str(library))
    assert call(capsys, "list")[0] == 0


def test_errors_with_json_are_json_too(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "list", "--library", library, "--json")
    assert status == 1
    assert lines_of(out) == [{"error": f"There is no Playtape library in {library}.", "kind": "NotFound"}]
    assert err.count("\n") == 1


def test_list(sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "list", "--library", library)
    assert status == 0
    assert all(session_id in out for session_id in sessions)
    assert out.endswith("2 sessions, 0.00 hours\n")
    for words, expected in {
        ("--game", "doom"): sessions[1:],
        ("--review", "accepted"): sessions[1:],
        ("--review", "unlabelled"): sessions[:1],
        ("--text", "open the"): sessions[1:],
        ("--player", "nobody"): [],
        ("--grade", "bad"): [],
    }.items():
        status, out, _ = call(capsys, "list", "--library", library, "--json", *words)
        assert (status, [line["id"] for line in lines_of(out)]) == (0, expected), words


def test_show(sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "show", sessions[1][-8:], "--library", library)
    assert status == 0
    assert "open the door" in out
    assert "It is 1 s long (at least 5 s)." in out
    status, out, _ = call(capsys, "show", sessions[1], "--library", library, "--json")
    facts = lines_of(out)[0]
    assert facts["presses"] == {"W": 2, "LMB": 2}
    assert facts["labels"][0]["value"] == "open the door"
    assert (facts["review"], facts["frames"], facts["duration_s"]) == ("accepted", 30, 1.0)


def test_show_keeps_a_second_reading_blind(
    sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = Edit(
        session_id=sessions[1], kind=LabelKind.INSTRUCTION, start=3, stop=8, value="hide", author="eve",
        source="second:eve", suggested=True,
    )  # fmt: skip
    with Store.open(library) as store:
        store.commit([blind])
    for more in ((), ("--json",)):
        _, out, _ = call(capsys, "show", sessions[1], "--library", library, *more)
        assert "hide" not in out
        assert "open the door" in out


def test_verify(sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "verify", "--library", library)
    assert status == 0
    assert out.count("whole") == 2
    video = library / "sessions" / sessions[0] / "video-000.mkv"
    video.write_bytes(video.read_bytes()[:5000])
    status, out, _ = call(capsys, "verify", "--library", library, "--json")
    assert status == 1
    assert {line["id"]: bool(line["problems"]) for line in lines_of(out)} == {sessions[0]: True, sessions[1]: False}
    assert call(capsys, "verify", sessions[1], "--library", library)[0] == 0


def cut_off(library: Path, session_id: str) -> None:
    """Makes a session of the library look cut off, and the index not know it."""
    folder = library / "sessions" / session_id
    write_meta(folder, read_meta(folder).model_copy(update={"state": SessionState.RECORDING}))
    for path in library.glob(f"{NAME}*"):
        path.unlink()
    Store.open(library).close()


@pytest.mark.parametrize("as_json", [True, False])
def test_recover(sessions: list[str], library: Path, as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--json"] if as_json else []
    status, out, _ = call(capsys, "recover", "--library", library, *flags)
    assert (status, out) == (0, "" if as_json else "Nothing was cut off.\n")
    cut_off(library, sessions[0])
    status, out, _ = call(capsys, "recover", "--library", library, *flags)
    assert status == 0
    if as_json:
        assert {"id": sessions[0], "frames": 56, "error": ""} in lines_of(out)
    else:
        assert f"{sessions[0]}  recovered with 56 frames" in out


def test_any_command_recovers_at_its_launch(
    sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_off(library, sessions[0])
    status, out, err = call(capsys, "list", "--library", library, "--json")
    assert status == 0
    assert {line["id"] for line in lines_of(out)} == set(sessions)
    assert f"Session {sessions[0]} was cut off and is in order again, with 56 frames.\n" in err
    assert call(capsys, "list", "--library", library)[2] == ""


def test_damage_found_at_launch_is_said_and_stops_nothing(
    sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_off(library, sessions[0])
    (library / "sessions" / sessions[0] / "facts.sqlite").write_bytes(b"junk")
    status, out, err = call(capsys, "list", "--library", library, "--json")
    assert (status, [line["id"] for line in lines_of(out)]) == (0, sessions[1:])
    assert "facts.sqlite" in err
    status, out, _ = call(capsys, "recover", "--library", library, "--json")
    assert status == 1
    assert lines_of(out)[0]["error"]


def test_rebuild(sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in library.glob(f"{NAME}*"):
        path.unlink()
    status, _, err = call(capsys, "list", "--library", library)
    assert status == 1
    assert "playtape-db rebuild" in err
    assert call(capsys, "rebuild", "--library", library)[:2] == (0, "2 sessions entered.\n")
    status, out, _ = call(capsys, "show", sessions[1], "--library", library, "--json")
    assert lines_of(out)[0]["review"] == "accepted"
    (library / "sessions" / sessions[0] / "video-000.mkv").unlink()
    status, out, _ = call(capsys, "rebuild", "--library", library, "--json")
    assert status == 1
    assert lines_of(out)[0]["entered"] == 1
    assert "video-000.mkv" in lines_of(out)[0]["problems"][0]


def test_export_and_import(
    sessions: list[str], library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out_dir, there = tmp_path / "not" / "there yet", tmp_path / "other"
    status, out, _ = call(capsys, "export", *sessions, "--out", out_dir, "--library", library, "--json")
    files = [Path(line["file"]) for line in lines_of(out)]
    assert status == 0
    assert sorted(out_dir.iterdir()) == sorted(files)
    assert [path.name for path in files] == [f"{session_id}.playtape" for session_id in sessions]
    status, out, _ = call(capsys, "import", *files, "--library", there, "--json")
    assert status == 0
    assert [(line["session_id"], line["created"]) for line in lines_of(out)] == [(s, True) for s in sessions]
    status, out, _ = call(capsys, "import", *files, "--library", there)
    assert status == 0
    known = [f"{one}  known; 0 new edits merged  {file}\n" for one, file in zip(sessions, files, strict=True)]
    assert out == "".join(known) + "2 merged.\n"


def test_refusals_are_one_sentence(
    sessions: list[str], library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "junk.playtape").write_bytes(b"junk")
    (tmp_path / "taken").write_text("a file")
    for words in (
        ["import", tmp_path / "junk.playtape"],
        ["import", tmp_path / "missing.playtape"],
        ["export", sessions[0], "--out", tmp_path / "taken"],
        ["export", new_id()],
        ["verify", "zzz"],
        ["show", sessions[0][:2]],
    ):
        status, out, err = call(capsys, *words, "--library", library)
        assert (status, out) == (1, ""), words
        assert err.startswith("playtape-db: ")
        assert err.endswith(".\n")
        assert err.count("\n") == 1
    (library / NAME).write_bytes(b"junk" * 2000)
    status, _, err = call(capsys, "list", "--library", library)
    assert status == 1
    assert "playtape-db rebuild" in err


def test_withdraw(sessions: list[str], library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    exported = tmp_path / f"{sessions[1]}.playtape"
    assert call(capsys, "export", sessions[1], "--library", library, "--out", tmp_path)[0] == 0
    assert call(capsys, "import", exported, "--library", other)[0] == 0
    status, out, _ = call(capsys, "withdraw", sessions[1][-8:], "--library", library, "--out", tmp_path / "n", "--json")
    assert (status, lines_of(out)[0]["notice"]) == (0, str(tmp_path / "n"))
    status, out, _ = call(capsys, "withdraw", *sessions, "--library", library, "--out", tmp_path)
    assert status == 0
    assert f"Session {sessions[0]} was withdrawn by ann on " in out
    notice = tmp_path / f"{sessions[1]}.playtape-withdrawal"
    assert notice.exists()
    status, out, _ = call(capsys, "list", "--library", library)
    assert out.count("withdrawn") == 2
    assert "2 sessions" in out
    status, _, err = call(capsys, "export", sessions[1], "--library", library, "--out", tmp_path)
    assert status == 1
    assert "was withdrawn by ann" in err
    status, out, _ = call(capsys, "import", notice, "--library", other)
    assert (status, "it was removed for good" in out) == (0, True)
    status, out, _ = call(capsys, "import", notice, "--library", other, "--json")
    assert (status, lines_of(out)[0]["removed"]) == (0, False)
    status, _, err = call(capsys, "import", exported, "--library", other)
    assert status == 1
    assert "was withdrawn by ann" in err
    assert call(capsys, "list", "--library", other)[1] == "0 sessions, 0.00 hours\n"


def test_what_cannot_be_withdrawn(
    sessions: list[str], library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = call(capsys, "withdraw", "nothing", "--library", library, "--out", tmp_path)
    assert (status, "There is no session nothing" in err) == (1, True)
    status, _, err = call(capsys, "withdraw", *sessions, "--library", library, "--out", tmp_path / "one")
    assert (status, "not a folder" in err) == (1, True)
    assert "withdrawn" not in call(capsys, "list", "--library", library)[1]


def test_delete(sessions: list[str], library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    thumbnail = library / "cache" / "thumbnails" / f"{sessions[0]}-1.jpg"
    thumbnail.parent.mkdir()
    thumbnail.write_bytes(b"picture")
    assert call(capsys, "delete", sessions[0], "--library", library)[:2] == (0, f"{sessions[0]}  deleted\n")
    assert not thumbnail.exists()
    assert not (library / "sessions" / sessions[0]).exists()
    _, out, _ = call(capsys, "list", "--library", library, "--json")
    assert [line["id"] for line in lines_of(out)] == sessions[1:]
    assert call(capsys, "delete", sessions[0], "--library", library)[0] == 1


def test_annotations_are_written_to_a_file(library, sessions, tmp_path, capsys) -> None:
    table, objects = tmp_path / "said.csv", tmp_path / "said.JSON"
    status, out, _ = call(capsys, "annotations", "--out", table, "--library", library, "--game", "doom")
    assert (status, out) == (0, f"1 span of 1 session written to {table}.\n")
    assert "open the door" in table.read_text()
    status, out, _ = call(capsys, "annotations", "--out", objects, "--library", library, "--json", sessions[1][-6:])
    assert (status, json.loads(out)["spans"]) == (0, 1)
    assert [span["value"] for span in json.loads(objects.read_text())["spans"]] == ["open the door"]
    status, _, err = call(capsys, "annotations", "--out", tmp_path / "no" / "x.csv", "--library", library)
    assert (status, "There is no folder" in err) == (1, True)
