"""Players that look at nothing, beside which a policy is measured, headless and in a window alike: random, no-op, repeat last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from db.specs import ActionSpace

CHANGE_SHARE = 1 / 8
"""The random player changes each key with this chance a tick, so a key is down half of the time, 8 ticks in a row."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What to hold (evdev codes) and how far to move in device counts, until the next tick."""

    down: frozenset[int] = frozenset()
    dx: float = 0.0
    dy: float = 0.0


class Yardstick(Protocol):
    """Asked once a tick; blind and deaf."""

    def act(self) -> Deed: ...


class Noop:
    """Never does anything."""

    def act(self) -> Deed:
        return Deed()


class Random:
    """Changes keys of a space by chance and draws each mouse step evenly from the space's values."""

    def __init__(self, space: ActionSpace, seed: int = 0) -> None:
        self._space = space
        self._rng = np.random.default_rng(seed)
        self._down: frozenset[int] = frozenset()

    def act(self) -> Deed:
        codes = np.array(self._space.codes, np.int64)
        changed = codes[self._rng.random(len(codes)) < CHANGE_SHARE]
        self._down = self._down.symmetric_difference(changed.tolist())
        dx, dy = (float(self._rng.choice(values)) for values in (self._space.dx_values, self._space.dy_values))
        return Deed(self._down, dx, dy)


class RepeatLast:
    """Does in every tick what was done in the one before. The first is drawn: each key with an even chance, as in `Random`.

    Nothing goes before the first action of an episode, and who repeats nothing is `Noop`; so it is drawn.
    """

    def __init__(self, space: ActionSpace, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        down = frozenset(code for code in space.codes if rng.random() < 0.5)
        self._deed = Deed(down, float(rng.choice(space.dx_values)), float(rng.choice(space.dy_values)))

    def act(self) -> Deed:
        return self._deed


RANDOM, NOOP, REPEAT_LAST = NAMES = ("random", "noop", "repeat-last")


def open_yardstick(name: str, space: ActionSpace, seed: int = 0) -> Yardstick:
    """One of `NAMES`. The same seed does the same."""
    match name:
        case "random":
            return Random(space, seed)
        case "repeat-last":
            return RepeatLast(space, seed)
    assert name == NOOP
    return Noop()
