"""One line on stderr that says how far long work has come and when it will be done."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

_EVERY_S = 0.2
_LOG_EVERY_S = 10.0


class ProgressLine:
    """A terminal sees one line that changes; a log file gets one every ten seconds. Use it as a context manager."""

    def __init__(self, what: str, *, out: TextIO | None = None) -> None:
        self._what, self._out = what, out or sys.stderr
        self._is_terminal = self._out.isatty()
        self._began_s = self._told_s = time.monotonic()
        self._is_open = False

    def tell(self, share: float) -> None:
        """share: what is done, in [0, 1]; called as often as one likes."""
        now_s = time.monotonic()
        if now_s - self._told_s < (_EVERY_S if self._is_terminal else _LOG_EVERY_S):
            return
        self._told_s = now_s
        line = f"{self._what}: {share * 100:3.0f} %{_left(now_s - self._began_s, share)}"
        if self._is_terminal:
            width = shutil.get_terminal_size().columns
            print(f"\r{line[: width - 1]:<{width - 1}}", end="", file=self._out, flush=True)
            self._is_open = True
        else:
            print(line, file=self._out, flush=True)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open:
            print(f"\r{'':<{shutil.get_terminal_size().columns - 1}}\r", end="", file=self._out, flush=True)


def _left(spent_s: float, share: float) -> str:
    """When it will be done, once that can be guessed."""
    if share < 0.01 or spent_s < 2:
        return ""
    left_s = spent_s * (1 - share) / share
    ends = time.strftime("%H:%M:%S", time.localtime(time.time() + left_s))
    return f", {int(left_s) // 60} min {int(left_s) % 60:02d} s left, done at {ends}"
