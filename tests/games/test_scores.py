"""Scores: what following an instruction well looks like in the game's own log, and what not."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from games.instructions import HELD_BACK, WORDINGS
from games.scenarios import BUTTONS, SCENARIOS
from games.scores import MEASURES, UNSCORED, Stretch, mean_score, read_stretches


def _row(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "kind": "tic", "number": number, "t_ns": number * 10**9 // 35, "episode": 0, "angle_deg": 0.0, "pitch_deg": 0.0, "x": 400.0,
        "y": 0.0, "kills": 0, "pickups": 0, "hits": 0, "action": {"USE": 0.0},
    }  # fmt: skip
    return row | changes


def _play(**ways: Any) -> Stretch:
    """Ten seconds in which values go as the functions of the tic's number say."""
    return Stretch([_row(i, **{name: way(i) for name, way in ways.items()}) for i in range(351)])


def test_every_instruction_is_scored_or_said_not_to_be() -> None:
    asked = {(scenario.name, name) for scenario in SCENARIOS.values() for name in scenario.instructions}
    assert {name for scenario, name in asked - UNSCORED if name not in MEASURES} == {"approach"}
    assert set(MEASURES) <= set(WORDINGS) == set(HELD_BACK)


@pytest.mark.parametrize(
    ("canonical", "ways", "score"),
    [
        ("shoot", {"kills": lambda i: i // 70}, 30.0),
        ("collect", {"pickups": lambda i: i // 175}, 12.0),
        ("turn left", {"angle_deg": lambda i: (2.0 * i) % 360}, 70.0),
        ("turn right", {"angle_deg": lambda i: (2.0 * i) % 360}, -70.0),
        ("stand still", {}, 100.0),
        ("stand still", {"x": lambda i: float(min(i, 175))}, 50.0),
        ("walk backwards", {"x": lambda i: -4.0 * i}, 140.0),
        ("walk backwards", {"x": lambda i: 4.0 * i, "angle_deg": lambda i: 180.0}, 140.0),
        ("dodge", {"y": lambda i: 5.0 * (i % 2)}, 175.0),
        ("look up", {"pitch_deg": lambda i: -20.0}, 100.0),
        ("look down", {"pitch_deg": lambda i: -20.0}, 0.0),
        ("vest", {"x": lambda i: 400.0 + 355.0 * i / 350}, 50.0),
        ("return", {"x": lambda i: 400.0 + i}, 0.0),
        ("open", {"y": lambda i: 20.0, "action": lambda i: {"USE": float(i % 35 < 5)}}, 60.0),
        ("open", {"action": lambda i: {"USE": float(i % 35 < 5)}}, 0.0),
        ("evade", {}, 100.0),
        ("go left", {"y": lambda i: 748.0 * i / 350}, 100.0),
    ],
)
def test_scores(canonical: str, ways: dict[str, Any], score: float) -> None:
    assert _play(**ways).score(canonical) == pytest.approx(score, abs=0.4)


def test_hits_and_trials() -> None:
    hit = _play(hits=lambda i: (i >= 50) + (i >= 55))
    assert hit.score("evade") == pytest.approx(100 * 10 / 11, abs=0.1)
    trials = [{"reached": "red pillar"}, {"reached": ""}, {"reached": "blue torch"}, {"reached": "red pillar"}]
    assert Stretch((), trials).score("red pillar") == 50.0
    assert math.isnan(Stretch(()).score("red pillar"))
    assert math.isnan(Stretch([_row(0)]).score("shoot"))
    few, many = Stretch((), trials[:1]), Stretch((), trials[1:3])
    assert mean_score([few, many, Stretch(())], BUTTONS.targets[0]) == pytest.approx(100 / 3)


def test_a_log_is_read_by_instruction(tmp_path: Path) -> None:
    def write(name: str, rows: list[dict[str, Any]]) -> None:
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    second = 10**9
    write("tics.jsonl", [_row(i) for i in range(300)])
    texts = [(0, "shoot"), (3 * second, ""), (4 * second, "red pillar")]
    given = [{"kind": "instruction", "t_ns": t_ns, "text": name, "canonical": name} for t_ns, name in texts]
    trial = {"kind": "trial", "canonical": "red pillar", "reached": "red pillar", "start_ns": 4 * second}
    write("instructions.jsonl", [*given, trial])
    found = read_stretches(tmp_path)
    assert found["shoot"][0].seconds == pytest.approx(2, abs=0.1)
    assert found["red pillar"][0].score("red pillar") == 100.0
