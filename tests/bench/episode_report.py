"""What the bench of episodes found: tables as text, bars as a picture, and everything as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from db.files import replace_text
from demo.plots import FAINT, INK, PREDICTED, RECORDED
from games.instructions import Instruction
from trainer.cards.tables import table
from trainer.episodes.outcomes import TOGETHER
from trainer.episodes.tables import render

Row = Mapping[str, Any]


def write(out: Path, found: Mapping[str, Row]) -> str:
    """Writes `episodes.json`, `episodes.txt` and a picture of bars for each scenario; returns the text."""
    replace_text(out / "episodes.json", json.dumps(found, indent=1) + "\n")
    blocks = []
    for name, row in found.items():
        headless = row["headless"]
        blocks.append(f"== {name}: policy {row['model']}")
        blocks.append(render([headless["played"]], {name: headless["eyes"]}))
        blocks.append(
            table(
                ("in the window", "n", "window", "sd", "headless", "95 % of the difference", "demonstrator"),
                agreement(row),
            )
        )
        blocks.append(latency(row["window"]))
        draw(name, row, out / f"{name}-scores.png")
    text = "\n\n".join(blocks)
    replace_text(out / "episodes.txt", text + "\n")
    return text


def agreement(row: Row) -> list[list[Any]]:
    """A line a task: the policy's score in the window beside its score headless, and the demonstrator's in the window."""
    lines = []
    for canonical, measure in row["measures"].items():
        window = [
            part["score"] for part in row["window"] if part["canonical"] == canonical and part["score"] is not None
        ]
        headless = [score for score in _scores(row, canonical) if score is not None]
        spread = difference(window, headless)
        sd = float(np.std(window, ddof=1)) if len(window) > 1 else None
        lines.append(
            [
                f"{canonical}, {measure}", len(window), float(np.mean(window)) if window else None, sd,
                float(np.mean(headless)) if headless else None, spread, row["recorded"][canonical],
            ]
        )  # fmt: skip
    return lines


def difference(one: Sequence[float], other: Sequence[float], seed: int = 0) -> str:
    """The 95 % interval of the difference of two means, by bootstrap; the two are not paired, as a window keeps real time."""
    if not one or not other:
        return "-"
    rng = np.random.default_rng(seed)
    means = [rng.choice(np.asarray(side), (10_000, len(side))).mean(axis=1) for side in (one, other)]
    low, high = np.quantile(means[0] - means[1], [0.025, 0.975])
    return f"{low:.2f} to {high:.2f}"


def latency(windows: Sequence[Row]) -> str:
    """How live play kept its time."""
    reports = [part["report"] for part in windows]
    if not reports:
        return "nothing was played in the window"
    ticks, late = (sum(report[name] or 0 for report in reports) for name in ("ticks", "late"))
    p50, p99 = (max(report[f"frame_to_injection_ms_{q}"] or 0.0 for report in reports) for q in ("p50", "p99"))
    return f"{ticks} decisions in the window, {late} late; frame to injection at worst {p50} ms (p50), {p99} ms (p99)"


def draw(name: str, row: Row, path: Path) -> None:
    """A panel a task: each player's mean and sd headless, and the policy's episodes in the window as dots."""
    parts = row["headless"]["played"]["tasks"]
    columns = min(len(parts), 3)
    rows = -(-len(parts) // columns)
    figure = Figure(figsize=(4.2 * columns, 0.9 + 2.3 * rows), layout="constrained")
    for number, part in enumerate(parts):
        axis = figure.add_subplot(rows, columns, number + 1)
        players = list(part["players"].items())
        means = [player["mean"] or 0.0 for _, player in players]
        spreads = [player["sd"] or 0.0 for _, player in players]
        colours = [RECORDED if label.startswith("model") else FAINT for label, _ in players]
        axis.barh(range(len(players)), means, xerr=spreads, color=colours, ecolor=INK, error_kw={"linewidth": 0.8})
        axis.set_yticks(range(len(players)), [label for label, _ in players])
        axis.invert_yaxis()
        canonical = Instruction.from_text(part["instruction"]).canonical
        shown = [one["score"] for one in row["window"] if one["canonical"] == canonical and one["score"] is not None]
        axis.plot(shown, [0] * len(shown), "o", color=PREDICTED, markersize=4, label="in the window")
        if shown:
            axis.legend(frameon=False, fontsize=7)
        title = f"all of {name}" if part["instruction"] == TOGETHER else part["instruction"]
        axis.set_title(f"{title}\n{part['measure']}", loc="left", fontsize=9)
    figure.savefig(path)


def _scores(row: Row, canonical: str) -> list[float | None]:
    for part in row["headless"]["played"]["tasks"]:
        if Instruction.from_text(part["instruction"]).canonical == canonical:
            scores: list[float | None] = part["players"]["model"]["scores"]
            return scores
    return []
