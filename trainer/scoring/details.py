"""What the plots of a model card need beyond single figures, as plain lists that JSON can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from db.recording.keys import name
from db.recording.stretches import stretches_of
from db.specs import ActionSpace
from trainer.scoring.baselines import Prediction, Truth
from trainer.scoring.metrics import confusion, event_offsets, onsets, precision_recall, reliability
from trainer.scoring.scores import AXES, join_known

REACH = 5
"""Frames within which a predicted press is paired with a true one, to tell how late it is."""
SQUARES = 41
"""Squares of the mouse's histogram across and down."""

Details = dict[str, Any]


def describe(truths: Sequence[Truth], predictions: Sequence[Prediction], space: ActionSpace) -> Details:
    """Over all known rows. NaN where nothing can be told.

    `precision_recall`: per key {recall, precision}. `reliability`: {counts, said, came, error} over all keys, as
    `metrics.Reliability`. `confusion`: {shares, rows}, as `metrics.confusion`. `onsets`: {offsets: how many presses are
    so many frames late, by -REACH ... REACH; missed; extra}. `mouse`: per axis {limit, counts}, counts[i][j] rows whose
    true motion is in square i and predicted in square j of SQUARES between -limit and limit; what lies beyond is counted
    in the outermost square.
    """
    true, said = join_known(truths, predictions)
    calibrated = reliability(true.keys, said.probability)
    shares, rows = confusion(true.keys, said.keys)
    curves = {}
    for column, code in enumerate(space.codes):
        recall, precision = precision_recall(true.keys[:, column], said.probability[:, column])
        curves[name(code)] = {"recall": recall, "precision": precision}
    return {
        "precision_recall": curves,
        "reliability": {
            "counts": list(calibrated.counts),
            "said": list(calibrated.said),
            "came": list(calibrated.came),
            "error": calibrated.error,
        },
        "confusion": {"shares": [[float(v) for v in row] for row in shares], "rows": [int(n) for n in rows]},
        "onsets": _onset_errors(truths, predictions),
        "mouse": {axis: _squares(true.motion[:, i], said.motion[:, i]) for i, axis in enumerate(AXES)},
    }


def _onset_errors(truths: Sequence[Truth], predictions: Sequence[Prediction]) -> dict[str, Any]:
    counts, missed, extra = dict.fromkeys(range(-REACH, REACH + 1), 0), 0, 0
    for truth, prediction in zip(truths, predictions, strict=True):
        for start, stop in stretches_of(truth.known):
            for key in range(truth.keys.shape[1]):
                pressed, said = (onsets(down[start:stop, key]) for down in (truth.keys, prediction.keys))
                offsets, alone, beyond = event_offsets(pressed, said, REACH)
                for offset in offsets:
                    counts[offset] += 1
                missed, extra = missed + alone, extra + beyond
    return {"offsets": {str(offset): count for offset, count in counts.items()}, "missed": missed, "extra": extra}


def _squares(true: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Limit 0 and no counts where neither side ever moves."""
    both = np.abs(np.concatenate([true, said]))
    limit = float(np.quantile(both, 0.995)) if len(both) else 0.0
    limit = limit or (float(both.max()) if len(both) else 0.0)
    if not limit:
        return {"limit": 0.0, "counts": []}
    edges = np.linspace(-limit, limit, SQUARES + 1)
    counts, _, _ = np.histogram2d(np.clip(true, -limit, limit), np.clip(said, -limit, limit), bins=(edges, edges))
    return {"limit": limit, "counts": counts.astype(int).tolist()}
