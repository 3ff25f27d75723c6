from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.episodes.outcomes import compare
from trainer.episodes.record import Episode, Episodes, Player, Setting


def test_paired_differences() -> None:
    gap = compare([5.0, 7.0, 9.0], [4.0, 5.0, 6.0])
    assert gap["mean"] == 2.0
    assert 1.0 <= gap["low"] < 2.0 < gap["high"] <= 3.0
    assert (gap["better"], gap["worse"], gap["same"]) == (3, 0, 0)
    assert gap["p"] == pytest.approx(2 / 8), "two of eight choices of signs give a mean as far from 0"
    assert compare([1.0, 2.0], [1.0, 2.0])["p"] == 1.0
    assert math.isnan(compare([], [])["mean"])


def test_pairing_finds_what_spread_hides() -> None:
    rng = np.random.default_rng(1)
    hard = rng.normal(0, 50, 16)
    ours, theirs = (hard + 1.0 + rng.normal(0, 0.2, 16)).tolist(), hard.tolist()
    gap = compare(ours, theirs)
    assert gap["p"] < 0.01
    assert 0.5 < gap["low"] < gap["high"] < 1.5
    assert compare(theirs, ours)["mean"] == pytest.approx(-gap["mean"])
    noise = compare(rng.normal(0, 1, 16).tolist(), rng.normal(0, 1, 16).tolist())
    assert noise["low"] < 0 < noise["high"]


def test_what_was_played_is_read_back_and_damage_is_not(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def episode(seed: int) -> Episode:
        setting = Setting(game="g", settings="{}", task="t", seed=seed)
        return Episode(setting=setting, player=Player(who="noop"), score=float(seed), seconds=1.0)

    record = Episodes(tmp_path)
    record.add(episode(1))
    record.add(episode(2))
    path = tmp_path / "episodes.jsonl"
    path.write_text(path.read_text() + '{"setting": {"game": "cut o')  # whoever wrote this was killed
    again = Episodes(tmp_path)
    assert again.get(episode(2).setting, Player(who="noop")) == episode(2)
    assert again.get(episode(2).setting, Player(who="random")) is None
    assert again.get(episode(3).setting, Player(who="noop")) is None
    again.add(episode(3))
    assert Episodes(tmp_path).get(episode(3).setting, Player(who="noop")) == episode(3)
