from __future__ import annotations

import time

import pytest

from annotator.jobs import start_job
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


def test_what_was_asked_to_stop_has_no_error(tmp_path, monkeypatch) -> None:
    code = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\nprint('up', flush=True)\ntime.sleep(60)"
    (tmp_path / "waiter.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    job = start_job("waiter", "waiter", [], tmp_path / "logs")
    wait_until(lambda: "up" in job.log.read_text())
    job.stop()
    wait_until(lambda: job.has_ended)
    assert job.error == ""
