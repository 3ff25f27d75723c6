"""What a player is, and the yardsticks beside the demonstrator: random, no-op, exercise; and one who relieves another player.

A player sees the game's API (``Tic``), never the picture, and answers with an ``Intent``; a ``Hand`` carries it out as
injected keys, buttons and relative mouse motion. Nothing a player does can reach the game in another way.
"""

from __future__ import annotations

import random
from typing import Protocol

from games.engine import BINDINGS, LOOK_DEG_PER_PX, TURN_DEG_PER_PX, Tic
from games.hand import GIVE_BACK, REST, Intent
from games.instructions import Instruction


class Player(Protocol):
    """Decides once per tic."""

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        """What to do until the next tic, under this instruction."""
        ...


class NoOp:
    """Does nothing at all."""

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        return REST


class Random:
    """Holds random keys and turns at random speeds, each for a random while; deaf to instructions."""

    def __init__(self, *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._intent = REST
        self._until_tic = 0

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        if tic.number >= self._until_tic:
            held = frozenset(code for code in BINDINGS if self._random.random() < 0.3)
            speed_deg = self._random.choice((0.0, self._random.uniform(-8, 8)))
            self._intent = Intent(held, round(speed_deg / TURN_DEG_PER_PX))
            self._until_tic = tic.number + self._random.randint(4, 20)
        return self._intent


class Relief:
    """Takes over from whoever else plays, again and again: `player` for ON_TICS, hands off, control given back, OFF_TICS."""

    ON_TICS, OFF_TICS = 105, 140
    _LETTING_GO_TICS, _PRESSING_TICS = 8, 4

    def __init__(self, player: Player) -> None:
        self._player = player

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        at = (tic.number + self.ON_TICS) % (self.ON_TICS + self.OFF_TICS)
        if at < self.ON_TICS:
            return self._player.decide(tic, instruction)
        since = at - self.ON_TICS - self._LETTING_GO_TICS
        return Intent(frozenset({GIVE_BACK})) if 0 <= since < self._PRESSING_TICS else REST


class Exercise:
    """Presses and releases every bound key and button at random, and moves the mouse at random in both axes.

    Made for checking a recording event by event: the vertical sum stays within what the game's view can follow.
    """

    FARTHEST_LOOK_PX = int(20 / LOOK_DEG_PER_PX)

    def __init__(self, *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._held: frozenset[int] = frozenset()
        self._look_px = 0

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        self._held ^= frozenset(code for code in BINDINGS if self._random.random() < 0.3)
        if self._random.random() < 0.4:
            return Intent(self._held)
        low, high = -self.FARTHEST_LOOK_PX - self._look_px, self.FARTHEST_LOOK_PX - self._look_px
        dy = self._random.randint(max(low, -40), min(high, 40))
        self._look_px += dy
        return Intent(self._held, self._random.randint(-120, 120), dy)
