"""The written instructions of the arena, each with several wordings, and the order in which a player is given them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

WORDINGS = {
    "shoot": ("shoot the monsters", "attack the monsters", "kill every monster you see"),
    "collect": ("collect the medkits", "pick up the medkits", "gather the first aid kits"),
    "turn left": ("turn left", "keep turning to the left", "spin left"),
    "turn right": ("turn right", "keep turning to the right", "spin right"),
    "stand still": ("stand still", "do not move", "wait where you are"),
    "walk backwards": ("walk backwards", "back away", "go backwards"),
    "dodge": ("dodge from side to side", "sidestep left and right", "strafe left and right"),
}
# How often each is given, relative to the others: what takes aiming takes more practice.
WEIGHTS = {"shoot": 3, "collect": 3}
SHORTEST_S, LONGEST_S = 6.0, 12.0


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: the words that were given, and which of ``WORDINGS`` they say ("" if none of them)."""

    text: str
    canonical: str

    @classmethod
    def from_text(cls, text: str) -> Instruction:
        """The instruction that these words say; unknown words keep an empty canonical form."""
        return cls(text, next((name for name, texts in WORDINGS.items() if text in texts), ""))


class Schedule:
    """A new instruction every 6 to 12 s, in rounds: each round gives every chosen one, in a new order, as often as it weighs.

    The same seed gives the same schedule. Raises ValueError for an instruction that is not in ``WORDINGS``.
    """

    def __init__(self, canonicals: Sequence[str] = tuple(WORDINGS), *, seed: int = 0) -> None:
        unknown = sorted(set(canonicals) - set(WORDINGS))
        if unknown or not canonicals:
            raise ValueError(f"unknown instructions {unknown}; there are: {', '.join(WORDINGS)}")
        self._canonicals = tuple(canonicals)
        self._random = random.Random(seed)
        self._round: list[str] = []
        self._until_ns = -1
        self._current = Instruction("", "")

    def at(self, t_ns: int) -> Instruction:
        """The instruction at this time (``perf_counter_ns``); times must not go backwards."""
        if t_ns >= self._until_ns:
            self._current = self._draw()
            self._until_ns = t_ns + int(self._random.uniform(SHORTEST_S, LONGEST_S) * 1e9)
        return self._current

    def _draw(self) -> Instruction:
        if not self._round:
            self._round = [name for name in self._canonicals for _ in range(WEIGHTS.get(name, 1))]
            self._random.shuffle(self._round)
        # Never the same twice running, as long as there is another: a change of instruction is what teaches.
        others = [name for name in self._round if name != self._current.canonical]
        canonical = others[-1] if others else self._round[-1]
        self._round.remove(canonical)
        return Instruction(self._random.choice(WORDINGS[canonical]), canonical)
