"""Looks over a recording for what a player would only find out afterwards, and says each thing once."""

from __future__ import annotations

from dataclasses import dataclass

from recorder.states import State
from recorder.status import Status
from recorder.ui.live.gauges import size_text

_SILENT_S = 20.0
_LOW_BYTES = 2_000_000_000
_DROPPED_SHARE = 0.05
_WINDOW_FRAMES = 300


@dataclass(frozen=True)
class Warning:
    topic: str
    text: str


class Watchdog:
    """One sitting's."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._session = 0
        self._mark = (0, 0)
        """Frames kept and dropped when the present stretch began."""

    def look(self, status: Status) -> Warning | None:
        """The next thing to say, None mostly."""
        if status.state is not State.RECORDING:
            return None
        if status.number != self._session:
            self._session, self._mark = status.number, (0, 0)
        for warning in (self._of_inputs(status), self._of_drops(status), self._of_disk(status)):
            if warning is not None and warning.topic not in self._said:
                self._said.add(warning.topic)
                return warning
        return None

    def _of_inputs(self, status: Status) -> Warning | None:
        if status.events or status.muted or status.elapsed_s < _SILENT_S:
            return None
        text = f"No key and no mouse movement has been recorded for {status.elapsed_s:.0f} s, only the picture."
        return Warning("silent", f"{text} If you are playing, stop and start again.")

    def _of_drops(self, status: Status) -> Warning | None:
        kept, dropped = status.frames - self._mark[0], status.dropped_frames - self._mark[1]
        if kept + dropped < _WINDOW_FRAMES:
            return None
        self._mark = (status.frames, status.dropped_frames)
        if dropped <= _DROPPED_SHARE * (kept + dropped):
            return None
        share = 100 * dropped / (kept + dropped)
        text = f"{share:.0f} % of the last frames were dropped: this machine does not keep up."
        return Warning("drops", f"{text} Fewer frames a second in the game's profile would help.")

    def _of_disk(self, status: Status) -> Warning | None:
        if not 0 < status.free_bytes < _LOW_BYTES:
            return None
        left = size_text(status.free_bytes)
        return Warning("disk", f"Only {left} are left on the disk; the recording stops by itself before it is full.")
