"""Scores a model beside its baselines on the same rows, and a policy with its instructions taken away or swapped."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from db.errors import BadArgument, BadFile, NotFound
from db.files import replace_text
from db.recording.keys import name
from db.store import Store
from trainer.cards.report import PAGE_NAME, write_card
from trainer.data.clips import Report, Take, load_takes
from trainer.data.dataset import require_split
from trainer.data.manifest import Item, Manifest, Split, read_manifest
from trainer.models import Loaded, load_model, read_card
from trainer.nets.p2p import P2P
from trainer.scoring.baselines import Prediction, Truth, always_released, from_marginal, repeat_last
from trainer.scoring.causality import causality_score
from trainer.scoring.details import describe
from trainer.scoring.inference import predict_take, truth_of
from trainer.scoring.latency import measure_latency, measure_speed
from trainer.scoring.paraphrases import Paraphrases, drawn, unseen
from trainer.scoring.rivals import BLIND, FORGETFUL, MARGINAL, MODEL, RELEASED, REPEAT, REWORDED, SHUFFLED, TEXTLESS
from trainer.scoring.scores import Scores, score

NAME = "evaluation.json"
FORMAT = 2

Evaluation = dict[str, Any]
Said = dict[str, list[Prediction]]
"""What the model and each rival say about every take."""


def evaluate(
    store: Store,
    model_id: str,
    split: Split = "held-out",
    report: Report | None = None,
    device: torch.device | None = None,
    paraphrases: Paraphrases | None = None,
) -> Evaluation:
    """Scores, and stores them in `models/<id>/evaluation.json` and as a page in `card.html` beside it.

    `scores` maps the model and each baseline and ablation to what `trainer.scoring.scores.score` gives, over all takes; `games`
    maps each game to its `minutes`, `sessions` and such scores; `details` is `trainer.scoring.details.describe` of the model;
    `truth` tells which rows were scored (see `differ`). A policy has `causality` and `latency`, an IDM `speed`. What
    `trainer.playing` has added before (`played`, `eyes`) stays.

    paraphrases: other wordings of the instructions, with which a policy is scored too.

    Raises NotFound, BadFile where a session is not what was frozen, BadArgument where the dataset is not the model's or the
    paraphrases do not fit.
    """
    loaded = load_model(store, model_id, device)
    card = loaded.card
    manifest = read_manifest(store, card.dataset_id)
    if manifest.hash != card.dataset_hash:
        raise BadArgument(f"Dataset {card.dataset_id} is not the one model {model_id} was trained on; train it again.")
    if paraphrases is not None and card.kind != "policy":
        raise BadArgument(f"{model_id} is an IDM and reads no instructions; leave out --paraphrases.")
    items = require_split(manifest, split)
    reworded = _unseen(paraphrases, items, manifest) if paraphrases is not None else None
    takes = load_takes(store, manifest, items, report=report)
    truths = [truth_of(take) for take in takes]
    own = _predict(loaded, takes)
    said = {MODEL: own} | _baselines(loaded, truths) | _ablations(loaded, takes, reworded)
    names = [name(code) for code in card.space.codes]
    found: Evaluation = {
        "format": FORMAT,
        "model": card.id,
        "kind": card.kind,
        "dataset": card.dataset_id,
        "dataset_hash": card.dataset_hash,
        "split": split,
        "minutes": _minutes(takes),
        "sessions": [take.item.session_id for take in takes],
        "evaluated_at": datetime.now(UTC).isoformat(),
        "truth": {"digest": digest_of(takes), "rate_hz": card.clip.rate_hz, "keys": names},
        "scores": {who: score(truths, predictions, card.space) for who, predictions in said.items()},
        "games": _by_game(takes, truths, said, loaded),
        "details": describe(truths, own, card.space),
    }
    if card.kind == "policy":
        found["causality"] = asdict(causality_score(loaded.net, takes, card.space))
        found["latency"] = asdict(measure_latency(loaded))
    else:
        found["speed"] = asdict(measure_speed(loaded, takes[0]))
    found |= _played_before(store, card.id)
    plain = to_json(found)
    replace_text(store.models_dir / card.id / NAME, json.dumps(plain, indent=1) + "\n")
    write_card(store, card, manifest, plain)
    return found


def read_evaluation(store: Store, model_id: str) -> Evaluation:
    """What `evaluate` stored, NaN as None. Raises NotFound where it was not evaluated, BadFile."""
    path = store.models_dir / read_card(store, model_id).id / NAME
    again = f"run `playtape-train evaluate --model {model_id}`"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"Model {model_id} has not been evaluated; {again}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} is damaged ({error}); {again}.") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadFile(f"{path} was written by another version of Playtape; {again}.")
    return found


def _played_before(store: Store, model_id: str) -> Evaluation:
    """What playing has added to an earlier evaluation; it does not depend on the sessions."""
    try:
        before = read_evaluation(store, model_id)
    except (NotFound, BadFile):
        return {}
    return {name: before[name] for name in ("played", "eyes") if name in before}


def card_path(store: Store, model_id: str) -> Path:
    """Where the page is, once there is one."""
    return store.models_dir / model_id / PAGE_NAME


def digest_of(takes: Sequence[Take]) -> str:
    """SHA-256 of the rows that are scored: which sessions, when, which rows count, and what was truly done."""
    digest = hashlib.sha256()
    for take in sorted(takes, key=lambda take: take.item.session_id):
        digest.update(f"{take.item.session_id} {take.item.revision} {len(take)} {take.keys.shape[1]}\n".encode())
        for array in (take.edges_ns, take.known, take.keys, take.motion):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def differ(one: Evaluation, other: Evaluation) -> str | None:
    """Why two evaluations cannot be compared, as a sentence without its end; None where the same rows were scored."""
    names = f"{one['model']} and {other['model']}"
    if one["kind"] != other["kind"]:
        return f"{one['model']} is of the kind {one['kind']} and {other['model']} of the kind {other['kind']}"
    if one["split"] != other["split"]:
        return f"{one['model']} was scored on {one['split']} and {other['model']} on {other['split']} sessions"
    if set(one["sessions"]) != set(other["sessions"]):
        apart = len(set(one["sessions"]) ^ set(other["sessions"]))
        return f"{names} were scored on other sessions ({apart} of them are in one and not in the other)"
    mine, theirs = one["truth"], other["truth"]
    if mine["rate_hz"] != theirs["rate_hz"]:
        return f"{names} see sessions at {mine['rate_hz']:g} and {theirs['rate_hz']:g} pictures a second"
    if mine["keys"] != theirs["keys"]:
        apart = len(set(mine["keys"]) ^ set(theirs["keys"]))
        return f"{names} know other keys ({apart} of them are known to one and not to the other)"
    if mine["digest"] != theirs["digest"]:
        return f"{names} were scored on the same sessions, but labels or corrections were changed in between"
    return None


def swap_texts(texts: set[str], seed: int = 0) -> dict[str, str]:
    """Each instruction's place taken by another one, drawn once; empty where there are fewer than two."""
    given = sorted(texts - {""})
    if len(given) < 2:
        return {}
    order = given.copy()
    random.Random(seed).shuffle(order)
    return {text: order[(order.index(text) + 1) % len(order)] for text in given}


def to_json(value: Any) -> Any:
    """The same with NaN as null, which JSON has."""
    if isinstance(value, dict):
        return {key: to_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _predict(loaded: Loaded, takes: Sequence[Take], **how: Any) -> list[Prediction]:
    card = loaded.card
    return [predict_take(loaded.net, take, card.space, thresholds=card.thresholds, **how) for take in takes]


def _baselines(loaded: Loaded, truths: Sequence[Truth]) -> Said:
    space, marginal = loaded.card.space, loaded.card.marginal.marginal()
    rng = np.random.default_rng(0)
    return {
        RELEASED: [always_released(truth, marginal) for truth in truths],
        REPEAT: [repeat_last(truth, marginal, space) for truth in truths],
        MARGINAL: [from_marginal(truth, marginal, rng) for truth in truths],
    }


def _unseen(paraphrases: Paraphrases, items: Sequence[Item], manifest: Manifest) -> Paraphrases:
    told, taught = ({s.text for item in part for s in item.instructions} for part in (items, manifest.of("train")))
    return unseen(paraphrases, told, taught)


def _ablations(loaded: Loaded, takes: Sequence[Take], reworded: Paraphrases | None) -> Said:
    """The model with what it sees or is told taken away."""
    said: Said = {}
    if loaded.card.kind == "policy":
        swapped = swap_texts({text for take in takes for text in take.texts})
        if swapped:
            said[SHUFFLED] = _predict(loaded, takes, retext=lambda text: swapped.get(text, text))
        said[TEXTLESS] = _predict(loaded, takes, retext=lambda text: "")
        if reworded is not None:
            said[REWORDED] = [
                _predict(loaded, [take], retext=drawn(reworded, number))[0] for number, take in enumerate(takes)
            ]
        if isinstance(loaded.net, P2P) and loaded.net.sees_actions:
            said[FORGETFUL] = _predict(loaded, takes, is_forgetful=True)
    return said | {BLIND: _predict(loaded, takes, is_blind=True)}


def _by_game(takes: Sequence[Take], truths: Sequence[Truth], said: Said, loaded: Loaded) -> dict[str, Any]:
    """The model and its rivals over each game's takes alone."""
    games: dict[str, list[int]] = {}
    for number, take in enumerate(takes):
        games.setdefault(take.item.game, []).append(number)
    found = {}
    for game, numbers in sorted(games.items()):
        scores: dict[str, Scores] = {}
        for who, predictions in said.items():
            own = [predictions[i] for i in numbers]
            scores[who] = score([truths[i] for i in numbers], own, loaded.card.space)
        minutes = _minutes([takes[i] for i in numbers])
        found[game] = {"minutes": minutes, "sessions": len(numbers), "scores": scores}
    return found


def _minutes(takes: Sequence[Take]) -> float:
    """Of rows that are scored."""
    return round(sum(float(np.diff(take.edges_ns)[take.known].sum()) for take in takes) / 60e9, 3)
