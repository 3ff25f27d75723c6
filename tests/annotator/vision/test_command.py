"""A local command is asked: pictures as files, the reply on its stdout."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import sys
import threading
from pathlib import Path

import pytest

from annotator.vision.command import ask_command
from annotator.vision.failures import BadReply, Stopped, VisionBusy, VisionFailed
from annotator.vision.request import Request, Shot
from annotator.vision.setup import VisionSetup
from db.errors import DiskFull

REQUEST = Request("watch", "one picture", (Shot(0, 0.0, b"\xff\xd8one"),), 0.0, 2.0)


def python(code: str, **more: object) -> VisionSetup:
    command = shlex.join([sys.executable, "-c", code])
    return VisionSetup.model_validate({"kind": "command", "command": command, "timeout_s": 20.0, **more})


def test_it_reads_the_pictures_and_answers() -> None:
    code = (
        "import json, os, sys; q = json.load(sys.stdin); path = q['images'][0]['path'];"
        "data = open(path, 'rb').read();"
        "print(json.dumps([q['system'], q['text'], len(data), oct(os.stat(os.path.dirname(path)).st_mode & 0o777), path]))"
    )
    system, text, size, mode, path = __import__("json").loads(ask_command(python(code), REQUEST, lambda: False))
    assert (system, text, size, mode) == ("watch", "one picture", 5, "0o700")
    assert not Path(path).exists()


def test_one_that_never_reads_may_answer_too() -> None:
    large = Request("watch", "x" * 500_000, REQUEST.shots, 0.0, 2.0)
    assert ask_command(python("print('yes')"), large, lambda: False).strip() == "yes"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('no model here', file=sys.stderr); sys.exit(3)", "status 3: no model here"),
        ("import sys; sys.exit(1)", "it said nothing"),
    ],
)
def test_a_failure_says_its_last_line(code: str, words: str) -> None:
    with pytest.raises(VisionFailed, match=words):
        ask_command(python(code), REQUEST, lambda: False)


def test_what_cannot_be_run_is_told() -> None:
    for command in ("/nowhere/at-all", "'"):
        with pytest.raises(VisionFailed):
            ask_command(VisionSetup(kind="command", command=command), REQUEST, lambda: False)


def test_no_room_for_the_pictures_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFull):
        ask_command(python("print('yes')"), REQUEST, lambda: False)


def test_too_much_and_too_late_are_ended() -> None:
    with pytest.raises(BadReply, match="MiB"):
        ask_command(python("while True: print('x' * 65536)"), REQUEST, lambda: False)
    with pytest.raises(VisionBusy, match="within 1 s"):
        ask_command(python("import time; time.sleep(60)", timeout_s=1.0), REQUEST, lambda: False)


def test_one_that_leaves_a_daemon_with_its_pipe_is_given_up(tmp_path: Path) -> None:
    mark = tmp_path / "daemon"
    code = (
        "import pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True);"
        f"pathlib.Path({str(mark)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    try:
        with pytest.raises(VisionBusy, match="within"):
            ask_command(python(code, timeout_s=2.0), REQUEST, lambda: False)
    finally:
        os.kill(int(mark.read_text()), signal.SIGKILL)
        for thread in threading.enumerate():
            if thread.name == "listener":
                thread.join(10)


def test_a_person_stops_it_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    code = (
        "import pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(mark)!r}).write_text(str(child.pid)); time.sleep(60)"
    )
    with pytest.raises(Stopped):
        ask_command(python(code), REQUEST, lambda: mark.exists() and bool(mark.read_text()))
    stat = Path(f"/proc/{mark.read_text()}/stat")
    wait = threading.Event()
    for _ in range(100):  # whoever adopts it still has to bury it
        if not stat.exists() or stat.read_text().split(")")[-1].split()[0] == "Z":
            break
        wait.wait(0.05)
    else:
        raise AssertionError("what the command started still runs")
