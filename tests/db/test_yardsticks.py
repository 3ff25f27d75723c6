from __future__ import annotations

from collections import Counter

import pytest

from db.specs import ActionSpace
from db.yardsticks import NAMES, Deed, open_yardstick

SPACE = ActionSpace(codes=(17, 30, 272), dx_edges=(-1.0, 1.0), dx_values=(-9.0, 0.0, 9.0))


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_says_all_that_is_done(name: str) -> None:
    def play(seed: int) -> list[Deed]:
        yardstick = open_yardstick(name, SPACE, seed)
        return [yardstick.act() for _ in range(40)]

    assert play(3) == play(3)
    differs = len({tuple(play(seed)) for seed in range(8)}) > 1
    assert differs == (name != "noop")
    for deed in play(3):
        assert deed.down <= set(SPACE.codes)
        assert deed.dx in SPACE.dx_values
        assert deed.dy == 0.0


def test_random_holds_each_key_half_of_the_time_and_moves_evenly() -> None:
    player = open_yardstick("random", SPACE, 1)
    deeds = [player.act() for _ in range(4000)]
    held = Counter(code for deed in deeds for code in deed.down)
    assert all(0.4 < held[code] / len(deeds) < 0.6 for code in SPACE.codes)
    moved = Counter(deed.dx for deed in deeds)
    assert all(0.28 < moved[dx] / len(deeds) < 0.39 for dx in SPACE.dx_values)


def test_repeat_last_does_one_thing_for_ever_and_noop_nothing() -> None:
    for seed in range(20):
        player = open_yardstick("repeat-last", SPACE, seed)
        assert len({player.act() for _ in range(30)}) == 1
    assert {open_yardstick("noop", SPACE, seed).act() for seed in range(3)} == {Deed()}
