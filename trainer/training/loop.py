"""The training loop of both models: decode, try, train, evaluate now and then, save, and leave a model behind."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from db.store import Store
from trainer.configs import ModelConfig, P2PConfig
from trainer.data.augment import to_unit
from trainer.data.batches import Sampler
from trainer.data.clips import Take, load_takes
from trainer.data.corrections import mix
from trainer.data.dataset import require_split
from trainer.data.manifest import Manifest, Source
from trainer.data.prefetch import Prefetch
from trainer.data.wording import ADDED
from trainer.models import Card, Loaded, MarginalCard, build, keep_sentences, read_card, read_origin, save_model
from trainer.nets.p2p import P2P
from trainer.nets.policy import Policy
from trainer.nets.slots import fit_slots
from trainer.nets.text import TextEncoder, mirror_text
from trainer.scoring.baselines import Marginal
from trainer.scoring.inference import predict_take, truth_of
from trainer.scoring.scores import Scores, apply_thresholds, score, tune_thresholds
from trainer.scoring.surprise import usual_surprise
from trainer.training import checkpoints
from trainer.training.allocator import keep_freed_memory
from trainer.training.learner import Learner
from trainer.training.runs import BEST_NAME, LAST_NAME, Run, RunConfig
from trainer.training.stopping import Stopped
from trainer.training.world import World
from trainer.weights import read_tensors

_CALIBRATION_TICKS = 4000
"""What an evaluation during training scores at most."""
_REPORT_S = 1.0
_SAVE_S = 60.0

Weights = Mapping[str, torch.Tensor]
Report = Callable[[dict[str, Any]], None]
"""Gets every row of progress as it is written."""


@dataclass(frozen=True, eq=False)
class Data:
    """What a run trains on and tunes on."""

    manifest: Manifest
    train: list[Take]
    calibration: list[Take]
    marginal: Marginal
    pool: list[Take]
    """`train`, and where that is what was imputed also what people did: a model that is pretrained on the one goes on with
    the other, so its keys must have room for both."""


@dataclass(slots=True)
class Best:
    """The best evaluation so far."""

    score: float = -math.inf
    step: int = 0


def load_data(
    store: Store,
    manifest: Manifest,
    run: Run,
    report: Report,
    train_on: Source = "all",
    stopped: Callable[[], bool] = lambda: False,
) -> Data:
    """Decodes what is not cached yet. What is tuned on is always what people did.

    Raises BadFile where a session is not what was frozen, NotFound where the split lacks what is to be learnt, DiskFull, and
    Stopped between two sessions.
    """

    def tell(_: str, done: int, count: int) -> None:
        if stopped():
            raise Stopped
        report(run.progress("reading sessions", step=done, steps=count))

    wanted = {item.session_id for item in require_split(manifest, "train", train_on)}
    kept = [item for item in manifest.of("train") if train_on == "imputed" or item.session_id in wanted]
    pool = load_takes(store, manifest, kept, report=tell)
    train = [take for take in pool if take.item.session_id in wanted]
    tuning = load_takes(store, manifest, manifest.of("calibration"), report=tell)
    tuning = tuning or [take for take in pool if take.item.imputed is None] or train
    chosen: list[Take] = []
    for take in tuning:
        if not chosen or sum(map(len, chosen)) + len(take) <= _CALIBRATION_TICKS:
            chosen.append(take)
    return Data(manifest, train, chosen, Marginal.fit([truth_of(take) for take in train], manifest.space), pool)


def train(
    store: Store,
    data: Data,
    run: Run,
    planned: RunConfig,
    *,
    device: torch.device,
    report: Report,
    stopped: Callable[[], bool],
    world: World | None = None,
) -> Card | None:
    """Trains to the end and writes the model; or, once `stopped()` or the run is asked to, saves and returns None. Continues a saved run.

    world: the processes that share the work; the first one evaluates, writes and reports, and gives the card.
    """
    world = world or World()
    keep_freed_memory()
    torch.set_num_threads(max(1, planned.threads // world.size))
    config, manifest = planned.config, data.manifest
    origin = read_origin(store, planned.start_from, config.kind, manifest) if planned.start_from else None
    learner = new_learner(data, config, planned.precision, planned.seed, planned.steps, device, world, origin=origin)
    for net in (learner.net, learner.outline):
        if net is not None:
            keep_sentences(net, store)
    share = planned.correction_share
    sampler = new_sampler(data, config, planned.seed, device, world, correction_share=share)
    best = Best()
    first = _resume(run, learner, best, planned) if (run.folder / LAST_NAME).exists() else 0
    evaluate_at = {round((i + 1) * planned.steps / config.optim.evaluations) for i in range(config.optim.evaluations)}
    began_s = reported_s = saved_s = time.monotonic()
    recent: list[float] = []
    with Prefetch(sampler, first, planned.steps) as batches:
        for step, batch in enumerate(batches, start=first):
            recent.append(learner.step(step, batch))
            stops = world.any(stopped() or run.is_asked_to_stop(), device)
            done, now_s = step + 1, time.monotonic()
            is_due = now_s - saved_s >= _SAVE_S
            saves = (
                stops
                or done == planned.steps
                or (world.any(world.is_first and is_due, device) if world.shards else is_due)
            )
            averaged = learner.whole_average() if done in evaluate_at else {}
            packed = learner.pack() if saves and (world.shards or world.is_first) else {}
            if world.is_first:
                run.beat()
                left_s = (now_s - began_s) / (done - first) * (planned.steps - done)
                if now_s - reported_s >= _REPORT_S or done == planned.steps:
                    loss, rate = sum(recent) / len(recent), learner.optimiser.param_groups[0]["lr"]
                    report(run.progress("training", step=done, steps=planned.steps, loss=loss, eta_s=left_s, lr=rate))
                    recent.clear()
                    reported_s = now_s
                if done in evaluate_at:
                    report(_evaluate(data, learner, averaged, run, best, done, planned.steps, left_s))
                if saves:
                    _save(run, packed, learner.skipped, best, done)
            saved_s = now_s if saves else saved_s
            if done in evaluate_at:
                world.wait()
            if stops and done < planned.steps:
                if world.is_first:
                    run.log(f"stopped after step {done}")
                    report(run.progress("stopped", step=done, steps=planned.steps))
                return None
    averaged = learner.whole_average()
    if not world.is_first:
        return None
    report(run.progress("saving", step=planned.steps, steps=planned.steps))
    card = _finish(store, data, run, planned, best, learner, averaged)
    run.log(f"wrote model {card.id}: best at step {best.step}, {learner.skipped} steps skipped")
    report(run.progress("done", step=planned.steps, steps=planned.steps, eta_s=0.0, model=card.id, dataset=manifest.id))
    return card


def calibrate(data: Data, net: Any) -> tuple[list[float], Scores]:
    """Thresholds tuned on the calibration split, and all scores there with them."""
    truths = [truth_of(take) for take in data.calibration]
    predictions = [predict_take(net, take, data.manifest.space) for take in data.calibration]
    thresholds = tune_thresholds(truths, predictions)
    return thresholds, score(truths, [apply_thresholds(p, thresholds) for p in predictions], data.manifest.space)


def merit(config: ModelConfig, scores: Scores) -> float:
    """What the best checkpoint is best in.

    An IDM: onset F1 at +-1, macro AP and the better axis's R2 together, never the loss, whose lowest may press nothing.
    A policy: the cross-entropy on the calibration split, negated.
    """
    if config.kind != "idm":
        return -float(scores["cross_entropy"]["all"])
    mouse = [axis["r2"] for axis in scores["mouse"].values() if not math.isnan(axis["r2"])]
    parts = [scores["onset_f1"]["1"], scores["macro_ap"], max([0.0, *mouse])]
    return float(sum(part for part in parts if not math.isnan(part)))


def new_learner(
    data: Data,
    config: ModelConfig,
    precision: str,
    seed: int,
    steps: int,
    device: torch.device,
    world: World | None = None,
    *,
    origin: Loaded | None = None,
) -> Learner:
    """A fresh model with its optimiser, or one with the weights of `origin`."""
    torch.manual_seed(seed)
    net = build(config, data.manifest.clip, data.manifest.space).to(device)
    if not isinstance(net, P2P):
        pressed, shares = data.marginal.keys, data.marginal.bins
        net.heads.start_from(*(torch.from_numpy(share).to(device) for share in (pressed, *shares)))
    if isinstance(net, Policy):
        net.start_from(*picture_statistics(data.train))
    if origin is not None:
        net.load_state_dict(origin.net.state_dict())
    reader = getattr(net, "text", None)
    if isinstance(reader, TextEncoder):
        told = {text for take in data.train for text in take.texts}
        reader.hear([*told, *map(mirror_text, told), *ADDED])
    return Learner(net, config, data.manifest.space, seed=seed, steps=steps, precision=precision, world=world)


def fit_config(config: ModelConfig, data: Data) -> ModelConfig:
    """The configuration as this data needs it: slots for all the keys that were ever down at once."""
    if not isinstance(config, P2PConfig):
        return config
    keys = torch.from_numpy(np.concatenate([take.keys[take.watched] for take in data.pool]))
    key_slots, button_slots = fit_slots(keys, data.manifest.space, (config.key_slots, config.button_slots))
    return config.model_copy(update={"key_slots": key_slots, "button_slots": button_slots})


def picture_statistics(takes: Sequence[Take]) -> tuple[torch.Tensor, float]:
    """The mean picture (3, H, W) in [0, 1] and the standard deviation around it, over a few hundred frames."""
    every = max(1, sum(map(len, takes)) // 500)
    frames = to_unit(torch.from_numpy(np.concatenate([take.frames[::every] for take in takes])))
    mean = frames.mean(dim=0)
    return mean, float((frames - mean).square().mean().sqrt())


def new_sampler(
    data: Data,
    config: ModelConfig,
    seed: int,
    device: torch.device,
    world: World | None = None,
    *,
    correction_share: float | None = None,
) -> Sampler:
    """correction_share: of the clips, those in which a person had taken over from a model; None: as many as there are."""
    return Sampler(
        data.train,
        data.manifest.space,
        config.augment,
        window=config.window,
        batch_size=config.optim.batch_size,
        seed=seed,
        device=device,
        world=world,
        times=mix(data.train, config.window, correction_share) if correction_share is not None else None,
    )


def _evaluate(
    data: Data, learner: Learner, averaged: Weights, run: Run, best: Best, step: int, steps: int, left_s: float
) -> dict[str, Any]:
    """Scores the averaged weights, keeps them if they are the best, and returns the row of progress."""
    _, scores = calibrate(data, learner.net_with(averaged))
    found = merit(learner.config, scores)
    if found > best.score:
        best.score, best.step = found, step
        checkpoints.save(run.folder / BEST_NAME, averaged, {"step": step, "score": found})
    figures = summary(scores)
    run.log(f"step {step}: {in_words(figures)}")
    return run.progress("evaluating", step=step, steps=steps, eta_s=left_s, merit=found, **figures)


_WORDS = {
    "val_loss": "loss on the calibration split",
    "macro_ap": "macro AP",
    "onset_f1": "onset F1",
    "onset_f1_1": "onset F1 ±1 frame",
    "dx_r2": "mouse R² across",
    "dy_r2": "mouse R² down",
}


def in_words(figures: Mapping[str, Any]) -> str:
    """Those of `summary`, for people; what is missing or not a number is left out."""
    known = {words: figures.get(name) for name, words in _WORDS.items()}
    return ", ".join(f"{words} {v:.3f}" for words, v in known.items() if isinstance(v, float) and math.isfinite(v))


def summary(scores: Scores) -> dict[str, float]:
    """The few figures that a curve or one line shows."""
    return {
        "val_loss": scores["cross_entropy"]["all"],
        "macro_ap": scores["macro_ap"],
        "onset_f1": scores["onset_f1"]["0"],
        "onset_f1_1": scores["onset_f1"]["1"],
        "dx_r2": scores["mouse"]["dx"]["r2"],
        "dy_r2": scores["mouse"]["dy"]["r2"],
    }


def _save(run: Run, tensors: Weights, skipped: int, best: Best, step: int) -> None:
    score_or_none = best.score if math.isfinite(best.score) else None
    facts = {"step": step, "best_score": score_or_none, "best_step": best.step, "skipped": skipped}
    checkpoints.save(run.folder / LAST_NAME, tensors, facts)


def _resume(run: Run, learner: Learner, best: Best, planned: RunConfig) -> int:
    saved = checkpoints.load(run.folder / LAST_NAME, learner.net)
    position = saved.position()
    learner.averaged = checkpoints.unpack(saved, learner.net, learner.optimiser)
    learner.skipped = position.skipped
    best.step = position.best_step
    best.score = position.best_score if position.best_score is not None else -math.inf
    step = position.step
    if learner.world.is_first:
        run.forget_after(step)
        run.log(f"continues after step {step} of {planned.steps}")
    return step


def _finish(
    store: Store, data: Data, run: Run, planned: RunConfig, best: Best, learner: Learner, averaged: Weights
) -> Card:
    """Writes the model from the best averaged weights, with thresholds and figures of the calibration split."""
    weights = averaged
    if best.step:
        weights = read_tensors(run.folder / BEST_NAME, averaged, "start a new run")
    net = learner.net_with(weights)
    thresholds, scores = calibrate(data, net)
    figures = summary(scores)
    if planned.config.kind == "idm" and data.manifest.of("calibration"):  # else it was trained on what is at hand
        figures |= usual_surprise(net, data.calibration, data.manifest.space)
    origin = read_card(store, planned.start_from) if planned.start_from else None
    card = Card(
        id=run.id,
        config=planned.config,
        clip=data.manifest.clip,
        space=data.manifest.space,
        dataset_id=planned.dataset_id,
        dataset_hash=planned.dataset_hash,
        run_id=run.id,
        seed=planned.seed,
        steps=planned.steps,
        best_step=best.step or planned.steps,
        created_at=datetime.now(UTC).isoformat(),
        parameters=sum(value.numel() for value in net.parameters()),
        thresholds=tuple(thresholds),
        marginal=MarginalCard.of(data.marginal),
        figures={name: None if math.isnan(value) else round(value, 5) for name, value in figures.items()},
        train_on=planned.train_on,
        history=origin.history_with_itself if origin else (),
    )
    save_model(store, card, weights)
    return card
