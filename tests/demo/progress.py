"""Tells a person at the terminal where the demo is and when it will be done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Named stages with their expected seconds; prints one line a stage and keeps the seconds each took."""

    expected_s: dict[str, float]
    seconds: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """Times one of the stages."""
        left = sum(value for key, value in self.expected_s.items() if key not in self.seconds)
        finish = time.strftime("%H:%M", time.localtime(time.time() + left))
        self.say(f"[{len(self.seconds) + 1}/{len(self.expected_s)}] {text}  (all done at about {finish})")
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def note(self, text: str) -> None:
        """A line within a stage."""
        self.say(f"      {text}")

    @property
    def total_s(self) -> float:
        return time.monotonic() - self._began

    @staticmethod
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)
