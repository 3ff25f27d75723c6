"""The commands that run a pipeline, from parsed arguments to what is printed: `pipeline`, and `policy --pretrain-on`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from db.cli import emit, open_library
from db.errors import BadArgument
from db.store import Store
from trainer.configs import clip_named, named_config
from trainer.data.manifest import latest_dataset, read_manifest
from trainer.freezing import read_choice
from trainer.training.pipeline import Pipeline
from trainer.training.plans import POLICY, Options, Plan, new_plan, read_plan, stages_for
from trainer.training.stopping import stop_signals

DEFAULT_MINUTES = 12.0
_STOPPED = 130
_LINE_S = 10.0

Row = dict[str, Any]


def run_pipeline(args: argparse.Namespace) -> int:
    """Exit status 0 with its models, 130 when it was stopped before; `--resume` goes on."""
    _refuse_several_processes()
    with open_library(args, create=False) as store:
        return _go(args, store, read_plan(store, args.resume) if args.resume else _plan(args, store))


def train_in_two_stages(args: argparse.Namespace) -> int:
    """A policy that learns from one source and then from another, on a dataset that is there."""
    _refuse_several_processes()
    if args.resume or args.train_on or args.start_from:
        raise BadArgument(
            "--pretrain-on begins a training of two stages; leave out --resume, --train-on, --start-from."
        )
    with open_library(args, create=False) as store:
        manifest = read_manifest(store, args.dataset or latest_dataset(store))
        named_config("policy", args.config)
        options = _options(
            args,
            dataset_id=manifest.id,
            pretrain_on=args.pretrain_on,
            finetune_on=args.finetune_on or "human",
        )
        return _go(args, store, new_plan(store, options, POLICY))


def _plan(args: argparse.Namespace, store: Store) -> Plan:
    for kind in ("idm", "policy"):
        named_config(kind, args.config)
    more: dict[str, Any] = {"idm_share": args.idm_share} if args.idm_share is not None else {}
    if args.min_confidence is not None:
        more["min_confidence"] = args.min_confidence
    how = {"held_out_share": args.held_out_share, "by": args.by, "any_game": args.any_game}
    if args.dataset is None:
        return new_plan(store, _options(args, choice=read_choice(args), **how, **more), stages_for(args.models))
    manifest = read_manifest(store, args.dataset)
    if manifest.clip != clip_named(args.config):
        raise BadArgument(f"Dataset {manifest.id} was not frozen for {args.config}; choose the one that it was.")
    stages = stages_for(args.models, is_frozen=True, is_imputed=bool(manifest.of("train", "imputed")))
    return new_plan(store, _options(args, dataset_id=manifest.id, **how, **more), stages)


def _options(args: argparse.Namespace, **more: Any) -> Options:
    """Raises BadArgument with the first thing that cannot be."""
    minutes = args.minutes if args.minutes is not None or args.steps is not None else DEFAULT_MINUTES
    if minutes is not None and minutes <= 0:
        raise BadArgument("--minutes must be more than 0.")
    if args.threads is not None and args.threads < 1:
        raise BadArgument("--threads must be at least 1.")
    if args.pretrain_share is not None:
        more["pretrain_share"] = args.pretrain_share
    try:
        return Options(
            config=args.config, seed=args.seed, minutes=minutes, steps=args.steps, threads=args.threads,
            device=args.device, **more,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise BadArgument(f"--{name}: {first['msg'][:1].lower()}{first['msg'][1:]}.") from None


def _go(args: argparse.Namespace, store: Store, plan: Plan) -> int:
    with stop_signals() as stopped:
        pipeline = Pipeline(store, plan, _reporter(args), stopped)
        finished = pipeline.go()
    facts = {"pipeline": plan.id, "stopped": not finished, **pipeline.models()}
    facts["stages"] = [stage.model_dump(mode="json") for stage in pipeline.plan.stages]
    emit(args, facts, _sum_up(pipeline.plan, finished))
    return 0 if finished else _STOPPED


def _sum_up(plan: Plan, finished: bool) -> str:
    lines = [f"pipeline {plan.id}"]
    for stage in plan.stages:
        made = stage.model or stage.dataset or ""
        lines.append(f"  {stage.name:<9} {stage.state:<9} {stage.spent_s:7.0f} s  {made}")
        if stage.note:
            lines.append(f"      {stage.note}")
    if not finished:
        lines.append(f"stopped and saved; go on with: playtape-train pipeline --resume {plan.id}")
    return "\n".join(lines)


def _reporter(args: argparse.Namespace) -> Callable[[Row], None]:
    """Rows as JSON with --json; for a person one line that is rewritten on a terminal, or one every few seconds."""
    live = sys.stderr.isatty()
    told_s = 0.0
    last = ""

    def tell(row: Row) -> None:
        nonlocal told_s, last
        if args.json:
            emit(args, row, "")
            return
        now_s = time.monotonic()
        stage = str(row.get("stage", ""))
        if live:
            sys.stderr.write(f"\r\x1b[K{describe(row)}" + ("\n" if stage != last and last else ""))
            sys.stderr.flush()
        elif stage != last or now_s - told_s >= _LINE_S:
            print(describe(row), file=sys.stderr, flush=True)
            told_s = now_s
        last = stage

    return tell


def describe(row: Row) -> str:
    """A row of a pipeline's progress as a line."""
    if "share" not in row or "stage" not in row:
        return " ".join(str(part) for part in (row["phase"], row.get("stage"), row.get("reason")) if part)
    where = f"{row['share']:4.0%}  {row['stage_number']}/{row['stages']} {row['stage']}: {row['phase']}"
    steps = f" {row['step']}/{row['steps']}" if row["steps"] else ""
    loss = f"  loss {row['stage_loss']:.3f}" if isinstance(row.get("stage_loss"), float) else ""
    ends = datetime.now() + timedelta(seconds=row["eta_s"])
    left_s = int(row["eta_s"])
    return f"{where}{steps}{loss}  finishes about {ends:%H:%M:%S} (in {left_s // 60} min {left_s % 60:02d} s)"


def _refuse_several_processes() -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise BadArgument(
            "A training of several stages runs in one process; under torchrun train each stage by itself, "
            "with --train-on and --start-from."
        )
