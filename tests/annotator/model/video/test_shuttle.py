from __future__ import annotations

from annotator.model.video.shuttle import SPEEDS, pace_away, shuttle


def test_the_same_key_is_faster_each_time_up_to_the_fastest() -> None:
    speed, met = 0.0, []
    for _ in range(7):
        speed = shuttle(speed, -1)
        met.append(speed)
    assert met == [-1, -2, -4, -8, -16, -16, -16]


def test_the_other_key_slows_down_before_it_turns() -> None:
    speed, met = 4.0, []
    for _ in range(5):
        speed = shuttle(speed, -1)
        met.append(speed)
    assert met == [2, 1, -1, -2, -4]


def test_slow_motion_gets_faster_and_turns_at_once() -> None:
    assert shuttle(0.25, 1) == 0.5
    assert shuttle(-0.25, 1) == 1


def test_paces_stay_in_the_table() -> None:
    assert pace_away(1.0, 1) == 2
    assert pace_away(0.1, -1) == 0.1
    assert pace_away(16, 3) == 16
    assert [pace_away(SPEEDS[0], steps) for steps in range(len(SPEEDS))] == list(SPEEDS)
