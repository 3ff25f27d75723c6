"""Asking long work to stop: the first SIGINT or SIGTERM is noted, a second one ends the process at once, as usual."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Stopped(Exception):
    """Long work ended early because it was asked to; what it made so far is kept."""


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Whether one has come."""
    came: list[int] = []
    wanted = (signal.SIGINT, signal.SIGTERM)
    before: dict[int, Any] = {number: signal.getsignal(number) for number in wanted}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, before[number] or signal.SIG_DFL)

    for number in wanted:
        signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        for number in wanted:
            signal.signal(number, before[number] or signal.SIG_DFL)
