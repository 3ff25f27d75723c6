from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from annotator.jobs import start_job
from annotator.training import TrainingFailed, main, run_step
from db.errors import StoreReadOnly


def wait_until(holds, timeout_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_job_runs_on_its_own_and_its_last_words_tell_why_it_failed(tmp_path) -> None:
    job = start_job("listing", "json.tool", ["--no-such-option"], tmp_path / "logs")
    wait_until(lambda: job.has_ended)
    assert "unrecognized arguments" in job.error
    good = start_job("version", "platform", [], tmp_path / "logs")
    wait_until(lambda: good.has_ended)
    assert good.error == ""


def test_a_log_that_cannot_be_written_is_a_sentence(tmp_path) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(StoreReadOnly, match="cannot be started"):
        start_job("recorder", "platform", [], tmp_path / "logs")


@pytest.fixture
def trainer(tmp_path, monkeypatch) -> Path:
    """A trainer that notes how it was called and answers as the real one does, found before it."""
    package = tmp_path / "path" / "trainer"
    package.mkdir(parents=True)
    calls = tmp_path / "calls"
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import json, pathlib, sys\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "with calls.open('a') as file: file.write(' '.join(sys.argv[1:]) + '\\n')\n"
        "if sys.argv[1] == 'policy':\n"
        "    print(json.dumps({'error': 'The disk is full.'})); sys.exit(1)\n"
        "print('a line for people')\n"
        "print(json.dumps({'id': 'd1', 'model': 'm1'}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    return calls


def test_training_is_one_chain_that_ends_at_the_first_failure(trainer, tmp_path, capsys) -> None:
    assert main(["--library", str(tmp_path), "--minutes", "2", "--game", "Maze"]) == 1
    assert trainer.read_text().splitlines() == [
        f"dataset --library {tmp_path} --game Maze --json",
        f"idm --library {tmp_path} --dataset d1 --minutes 2 --json",
        f"policy --library {tmp_path} --dataset d1 --minutes 2 --json",
    ]
    assert capsys.readouterr().err.strip().endswith("The disk is full.")


def test_a_step_that_says_nothing_failed(monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(TrainingFailed, match="dataset ended"):
        run_step(["dataset"])
