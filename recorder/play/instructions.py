"""The instruction that a play goes by: changed from any thread, taken up by the player with its next frame."""

from __future__ import annotations

import threading

from db.errors import BadArgument
from db.labelling.instructions import MAX_LENGTH


def checked(text: str) -> str:
    """An instruction as it is told and stored: one line. Raises BadArgument where it is too long."""
    line = " ".join(text.split())
    if len(line) > MAX_LENGTH:
        raise BadArgument(f"An instruction has at most {MAX_LENGTH} characters; this one has {len(line)}.")
    return line


class Instructions:
    """What the player is told. Thread-safe."""

    def __init__(self, text: str = "") -> None:
        """Raises BadArgument where the first one is too long."""
        self._lock = threading.Lock()
        self._text, self._taken = checked(text), False

    @property
    def text(self) -> str:
        """The newest, whether or not it is taken up yet."""
        return self._text

    def change(self, text: str) -> str:
        """Tells something else from the next frame on; returns it as it is told. Raises BadArgument."""
        line = checked(text)
        with self._lock:
            if line != self._text:
                self._text, self._taken = line, False
        return line

    def take(self) -> str | None:
        """The newest where it was not taken yet, for the one who follows it; else None."""
        with self._lock:
            if self._taken:
                return None
            self._taken = True
            return self._text
