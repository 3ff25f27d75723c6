"""Adapters are strangers' code: whatever they do wrong is one sentence that names them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from db.errors import BadArgument
from db.specs import ClipSpec
from toyepisodes import A
from trainer.episodes.finding import find_game
from trainer.episodes.game import Step

CLIP = ClipSpec(size_px=(64, 48), rate_hz=15)


def test_a_game_is_found_by_its_dotted_name() -> None:
    with find_game("toyepisodes:make", CLIP) as game:
        assert (game.name, game.demonstrates, game.can_be_filmed) == ("pushing", True, True)
        assert game.reset(1, "push left").shape == (48, 64, 3)
        step = game.step(frozenset({A}), 0.0, 0.0)
        while not step.done:
            step = game.step(frozenset({A}), 0.0, 0.0)
        assert (step.score, step.outcome) == (100.0, "push left")


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nowhere", "no game 'nowhere'"),
        ("", "no game ''"),
        ("no_such_module:make", "no module no_such_module"),
        ("toyepisodes:no_such_name", "has no no_such_name"),
        ("toyepisodes:nothing", "cannot be called"),
        ("../evil:make", "names no game"),
        ("toyepisodes:raises", "does not open: RuntimeError: the maze fell in."),
        ("toyepisodes:no_game", "lacks tasks, longest_s, settings, reset, step"),
        ("toyepisodes:no_tasks", "names no tasks"),
        ("toyepisodes:same_tasks", "one instruction twice"),
        ("toyepisodes:for_ever", "lasts inf s"),
    ],
)
def test_what_is_no_game_is_refused(named: str, words: str) -> None:
    with pytest.raises(BadArgument) as refused:
        find_game(named, CLIP)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("never_ends", "not ended its episode after the 1 s"),
        ("small", r"shows \(4, 4, 3\) uint8 where the model sees \(48, 64, 3\)"),
        ("grey", r"shows \(48, 64\) float32"),
        ("falls_in", "in the middle of an episode: RuntimeError: the maze fell in"),
        ("wrong_step", "tuple instead of a Step"),
        ("odd_score", "'many' as a score"),
    ],
)
def test_what_breaks_the_rules_while_it_plays_is_refused(named: str, words: str) -> None:
    def play() -> None:
        with find_game(f"toyepisodes:{named}", CLIP) as game:
            game.reset(1, "push left")
            for _ in range(40):
                game.step(frozenset(), 0.0, 0.0)

    with pytest.raises(BadArgument, match=words):
        play()


def test_a_score_that_is_no_number_counts_as_none() -> None:
    with find_game("toyepisodes:make", CLIP) as game:
        picture = game.reset(1, "push left")
        game._game.step = lambda *_: Step(picture, True, math.nan)  # type: ignore[method-assign]
        assert game.step(frozenset(), 0.0, 0.0).score is None
        game._game.step = lambda *_: Step(picture, True, np.float32(2.5))  # type: ignore[method-assign]
        assert game.step(frozenset(), 0.0, 0.0).score == 2.5
