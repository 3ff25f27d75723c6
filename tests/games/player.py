"""The players: a demonstrator who follows instructions, and the yardsticks beside it (random, no-op, exercise).

A player sees the game's API (``Tic``), never the picture, and answers with an ``Intent``; a ``Hand`` carries it out as
injected keys, buttons and relative mouse motion. Nothing a player does can reach the game in another way.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import Protocol

from games.engine import (
    BINDINGS,
    KEY_A,
    KEY_D,
    KEY_S,
    KEY_W,
    LOOK_DEG_PER_PX,
    TICS_PER_S,
    TURN_DEG_PER_PX,
    Thing,
    Tic,
    turned_deg,
)
from games.hand import REST, Intent
from games.injector import BTN_LEFT
from games.instructions import Instruction

MONSTER_RADIUS_UNITS = 30.0
FASTEST_DEG = 12.0  # per tic
JERK_DEG = 3.5  # change of turning speed per tic that a wrist manages


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


class Demonstrator:
    """Follows the instructions of the arena as a practised person would, with a person's small flaws.

    It takes a moment to read a new instruction, turns at a speed that grows with the angle still to go and cannot jump,
    overshoots at times, stops to breathe at times, and stays with a target until that is gone.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._canonical = ""
        self._rest_until_tic = 0
        self._target: Thing | None = None
        self._gain = 0.3
        self._slip_deg = 0.0
        self._speed_deg = 0.0
        self._cruise_deg, self._cruise_until_tic = 5.0, 0
        self._side, self._side_until_tic = KEY_A, 0
        self._firing = False
        self._place, self._place_tic = (0.0, 0.0), 0
        self._given_up: set[int] = set()
        self._ways: dict[str, Callable[[Tic], Intent]] = {
            "shoot": self._shoot,
            "collect": self._collect,
            "turn left": lambda tic: self._spin(tic, -1),
            "turn right": lambda tic: self._spin(tic, 1),
            "walk backwards": lambda tic: Intent(frozenset({KEY_S})),
            "dodge": self._dodge,
        }

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        if instruction.canonical != self._canonical:
            self._canonical, self._target, self._firing = instruction.canonical, None, False
            self._rest_until_tic = tic.number + self._random.randint(4, 7)
            self._given_up.clear()
            self._side_until_tic = 0
        elif self._random.random() < 0.004:
            self._rest_until_tic = tic.number + self._random.randint(3, 8)
        way = self._ways.get(self._canonical)
        if way is None or tic.number < self._rest_until_tic:
            self._speed_deg = 0.0
            return REST
        return way(tic)

    def _shoot(self, tic: Tic) -> Intent:
        target = self._pick(tic, tic.monsters, deg_weight=12.0)
        if target is None:
            return self._spin(tic, 1)
        distance, error_deg = _range(tic, target), _error_deg(tic, target)
        width_deg = math.degrees(math.atan2(MONSTER_RADIUS_UNITS, distance))
        self._firing = abs(error_deg) < width_deg * (1.2 if self._firing else 0.8)
        held = {BTN_LEFT} if self._firing else set()
        if distance > 380 and abs(error_deg) < 20:
            held.add(KEY_W)
        return Intent(frozenset(held), self._turn(error_deg))

    def _collect(self, tic: Tic) -> Intent:
        if tic.number < self._side_until_tic:
            return Intent(frozenset({self._side}))
        target = self._pick(tic, (kit for kit in tic.medkits if kit.id not in self._given_up), deg_weight=4.0)
        if target is None:
            return self._spin(tic, 1)
        if self._stands(tic):
            # A monster is in the way: step aside, and go for another medkit.
            self._given_up.add(target.id)
            self._place_tic = tic.number
            self._side = self._random.choice((KEY_A, KEY_D))
            self._side_until_tic = tic.number + self._random.randint(12, 20)
        error_deg = _error_deg(tic, target)
        near = _range(tic, target) < 120
        return Intent(frozenset({KEY_W} if abs(error_deg) < (15 if near else 35) else ()), self._turn(error_deg))

    def _spin(self, tic: Tic, sign: int) -> Intent:
        if tic.number >= self._cruise_until_tic:
            self._cruise_deg = self._random.uniform(3.0, 7.0)
            self._cruise_until_tic = tic.number + self._random.randint(8, 30)
        return Intent(dx=self._accelerate(sign * self._cruise_deg))

    def _dodge(self, tic: Tic) -> Intent:
        if tic.number >= self._side_until_tic:
            self._side = KEY_D if self._side == KEY_A else KEY_A
            self._side_until_tic = tic.number + self._random.randint(14, 26)
        return Intent(frozenset({self._side}))

    def _stands(self, tic: Tic) -> bool:
        """Whether the player has not come away from one place for a second."""
        if math.dist(self._place, (tic.x, tic.y)) > 25 or tic.number - self._place_tic > 2 * TICS_PER_S:
            self._place, self._place_tic = (tic.x, tic.y), tic.number
        return tic.number - self._place_tic > TICS_PER_S

    def _pick(self, tic: Tic, things: Iterable[Thing], *, deg_weight: float) -> Thing | None:
        """The target, where it is now; a new one if it is gone: the nearest, counting each degree as so many units."""
        things = tuple(things)
        kept = next((thing for thing in things if self._target is not None and thing.id == self._target.id), None)
        if kept is None and things:
            kept = min(things, key=lambda thing: _range(tic, thing) + deg_weight * abs(_error_deg(tic, thing)))
            self._gain = self._random.uniform(0.22, 0.4)
            overshoots = abs(_error_deg(tic, kept)) > 25 and self._random.random() < 0.3
            self._slip_deg = math.copysign(self._random.uniform(3, 8), _error_deg(tic, kept)) if overshoots else 0.0
        self._target = kept
        return kept

    def _turn(self, error_deg: float) -> int:
        """Pixels of mouse motion for this tic, towards a target so many degrees to the right."""
        if self._slip_deg and abs(error_deg + self._slip_deg) < 3:
            self._slip_deg = 0.0
        aimed_deg = error_deg + self._slip_deg
        return self._accelerate(0.0 if abs(aimed_deg) < 0.5 else self._gain * aimed_deg)

    def _accelerate(self, wanted_deg: float) -> int:
        wanted_deg = max(-FASTEST_DEG, min(FASTEST_DEG, wanted_deg))
        slower = abs(wanted_deg) < abs(self._speed_deg)
        limit_deg = 2 * JERK_DEG if slower else JERK_DEG
        self._speed_deg += max(-limit_deg, min(limit_deg, wanted_deg - self._speed_deg))
        return round(self._speed_deg / TURN_DEG_PER_PX)


def _range(tic: Tic, thing: Thing) -> float:
    return math.dist((tic.x, tic.y), (thing.x, thing.y))


def _error_deg(tic: Tic, thing: Thing) -> float:
    """How far to the right the view must turn to face the thing: degrees in [-180, 180)."""
    return turned_deg(tic.angle_deg, math.degrees(math.atan2(thing.y - tic.y, thing.x - tic.x)))
