"""What was played, as tables: for a terminal and for a model's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.cards.tables import table

Outcome = Mapping[str, Any]

HEAD = ("", "episodes", "mean", "sd", "model less it", "95 %", "p", "better", "worse")

EXPLAINED = (
    "All players have the same seeds. Model less it: the mean of the paired differences, with a bootstrap interval, and how often "
    "a mean as far from 0 comes of chance signs."
)


def render(played: Sequence[Outcome], eyes: Mapping[str, Outcome]) -> str:
    """For a terminal; numbers may be None."""
    blocks = []
    for game in played:
        for task in game["tasks"]:
            blocks.append(
                f"{game['game']}: {task['instruction']} ({task['measure']}){share(task)}\n" + table(HEAD, rows(task))
            )
        drawn = ", ".join(f"{name} {value}" for name, value in game["sampling"].items())
        blocks.append(
            f"{game['game']}: seeds {game['first_seed']} to {game['first_seed'] + game['episodes'] - 1}; {drawn}"
        )
    blocks.append(EXPLAINED)
    blocks += [f"{name}: {describe(found)}" for name, found in eyes.items()]
    return "\n\n".join(blocks)


def rows(task: Outcome) -> list[list[Any]]:
    """One row a player, the model first."""
    found = []
    for label, player in task["players"].items():
        own = [label + followed(player), player["n"], player["mean"], player["sd"]]
        gap = task["paired"].get(label)
        spread = [gap["mean"], interval(gap), gap["p"], gap["better"], gap["worse"]] if gap else [""] * 5
        found.append(own + spread)
    return found


def interval(gap: Outcome) -> str:
    return "-" if gap["low"] is None else f"{gap['low']:.2f} to {gap['high']:.2f}"


def followed(player: Outcome) -> str:
    return "" if player["followed"] is None else f" (did what it was told: {player['followed']:.0%})"


def share(task: Outcome) -> str:
    return "" if task["of_demonstrator"] is None else f", {task['of_demonstrator']:.0%} of the demonstrator's"


def describe(eyes: Outcome) -> str:
    """What the encoder changes, in a sentence."""
    return (
        f"outputs on live and on decoded pictures are {eyes['kl']:.4f} nats apart (KL, mean over {eyes['ticks']} ticks; p99 "
        f"{eyes['kl_p99']:.4f}), while one tick of play moves them by {eyes['step_kl']:.4f}; a key flips in "
        f"{eyes['key_flips']:.1%} of the ticks; pictures differ by {eyes['grey_levels']:.2f} of 255 levels ({eyes['codec']})."
    )
