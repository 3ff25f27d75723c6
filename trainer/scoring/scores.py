"""Scores predictions against the truth: one function for models and baselines alike, on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from db.recording.keys import name
from db.specs import ActionSpace
from trainer.data.space import bin_index
from trainer.scoring.baselines import Prediction, Truth
from trainer.scoring.metrics import (
    TOLERANCES,
    Counts,
    average_precision,
    best_threshold,
    binary_cross_entropy,
    count_events,
    count_frames,
    cross_entropy,
    joint_accuracy,
    mean_known,
    pearson,
    r2,
    reliability,
    scale_ratio,
    sign_accuracy,
)

Scores = dict[str, Any]
AXES = ("dx", "dy")


def score(truths: Sequence[Truth], predictions: Sequence[Prediction], space: ActionSpace) -> Scores:
    """Every figure over all known rows of several takes; NaN where the rows cannot tell.

    `keys`: per key precision, recall, f1, ap, prevalence, bce, calibration_error, presses (onsets), and `onset_f1` and
    `release_f1` by tolerance. Over all keys: `macro_ap`, `macro_f1`, `onset_f1` and `release_f1` (all keys' events counted
    together), `macro_onset_f1` and `macro_release_f1` (means over keys that have such events), `accuracy` (per key and
    frame), `joint_accuracy`, `calibration_error`. `mouse`: per axis r2, pearson, scale, sign_accuracy.
    `cross_entropy` and `perplexity`: `keys` (all keys of a row together), `dx`, `dy`, `all`.
    """
    true, said = join_known(truths, predictions)
    per_key = {name(code): _score_key(true, said, column) for column, code in enumerate(space.codes)}
    events: dict[str, list[dict[str, Counts]]] = {
        event: [
            _count_events(truths, predictions, column, release=event == "release") for column in range(len(per_key))
        ]
        for event in ("onset", "release")
    }
    for column, key in enumerate(per_key.values()):
        key["presses"] = events["onset"][column]["0"].hits + events["onset"][column]["0"].missed
        for event, found in events.items():
            key[f"{event}_f1"] = {tolerance: counts.f1 for tolerance, counts in found[column].items()}
    entropy = _entropies(true, said, space, [key["bce"] for key in per_key.values()])
    return {
        "rows": len(true.keys),
        "keys": per_key,
        "macro_ap": mean_known([key["ap"] for key in per_key.values()]),
        "macro_f1": mean_known([key["f1"] for key in per_key.values()]),
        **{f"{event}_f1": _together(found) for event, found in events.items()},
        **{f"macro_{event}_f1": _on_average(per_key, f"{event}_f1") for event in events},
        "accuracy": float(np.mean(true.keys == said.keys)) if true.keys.size else float("nan"),
        "joint_accuracy": joint_accuracy(true.keys, said.keys),
        "calibration_error": reliability(true.keys, said.probability).error,
        "mouse": {axis: _score_axis(true.motion[:, i], said.motion[:, i]) for i, axis in enumerate(AXES)},
        "cross_entropy": entropy,
        "perplexity": {head: float(np.exp(value)) for head, value in entropy.items()},
    }


def tune_thresholds(truths: Sequence[Truth], predictions: Sequence[Prediction]) -> list[float]:
    """Per key, the probability at and above which calling it pressed gives the best F1 over frames."""
    true, said = join_known(truths, predictions)
    return [best_threshold(true.keys[:, key], said.probability[:, key]) for key in range(true.keys.shape[1])]


def apply_thresholds(prediction: Prediction, thresholds: Sequence[float]) -> Prediction:
    """The same prediction with other decisions."""
    keys = prediction.probability >= np.asarray(thresholds, np.float32)
    return Prediction(prediction.probability, keys, prediction.motion, prediction.bins)


def join_known(truths: Sequence[Truth], predictions: Sequence[Prediction]) -> tuple[Truth, Prediction]:
    """The known rows of all takes, one after the other."""
    rows = [truth.known for truth in truths]

    def join(arrays: Sequence[np.ndarray]) -> Any:
        return np.concatenate([array[known] for array, known in zip(arrays, rows, strict=True)])

    true = Truth(join([t.keys for t in truths]), join([t.motion for t in truths]), join(rows))
    said = Prediction(
        join([p.probability for p in predictions]),
        join([p.keys for p in predictions]),
        join([p.motion for p in predictions]),
        (join([p.bins[0] for p in predictions]), join([p.bins[1] for p in predictions])),
    )
    return true, said


def _score_key(true: Truth, said: Prediction, column: int) -> dict[str, Any]:
    pressed, probability = true.keys[:, column], said.probability[:, column]
    counts = count_frames(pressed, said.keys[:, column])
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "ap": average_precision(pressed, probability),
        "prevalence": float(pressed.mean()) if len(pressed) else float("nan"),
        "bce": binary_cross_entropy(pressed, probability),
        "calibration_error": reliability(pressed, probability).error,
    }


def _score_axis(true: np.ndarray, said: np.ndarray) -> dict[str, float]:
    return {
        "r2": r2(true, said),
        "pearson": pearson(true, said),
        "scale": scale_ratio(true, said),
        "sign_accuracy": sign_accuracy(true, said),
    }


def _count_events(
    truths: Sequence[Truth], predictions: Sequence[Prediction], column: int, *, release: bool
) -> dict[str, Counts]:
    """One key's onsets or releases by tolerance, over all takes."""
    only = slice(column, column + 1)
    total = {str(tolerance): Counts() for tolerance in TOLERANCES}
    for truth, prediction in zip(truths, predictions, strict=True):
        for tolerance in TOLERANCES:
            total[str(tolerance)] += count_events(
                truth.keys[:, only], prediction.keys[:, only], truth.known, tolerance, release=release
            )
    return total


def _together(found: Sequence[dict[str, Counts]]) -> dict[str, float]:
    """F1 by tolerance of all keys' events in one count."""
    tolerances = map(str, TOLERANCES)
    return {tolerance: sum((counts[tolerance] for counts in found), Counts()).f1 for tolerance in tolerances}


def _on_average(per_key: dict[str, dict[str, Any]], event: str) -> dict[str, float]:
    """F1 by tolerance, the mean over keys that have such events or were said to."""
    return {
        str(tolerance): mean_known([key[event][str(tolerance)] for key in per_key.values()]) for tolerance in TOLERANCES
    }


def _entropies(true: Truth, said: Prediction, space: ActionSpace, per_key: Sequence[float]) -> dict[str, float]:
    found = {"keys": float(np.sum(per_key))}
    for axis, (head, edges) in enumerate(zip(AXES, (space.dx_edges, space.dy_edges), strict=True)):
        found[head] = cross_entropy(bin_index(true.motion[:, axis], edges), said.bins[axis])
    return found | {"all": sum(found.values())}
