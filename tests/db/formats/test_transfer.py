"""Ctrl+C in the middle of an import and of an export: nothing half made is left, and the same command again goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from db.formats.format import Asked
from db.formats.registry import FORMATS
from db.formats.transfer import write_out
from db.store import Store
from recordings import Take, record

ROOT = Path(__file__).parents[3]
COUNT = 4
INTERRUPT = """
import os, signal, sys
from db.__main__ import main
from db.media.video import VideoWriter
from db.progressline import ProgressLine

frames, write_frame = 0, VideoWriter.write_frame
def write(*args, **more):
    global frames
    frames += 1
    if frames == 300:
        os.kill(os.getpid(), signal.SIGINT)
    return write_frame(*args, **more)
def tell(line, share):
    if 0.35 < share < 0.5:
        os.kill(os.getpid(), signal.SIGINT)
VideoWriter.write_frame = write
ProgressLine.tell = tell
sys.exit(main(sys.argv[1:]))
"""


def run(words: list[str], *start: str, status: int = 0) -> list[dict[str, Any]]:
    """What `playtape-db` tells with --json."""
    command = [sys.executable, "-P", *(start or ("-m", "db")), *words, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(os.name == "nt", reason="a process there cannot interrupt itself so")
def test_an_interrupted_import_and_export_go_on_where_they_were(tmp_path):
    library, out, there = tmp_path / "library", tmp_path / "out", tmp_path / "there"
    with Store.open(library) as store:
        sessions = [record(store, Take(count=300)) for _ in range(COUNT)]
        list(write_out(store, FORMATS["open-p2p"], sessions, out, Asked()))  # 200 frames each
    common = ["--library", str(tmp_path / "other"), "--format", "open-p2p", "--report", str(tmp_path / "report.json")]
    (first,) = run(["import", str(out), *common], "-c", INTERRUPT, status=130)
    told = json.loads((tmp_path / "report.json").read_text())
    assert [report["session_id"] for report in told["of"]] == [first["session_id"]]
    with Store.open(tmp_path / "other") as other:
        assert [line.id for line in other.search()] == [first["session_id"]]
        assert [path.name for path in other.sessions_dir.iterdir()] == [first["session_id"]]
        again = run(["import", str(out), *common])
        assert [report["outcome"] for report in again] == ["known"] + ["imported"] * (COUNT - 1)
        assert len(other.search()) == COUNT
    words = ["export", "--all", "--out", str(there), *common]
    (first,) = run(words, "-c", INTERRUPT, status=130)
    assert [path.name for path in there.iterdir()] == [first["session_id"]]
    again = run(words)
    assert sorted(report["outcome"] for report in again) == ["known"] + ["written"] * (COUNT - 1)
    assert len(list(there.iterdir())) == COUNT
