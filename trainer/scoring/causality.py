"""How much a policy looks at what it sees: the causality score of Pixels2Play.

Yue et al. (2026), section 5.2: KL( f(o, a) || f(o', a) ), where o' has each picture replaced, with probability p, by one of
another scene of the same game, and the actions a stay as they were. A clip is cut into `CHUNKS` equal stretches; in each of
them pictures are replaced, and the outputs at its last frame are compared. The score is the mean over clips and stretches,
in nats, of the sum over heads: Bernoulli for each key, categorical for each axis of the mouse (the slots of an action, told
the true slots before, where a model has slots). 0: the pictures mean nothing to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from db.specs import ActionSpace
from trainer.data.augment import to_unit
from trainer.data.batches import make_targets
from trainer.data.clips import Take, cut, windows
from trainer.models import Model
from trainer.nets.heads import Outputs, Targets
from trainer.nets.p2p import P2P
from trainer.nets.policy import Policy

CHUNKS, SHARE, CLIPS = 10, 0.5, 32
LEAST_TICKS = 20
"""Clips are at least so long, so that a stretch has two pictures."""


@dataclass(frozen=True)
class Causality:
    """The score in nats, its standard error over clips, and over how many clips."""

    score: float
    error: float
    clips: int


def causality_score(net: Model, takes: Sequence[Take], space: ActionSpace, seed: int = 0) -> Causality:
    """Of a policy; pictures come from other clips of the same game, or from far off in the same one."""
    assert isinstance(net, Policy | P2P)
    length = max(LEAST_TICKS, net.config.window if isinstance(net, P2P) else 2 * CHUNKS)
    rng = np.random.default_rng(seed)
    found = windows(takes, length, length)
    chosen = [found[i] for i in rng.permutation(len(found))[:CLIPS]]
    device = next(net.parameters()).device
    scores = []
    for window in chosen:
        take = takes[window.take]
        clip = cut(take, window.start, length)
        frames = clip["frames"].copy()
        swapped = _swap(frames, takes, window.take, window.start, rng)
        texts = take.texts
        with torch.inference_mode():
            encoded = net.encode_texts(list(texts))[torch.from_numpy(clip["text_ids"].astype(np.int64)).to(device)][
                None
            ]
            done = make_targets(clip["keys"][None], clip["motion"][None], clip["watched"][None], space, device)
            ends: list[int] = (np.arange(1, CHUNKS + 1) * length // CHUNKS - 1).tolist()
            plain, other = (_to_tensor(pictures, device) for pictures in (frames, swapped))
            scores.append(float(divergence(net, plain, other, encoded, done, ends).mean()))
    if not scores:
        return Causality(float("nan"), float("nan"), 0)
    error = float(np.std(scores, ddof=1) / len(scores) ** 0.5) if len(scores) > 1 else float("nan")
    return Causality(float(np.mean(scores)), error, len(scores))


def divergence(
    net: Policy | P2P, one: Tensor, other: Tensor, texts: Tensor, done: Targets, at: Sequence[int]
) -> Tensor:
    """KL in nats, summed over heads, of what a policy says on two versions of a clip, at some of its ticks: (len(at),).

    one, other: (1, T, 3, H, W) in [0, 1]. texts: (1, T, width). done: what was done, which is the same for both.
    """
    if isinstance(net, Policy):
        said = [net(pictures, texts) for pictures in (one, other)]
        return kl_of_outputs(said[0], said[1])[0, at]
    wanted = net.layout.encode(done.keys, done.dx, done.dy)[0, at]
    slots = [net.slot_logits(net.latents(pictures, texts, done)[0, at], wanted) for pictures in (one, other)]
    return torch.stack([kl_of_logits(a, b) for a, b in zip(*slots, strict=True)]).sum(dim=0)


def kl_of_outputs(one: Outputs, other: Outputs) -> Tensor:
    """KL( one || other ) in nats of independent heads, (...)."""
    p, q = one.keys.float(), other.keys.float()
    share = torch.sigmoid(p)
    log = torch.nn.functional.logsigmoid
    total = (share * (log(p) - log(q)) + (1 - share) * (log(-p) - log(-q))).sum(dim=-1)
    for a, b in ((one.dx, other.dx), (one.dy, other.dy)):
        total = total + kl_of_logits(a, b)
    return total


def kl_of_logits(one: Tensor, other: Tensor) -> Tensor:
    """KL in nats of two categorical distributions over the last dimension, (...)."""
    p, q = one.float().log_softmax(dim=-1), other.float().log_softmax(dim=-1)
    return (p.exp() * (p - q)).sum(dim=-1)


def _swap(frames: np.ndarray, takes: Sequence[Take], number: int, start: int, rng: np.random.Generator) -> np.ndarray:
    """(T, H, W, 3) with each picture replaced, with probability SHARE, by one of another scene of the same game."""
    game = takes[number].item.game
    others = [i for i, take in enumerate(takes) if take.item.game == game and i != number] or [number]
    swapped = frames.copy()
    for t in np.flatnonzero(rng.random(len(frames)) < SHARE).tolist():
        source = takes[others[int(rng.integers(len(others)))]]
        at = int(rng.integers(len(source)))
        if source is takes[number]:  # nothing else to take from: half the session away is another scene, mostly
            at = (start + t + len(source) // 2) % len(source)
        swapped[t] = source.frames[at]
    return swapped


def _to_tensor(pictures: np.ndarray, device: torch.device) -> Tensor:
    return to_unit(torch.from_numpy(pictures).to(device))[None]
