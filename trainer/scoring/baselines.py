"""What a model has to beat, on the same rows: always released, repeat last, and the marginal.

A baseline fills the same `Prediction` as a model, so that one function scores all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.recording.stretches import stretches_of
from db.specs import ActionSpace
from trainer.data.space import bin_index
from trainer.scoring.metrics import Bools

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Truth:
    """What really happened in N intervals over K keys."""

    keys: Bools
    """(N, K)."""
    motion: Floats
    """(N, 2) device counts."""
    known: Bools
    """(N,): the rows that count."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model or a baseline says about the same N intervals."""

    probability: Floats
    """(N, K): that a key is pressed."""
    keys: Bools
    """(N, K): the decision."""
    motion: Floats
    """(N, 2): expected device counts."""
    bins: tuple[Floats, Floats]
    """Per axis (N, B): probability of each bin of the action space."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """How often each key is pressed and each bin is met in the training rows."""

    keys: Floats
    bins: tuple[Floats, Floats]
    motion: Floats

    @classmethod
    def fit(cls, truths: list[Truth], space: ActionSpace) -> Marginal:
        """Counts over the known rows, each bin with one made-up row so that none is impossible."""
        keys = np.concatenate([truth.keys[truth.known] for truth in truths])
        motion = np.concatenate([truth.motion[truth.known] for truth in truths])
        bins = []
        for axis, edges in enumerate((space.dx_edges, space.dy_edges)):
            counts = np.bincount(bin_index(motion[:, axis], edges), minlength=len(edges) + 1) + 1.0
            bins.append((counts / counts.sum()).astype(np.float32))
        pressed = (keys.sum(axis=0) + 1.0) / (len(keys) + 2.0)
        return cls(pressed.astype(np.float32), (bins[0], bins[1]), motion.mean(axis=0).astype(np.float32))


def always_released(truth: Truth, marginal: Marginal) -> Prediction:
    """Nothing is ever pressed and the mouse never moves."""
    nothing = np.zeros_like(truth.keys)
    return Prediction(nothing.astype(np.float32), nothing, np.zeros_like(truth.motion), _spread(marginal, len(nothing)))


def from_marginal(truth: Truth, marginal: Marginal, rng: np.random.Generator) -> Prediction:
    """Scores are the training frequencies; decisions are drawn from them, so that it presses as often as the person."""
    count = len(truth.keys)
    probability = np.broadcast_to(marginal.keys, truth.keys.shape).astype(np.float32)
    drawn = rng.random(truth.keys.shape) < probability
    motion = np.broadcast_to(marginal.motion, truth.motion.shape).astype(np.float32)
    return Prediction(probability, drawn, motion, _spread(marginal, count))


def repeat_last(truth: Truth, marginal: Marginal, space: ActionSpace) -> Prediction:
    """The TRUE action of the interval before: an oracle, 0 in exact event F1 and 1 at +-1 by construction."""
    keys, motion = np.zeros_like(truth.keys), np.zeros_like(truth.motion)
    for start, stop in stretches_of(truth.known):
        keys[start + 1 : stop] = truth.keys[start : stop - 1]
        motion[start + 1 : stop] = truth.motion[start : stop - 1]
        keys[start], motion[start] = truth.keys[start], truth.motion[start]
    bins = []
    for axis, edges in enumerate((space.dx_edges, space.dy_edges)):
        sure = np.full((len(keys), len(edges) + 1), 0.05 / (len(edges) + 1), np.float32)
        sure[np.arange(len(keys)), bin_index(motion[:, axis], edges)] += 0.95
        bins.append(sure)
    return Prediction(np.where(keys, 0.95, 0.05).astype(np.float32), keys, motion, (bins[0], bins[1]))


def _spread(marginal: Marginal, count: int) -> tuple[Floats, Floats]:
    across, down = (np.broadcast_to(share, (count, len(share))) for share in marginal.bins)
    return across, down
