"""One trial after the other, in a game that runs: what is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from games.engine import TICS_PER_S, Engine, Tic
from games.hand import QUIET_TICS
from games.instructions import NOTHING, Instruction


class Rounds:
    """Sets the targets, gives an instruction, waits until one of them is reached or time is up, and begins anew.

    Between two trials nothing is asked for, and hands are off for long enough that every release is seen.
    """

    def __init__(self, game: Engine, draw: Callable[[], Instruction], log: Callable[[dict[str, Any]], None]) -> None:
        """draw: gives the next instruction. log: takes a row for every trial that is over."""
        self._game, self._draw, self._log = game, draw, log
        self._asked = NOTHING
        self._begun_tic = 0
        self._again_tic = 0
        self._since_ns = 0

    def follow(self, tic: Tic) -> Instruction:
        """The instruction that is in force after this tic."""
        trial = self._game.trial
        if self._asked is NOTHING:
            if trial is None and tic.number >= self._again_tic:
                self._game.begin_trial(tic)
            elif trial is not None and trial.is_set(tic.things):
                self._asked, self._begun_tic, self._since_ns = self._draw(), tic.number, tic.t_ns
            return self._asked
        assert trial is not None
        reached = trial.reached(tic)
        tics = tic.number - self._begun_tic
        if reached or tics >= self._game.scenario.trial_s * TICS_PER_S:
            asked = {"text": self._asked.text, "canonical": self._asked.canonical}
            times = {"start_ns": self._since_ns, "stop_ns": tic.t_ns, "tics": tics}
            self._log({"kind": "trial", **asked, "reached": reached, **times})
            self._asked, self._game.trial = NOTHING, None
            self._again_tic = tic.number + QUIET_TICS
        return self._asked
