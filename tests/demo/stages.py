"""The parts of the demo, each from what the parts before it left on disk to figures for the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from db.labelling.labels import LabelKind, spans
from db.store import Store
from demo import plots
from demo.plan import Plan
from demo.playing import play, play_script
from demo.programs import run
from demo.progress import Progress
from demo.recording import Script, Take, against_ledger, bear_witness, label, record
from demo.screens import Screen
from games.instructions import Instruction
from games.scores import MEASURES, Stretch, mean_score, read_stretches
from games.witness import percentile_ms

AUTHOR = "demo"


@dataclass
class Demo:
    """One run: where it writes, how much it does, and the figures gathered so far."""

    out: Path
    plan: Plan
    screen: Screen
    progress: Progress
    figures: dict[str, Any] = field(default_factory=dict)
    takes: list[Take] = field(default_factory=list)

    @property
    def library(self) -> Path:
        return self.out / "library"

    @property
    def shared(self) -> list[str]:
        return ["--library", str(self.library), "--json"]

    def train(self, *arguments: str, timeout_s: float = 1800) -> list[dict[str, Any]]:
        """Runs `playtape-train` and returns its JSON lines."""
        return run(["trainer", *arguments, *self.shared], self.out / "train.log", timeout_s=timeout_s)


def record_groups(demo: Demo) -> None:
    """Records every group of play, holds each against the game's account, labels and accepts it."""
    plan, rows, intervals = demo.plan, [], []
    offsets_ns: list[int] = []
    recorder = ["recorder", "--headless", "--fps", f"{plan.rate_hz:g}", "--game", plan.game, "--player", plan.player]
    for number in range(plan.groups):
        script = Script("arena", "demonstrator", plan.group_s, 100 + number, plan.instructions)
        folder = demo.out / "game-logs" / f"group-{number + 1}"
        take = record(demo.screen, script, folder, [*recorder, "--actor", "script", *demo.shared])
        with Store.open(demo.library) as store:
            labels = label(store, take, AUTHOR)
            recording, summary = store.recording(take.session_id), store.summary(take.session_id)
            account, problems = bear_witness(recording, take.log), store.verify(take.session_id)
            intervals.append(np.diff(recording.clock.t_ns) / 1e6)
        offsets_ns += account.offsets_ns
        demo.takes.append(take)
        rows.append(
            {
                "name": number + 1,
                "id": take.session_id,
                "frames": summary.frames,
                "dropped_frames": recording.meta.dropped_frames,
                "grade": summary.grade,
                "labels": labels,
                "ledger": against_ledger(recording, take.log),
                "missing": len(account.missing),
                "invented": len(account.invented),
                "whole": not problems,
            }
        )
        demo.progress.note(_describe(rows[-1], plan.groups))
    every = np.concatenate(intervals)
    plots.draw_intervals(every, demo.out / "intervals.png")
    demo.figures |= {
        "sessions": rows,
        "recorded_s": plan.recorded_s,
        "rate_hz": plan.rate_hz,
        "dropped_frames": sum(row["dropped_frames"] for row in rows),
        "changes": sum(row["ledger"]["recorded_changes"] for row in rows),
        "missing": sum(row["missing"] for row in rows),
        "invented": sum(row["invented"] for row in rows),
        "offset_ms": [percentile_ms(offsets_ns, 50), percentile_ms(offsets_ns, 99)],
        "interval_ms": [float(np.percentile(every, q)) for q in (50, 99, 100)],
    }


def freeze_dataset(demo: Demo) -> None:
    """Freezes the accepted sessions, split by group."""
    share = str(max(0.25, 1 / demo.plan.groups))
    found = demo.train("dataset", "--game", demo.plan.game, "--by", "group", "--held-out-share", share)[-1]
    demo.figures["dataset"] = {name: found[name] for name in ("id", "hash", "hours", "sessions", "warnings")}


def train_model(demo: Demo, kind: str) -> None:
    """Trains the IDM or the policy within the plan's budget."""
    dataset = demo.figures["dataset"]["id"]
    found = demo.train(kind, "--dataset", dataset, "--config", "quick", "--minutes", str(demo.plan.train_minutes))[-1]
    card = json.loads((Path(found["path"]) / "model.json").read_text())
    demo.figures[kind] = {"model": found["model"], "run": found["run"], "parameters": card.get("parameters")}


def evaluate_models(demo: Demo) -> None:
    """Scores both on held-out groups, draws the learning curves and one held-out stretch as recorded and predicted."""
    for kind in ("idm", "policy"):
        found = demo.train("evaluate", "--model", demo.figures[kind]["model"])[-1]
        demo.figures[kind] |= {"scores": found["scores"], "held_out": found["sessions"]}
    runs = {
        name: _progress_rows(demo, kind) for name, kind in (("inverse-dynamics model", "idm"), ("policy", "policy"))
    }
    plots.draw_curves(runs, demo.out / "curves.png")
    draw_comparison(demo)


def draw_comparison(demo: Demo) -> None:
    """The picture of one held-out session: the twelve seconds in which most happens."""
    session_id = demo.figures["idm"]["held_out"][0]
    path = demo.out / "prediction.npz"
    demo.train("predict", "--model", demo.figures["idm"]["model"], "--session", session_id, "--out", str(path))
    with np.load(path, allow_pickle=False) as said, Store.open(demo.library) as store:
        recording, labels = store.recording(session_id), spans(store.edits(session_id), LabelKind.INSTRUCTION)
        seconds = (said["edges_ns"][:-1] - recording.clock.t_ns[0]) / 1e9
        compared = plots.Comparison(
            seconds=seconds,
            frames=said["ticks"],
            codes=tuple(said["codes"].tolist()),
            true_keys=said["true_keys"],
            predicted_keys=said["keys"],
            true_dx=said["true_motion"][:, 0],
            predicted_dx=said["motion"][:, 0],
        )
        length_s = min(12.0, float(seconds[-1]))
        start_s = _busiest(seconds, compared.true_keys, length_s)
        plots.draw_timeline(recording, labels, compared, start_s, start_s + length_s, demo.out / "timeline.png")


def play_all(demo: Demo) -> None:
    """The policy under each instruction; then random and no-op, who are deaf and play once for all of them."""
    plan, logs = demo.plan, demo.out / "game-logs"
    player = [
        "recorder.play",
        "--headless",
        "--game",
        plan.game,
        "--player",
        plan.player,
        "--model",
        demo.figures["policy"]["model"],
        *demo.shared,
    ]
    played = [
        play(demo.screen, "arena", text, plan.play_s, 500 + number, logs / f"policy-{number + 1}", player)
        for number, text in enumerate(plan.played)
    ]
    yardsticks = {
        name: play_script(demo.screen, "arena", name, 2 * plan.play_s, 600, logs / name) for name in ("random", "noop")
    }
    shown: dict[str, list[Stretch]] = {}
    for take in demo.takes:
        for canonical, stretches in read_stretches(take.log).items():
            shown.setdefault(canonical, []).extend(stretches)
    rows = []
    for number, one in enumerate(played):
        picture = f"play-{number + 1}.png"
        with Store.open(demo.library) as store:
            plots.draw_play(store.recording(one.session_id), one.instruction, demo.out / picture)
        canonical = Instruction.from_text(one.instruction).canonical
        rows.append(
            {
                "instruction": one.instruction,
                "unit": MEASURES[canonical],
                "policy": one.stretch.score(canonical),
                "demonstrator": mean_score(shown.get(canonical, []), canonical),
                "session_id": one.session_id,
                "picture": picture,
                "report": one.report,
                **{name: stretch.score(canonical) for name, stretch in yardsticks.items()},
            }
        )
        demo.progress.note(_describe_play(rows[-1]))
    demo.figures |= {"played": rows, "play_s": plan.play_s}


def _progress_rows(demo: Demo, kind: str) -> list[dict[str, Any]]:
    path = demo.library / "runs" / demo.figures[kind]["run"] / "progress.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def _busiest(seconds: np.ndarray, pressed: np.ndarray, length_s: float) -> float:
    """The start of the stretch with the most changes of keys."""
    changes = np.abs(np.diff(pressed.astype(np.int8), axis=0)).sum(axis=1)
    starts = np.arange(0.0, max(float(seconds[-1]) - length_s, 0.0) + 0.01, 1.0)
    counts = [changes[(seconds[1:] >= start) & (seconds[1:] < start + length_s)].sum() for start in starts]
    return float(starts[int(np.argmax(counts))])


def _describe(row: dict[str, Any], groups: int) -> str:
    ledger = row["ledger"]
    return (
        f"group {row['name']}/{groups}: {row['frames']} frames, {row['dropped_frames']} dropped, {row['grade']}; "
        f"{ledger['recorded_changes']} of {ledger['injected_changes']} presses and releases, "
        f"{row['missing']} missing and {row['invented']} invented by the game's own account"
    )


def _describe_play(row: dict[str, Any]) -> str:
    scores: Sequence[str] = [f"{who} {row[who]:.1f}" for who in ("policy", "random", "noop", "demonstrator")]
    return f"“{row['instruction']}”, {row['unit']}: {', '.join(scores)}"
