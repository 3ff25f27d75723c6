"""One line on stderr that says how far long work has come and when it will be done."""

from __future__ import annotations

import json
import shutil
import sys
import time
from types import TracebackType
from typing import Self, TextIO

_EVERY_S = 0.2
_LOG_EVERY_S = 10.0
_JSON_EVERY_S = 0.5


class ProgressLine:
    """A terminal sees one line that changes; a log file gets one every ten seconds; a program one JSON object every half
    second: `what`, `share`, and `left_s` once that can be guessed. Use it as a context manager.
    """

    def __init__(self, what: str, *, out: TextIO | None = None, as_json: bool = False) -> None:
        self.what, self._out, self._as_json = what, out or sys.stderr, as_json
        self._is_terminal = self._out.isatty() and not as_json
        self._began_s = self._told_s = time.monotonic()
        self._is_open = False

    def tell(self, share: float) -> None:
        """share: what is done, in [0, 1]; called as often as one likes."""
        now_s = time.monotonic()
        every_s = _JSON_EVERY_S if self._as_json else _EVERY_S if self._is_terminal else _LOG_EVERY_S
        if now_s - self._told_s < every_s:
            return
        self._told_s = now_s
        left_s = _left_s(now_s - self._began_s, share)
        line = f"{self.what}: {share * 100:3.0f} %{_left(left_s)}"
        if self._as_json:
            facts = {
                "what": self.what,
                "share": round(share, 4),
                "left_s": None if left_s is None else round(left_s, 1),
            }
            print(json.dumps(facts, ensure_ascii=False), file=self._out, flush=True)
        elif self._is_terminal:
            width = shutil.get_terminal_size().columns
            print(f"\r{line[: width - 1]:<{width - 1}}", end="", file=self._out, flush=True)
            self._is_open = True
        else:
            print(line, file=self._out, flush=True)

    def __enter__(self) -> Self:
        return self

    def clear(self) -> None:
        """Takes the line away, so that something else can be printed."""
        if self._is_open:
            print(f"\r{'':<{shutil.get_terminal_size().columns - 1}}\r", end="", file=self._out, flush=True)
            self._is_open = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()


def _left_s(spent_s: float, share: float) -> float | None:
    """Until it is done, once that can be guessed."""
    return None if share < 0.01 or spent_s < 2 else spent_s * (1 - share) / share


def _left(left_s: float | None) -> str:
    if left_s is None:
        return ""
    ends = time.strftime("%H:%M:%S", time.localtime(time.time() + left_s))
    return f", {int(left_s) // 60} min {int(left_s) % 60:02d} s left, done at {ends}"
