"""The model card: one self-contained page of what a model is, what was measured of it, and what it cannot do.

Names of games, players and instructions are strangers' text: everything is escaped, and the page may load nothing.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from db.errors import PlaytapeError
from db.files import replace_text
from db.recording.keys import label
from db.store import Store
from trainer.cards import plots
from trainer.cards.limits import limits_of
from trainer.cards.tables import cell, key_label
from trainer.data.manifest import Manifest
from trainer.episodes.tables import EXPLAINED, HEAD, describe, rows, share
from trainer.models import Card
from trainer.scoring.causality import CHUNKS, SHARE
from trainer.scoring.rivals import ABLATIONS, BASELINES, MARGINAL, MEANING, MODEL, RELEASED
from trainer.scoring.scores import AXES
from trainer.training.runs import RunConfig, open_run, read_progress

PAGE_NAME = "card.html"
_EVENTS = [f"{event} {off}" for event in ("onset", "release") for off in ("0", "±1", "±2")]

Scores = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """A table of the page; rows that begin with a name in `own` stand out."""

    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    own: tuple[str, ...] = (MODEL,)


def write_card(store: Store, card: Card, manifest: Manifest, evaluation: dict[str, Any]) -> Path:
    """Writes `models/<id>/card.html` from what was stored as JSON and returns where. Raises DiskFull, StoreReadOnly."""
    path = store.models_dir / card.id / PAGE_NAME
    replace_text(path, render_card(card, manifest, evaluation, *_read_run(store, card)))
    return path


def render_card(
    card: Card,
    manifest: Manifest,
    evaluation: dict[str, Any],
    run: RunConfig | None = None,
    progress: Sequence[dict[str, Any]] = (),
) -> str:
    """The page. `evaluation` is as JSON holds it, None for what could not be told."""
    scores = evaluation["scores"]
    kind = "Inverse-dynamics model" if card.kind == "idm" else "Policy"
    return open_pages().get_template("card.html.j2").render(
        title=f"{kind} {card.id}",
        what=kind,
        card=card,
        manifest=manifest,
        evaluation=evaluation,
        tiles=_tiles(card, evaluation),
        warnings=manifest.warnings,
        limits=limits_of(card, manifest, evaluation),
        meanings=[(who, MEANING[who]) for who in scores if who in MEANING],
        plots=_plots(card, evaluation, progress),
        tables=_tables(card, manifest, evaluation),
        confusion=_confusion(evaluation),
        played=[_played(task, game) for game in evaluation.get("played", ()) for task in game["tasks"]],
        explained=EXPLAINED,
        eyes={name: describe(found) for name, found in evaluation.get("eyes", {}).items()},
        causality=evaluation.get("causality", {}) and evaluation["causality"] | {"chunks": CHUNKS, "share": SHARE},
        facts=_facts(card, manifest, run),
        command=_command(card, run),
        config=_flat(card.config.model_dump(mode="json")),
    )  # fmt: skip


def open_pages() -> Environment:
    """The templates; whatever they are given is escaped."""
    pages = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(Path(__file__).parent),
    )
    pages.filters["figure"] = cell
    return pages


def headline_panels(kind: str, scores: dict[str, Scores]) -> list[plots.Panel]:
    """The figures that a kind of model is judged by."""
    panels: dict[str, Any] = {
        "macro AP": lambda s: s["macro_ap"],
        "onset F1, exact (macro)": lambda s: s["macro_onset_f1"]["0"],
        "onset F1, ±1 frame (macro)": lambda s: s["macro_onset_f1"]["1"],
    }
    if kind == "policy":
        panels |= {
            f"cross-entropy, {head}, nats ↓": lambda s, head=head: s["cross_entropy"][head]
            for head in ("all", "keys", *AXES)
        }
    else:
        panels["release F1, ±1 frame (macro)"] = lambda s: s["macro_release_f1"]["1"]
        panels |= {f"mouse R², {axis}": lambda s, axis=axis: s["mouse"][axis]["r2"] for axis in AXES}
    return [(title, {who: pick(found) for who, found in scores.items()}) for title, pick in panels.items()]


def score_tables(scores: dict[str, Scores], own: tuple[str, ...] = (MODEL,)) -> dict[str, Grid]:
    """All figures of several, keys, mouse and cross-entropy apart."""
    return {
        "all_keys": Grid(
            ["", "macro AP", "macro F1", *_EVENTS, "accuracy", "joint", "ECE"],
            [
                [
                    *(who, s["macro_ap"], s["macro_f1"], *s["onset_f1"].values(), *s["release_f1"].values()),
                    *(s["accuracy"], s["joint_accuracy"], s["calibration_error"]),
                ]
                for who, s in scores.items()
            ],
            "Onset and release: F1 of all keys' events in one count.",
            own,
        ),
        "mouse": Grid(
            ["", *(f"{axis} {what}" for axis in AXES for what in ("R²", "Pearson", "scale", "sign"))],
            [[who, *s["mouse"]["dx"].values(), *s["mouse"]["dy"].values()] for who, s in scores.items()],
            own=own,
        ),
        "entropy": Grid(
            ["", *(f"{head}, nats" for head in ("keys", "dx", "dy", "all")), "perplexity"],
            [[who, *s["cross_entropy"].values(), s["perplexity"]["all"]] for who, s in scores.items()],
            own=own,
        ),
    }


def _tables(card: Card, manifest: Manifest, evaluation: dict[str, Any]) -> dict[str, Grid]:
    scores = evaluation["scores"]
    beside = {who: s for who, s in scores.items() if who not in ABLATIONS}
    train = {label(key.code): key.train_presses for key in manifest.keys}
    of_keys = [(key_label(code), key) for code, key in scores[MODEL]["keys"].items()]
    frames = ("prevalence", "ap", "precision", "recall", "f1", "bce", "calibration_error")
    return score_tables(beside) | {
        "ablations": _ablations(scores),
        "key_frames": Grid(
            ["key", "prevalence", "AP", "precision", "recall", "F1", "BCE", "ECE", "threshold"],
            [
                [name, *(key[figure] for figure in frames), threshold]
                for (name, key), threshold in zip(of_keys, card.thresholds, strict=True)
            ],
            "Frame by frame. A key counts as pressed at its threshold, which was tuned on the calibration split.",
        ),
        "key_events": Grid(
            ["key", "presses", "in training", *_EVENTS],
            [
                [name, key["presses"], train.get(name, 0), *key["onset_f1"].values(), *key["release_f1"].values()]
                for name, key in of_keys
            ],
            "F1 of presses and releases, exact and at most one or two frames off.",
        ),
        "games": _games(evaluation["games"]),
    }


def _played(task: dict[str, Any], game: dict[str, Any]) -> dict[str, Any]:
    """One task of a game that was played."""
    title = f"{game['game']}: {task['instruction']}"
    return {"title": title, "measure": task["measure"] + share(task), "grid": Grid(HEAD, rows(task))}


def _ablations(scores: dict[str, Scores]) -> Grid:
    own = scores[MODEL]["cross_entropy"]["all"]
    rows = [
        [who, s["cross_entropy"]["all"], _signed(s["cross_entropy"]["all"] - own), s["macro_ap"], s["macro_onset_f1"]["1"]]
        + [s["mouse"][axis]["r2"] for axis in AXES]
        for who, s in scores.items()
        if who == MODEL or who in ABLATIONS
    ]  # fmt: skip
    return Grid(
        ["", "cross-entropy", "worse by", "macro AP", "macro onset ±1", "dx R²", "dy R²"],
        rows,
        "; ".join(f"{who}: {MEANING[who]}" for who in scores if who in ABLATIONS) + ".",
    )


def _games(games: dict[str, Any]) -> Grid:
    rows = []
    for game, part in games.items():
        for who, s in part["scores"].items():
            if who == MODEL or who in BASELINES:
                figures = [s["macro_ap"], s["macro_onset_f1"]["0"], s["macro_onset_f1"]["1"], s["joint_accuracy"]]
                figures += [s["mouse"]["dx"]["r2"], s["mouse"]["dy"]["r2"], s["perplexity"]["all"]]
                of_it = [game or "(none)", part["minutes"], part["sessions"]] if who == MODEL else ["", "", ""]
                rows.append([*of_it, who, *figures])
    head = ["game", "minutes", "sessions", "", "macro AP", "macro onset 0", "macro onset ±1", "joint", "dx R²", "dy R²", "perplexity"]  # fmt: skip
    return Grid(head, rows, own=tuple(game or "(none)" for game in games))


def _plots(card: Card, evaluation: dict[str, Any], progress: Sequence[dict[str, Any]]) -> dict[str, Markup]:
    scores, details = evaluation["scores"], evaluation["details"]
    ap = {code: key["ap"] for code, key in scores[MODEL]["keys"].items()}
    losses = [
        (row["step"], row["loss"]) for row in progress if row["phase"] == "training" and row.get("loss") is not None
    ]
    merits = [
        (row["step"], row["merit"]) for row in progress if row["phase"] == "evaluating" and row.get("merit") is not None
    ]
    drawn = {
        "bars": plots.draw_bars(headline_panels(card.kind, scores), [MODEL], caption="the model beside its baselines"),
        "precision_recall": plots.draw_precision_recall(details["precision_recall"], ap) if any(map(bool, ap)) else "",
        "reliability": plots.draw_reliability(details["reliability"]) if ap else "",
        "onsets": plots.draw_onsets(details["onsets"]) if ap else "",
        "training": plots.draw_training(losses, merits, card.best_step) if losses or merits else "",
    }  # fmt: skip
    for axis in AXES:
        drawn[axis] = plots.draw_mouse(axis, details["mouse"][axis], scores[MODEL]["mouse"][axis]["r2"])
    return {name: Markup(svg) for name, svg in drawn.items()}


def _tiles(card: Card, evaluation: dict[str, Any]) -> list[dict[str, str]]:
    scores = evaluation["scores"]

    def tile(
        name: str, pick: Any, *, rivals: Sequence[str] = (RELEASED, MARGINAL), least: bool = False
    ) -> dict[str, str]:
        others = {who: pick(scores[who]) for who in rivals}
        known = {who: value for who, value in others.items() if value is not None}
        best = (min if least else max)(known, key=lambda who: known[who]) if known else ""
        return {
            "name": name,
            "value": cell(pick(scores[MODEL])),
            "beside": f"{best}: {cell(known[best])}" if best else "",
        }

    tiles = [
        tile("macro average precision", lambda s: s["macro_ap"]),
        tile("macro onset F1, exact", lambda s: s["macro_onset_f1"]["0"]),
        tile("macro onset F1, ±1 frame", lambda s: s["macro_onset_f1"]["1"]),
    ]
    if card.kind == "idm":
        return tiles + [tile(f"mouse R², {axis}", lambda s, a=axis: s["mouse"][a]["r2"]) for axis in AXES]
    tiles.append(tile("perplexity", lambda s: s["perplexity"]["all"], rivals=(MARGINAL,), least=True))
    score, live = evaluation["causality"], evaluation["latency"]
    tiles.append({"name": "causality", "value": cell(score["score"]), "beside": f"± {cell(score['error'])} nats"})
    step = {"name": "live step, p99", "value": f"{live['p99_ms']:.1f} ms", "beside": f"p50: {live['p50_ms']:.1f} ms"}
    return [*tiles, step]


def _confusion(evaluation: dict[str, Any]) -> dict[str, Any]:
    found = evaluation["details"]["confusion"]
    names = [key_label(code) for code in evaluation["scores"][MODEL]["keys"]]
    rows = [
        {"name": name, "count": count, "shares": shares}
        for name, count, shares in zip([*names, "nothing"], found["rows"], found["shares"], strict=True)
    ]
    return {"names": names, "rows": rows}


def _facts(card: Card, manifest: Manifest, run: RunConfig | None) -> list[tuple[str, str]]:
    width, height = card.clip.size_px
    hours = ", ".join(f"{split} {hours * 60:.1f} min" for split, hours in manifest.hours.items())
    known = [
        ("configuration", card.config.name),
        ("parameters", f"{card.parameters:,}" if card.parameters else "not told"),
        ("pictures", f"{width} x {height} pixels, {card.clip.rate_hz:g} a second"),
        ("keys", ", ".join(map(label, card.space.codes)) or "none"),
        ("mouse bins", f"{len(card.space.dx_values)} across, {len(card.space.dy_values)} down"),
        ("dataset", manifest.id),
        ("dataset hash", manifest.hash),
        ("split by", f"{manifest.split_by} ({hours})"),
        ("seed", str(card.seed)),
        ("steps", f"{card.steps}, the best of them {card.best_step}"),
        ("made", card.created_at),
        ("run", card.run_id),
    ]
    if run is not None:
        known.append(("trained in", f"{run.precision}, {run.threads} thread{'s' * (run.threads != 1)}"))
    whose = {"all": "all actions", "human": "what people did", "imputed": "what a model imputed"}
    known.append(("learnt from", whose[card.train_on]))
    return known + [
        (
            "before that",
            f"{lesson.steps} steps on {whose[lesson.train_on]}, dataset {lesson.dataset_id} (model {lesson.model})",
        )
        for lesson in card.history
    ]


def _command(card: Card, run: RunConfig | None) -> str:
    words = ["playtape-train", card.kind, "--dataset", card.dataset_id, "--config", card.config.name]
    words += ["--steps", str(card.steps), "--seed", str(card.seed)]
    words += ["--train-on", card.train_on]
    words += ["--start-from", card.history[-1].model] if card.history else []
    return shlex.join(words + (["--threads", str(run.threads)] if run else []))


def _read_run(store: Store, card: Card) -> tuple[RunConfig | None, list[dict[str, Any]]]:
    """What is left of the run that made a model; it may have been deleted, or be on another machine."""
    if not (store.runs_dir / card.run_id).is_dir():
        return None, []
    try:
        run, config = open_run(store, card.run_id)
    except PlaytapeError:
        return None, []
    return config, read_progress(run.folder)


def _flat(values: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{above}{name}.")
        else:
            found.append((above + name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return found


def _signed(value: float) -> str:
    return f"{value:+.3f}"
