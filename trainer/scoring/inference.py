"""Runs a model over whole takes and turns its outputs into predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from db.specs import ActionSpace
from trainer.data.augment import to_unit
from trainer.data.batches import make_targets
from trainer.data.clips import Take
from trainer.models import Model
from trainer.nets.heads import Outputs
from trainer.nets.idm import Idm
from trainer.nets.p2p import P2P
from trainer.nets.policy import Policy
from trainer.nets.vpt import Vpt
from trainer.scoring.baselines import Prediction, Truth

_CHUNK = 64
"""Ticks predicted at a time by the quick models, context not counted."""
_GREY = 128


def truth_of(take: Take) -> Truth:
    return Truth(take.keys, take.motion, take.known)


def predict_take(
    net: Model,
    take: Take,
    space: ActionSpace,
    *,
    thresholds: Sequence[float] | None = None,
    retext: Callable[[str], str] | None = None,
    is_blind: bool = False,
    is_forgetful: bool = False,
    device: torch.device | None = None,
) -> Prediction:
    """Every tick of a take, in chunks with as much context as the model uses.

    thresholds: per key, 0.5 where not given. retext: replaces each instruction, to see what instructions are worth.
    is_blind: every picture is grey instead. is_forgetful: a model that is told what was done is told nothing.
    """
    place = device or next(net.parameters()).device
    texts = [retext(text) if retext else text for text in take.texts]
    parts = []
    before, count, after = reach_of(net)
    with torch.inference_mode():
        encoded = None if net.config.kind == "idm" else net.encode_texts(texts)
        for start in range(0, len(take), count):
            stop = min(start + count, len(take))
            first, last = max(0, start - before), min(len(take), stop + after)
            frames = np.array(take.frames[first:last])
            watched = take.watched[first:last] & (not is_forgetful)
            if is_blind:
                frames[:] = _GREY
            found = _run(net, take, slice(first, last), frames, watched, encoded, space, place)
            inside = slice(start - first, stop - first)
            parts.append(tuple(logits[0, inside].cpu() for logits in (found.keys, found.dx, found.dy)))
    keys, dx, dy = (torch.cat(column).float() for column in zip(*parts, strict=True))
    return to_prediction(Outputs(keys, dx, dy), space, thresholds)


def to_prediction(outputs: Outputs, space: ActionSpace, thresholds: Sequence[float] | None = None) -> Prediction:
    """Logits (N, ...) -> probabilities, decisions, and the expected motion."""
    probability = torch.sigmoid(outputs.keys.float()).numpy()
    dx, dy = (logits.float().softmax(dim=-1).numpy() for logits in (outputs.dx, outputs.dy))
    values = np.asarray(space.dx_values, np.float32), np.asarray(space.dy_values, np.float32)
    cuts = np.asarray(thresholds if thresholds is not None else [0.5] * len(space.codes), np.float32)
    motion = np.stack([dx @ values[0], dy @ values[1]], axis=-1)
    return Prediction(probability, probability >= cuts, motion.astype(np.float32), (dx, dy))


def reach_of(net: Model) -> tuple[int, int, int]:
    """(ticks before, ticks predicted at a time, ticks after): what a model looks at around a stretch."""
    if isinstance(net, Idm | Vpt):
        return net.config.overlap, _CHUNK, net.config.overlap
    if isinstance(net, Policy):
        return net.config.history, _CHUNK, 0
    window = net.config.window
    if net.is_policy:
        count = max(1, window // 4)
        return window - count, count, 0
    return net.config.overlap, max(1, window - 2 * net.config.overlap), net.config.overlap


def _run(
    net: Model,
    take: Take,
    ticks: slice,
    pictures: np.ndarray,
    watched: np.ndarray,
    encoded: Tensor | None,
    space: ActionSpace,
    device: torch.device,
) -> Outputs:
    frames = to_unit(torch.from_numpy(pictures).to(device))[None]
    if encoded is None:
        outputs: Outputs = net(frames)
        return outputs
    texts = encoded[torch.from_numpy(take.text_ids[ticks]).to(device)][None]
    if isinstance(net, P2P):
        done = make_targets(take.keys[ticks][None], take.motion[ticks][None], watched[None], space, device)
        told: Outputs = net(frames, texts, done)
        return told
    acted: Outputs = net(frames, texts)
    return acted
