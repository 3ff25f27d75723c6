"""The demonstrator: each instruction has its own right behaviour in the same place, whatever else is there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import pytest

from games.demonstrator import DOWN_DEG, RUN_OUT_UNITS, UP_DEG, VEST_UNITS, Demonstrator
from games.engine import KEY_A, KEY_D, KEY_E, KEY_S, KEY_W, LOOK_DEG_PER_PX, TURN_DEG_PER_PX, Thing, Tic
from games.hand import Intent
from games.injector import BTN_LEFT
from games.instructions import Instruction
from games.scenarios import ARENA, CENTER, CORRIDOR, COVER, Scenario

SETTLED = 60  # tics, after any moment of reading
WALK_UNITS = 7.0  # per tic
LEFT_DEG = {KEY_W: 0.0, KEY_A: 90.0, KEY_S: 180.0, KEY_D: 270.0}


def _tic(number: int, angle_deg: float, *, walking: bool = True) -> Tic:
    """A monster to the north and medkits in the east and, farther, in the west of a player who comes along, or stands."""
    x = 10.0 * number * walking
    return Tic(
        number=number,
        t_ns=number,
        episode=0,
        episode_tic=number,
        action={},
        x=x,
        y=0.0,
        angle_deg=angle_deg,
        pitch_deg=0.0,
        health=50.0,
        kills=0,
        pickups=0,
        reward=0.0,
        things={
            "monsters": (Thing(1, "Demon", x, 300.0),),
            "medkits": (Thing(2, "Medikit", x + 200.0, 0.0), Thing(3, "Medikit", x - 900.0, 0.0)),
        },
    )


def _follow(canonical: str, tics: int = 400) -> tuple[list[Intent], list[float]]:
    """What a demonstrator wants, tic by tic, and the angles that its turning gives; it starts facing north-east."""
    player, angle_deg = Demonstrator(ARENA, seed=1), 45.0
    intents, angles_deg = [], []
    for number in range(tics):
        intents.append(player.decide(_tic(number, angle_deg), Instruction("", canonical)))
        angle_deg = (angle_deg - intents[-1].dx * TURN_DEG_PER_PX) % 360
        angles_deg.append(angle_deg)
    return intents[SETTLED:], angles_deg[SETTLED:]


def _held(intents: list[Intent]) -> set[int]:
    return set().union(*(intent.held for intent in intents))


def test_shoot_faces_the_monster_and_fires() -> None:
    intents, angles_deg = _follow("shoot")
    assert all(abs(angle - 90) < 6 for angle in angles_deg)
    assert sum(BTN_LEFT in intent.held for intent in intents) > 0.8 * len(intents)


def test_collect_faces_the_medkit_and_walks() -> None:
    intents, angles_deg = _follow("collect")
    assert all(math.cos(math.radians(angle)) > 0.99 for angle in angles_deg)
    assert _held(intents) == {KEY_W}


def test_collect_leaves_a_medkit_that_cannot_be_reached() -> None:
    player, angle_deg, held = Demonstrator(ARENA, seed=1), 45.0, set[int]()
    for number in range(200):
        intent = player.decide(_tic(number, angle_deg, walking=False), Instruction("", "collect"))
        angle_deg = (angle_deg - intent.dx * TURN_DEG_PER_PX) % 360
        held |= intent.held
        if abs(angle_deg - 180) < 10:
            break
    assert abs(angle_deg - 180) < 10
    assert held & {KEY_A, KEY_D}


@pytest.mark.parametrize(("canonical", "sign"), [("turn left", -1), ("turn right", 1)])
def test_turns_go_one_way_without_keys(canonical: str, sign: int) -> None:
    intents, _ = _follow(canonical)
    assert all(intent.dx * sign >= 0 for intent in intents)
    assert sum(intent.dx * sign for intent in intents) * TURN_DEG_PER_PX > 360
    assert not _held(intents)


def test_standing_still_walking_back_and_dodging() -> None:
    for canonical, keys in (("stand still", set()), ("walk backwards", {KEY_S}), ("dodge", {KEY_A, KEY_D})):
        intents, _ = _follow(canonical)
        assert _held(intents) == keys
        assert not any(intent.dx or intent.dy for intent in intents)


class Walk:
    """A player who goes where its keys and mouse say, in a scenario's place without walls."""

    def __init__(self, scenario: Scenario, canonical: str, x: float, y: float, angle_deg: float) -> None:
        self.player, self.instruction = Demonstrator(scenario, seed=3), Instruction("", canonical)
        self.x, self.y, self.angle_deg, self.pitch_deg, self.number = x, y, angle_deg, 0.0, 0
        self.held: set[int] = set()

    def go(self, tics: int, things: Mapping[str, tuple[Thing, ...]]) -> list[Intent]:
        intents = []
        for _ in range(tics):
            tic = Tic(
                number=self.number,
                t_ns=self.number,
                episode=0,
                episode_tic=self.number,
                action={},
                x=self.x,
                y=self.y,
                angle_deg=self.angle_deg,
                pitch_deg=self.pitch_deg,
                health=50.0,
                kills=0,
                pickups=0,
                reward=0.0,
                things=things,
            )
            intents.append(intent := self.player.decide(tic, self.instruction))
            self.number += 1
            self.held |= intent.held
            self.angle_deg = (self.angle_deg - intent.dx * TURN_DEG_PER_PX) % 360
            self.pitch_deg += intent.dy * LOOK_DEG_PER_PX
            for code in intent.held & LEFT_DEG.keys():
                way = math.radians(self.angle_deg + LEFT_DEG[code])
                self.x, self.y = self.x + WALK_UNITS * math.cos(way), self.y + WALK_UNITS * math.sin(way)
        return intents


VEST = {"vest": (Thing(1, "GreenArmor", 1312.0, 0.0),), "monsters": ()}


def test_vest_is_walked_to_but_not_taken() -> None:
    walk = Walk(CORRIDOR, "vest", 200.0, 0.0, 180.0)
    walk.go(500, VEST)
    assert 1312 - VEST_UNITS - 2 * WALK_UNITS < walk.x + walk.y < 1312 - VEST_UNITS + 2 * WALK_UNITS
    assert walk.held == {KEY_W}


def test_the_start_of_the_corridor_is_its_other_end() -> None:
    walk = Walk(CORRIDOR, "return", 600.0, 0.0, 0.0)
    walk.go(500, VEST)
    assert -50 < walk.x < 60


def test_nobody_backs_into_the_end_of_an_episode() -> None:
    walk = Walk(CORRIDOR, "walk backwards", 900.0, 0.0, 180.0)
    walk.go(300, VEST)
    assert CORRIDOR.goal_x - RUN_OUT_UNITS <= walk.x < CORRIDOR.goal_x - RUN_OUT_UNITS + 2 * WALK_UNITS


@pytest.mark.parametrize("angle_deg", [40.0, 300.0])
def test_a_wall_is_gone_up_to_and_pressed_on_several_times(angle_deg: float) -> None:
    walk = Walk(CORRIDOR, "open", 600.0, 0.0, angle_deg)
    intents = walk.go(400, VEST)
    pressed = [KEY_E in intent.held for intent in intents]
    assert sum(b > a for a, b in itertools.pairwise(pressed)) > 5
    assert abs(walk.y) >= 15
    assert math.sin(math.radians(angle_deg)) * walk.y > 0


@pytest.mark.parametrize(("canonical", "range_deg"), [("look up", UP_DEG), ("look down", DOWN_DEG)])
def test_looking_tilts_the_view_and_only_that(canonical: str, range_deg: tuple[float, float]) -> None:
    walk = Walk(CENTER, canonical, 0.0, 0.0, 0.0)
    walk.go(SETTLED, {"monsters": ()})
    for _ in range(200):
        walk.go(1, {"monsters": ()})
        assert range_deg[0] - 1 <= walk.pitch_deg <= range_deg[1] + 1
    assert (walk.held, walk.angle_deg) == (set(), 0.0)


@pytest.mark.parametrize(("north", "side"), [(20.0, KEY_D), (-20.0, KEY_A), (200.0, None)])
def test_a_fireball_is_stepped_away_from_if_it_would_hit(north: float, side: int | None) -> None:
    walk = Walk(COVER, "evade", -400.0, 384.0, 0.0)
    walk.go(SETTLED, {"fireballs": ()})
    assert not walk.held
    for i in range(30):
        walk.go(1, {"fireballs": (Thing(5, "DoomImpBall", 20.0 - 10 * i, 384.0 + north),)})
    assert walk.held == ({side} if side else set())


@pytest.mark.parametrize(("canonical", "side", "edge"), [("go left", KEY_A, 748), ("go right", KEY_D, 20)])
def test_sides_are_gone_to_by_stepping_aside(canonical: str, side: int, edge: int) -> None:
    walk = Walk(COVER, canonical, -300.0, 384.0, 60.0)
    walk.go(300, {"fireballs": ()})
    assert walk.held == {side}
    assert abs(walk.y - edge) < 2 * WALK_UNITS


def test_monsters_are_come_near_to() -> None:
    walk = Walk(COVER, "approach", -400.0, 384.0, 0.0)
    walk.go(300, {"monsters": (Thing(7, "DoomImp", 64.0, 200.0),)})
    assert math.dist((walk.x, walk.y), (64, 200)) < 130
    assert walk.held == {KEY_W}


def test_what_does_not_fall_is_left_for_another() -> None:
    walk = Walk(COVER, "shoot", -200.0, 400.0, 0.0)
    shot_at = set()
    for _ in range(400):
        intents = walk.go(1, {"monsters": (Thing(1, "DoomImp", 64.0, 600.0), Thing(2, "DoomImp", 64.0, 200.0))})
        if BTN_LEFT in intents[0].held:
            shot_at.add(math.sin(math.radians(walk.angle_deg)) > 0)
    assert shot_at == {True, False}


def test_what_cannot_be_asked_for_here_is_not_done() -> None:
    walk = Walk(COVER, "collect", -200.0, 400.0, 0.0)
    assert not any(intent.held or intent.dx for intent in walk.go(200, {"monsters": ()}))
