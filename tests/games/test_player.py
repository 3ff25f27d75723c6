"""The exercise keeps within what can be checked; the schedule gives every instruction, and the words mean what they should."""

from __future__ import annotations

import itertools

import pytest

from games.engine import KEY_A, KEY_D, KEY_E, KEY_S, KEY_W, Tic
from games.hand import GIVE_BACK, REST, Grip, Intent
from games.injector import BTN_LEFT
from games.instructions import HELD_BACK, LONGEST_S, SHORTEST_S, WORDINGS, Instruction, Schedule
from games.player import Exercise, Relief
from games.scenarios import SCENARIOS


def _tic(number: int) -> Tic:
    zeros = dict.fromkeys(("t_ns", "episode", "kills", "pickups"), 0)
    places = dict.fromkeys(("x", "y", "angle_deg", "pitch_deg", "health", "reward"), 0.0)
    return Tic(number=number, episode_tic=number, action={}, things={}, **zeros, **places)


def test_exercise_keeps_the_view_within_what_it_can_follow() -> None:
    player, look_px, held = Exercise(seed=2), 0, set[int]()
    for number in range(2000):
        intent = player.decide(_tic(number), Instruction("", ""))
        look_px += intent.dy
        held |= intent.held
        assert abs(look_px) <= Exercise.FARTHEST_LOOK_PX
    assert held == {KEY_W, KEY_A, KEY_S, KEY_D, KEY_E, BTN_LEFT}


def test_relief_takes_over_lets_go_and_gives_control_back_by_turns() -> None:
    class Walker:
        def decide(self, tic: Tic, instruction: Instruction) -> Intent:
            return Intent(frozenset({KEY_W}), 3)

    player, grip, pressed = Relief(Walker()), Grip(), list[tuple[int, int, bool]]()
    for number in range(600):
        pressed += [
            (number, *change) for change in grip.follow(player.decide(_tic(number), Instruction("", "")), number)
        ]
    round_tics = Relief.ON_TICS + Relief.OFF_TICS
    starts = [number for number, code, down in pressed if (code, down) == (KEY_W, True)]
    stops = [number for number, code, down in pressed if (code, down) == (KEY_W, False)]
    given = [number for number, code, down in pressed if (code, down) == (GIVE_BACK, True)]
    assert starts == [Relief.OFF_TICS, Relief.OFF_TICS + round_tics]
    assert stops == [start + Relief.ON_TICS for start in starts]
    assert [number for number in given if number > starts[0]] == [stop + 8 for stop in stops]
    assert player.decide(_tic(Relief.OFF_TICS - 1), Instruction("", "")) == REST


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


def test_held_back_wordings_are_understood_and_never_given() -> None:
    given = {text for texts in WORDINGS.values() for text in texts}
    for canonical, texts in HELD_BACK.items():
        assert not given & set(texts)
        assert all(Instruction.from_text(text).canonical == canonical for text in texts)
    assert HELD_BACK.keys() == WORDINGS.keys()
    schedule = Schedule(seed=1)
    assert {schedule.at(second * 10**9).text for second in range(5000)} <= given


def test_scenarios_ask_for_what_can_be_said_and_every_instruction_is_asked_for() -> None:
    asked = {name for scenario in SCENARIOS.values() for name in scenario.instructions}
    assert asked == set(WORDINGS)
