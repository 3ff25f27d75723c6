"""Starts the programs of Playtape and of the game as a user would, and reads the JSON lines they print."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ProgramFailed(RuntimeError):
    """A program ended with an error or did not answer; the message holds the end of what it said."""


class Program:
    """One running program whose standard output is JSON lines. Ended, and waited for, when the block is left."""

    def __init__(self, arguments: list[str], env: Mapping[str, str], log: Path, *, cwd: Path | None = None) -> None:
        self.name = " ".join(arguments[:3])
        self._log = log
        self.log_file = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log_file,
            env=dict(env),
            cwd=cwd,
        )
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()
        self._reader.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self.log_file.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self, key: str, timeout_s: float) -> dict[str, Any]:
        """The next object that has this key. Raises ProgramFailed at the program's end or after `timeout_s`."""
        while True:
            try:
                row = self._lines.get(timeout=timeout_s)
            except queue.Empty:
                raise ProgramFailed(
                    f"{self.name} did not say {key!r} within {timeout_s:g} s.\n{self._tail()}"
                ) from None
            if row is None:
                raise ProgramFailed(f"{self.name} ended before it said {key!r}.\n{self._tail()}")
            if key in row:
                return row

    def say(self, line: str = "") -> None:
        """Writes a line to the program's standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self, timeout_s: float = 20) -> None:
        """Asks the program to end and waits; only one that does not is killed."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self, timeout_s: float) -> None:
        """Waits for a good end. Raises ProgramFailed where the exit status is not 0."""
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ProgramFailed(f"{self.name} did not end within {timeout_s:g} s.\n{self._tail()}") from None
        if status != 0:
            raise ProgramFailed(f"{self.name} ended with status {status}.\n{self._tail()}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                row = json.loads(line)
            except ValueError:
                self.log_file.write(line)
                continue
            if isinstance(row, dict):
                self._lines.put(row)
        self._lines.put(None)

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


def run(
    arguments: list[str], log: Path, *, timeout_s: float, env: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Runs a program to its end, showing what it reports on its way, and returns its JSON lines."""
    command = [sys.executable, "-P", "-m", *arguments]
    with log.open("ab") as errors:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=env or os.environ,
            timeout=timeout_s,
        )
    rows = []
    for line in done.stdout.decode(errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise ProgramFailed(f"{' '.join(arguments)} ended with status {done.returncode}.\n{tail}")
    return rows
