"""The written instructions of the scenarios, each with several wordings, and the order in which a player is given them."""

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
    "look up": ("look up", "look at the sky", "raise your view"),
    "look down": ("look down", "look at the floor", "lower your view"),
    "vest": ("walk to the vest", "go to the green armour", "head for the vest"),
    "return": ("walk back to the start of the corridor", "go to the end without the vest", "walk away from the vest"),
    "open": ("try to open the wall", "press on the wall", "search the wall for a door"),
    "evade": ("dodge the fireballs", "step out of the way of the fireballs", "avoid the fireballs"),
    "go left": ("go to the left wall", "sidestep to the left end", "move left as far as you can"),
    "go right": ("go to the right wall", "sidestep to the right end", "move right as far as you can"),
    "approach": ("walk up to the monsters", "go close to a monster", "come near the monsters"),
    "red pillar": ("go to the red pillar", "walk to the red column", "touch the red pillar"),
    "green pillar": ("go to the green pillar", "walk to the green column", "touch the green pillar"),
    "blue torch": ("go to the blue torch", "walk to the blue flame", "touch the blue torch"),
}
HELD_BACK = {
    "shoot": ("open fire on the enemies",),
    "collect": ("grab the medical supplies",),
    "turn left": ("rotate to the left",),
    "turn right": ("rotate to the right",),
    "stand still": ("stay in place",),
    "walk backwards": ("retreat",),
    "dodge": ("move from one side to the other",),
    "look up": ("tilt the view upwards",),
    "look down": ("tilt the view downwards",),
    "vest": ("reach the armour vest",),
    "return": ("go back to the beginning of the corridor",),
    "open": ("look for a hidden door in the wall",),
    "evade": ("do not get hit by the fireballs",),
    "go left": ("strafe all the way to the left",),
    "go right": ("strafe all the way to the right",),
    "approach": ("get near the enemies",),
    "red pillar": ("head for the red post", "move over to the tall red thing"),
    "green pillar": ("head for the green post", "move over to the tall green thing"),
    "blue torch": ("head for the blue fire", "move over to the blue light"),
}
"""Wordings for evaluation only: no schedule gives them, so no recording holds them and no model has read them."""

# How often each is given, relative to the others: what takes aiming takes more practice.
WEIGHTS = {"shoot": 3, "collect": 3, "vest": 2, "return": 2, "evade": 3}
SHORTEST_S, LONGEST_S = 6.0, 12.0


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: the words that were given, and which of ``WORDINGS`` they say ("" if none of them)."""

    text: str
    canonical: str

    @classmethod
    def from_text(cls, text: str) -> Instruction:
        """The instruction that these words say, held back or not; unknown words keep an empty canonical form."""
        return cls(text, next((name for name in WORDINGS if text in (*WORDINGS[name], *HELD_BACK[name])), ""))


NOTHING = Instruction("", "")


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
        self._current = NOTHING

    def at(self, t_ns: int) -> Instruction:
        """The instruction at this time (``perf_counter_ns``); times must not go backwards."""
        if t_ns >= self._until_ns:
            self.draw()
            self._until_ns = t_ns + int(self._random.uniform(SHORTEST_S, LONGEST_S) * 1e9)
        return self._current

    def draw(self) -> Instruction:
        """The next instruction, now."""
        if not self._round:
            self._round = [name for name in self._canonicals for _ in range(WEIGHTS.get(name, 1))]
            self._random.shuffle(self._round)
        # Never the same twice running, as long as there is another: a change of instruction is what teaches.
        others = [name for name in self._round if name != self._current.canonical]
        canonical = others[-1] if others else self._round[-1]
        self._round.remove(canonical)
        self._current = Instruction(self._random.choice(WORDINGS[canonical]), canonical)
        return self._current
