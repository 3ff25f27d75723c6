"""A trial before a run: a few steps are taken, timed and thrown away, so that a time budget becomes a number of steps."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from statistics import median
from typing import Literal

import torch

from trainer.configs import ModelConfig
from trainer.data.manifest import Source
from trainer.training.allocator import keep_freed_memory
from trainer.training.loop import Data, Report, calibrate, new_learner, new_sampler
from trainer.training.runs import Run, RunConfig, write_config

_STEPS = 4
"""The first is not counted."""
_SAFETY = 0.95
"""Share of a time budget that is planned: a machine is rarely as free for minutes as it was for seconds."""

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Speed:
    """What a step takes with so many threads and this precision; NaN where it was not measured."""

    threads: int
    precision: Precision
    step_s: float


def plan(
    data: Data,
    run: Run,
    config: ModelConfig,
    *,
    minutes: float | None,
    steps: int | None,
    seed: int,
    device: torch.device,
    report: Report,
    threads: int | None = None,
    train_on: Source = "all",
    start_from: str | None = None,
    correction_share: float | None = None,
    tries: bool = True,
) -> RunConfig:
    """Turns a wish (minutes or steps) into a stored run.

    The trial also chooses the precision where the configuration leaves that open, and the threads where `threads` does:
    on a machine that is busy with something else one thread is often faster than all. tries: False takes what is usual
    instead, for a model that this process alone has no room for.
    """
    began_s = time.monotonic()
    report(run.progress("trial"))
    if tries:
        speed = _choose(data, run, config, seed=seed, device=device, threads=threads, timed=minutes is not None)
    else:
        speed = Speed(threads or torch.get_num_threads(), _usual(config, device), math.nan)
    torch.set_num_threads(speed.threads)
    if steps is None:
        assert minutes is not None, "a run is as long as its minutes or its steps"
        evaluation_s = _try_evaluation(data, config, device)
        spare_s = minutes * 60 - (time.monotonic() - began_s) - (config.optim.evaluations + 1) * evaluation_s
        steps = max(10, int(_SAFETY * spare_s / speed.step_s))
    planned = RunConfig(
        id=run.id,
        config=config,
        dataset_id=data.manifest.id,
        dataset_hash=data.manifest.hash,
        seed=seed,
        steps=steps,
        precision=speed.precision,
        minutes=minutes,
        threads=speed.threads,
        step_s=None if math.isnan(speed.step_s) else round(speed.step_s, 4),
        train_on=train_on,
        start_from=start_from,
        correction_share=correction_share,
    )
    write_config(run, planned)
    run.log(
        f"{steps} steps of {speed.precision}, batch {config.optim.batch_size}, {speed.threads} threads, "
        f"{speed.step_s:.3f} s a step"
    )
    return planned


def _usual(config: ModelConfig, device: torch.device) -> Precision:
    wanted = config.optim.precision
    return ("bfloat16" if device.type == "cuda" else "float32") if wanted == "auto" else wanted


def _choose(
    data: Data, run: Run, config: ModelConfig, *, seed: int, device: torch.device, threads: int | None, timed: bool
) -> Speed:
    """The fastest of what is left open: threads first, then precision. Tries nothing that has one answer only."""
    wanted = config.optim.precision
    several = threads is None and device.type == "cpu" and torch.get_num_threads() > 1
    counts = [threads or torch.get_num_threads(), *([1] if several else [])]
    first: Precision = "float32" if wanted == "auto" else wanted
    if not timed and not several and wanted != "auto":
        return Speed(counts[0], first, math.nan)
    tried = [Speed(n, first, _try_steps(data, config, first, n, seed, device, run)) for n in counts]
    best = min(tried, key=lambda speed: speed.step_s)
    if wanted == "auto":
        step_s = _try_steps(data, config, "bfloat16", best.threads, seed, device, run)
        best = min(best, Speed(best.threads, "bfloat16", step_s), key=lambda speed: speed.step_s)
    return best


def _try_steps(
    data: Data, config: ModelConfig, precision: Precision, threads: int, seed: int, device: torch.device, run: Run
) -> float:
    """Seconds that a step takes."""
    keep_freed_memory()
    torch.set_num_threads(threads)
    learner = new_learner(data, config, precision, seed, 1000, device)
    sampler = new_sampler(data, config, seed, device)
    taken = []
    for number in range(_STEPS):
        began_s = time.monotonic()
        learner.step(number, sampler.batch(number))
        run.beat()
        taken.append(time.monotonic() - began_s)
    return median(taken[1:])


def _try_evaluation(data: Data, config: ModelConfig, device: torch.device) -> float:
    """Seconds that scoring the calibration split takes."""
    began_s = time.monotonic()
    learner = new_learner(data, config, "float32", 0, 1, device)
    calibrate(data, learner.net_with(learner.averaged))
    return time.monotonic() - began_s
