"""The demonstrator: follows the instructions of any scenario as a practised person would, with a person's small flaws."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable

from games.engine import (
    KEY_A,
    KEY_D,
    KEY_E,
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
from games.scenarios import Scenario
from games.wrist import Wrist

MONSTER_RADIUS_UNITS = 30.0
NEAR_UNITS, VEST_UNITS = 110.0, 200.0
RUN_OUT_UNITS = 130.0
"""How far one may slide on after the keys are let go of."""
LEFT_DEG = {KEY_W: 0.0, KEY_A: 90.0, KEY_S: 180.0, KEY_D: 270.0}
"""Where each key goes, counted to the left from where the view faces."""
HIT_UNITS, SOON_TICS = 60.0, 60.0
UP_DEG, DOWN_DEG = (-24.0, -12.0), (14.0, 26.0)
"""Where "up" and "down" are, as pitches; the game's view goes 32 degrees up and 56 down."""


class Demonstrator:
    """Plays one scenario; what cannot be asked for there it does not do.

    It takes a moment to read a new instruction, aims as a wrist does, stops to breathe at times, lets go of keys and
    presses them again, and stays with a target until that is gone.
    """

    def __init__(self, scenario: Scenario, *, seed: int = 0) -> None:
        self._scenario = scenario
        self._random = random.Random(seed)
        self._turning = Wrist(self._random, TURN_DEG_PER_PX)
        self._tilting = Wrist(self._random, LOOK_DEG_PER_PX)
        self._canonical = ""
        self._rest_until_tic = 0
        self._target: Thing | None = None
        self._pitch_deg, self._pitch_until_tic = 0.0, 0
        self._side, self._side_until_tic = KEY_A, 0
        self._firing, self._fire_until_tic = False, 0
        self._lapse_until_tic = self._bored_tic = 0
        self._facing_deg = 0.0
        self._place, self._place_tic = (0.0, 0.0), 0
        self._given_up: set[int] = set()
        self._seen_at: dict[int, tuple[int, float, float]] = {}
        self._ways: dict[str, Callable[[Tic], Intent]] = {
            "shoot": self._shoot,
            "collect": self._collect,
            "turn left": lambda tic: Intent(dx=self._turning.sweep(tic.number, -1)),
            "turn right": lambda tic: Intent(dx=self._turning.sweep(tic.number, 1)),
            "walk backwards": lambda tic: Intent(self._with_lapses(tic, KEY_S)),
            "dodge": self._dodge,
            "look up": lambda tic: self._tilt(tic, UP_DEG),
            "look down": lambda tic: self._tilt(tic, DOWN_DEG),
            "vest": lambda tic: self._approach(tic, "vest", VEST_UNITS),
            "approach": lambda tic: self._approach(tic, "monsters", NEAR_UNITS),
            "return": self._return,
            "open": self._open,
            "evade": self._evade,
            "go left": lambda tic: self._go_aside(tic, KEY_A),
            "go right": lambda tic: self._go_aside(tic, KEY_D),
            **{noun: self._go_to(noun) for noun in scenario.targets},
        }

    def decide(self, tic: Tic, instruction: Instruction) -> Intent:
        """What to do until the next tic, under this instruction."""
        if instruction.canonical != self._canonical:
            self._read(tic, instruction.canonical)
        elif self._random.random() < 0.004:
            self._rest_until_tic = tic.number + self._random.randint(3, 8)
        way = self._ways.get(self._canonical) if self._canonical in self._scenario.instructions else None
        if way is None or tic.number < self._rest_until_tic:
            self._turning.rest()
            self._tilting.rest()
            return REST
        intent = way(tic)
        return Intent(self._short_of_goal(tic, intent.held), intent.dx, self._level(tic))

    def _short_of_goal(self, tic: Tic, held: frozenset[int]) -> frozenset[int]:
        """Without what would carry the player to where the episode ends, with keys still held."""
        if tic.x < self._scenario.goal_x - RUN_OUT_UNITS:
            return held
        ways = {code: math.cos(math.radians(tic.angle_deg + left_deg)) for code, left_deg in LEFT_DEG.items()}
        return frozenset(code for code in held if ways.get(code, 0.0) < 0.1)

    def _read(self, tic: Tic, canonical: str) -> None:
        self._canonical, self._target, self._firing = canonical, None, False
        self._rest_until_tic = tic.number + self._random.randint(4, 7)
        self._given_up.clear()
        self._bored_tic = tic.number + self._random.randint(50, 110)
        self._side_until_tic = self._pitch_until_tic = 0
        self._facing_deg = 90.0 if math.sin(math.radians(tic.angle_deg)) >= 0 else 270.0
        self._turning.aim(180.0)

    def _shoot(self, tic: Tic) -> Intent:
        if tic.number >= self._bored_tic:
            # What does not fall is left for another.
            if self._target is not None:
                self._given_up = {self._target.id}
            self._target, self._bored_tic = None, tic.number + self._random.randint(50, 110)
        target = self._pick(tic, self._monsters(tic), deg_weight=12.0)
        if target is None:
            return Intent(dx=self._turning.sweep(tic.number, 1))
        distance, error_deg = _range(tic, target), _error_deg(tic, target)
        width_deg = math.degrees(math.atan2(MONSTER_RADIUS_UNITS, distance))
        self._firing = abs(error_deg) < width_deg * (1.2 if self._firing else 0.8)
        if tic.number >= self._fire_until_tic + 4:
            self._fire_until_tic = tic.number + self._random.randint(20, 90)
        held = {BTN_LEFT} if self._firing and tic.number < self._fire_until_tic else set()
        if distance > 380 and abs(error_deg) < 20:
            held.add(KEY_W)
        return Intent(frozenset(held), self._turning.approach(error_deg))

    def _monsters(self, tic: Tic) -> tuple[Thing, ...]:
        monsters = tic.things["monsters"]
        return tuple(monster for monster in monsters if monster.id not in self._given_up) or monsters

    def _collect(self, tic: Tic) -> Intent:
        if tic.number < self._side_until_tic:
            return Intent(frozenset({self._side}))
        medkits = (kit for kit in tic.things["medkits"] if kit.id not in self._given_up)
        target = self._pick(tic, medkits, deg_weight=4.0)
        if target is None:
            return Intent(dx=self._turning.sweep(tic.number, 1))
        if self._stands(tic):
            # A monster is in the way: step aside, and go for another medkit.
            self._given_up.add(target.id)
            self._place_tic = tic.number
            self._side = self._random.choice((KEY_A, KEY_D))
            self._side_until_tic = tic.number + self._random.randint(12, 20)
        return self._walk(tic, target.x, target.y, 0.0)

    def _approach(self, tic: Tic, noun: str, near: float) -> Intent:
        """To a thing of this noun, and stop before it."""
        target = self._pick(tic, tic.things[noun], deg_weight=4.0)
        if target is None:
            return Intent(dx=self._turning.sweep(tic.number, 1))
        return self._walk(tic, target.x, target.y, near)

    def _go_to(self, noun: str) -> Callable[[Tic], Intent]:
        return lambda tic: self._approach(tic, noun, 0.0)

    def _return(self, tic: Tic) -> Intent:
        """To the west end of the floor, where an episode begins."""
        west, south, _, north = self._scenario.floor
        return self._walk(tic, west - 100.0, (south + north) / 2, 150.0)

    def _open(self, tic: Tic) -> Intent:
        """Up to the wall on the side that the view is on already, and press on it again and again."""
        error_deg = turned_deg(tic.angle_deg, self._facing_deg)
        dx = self._turning.approach(error_deg)
        _, south, _, north = self._scenario.floor
        if abs(error_deg) > 25:
            return Intent(dx=dx)
        if not (tic.y >= north if self._facing_deg == 90.0 else tic.y <= south):
            return Intent(frozenset({KEY_W}), dx)
        if tic.number >= self._side_until_tic:
            self._side_until_tic = tic.number + self._random.randint(14, 36)
        return Intent(frozenset({KEY_E} if self._side_until_tic - tic.number < 10 else ()), dx)

    def _dodge(self, tic: Tic) -> Intent:
        if tic.number >= self._side_until_tic:
            self._side = KEY_D if self._side == KEY_A else KEY_A
            self._side_until_tic = tic.number + self._random.randint(10, 30)
        return Intent(frozenset({self._side}))

    def _evade(self, tic: Tic) -> Intent:
        """Face east, where fireballs come from; step out of the way of one that will hit, else stand."""
        _, south, _, north = self._scenario.floor
        dx = self._turning.approach(turned_deg(tic.angle_deg, 0.0))
        misses = [self._miss(tic, ball) for ball in tic.things["fireballs"]]
        self._seen_at = {ball.id: (tic.number, ball.x, ball.y) for ball in tic.things["fireballs"]}
        near = [miss for miss in misses if abs(miss) < HIT_UNITS]
        if near and tic.number >= self._side_until_tic:
            passes_north = min(near, key=abs) > 0
            wanted = KEY_D if passes_north else KEY_A
            if tic.y > north - 80:
                wanted = KEY_D
            elif tic.y < south + 80:
                wanted = KEY_A
            self._side, self._side_until_tic = wanted, tic.number + self._random.randint(9, 18)
        return Intent(frozenset({self._side} if tic.number < self._side_until_tic else ()), dx)

    def _miss(self, tic: Tic, ball: Thing) -> float:
        """How far north of the player a fireball will pass; infinity if not soon, or unknown yet."""
        tics, x, y = self._seen_at.get(ball.id, (tic.number, ball.x, ball.y))
        west = (x - ball.x) / max(tic.number - tics, 1)
        if west <= 0:
            return math.inf
        left = (ball.x - tic.x) / west
        north = (ball.y - y) / max(tic.number - tics, 1)
        return ball.y + north * left - tic.y if 0 <= left < SOON_TICS else math.inf

    def _go_aside(self, tic: Tic, side: int) -> Intent:
        """Face east and step to the north (left) or south (right) edge of the floor."""
        _, south, _, north = self._scenario.floor
        there = tic.y >= north if side == KEY_A else tic.y <= south
        dx = self._turning.approach(turned_deg(tic.angle_deg, 0.0))
        return Intent(frozenset() if there else self._with_lapses(tic, side), dx)

    def _walk(self, tic: Tic, x: float, y: float, near: float) -> Intent:
        """Towards a place, until so near."""
        error_deg = _bearing_deg(tic, x, y)
        distance = math.dist((tic.x, tic.y), (x, y))
        if distance < near:
            return REST
        goes = abs(error_deg) < (15 if distance < 120 else 35)
        return Intent(self._with_lapses(tic, KEY_W) if goes else frozenset(), self._turning.approach(error_deg))

    def _with_lapses(self, tic: Tic, code: int) -> frozenset[int]:
        """This key, but now and then let go of for a moment."""
        if self._random.random() < 0.01:
            self._lapse_until_tic = tic.number + self._random.randint(3, 7)
        return frozenset() if tic.number < self._lapse_until_tic else frozenset({code})

    def _tilt(self, tic: Tic, range_deg: tuple[float, float]) -> Intent:
        """Somewhere within a range of pitches, and after a while elsewhere in it."""
        if tic.number >= self._pitch_until_tic:
            self._pitch_deg = self._random.uniform(*range_deg)
            self._pitch_until_tic = tic.number + self._random.randint(20, 60)
            self._tilting.aim(0.0)
        return REST

    def _level(self, tic: Tic) -> int:
        """Pixels towards the wanted pitch: about level, but for the instructions that say otherwise."""
        if not self._scenario.look:
            return 0
        if self._canonical not in ("look up", "look down") and tic.number >= self._pitch_until_tic:
            moves = self._canonical not in ("stand still", "walk backwards", "dodge")
            self._pitch_deg = self._random.uniform(-3, 5) if moves else 0.0
            self._pitch_until_tic = tic.number + self._random.randint(30, 120)
            self._tilting.aim(0.0)
        return self._tilting.approach(self._pitch_deg - tic.pitch_deg)

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
            self._turning.aim(_error_deg(tic, kept))
        self._target = kept
        return kept


def _range(tic: Tic, thing: Thing) -> float:
    return math.dist((tic.x, tic.y), (thing.x, thing.y))


def _error_deg(tic: Tic, thing: Thing) -> float:
    return _bearing_deg(tic, thing.x, thing.y)


def _bearing_deg(tic: Tic, x: float, y: float) -> float:
    """How far to the right the view must turn to face a place: degrees in [-180, 180)."""
    return turned_deg(tic.angle_deg, math.degrees(math.atan2(y - tic.y, x - tic.x)))
