"""What episodes came to: mean and sd of each player, and the model against each other player in the same settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.episodes.finding import CheckedGame
from trainer.episodes.game import Task
from trainer.episodes.record import Episode
from trainer.episodes.running import DEMONSTRATOR, MODEL, Plan

SHARE = 0.95
"""Of the intervals."""
_RESAMPLES, _FLIPS = 10_000, 20_000
_EXACT = 12
"""So many pairs have few enough signs to try them all."""

LABELS = {
    "asked": MODEL,
    "nothing": "model, told nothing",
    "another": "model, told another task",
    "unseen": "model, told in unseen words",
}
TOGETHER = "all tasks"

Outcome = dict[str, Any]


def summarise(game: CheckedGame, plan: Plan, tasks: Sequence[Task], episodes: Sequence[Episode]) -> Outcome:
    """`tasks`: for each task, and for all together where they count the same, `instruction`, `measure`, and per player `n`,
    `mean`, `sd`, `scores` (by seed, None where nothing could be counted) and `followed` (the share of episodes that ended with
    what the model was told; None where the game does not say or nothing was told); `paired`: the model less each other player,
    as `compare`; `of_demonstrator`: the model's mean as a share of the demonstrator's.
    """
    by_task = {task: [episode for episode in episodes if episode.setting.task == task.instruction] for task in tasks}
    parts = [_part(task.instruction, task.measure, found, game.tasks) for task, found in by_task.items()]
    if len(tasks) > 1 and len({task.measure for task in tasks}) == 1:
        parts.append(_part(TOGETHER, tasks[0].measure, episodes, game.tasks))
    return {
        "game": game.name,
        "opened_as": plan.game,
        "settings": dict(game.settings),
        "sampling": plan.sampling.model_dump(),
        "episodes": plan.episodes,
        "first_seed": plan.first_seed,
        "tasks": parts,
    }


def compare(one: Sequence[float], other: Sequence[float], seed: int = 0) -> dict[str, float]:
    """Paired differences, one less other: their `mean`, its 95 % interval `low` to `high` (bootstrap), `p` (two-sided, by
    flipping signs), and in how many pairs one is `better`, `worse` or the `same`. NaN without pairs.
    """
    gaps = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    counts = {"better": int((gaps > 0).sum()), "worse": int((gaps < 0).sum()), "same": int((gaps == 0).sum())}
    if not len(gaps):
        return dict.fromkeys(("mean", "low", "high", "p"), math.nan) | counts
    rng = np.random.default_rng(seed)
    means = gaps[rng.integers(len(gaps), size=(_RESAMPLES, len(gaps)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return {"mean": float(gaps.mean()), "low": float(low), "high": float(high), "p": _flip_signs(gaps, rng)} | counts


def _flip_signs(gaps: NDArray[np.float64], rng: np.random.Generator) -> float:
    """How often a mean as far from 0 comes about where the sign of each difference is chance."""
    if len(gaps) <= _EXACT:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(gaps))))
    else:
        signs = rng.choice((-1.0, 1.0), size=(_FLIPS, len(gaps)))
        signs[0] = 1.0  # what was seen is one of the possible outcomes
    found = np.abs((signs * gaps).mean(axis=1))
    return float(np.mean(found >= abs(gaps.mean()) - 1e-12))


def _part(instruction: str, measure: str, episodes: Sequence[Episode], tasks: Sequence[Task]) -> Outcome:
    by_player: dict[str, list[Episode]] = {}
    for episode in episodes:
        player = episode.player
        by_player.setdefault(LABELS[player.telling] if player.who == MODEL else player.who, []).append(episode)
    players = {label: _describe(found, tasks) for label, found in by_player.items()}
    own = by_player.get(MODEL, [])
    paired = {label: _pair(own, found) for label, found in by_player.items() if label != MODEL and own}
    ideal = players.get(DEMONSTRATOR, {}).get("mean")
    mean = players.get(MODEL, {}).get("mean")
    share = mean / ideal if mean is not None and ideal is not None and ideal > 0 else math.nan
    return {
        "instruction": instruction,
        "measure": measure,
        "players": players,
        "paired": paired,
        "of_demonstrator": share,
    }


def _describe(episodes: Sequence[Episode], tasks: Sequence[Task]) -> Outcome:
    scores = [episode.score for episode in episodes]
    known = [score for score in scores if score is not None]
    words = {text: task.instruction for task in tasks for text in (task.instruction, *task.unseen)}
    told = [episode for episode in episodes if episode.told]
    tells = any(episode.outcome for episode in episodes)
    followed = [episode.outcome == words.get(episode.told) for episode in told]
    return {
        "n": len(known),
        "mean": float(np.mean(known)) if known else math.nan,
        "sd": float(np.std(known, ddof=1)) if len(known) > 1 else math.nan,
        "scores": scores,
        "followed": sum(followed) / len(followed) if followed and tells else None,
    }


def _pair(own: Sequence[Episode], other: Sequence[Episode]) -> Mapping[str, float]:
    theirs = {(episode.setting.task, episode.setting.seed): episode.score for episode in other}
    both = [(episode.score, theirs.get((episode.setting.task, episode.setting.seed))) for episode in own]
    known = [(a, b) for a, b in both if a is not None and b is not None]
    return compare([a for a, _ in known], [b for _, b in known])
