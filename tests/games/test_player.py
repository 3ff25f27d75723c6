"""The players: each instruction has its own right behaviour in the same place, whatever else is there."""

from __future__ import annotations

import itertools
import math

import pytest

from games.engine import KEY_A, KEY_D, KEY_S, KEY_W, TURN_DEG_PER_PX, Thing, Tic
from games.hand import Intent
from games.injector import BTN_LEFT
from games.instructions import LONGEST_S, SHORTEST_S, WORDINGS, Instruction, Schedule
from games.player import Demonstrator, Exercise

SETTLED = 60  # tics, after any moment of reading


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
        monsters=(Thing(1, "Demon", x, 300.0),),
        medkits=(Thing(2, "Medikit", x + 200.0, 0.0), Thing(3, "Medikit", x - 900.0, 0.0)),
    )


def _follow(canonical: str, tics: int = 400) -> tuple[list[Intent], list[float]]:
    """What a demonstrator wants, tic by tic, and the angles that its turning gives; it starts facing north-east."""
    player, angle_deg = Demonstrator(seed=1), 45.0
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
    player, angle_deg, held = Demonstrator(seed=1), 45.0, set[int]()
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


def test_exercise_keeps_the_view_within_what_it_can_follow() -> None:
    player, look_px, held = Exercise(seed=2), 0, set[int]()
    for number in range(2000):
        intent = player.decide(_tic(number, 0.0), Instruction("", ""))
        look_px += intent.dy
        held |= intent.held
        assert abs(look_px) <= Exercise.FARTHEST_LOOK_PX
    assert held == {KEY_W, KEY_A, KEY_S, KEY_D, 18, BTN_LEFT}


def test_schedule_gives_every_instruction_and_changes_each_time() -> None:
    schedule = Schedule(seed=5)
    seen: list[Instruction] = []
    changes_ns: list[int] = []
    for t_ns in range(0, 300_000_000_000, 100_000_000):
        instruction = schedule.at(t_ns)
        if not seen or instruction != seen[-1]:
            seen.append(instruction)
            changes_ns.append(t_ns)
    assert {instruction.canonical for instruction in seen} == set(WORDINGS)
    assert all(a.canonical != b.canonical for a, b in itertools.pairwise(seen))
    lengths_s = [(b - a) / 1e9 for a, b in itertools.pairwise(changes_ns)]
    assert min(lengths_s) >= SHORTEST_S - 0.1
    assert max(lengths_s) <= LONGEST_S + 0.1


def test_every_wording_says_its_instruction() -> None:
    for canonical, texts in WORDINGS.items():
        assert len(set(texts)) >= 2
        assert all(Instruction.from_text(text).canonical == canonical for text in texts)
    assert Instruction.from_text("sing a song").canonical == ""
    with pytest.raises(ValueError, match="sing"):
        Schedule(["sing"])
