"""A tiny process that outlives the player: it releases what the model held if the player dies without doing so.

An X server keeps an injected key down when the program that pressed it is gone, and a killed program cannot tidy up.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import IO

from db.errors import PlaytapeError
from recorder.inputs.injection import Injector


class Guard:
    """The player's end: tells which codes may be down, before they go down."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "recorder.play.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C at the terminal is the player's to handle, and the guard's to outlive
        )
        self._told: frozenset[int] = frozenset()

    def expect(self, codes: frozenset[int]) -> None:
        """These may be down from now on."""
        if codes == self._told:
            return
        self._told = codes
        assert self._process.stdin is not None
        with suppress(OSError):  # without its guard the player still releases everything itself
            self._process.stdin.write((" ".join(map(str, sorted(codes))) + "\n").encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Ends the guard, which releases what is still expected to be down."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(OSError):
                self._process.stdin.close()
        self._process.wait()


def watch(lines: IO[str]) -> None:
    """Reads the codes until the player is gone, then releases the last ones at once, on a connection that stands ready."""
    codes: list[int] = []
    with Injector() as injector:
        for line in lines:
            codes = [int(word) for word in line.split()]
        injector.release_foreign(codes)


if __name__ == "__main__":
    try:
        watch(sys.stdin)
    except PlaytapeError:
        raise SystemExit(1) from None  # the display is gone, and with it whatever was held
