"""A line in the terminal that says who plays and how it goes, once a second."""

from __future__ import annotations

from typing import IO

from recorder.play.control import Control, Mode
from recorder.play.player import Player
from recorder.take import Take
from recorder.workers import Worker

_WORDS = {
    Mode.MODEL: "the model plays",
    Mode.PERSON: "you play (F11 gives control back)",
    Mode.PAUSED: "an instruction is being typed",
    Mode.AWAY: "waiting for the game's focus",
    Mode.OVER: "ending",
}


class Teller(Worker):
    """Writes over its own line until it is closed."""

    def __init__(self, take: Take, control: Control, player: Player, out: IO[str]) -> None:
        super().__init__("teller")
        self._take, self._control, self._player, self._out = take, control, player, out

    def run(self) -> None:
        while not self._stopping.wait(1.0):
            self._out.write("\r" + self.line().ljust(100))
            self._out.flush()
        self._out.write("\n")

    def line(self) -> str:
        """How things stand."""
        status, tally = self._take.status(), self._player.tally
        return (
            f"{status.elapsed_s:4.0f} s  {_WORDS[self._control.mode]}  ·  {tally.ticks} decisions, {tally.late} late  ·  "
            f"{status.dropped_frames} frames dropped"
        )
