"""Ctrl+C in the middle of an import and of an export: nothing half made is left, and the same command again goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from db.__main__ import main
from db.formats.format import Asked
from db.formats.registry import FORMATS
from db.formats.transfer import write_out
from db.store import Store
from recordings import Take, record

ROOT = Path(__file__).parents[3]
COUNT = 3
"""Sessions: one that is done, one that is interrupted, one that is not begun."""
FRAMES = 90
"""Of each, 60 of them at 20 Hz: an export tells of its pictures by fifties."""
INTERRUPT = """
import json, os, signal, sys
from db.__main__ import main
from db.media.video import VideoWriter
from db.progressline import ProgressLine

frames, write_packet = 0, VideoWriter.write_packet
def write(*args):
    global frames
    frames += 1
    if frames == 90:
        os.kill(os.getpid(), signal.SIGINT)
    return write_packet(*args)
def tell(line, share):
    if 0.4 < share < 0.65:
        os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs begin without
VideoWriter.write_packet = write
ProgressLine.tell = tell
for words in json.loads(sys.argv[1]):
    print(json.dumps({"status": main(words)}), flush=True)
"""


def interrupt(*commands: list[str]) -> list[list[dict[str, Any]]]:
    """What `playtape-db` tells of each with --json before Ctrl+C in the middle of the second recording.

    They have a process of their own, one after the other: it takes longer to begin than they do.
    """
    said = json.dumps([[*words, "--json"] for words in commands])
    done = subprocess.run(
        [sys.executable, "-P", "-c", INTERRUPT, said],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    told: list[list[dict[str, Any]]] = [[]]
    for line in map(json.loads, done.stdout.splitlines()):
        if "status" in line:
            assert line["status"] == 130, done.stderr
            told.append([])
        else:
            told[-1].append(line)
    return told[:-1]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What it tells when nobody interrupts it."""
    status, told = main([*words, "--json"]), capsys.readouterr()
    assert status == 0, told.err
    assert "Traceback" not in told.err
    return [json.loads(line) for line in told.out.splitlines()]


@pytest.mark.skipif(os.name == "nt", reason="a process there cannot interrupt itself so")
def test_an_interrupted_import_and_export_go_on_where_they_were(tmp_path, capsys):
    library, out, there = tmp_path / "library", tmp_path / "out", tmp_path / "there"
    with Store.open(library) as store:
        sessions = [record(store, Take(count=FRAMES)) for _ in range(COUNT)]
        list(write_out(store, FORMATS["open-p2p"], sessions, out, Asked()))
    report = tmp_path / "report.json"
    bring = ["import", str(out), "--library", str(tmp_path / "other"), "--format", "open-p2p", "--report", str(report)]
    send = ["export", "--all", "--out", str(there), "--library", str(library), "--format", "open-p2p"]
    (brought,), (sent,) = interrupt(bring, send)
    assert [told["session_id"] for told in json.loads(report.read_text())["of"]] == [brought["session_id"]]
    with Store.open(tmp_path / "other") as other:
        assert [line.id for line in other.search()] == [brought["session_id"]]
        assert [path.name for path in other.sessions_dir.iterdir()] == [brought["session_id"]]
        again = run(bring, capsys)
        assert [told["outcome"] for told in again] == ["known"] + ["imported"] * (COUNT - 1)
        assert len(other.search()) == COUNT
    assert [path.name for path in there.iterdir()] == [sent["session_id"]]
    again = run(send, capsys)
    assert sorted(told["outcome"] for told in again) == ["known"] + ["written"] * (COUNT - 1)
    assert len(list(there.iterdir())) == COUNT
