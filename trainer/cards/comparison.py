"""Several models side by side: only what was scored on the same rows, and only the figures that mean the same for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from db.errors import BadArgument, BadFile, NotFound
from db.files import replace_text
from db.store import Store
from trainer.cards import plots
from trainer.cards.report import headline_panels, open_pages
from trainer.cards.tables import cell, key_label, table
from trainer.data.manifest import Split
from trainer.models import Card, read_card
from trainer.scoring.evaluate import Evaluation, differ, evaluate, read_evaluation, to_json
from trainer.scoring.rivals import MARGINAL, MEANING, MODEL, RELEASED, REPEAT
from trainer.scoring.scores import AXES


@dataclass(frozen=True)
class Line:
    """One figure of every model."""

    name: str
    values: tuple[float | None, ...]
    best: int | None
    """Which model's is the best; None where none is, or all are alike."""


@dataclass(frozen=True)
class Comparison:
    """What can be said of several models together."""

    cards: tuple[Card, ...]
    evaluations: tuple[Evaluation, ...]
    parts: tuple[tuple[str, tuple[Line, ...]], ...]
    """Lines under a heading each."""
    notes: tuple[str, ...]


def compare(store: Store, model_ids: Sequence[str], split: Split = "held-out", **how: Any) -> Comparison:
    """Compares what `evaluate` stored; a model without figures of this split is evaluated first, `how` says how.

    Raises BadArgument where fewer than two models are named or their rows differ, and why; and what `evaluate` raises.
    """
    if len(set(model_ids)) < max(2, len(model_ids)):
        raise BadArgument("Name two models or more, each of them once.")
    cards = [read_card(store, model_id) for model_id in model_ids]
    if len({card.kind for card in cards}) > 1:
        kinds = ", ".join(f"{card.id} is of the kind {card.kind}" for card in cards)
        raise BadArgument(f"These models cannot be compared: {kinds}.")
    found = [_evaluation(store, model_id, split, **how) for model_id in model_ids]
    for other in found[1:]:
        if why := differ(found[0], other):
            raise BadArgument(f"These models cannot be compared: {why}.")
    notes = []
    if not (same_bins := len({_bins(card) for card in cards}) == 1):
        notes.append(
            "The mouse's bins differ, since they were fitted on different datasets: cross-entropies of the mouse and the "
            "perplexity over all heads would not mean the same and are left out."
        )
    if sum(len(evaluation["sessions"]) for evaluation in found[:1]) < 3:
        notes.append("There are fewer than three sessions: small differences may be chance.")
    machines = {(evaluation.get("latency") or evaluation.get("speed") or {}).get("machine") for evaluation in found}
    if len(machines) > 1:
        notes.append("They were timed on different machines: their speeds cannot be compared.")
    return Comparison(tuple(cards), tuple(found), tuple(_parts(found, same_bins)), tuple(notes))


def render_text(comparison: Comparison) -> str:
    """Tables for a terminal, the best figure of a line marked with an asterisk."""
    ids = [card.id for card in comparison.cards]
    first = comparison.evaluations[0]
    blocks = [
        f"{len(ids)} models on {first['split']}: {len(first['sessions'])} sessions, {first['minutes']:.1f} minutes, "
        f"{first['scores'][MODEL]['rows']} rows"
    ]
    for title, lines in comparison.parts:
        rows = [[line.name, *_marked(line)] for line in lines]
        blocks.append(table([title, *ids], rows))
    return "\n\n".join([*blocks, *comparison.notes, "* the best of its line"])


def write_page(comparison: Comparison, path: Path) -> None:
    """The same as one self-contained page. Raises DiskFull, StoreReadOnly, BadFile."""
    scores = {evaluation["model"]: evaluation["scores"][MODEL] for evaluation in comparison.evaluations}
    baselines = {who: comparison.evaluations[0]["scores"][who] for who in (RELEASED, MARGINAL, REPEAT)}
    first = comparison.evaluations[0]
    panels = [
        panel
        for panel in headline_panels(first["kind"], scores | baselines)
        if not panel[0].startswith("cross-entropy") or any(panel[0].startswith(line) for line in _named(comparison))
    ]
    page = open_pages().get_template("comparison.html.j2").render(
        title=f"{len(scores)} models compared",
        comparison=comparison,
        first=first,
        rows=first["scores"][MODEL]["rows"],
        facts=_facts(comparison),
        bars=Markup(plots.draw_bars(panels, list(scores), caption="the models beside their baselines")),
        meanings=[(who, MEANING[who]) for who in baselines],
    )  # fmt: skip
    replace_text(path, page)


def to_facts(comparison: Comparison) -> dict[str, Any]:
    """For programs: models, what was compared, and notes."""
    return {
        "models": [card.id for card in comparison.cards],
        "split": comparison.evaluations[0]["split"],
        "figures": {
            title: {line.name: dict(zip([card.id for card in comparison.cards], line.values, strict=True)) for line in part}
            for title, part in comparison.parts
        },
        "notes": list(comparison.notes),
    }  # fmt: skip


def _evaluation(store: Store, model_id: str, split: Split, **how: Any) -> Evaluation:
    try:
        found = read_evaluation(store, model_id)
        if found["split"] == split:
            return found
    except (NotFound, BadFile):
        pass
    plain: Evaluation = to_json(evaluate(store, model_id, split, **how))
    return plain


def _bins(card: Card) -> tuple[Any, ...]:
    space = card.space
    return space.dx_edges, space.dy_edges, space.dx_values, space.dy_values


def _parts(found: Sequence[Evaluation], same_bins: bool) -> list[tuple[str, tuple[Line, ...]]]:
    scores = [evaluation["scores"][MODEL] for evaluation in found]
    codes, games = list(scores[0]["keys"]), list(found[0]["games"])
    parts = [
        ("all together", _together(scores, same_bins)),
        ("average precision", [_line(key_label(code), scores, "keys", code, "ap") for code in codes]),
        ("onset F1, ±1 frame", [_line(key_label(code), scores, "keys", code, "onset_f1", "1") for code in codes]),
    ]
    if len(games) > 1:
        of_games = [_line(game or "(none)", found, "games", game, "scores", MODEL, "macro_ap") for game in games]
        parts.append(("macro AP by game", of_games))
    if found[0]["kind"] == "policy":
        steps = [_line(f"live step, {p} ms", found, "latency", f"{p}_ms", least=True) for p in ("p50", "p99")]
        parts.append(
            ("looking and speed", [replace(_line("causality, nats", found, "causality", "score"), best=None), *steps])
        )
    else:
        parts.append(("speed", [_line("frames labelled a second", found, "speed", "frames_per_s")]))
    return [(title, tuple(lines)) for title, lines in parts]


def _together(scores: Sequence[dict[str, Any]], same_bins: bool) -> list[Line]:
    lines = [_line("macro AP", scores, "macro_ap"), _line("macro F1", scores, "macro_f1")]
    for event in ("onset", "release"):
        for off, named in (("0", "exact"), ("1", "±1"), ("2", "±2")):
            lines.append(_line(f"macro {event} F1, {named}", scores, f"macro_{event}_f1", off))
    lines.append(_line("joint accuracy", scores, "joint_accuracy"))
    lines += [_line(f"mouse R², {axis}", scores, "mouse", axis, "r2") for axis in AXES]
    heads = ("keys", *AXES, "all") if same_bins else ("keys",)
    lines += [_line(f"cross-entropy, {head}", scores, "cross_entropy", head, least=True) for head in heads]
    if same_bins:
        lines.append(_line("perplexity", scores, "perplexity", "all", least=True))
    return [*lines, _line("expected calibration error", scores, "calibration_error", least=True)]


def _line(name: str, scores: Sequence[dict[str, Any]], *place: str, least: bool = False) -> Line:
    """What stands at a place in the scores of each model."""
    values = tuple(_at(score, place) for score in scores)
    known = [value for value in values if value is not None]
    if len({cell(value) for value in values}) < 2 or not known:
        return Line(name, values, None)
    return Line(name, values, values.index((min if least else max)(known)))


def _at(score: Any, place: Sequence[str]) -> float | None:
    for name in place:
        score = score[name]
    return None if score is None else float(score)


def _named(comparison: Comparison) -> list[str]:
    return [line.name for line in comparison.parts[0][1]]


def _marked(line: Line) -> list[str]:
    return [f"{cell(value)}{'*' if number == line.best else ' '}" for number, value in enumerate(line.values)]


def _facts(comparison: Comparison) -> list[tuple[str, list[str]]]:
    cards = comparison.cards
    return [
        ("configuration", [card.config.name for card in cards]),
        ("parameters", [f"{card.parameters:,}" if card.parameters else "not told" for card in cards]),
        ("dataset", [card.dataset_id for card in cards]),
        ("learnt from", [card.train_on for card in cards]),
        ("steps", [str(card.steps) for card in cards]),
        ("seed", [str(card.seed) for card in cards]),
        ("made", [card.created_at[:16].replace("T", " ") for card in cards]),
    ]
