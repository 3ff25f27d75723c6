"""Asks a local command: a JSON request on its stdin with the paths of the pictures, the reply on its stdout."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO

from annotator.vision.failures import BadReply, VisionFailed
from annotator.vision.patience import Cancelled, Patience
from annotator.vision.request import Request
from annotator.vision.setup import VisionSetup
from db.errors import from_os_error

MOST_BYTES = 4 * 2**20
_SHOWN = 300
_LOOKS_S = 0.05
_GRACE_S = 0.5
"""For a pipe to be read to its end once the process is gone."""


def ask_command(setup: VisionSetup, request: Request, cancelled: Cancelled) -> str:
    """Runs the command once; the pictures are there, in a folder of this account alone, until it has ended.

    Raises VisionFailed where it cannot be run or fails, BadReply for an answer beyond all size, Stopped, VisionBusy.
    """
    try:
        words = shlex.split(setup.command)
    except ValueError as error:
        raise VisionFailed(f"The command cannot be understood ({error}); mend it in the set-up.") from None
    if not words:
        raise VisionFailed("There is no command to run; write one in the set-up.")
    try:
        folder = tempfile.TemporaryDirectory(prefix="playtape-vision-", ignore_cleanup_errors=True)
    except OSError as error:
        raise from_os_error(error, tempfile.gettempdir()) from None
    with folder as name:
        try:
            question = json.dumps(_write_pictures(setup, request, Path(name))).encode()
        except OSError as error:
            raise from_os_error(error, name) from None
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise VisionFailed(f"The command {words[0]} cannot be run: {error.strerror}.") from None
        return _converse(process, words[0], question, setup.timeout_s, cancelled)


def _write_pictures(setup: VisionSetup, request: Request, folder: Path) -> dict[str, object]:
    images = []
    for number, shot in enumerate(request.shots):
        path = folder / f"{number:04d}.jpg"
        path.write_bytes(shot.jpeg)
        images.append({"path": str(path), "time_s": round(shot.time_s, 3)})
    return {"model": setup.model, "system": request.system, "text": request.text, "images": images}


def _converse(
    process: subprocess.Popen[bytes], name: str, question: bytes, timeout_s: float, cancelled: Cancelled
) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    said, complained = _Listener(process.stdout, process), _Listener(process.stderr, process)
    with Patience(timeout_s, cancelled, lambda: _end(process)) as patience:
        try:
            with contextlib.suppress(OSError), process.stdin:  # one that does not read still may answer
                process.stdin.write(question)
            answer, complaint = said.join(patience), complained.join(patience)
            patience.check()
            status = process.wait()
            patience.check()
        finally:
            _end(process)  # what it started, too
            for listener in (said, complained):
                listener.close()
    if said.is_too_long or complained.is_too_long:
        raise BadReply(f"The command {name} said more than {MOST_BYTES // 2**20} MiB and was ended.")
    if status != 0:
        words = complaint.decode(errors="replace").strip().splitlines()
        raise VisionFailed(
            f"The command {name} ended with status {status}: {(words or ['it said nothing'])[-1][:_SHOWN]}"
        )
    return answer.decode(errors="replace")


class _Listener:
    """Reads a pipe to its end in a thread of its own, `join` gives what came; too much ends the process.

    A program that left its group and kept the pipe cannot be ended: its thread is left behind then, and ends with it.
    """

    def __init__(self, pipe: IO[bytes], process: subprocess.Popen[bytes]) -> None:
        self.is_too_long = False
        self._pipe, self._process = pipe, process
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def join(self, patience: Patience) -> bytes:
        """What came, or what had come when patience was at its end."""
        while self._thread.is_alive():
            self._thread.join(_LOOKS_S)
            if patience.has_ended:
                self._thread.join(_GRACE_S)
                break
        return b"".join(self._parts)

    def close(self) -> None:
        self._thread.join(_GRACE_S)

    def _listen(self) -> None:
        count = 0
        with self._pipe:
            while part := os.read(self._pipe.fileno(), 65536):
                count += len(part)
                if count > MOST_BYTES:
                    self.is_too_long = True
                    _end(self._process)
                    return
                self._parts.append(part)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and what it has started; nothing where that has ended."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
