"""How surprising what was recorded is to an IDM, as `db.recording.surprise` defines it, and what of that is usual."""

from __future__ import annotations

import math
from collections.abc import Sequence

from db.recording.actions import Floats
from db.recording.surprise import Scale, key_surprise, mean_around, motion_surprise
from db.specs import ActionSpace
from trainer.data.clips import Take
from trainer.models import Card, Model
from trainer.scoring.baselines import Prediction
from trainer.scoring.inference import predict_take

MEDIAN, HIGH = "surprise_median", "surprise_p99"
"""The names of both in a model's figures, in nats."""


def surprise_of(take: Take, said: Prediction, space: ActionSpace) -> Floats:
    """(T,) the mean surprise around each tick in nats; NaN where nothing is learnt or scored."""
    known, spoken = take.known, take.known | True
    total = key_surprise(said.probability, take.keys, known, spoken).sum(axis=1)
    for axis, edges in enumerate((space.dx_edges, space.dy_edges)):
        total += motion_surprise(said.bins[axis], edges, take.motion[:, axis], known, spoken)
    return mean_around(total, take.edges_ns, known)


def usual_surprise(net: Model, takes: Sequence[Take], space: ActionSpace) -> dict[str, float]:
    """What is usual on these takes, for a model's figures; NaN where nothing in them is known."""
    scale = Scale.of([surprise_of(take, predict_take(net, take, space), space) for take in takes])
    return {MEDIAN: scale.median if scale else math.nan, HIGH: scale.high if scale else math.nan}


def scale_of(card: Card) -> Scale | None:
    """What was usual on the calibration split; None for a model that was made before that was measured."""
    median, high = card.figures.get(MEDIAN), card.figures.get(HIGH)
    return Scale(median, high) if median is not None and high is not None else None
