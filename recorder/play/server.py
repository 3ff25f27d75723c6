"""`trainer serve` as a process of its own, or one that runs elsewhere."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from db.errors import WireError
from db.wire import Peer, connect, read_key

READY_S = 180.0
STOP_S = 10.0


class ModelServer:
    """Starts a server of one model, waits until it is ready, and ends it with `close`."""

    def __init__(self, command: list[str]) -> None:
        """command: see `serve_command`. Raises WireError, with the server's own last words, if it does not get ready."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="model server's output", daemon=True)
        self._reader.start()
        try:
            self._address, self._key = self._await_ready()
        except BaseException:
            self.close()
            raise

    def connect(self) -> Peer:
        """A new connection. Raises WireError."""
        return connect(self._address, self._key)

    def close(self) -> None:
        """Ends the server and waits for it. Does nothing the second time."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _read(self) -> None:
        """Reads on to the end, so that the server never waits for a reader."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _await_ready(self) -> tuple[str | tuple[str, int], bytes]:
        try:
            line = self._lines.get(timeout=READY_S)
        except queue.Empty:
            raise WireError(f"The model's server was not ready within {READY_S:g} s.") from None
        try:
            facts = json.loads(line)
            return parse_address(facts["address"]), read_key(Path(facts["key_file"]))
        except (ValueError, KeyError, TypeError):
            raise WireError(f"The model's server did not start: {self._last_words(line)}") from None

    def _last_words(self, line: str) -> str:
        self._process.wait(STOP_S)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip() or line.strip()
        return said.splitlines()[-1] if said else "it said nothing."


def serve_command(model: str, library: Path, device: str | None) -> list[str]:
    """How `trainer serve` is started; -P keeps the current folder out of the module path."""
    command = [sys.executable, "-P", "-m", "trainer", "serve", "--model", model, "--library", str(library)]
    return [*command, "--device", device] if device else command


def parse_address(text: str) -> str | tuple[str, int]:
    """HOST:PORT as a pair; anything else is the path of a local socket."""
    host, separator, port = text.rpartition(":")
    if not separator or "/" in text or not port.isdecimal():
        return text
    return host, int(port)
