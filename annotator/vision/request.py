"""One question to a model: the text and the pictures of one window."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Shot:
    """A frame as it is sent: JPEG, with its time in seconds from the session's first frame."""

    frame: int
    time_s: float
    jpeg: bytes


@dataclass(frozen=True)
class Request:
    """`[start_s, stop_s)` is what the window covers."""

    system: str
    text: str
    shots: tuple[Shot, ...]
    start_s: float
    stop_s: float

    def digest(self, whom: str) -> str:
        """SHA-256 of everything that is sent, and of whom it is sent to: the same question has the same answer."""
        sha = hashlib.sha256()
        for part in (whom, self.system, self.text):
            sha.update(len(part.encode()).to_bytes(8, "big") + part.encode())
        for shot in self.shots:
            sha.update(len(shot.jpeg).to_bytes(8, "big") + shot.jpeg)
        return sha.hexdigest()
