"""An evaluation as tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from db.recording.keys import label, parse
from trainer.scoring.causality import CHUNKS, SHARE
from trainer.scoring.rivals import MODEL

Evaluation = dict[str, Any]


def render(evaluation: Evaluation) -> str:
    """All figures beside their baselines; those of each key and, where there are several, of each game."""
    scores: dict[str, Any] = evaluation["scores"]
    events = ["onset 0", "onset 1", "onset 2", "release 0", "release 1", "release 2"]
    blocks = [
        f"{evaluation['kind']} {evaluation['model']} on {evaluation['split']}: {len(evaluation['sessions'])} sessions, "
        f"{evaluation['minutes']:.1f} minutes, {scores[MODEL]['rows']} rows",
        table(
            ["", "macro AP", "macro F1", *events, "joint"],
            [[who, s["macro_ap"], s["macro_f1"], *_events(s), s["joint_accuracy"]] for who, s in scores.items()],
        ),
        table(
            ["", "dx R2", "r", "scale", "sign", "dy R2", "r", "scale", "sign"],
            [[who, *s["mouse"]["dx"].values(), *s["mouse"]["dy"].values()] for who, s in scores.items()],
        ),
        table(
            ["cross-entropy, nats", "keys", "dx", "dy", "all", "perplexity"],
            [[who, *s["cross_entropy"].values(), s["perplexity"]["all"]] for who, s in scores.items()],
        ),
        table(
            ["key", "precision", "recall", "F1", "AP", "prevalence", "BCE", "ECE", "presses", "onset 0", "onset 1"],
            [_key_row(code, key) for code, key in scores[MODEL]["keys"].items()],
        ),
    ]
    games = evaluation.get("games", {})
    if len(games) > 1:
        blocks.append(
            table(
                ["game", "minutes", "macro AP", "onset 0", "onset 1", "dx R2", "dy R2"],
                [_game_row(game, part) for game, part in games.items()],
            )
        )
    blocks.append(
        "Onset and release are event F1 at exact, +-1 and +-2 frames, all keys' events in one count. Repeat-last sees the "
        "true\nprevious action: it is 0 at exact and 1 at +-1 by construction."
    )
    if found := evaluation.get("causality"):
        blocks.append(
            f"Causality score {cell(found['score'])} +- {cell(found['error'])} nats: how far the outputs at the ends of "
            f"{CHUNKS} stretches move (KL) when {SHARE:.0%} of their pictures\nare swapped for others of the game; mean "
            f"over {found['clips']} clips."
        )
    if found := evaluation.get("latency"):
        blocks.append(
            f"A live step takes {found['p50_ms']:.1f} ms (p50), {found['p99_ms']:.1f} ms (p99) over {found['steps']} steps "
            f"on {found['device']}, {found['threads']} threads:\n{found['machine']}."
        )
    return "\n\n".join(blocks)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns of text under a rule; the first one left-aligned, numbers to three places."""
    cells = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = []
    for row in cells:
        first, *others = (
            text.ljust(width) if not i else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *others]).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def cell(value: Any) -> str:
    """A number as it stands in a table; `-` for one that the rows could not tell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1e4 else f"{value:.2e}"
    return str(value)


def key_label(code: str) -> str:
    """What a person calls a key that an evaluation names."""
    return label(parse(code))


def _events(scores: dict[str, Any]) -> list[Any]:
    return [*scores["onset_f1"].values(), *scores["release_f1"].values()]


def _key_row(code: str, key: dict[str, Any]) -> list[Any]:
    figures = [key[name] for name in ("precision", "recall", "f1", "ap", "prevalence", "bce", "calibration_error")]
    return [key_label(code), *figures, key["presses"], key["onset_f1"]["0"], key["onset_f1"]["1"]]


def _game_row(game: str, part: dict[str, Any]) -> list[Any]:
    scores = part["scores"][MODEL]
    mouse = [scores["mouse"][axis]["r2"] for axis in ("dx", "dy")]
    return [
        game or "(none)",
        part["minutes"],
        scores["macro_ap"],
        scores["onset_f1"]["0"],
        scores["onset_f1"]["1"],
        *mouse,
    ]
