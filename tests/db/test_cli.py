from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from platformdirs import user_data_path

from db.cli import add_common, emit, run
from db.errors import DiskFull
from db.locations import default_library, default_person


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="thing")
    add_common(made)
    return made


def test_exit_statuses(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    def full(_: argparse.Namespace) -> int:
        raise DiskFull("The disk is full.")

    assert run(lambda args: None, parser, []) == 0
    assert run(lambda args: 3, parser, []) == 3
    assert run(interrupted, parser, []) == 130
    assert run(full, parser, []) == 1
    assert capsys.readouterr().err == "thing: interrupted.\nthing: The disk is full.\n"
    with pytest.raises(SystemExit) as ended:
        run(lambda args: 0, parser, ["--nonsense"])
    assert ended.value.code == 2


def test_a_bug_shows_itself(parser: argparse.ArgumentParser) -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda args: int(1 / 0), parser, [])


def test_output_for_people_and_for_programs(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    emit(parser.parse_args([]), {"a": 1}, "one")
    emit(parser.parse_args(["--json"]), {"a": "ü", "path": Path("x")}, "one")
    assert capsys.readouterr().out == 'one\n{"a": "ü", "path": "x"}\n'


def test_where_a_library_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYTAPE_LIBRARY", str(tmp_path))
    assert default_library() == tmp_path
    monkeypatch.setenv("PLAYTAPE_LIBRARY", "~/tapes")
    assert default_library() == Path.home() / "tapes"
    monkeypatch.delenv("PLAYTAPE_LIBRARY")
    assert default_library() == user_data_path("playtape", appauthor=False)


def test_who_sits_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYTAPE_PERSON", "ann")
    assert default_person() == "ann"
    monkeypatch.delenv("PLAYTAPE_PERSON")
    assert default_person()
