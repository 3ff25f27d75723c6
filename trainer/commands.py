"""The commands of `playtape-train`, from parsed arguments to what is printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, get_args

import torch

from db.cli import emit, open_library
from db.errors import BadArgument
from db.progressline import ProgressLine
from db.store import Store
from trainer.cards import comparison
from trainer.cards.tables import render
from trainer.configs import named_config
from trainer.data.manifest import Manifest, Source, latest_dataset, read_manifest
from trainer.episodes import tables as episodes
from trainer.models import Card, choose_device, latest_model, read_origin
from trainer.nets.sentences import read_with
from trainer.scoring import brakelight
from trainer.scoring import evaluate as evaluation
from trainer.scoring.paraphrases import read_paraphrases
from trainer.scoring.predict import predict_session as predict
from trainer.scoring.predict import write_npz
from trainer.serve import serve
from trainer.training import loop
from trainer.training.runs import Pulse, Run, RunConfig, new_run, open_run, told_of_failure
from trainer.training.stopping import Stopped, stop_signals
from trainer.training.trial import plan
from trainer.training.world import World, joined

DEFAULT_MINUTES = 4.0
STOPPED = 130
_LINE_S = 10.0

Row = dict[str, Any]


def train_model(args: argparse.Namespace) -> int:
    """Exit status 0 with a model, 130 when it was stopped before."""
    set_threads(args.threads)
    device = choose_device(args.device)
    check_length(args)
    if args.command == "policy" and (args.finetune_on or args.pretrain_share is not None):
        raise BadArgument("--finetune-on and --pretrain-share are about two stages; say --pretrain-on too.")
    with (
        joined(device, shards=args.shard) as (world, device),
        open_library(args, create=False) as store,
        stop_signals() as stopped,
    ):
        report = reporter(args) if world.is_first else lambda row: None
        began = _begin(args, store) if world.is_first else None
        run, manifest, planned = _adopt(store, world, began)
        with _followed(run, world):
            if not world.is_first:
                world.wait()  # the first decodes; the others read what it kept
            train_on = planned.train_on if planned else _train_on(args)
            try:
                data = loop.load_data(
                    store,
                    manifest,
                    run,
                    report,
                    train_on,
                    lambda: world.size == 1 and (stopped() or run.is_asked_to_stop()),
                )
            except Stopped:
                report(run.progress("stopped"))
                return _conclude(args, store, run, None, is_planned=planned is not None)
            if world.is_first:
                world.wait()
                planned = planned or _plan(args, store, data, run, device, report)
            planned = world.tell(planned)
            assert planned is not None
            card = loop.train(store, data, run, planned, device=device, report=report, stopped=stopped, world=world)
        return _conclude(args, store, run, card) if world.is_first else 0


def _begin(args: argparse.Namespace, store: Store) -> tuple[str, str, RunConfig | None]:
    """A new run, or the one to go on with: its id, its dataset's, and what it does where that is settled."""
    if not args.resume:
        read_with(named_config(args.command, args.config), args.text_encoder)
        manifest = read_manifest(store, args.dataset or latest_dataset(store))
        return new_run(store, args.command).id, manifest.id, None
    run, planned = open_run(store, args.resume)
    if planned.config.kind != args.command:
        raise BadArgument(f"Run {args.resume} trains an {planned.config.kind}; use `{planned.config.kind} --resume`.")
    manifest = read_manifest(store, planned.dataset_id)
    if manifest.hash != planned.dataset_hash:
        raise BadArgument(f"Dataset {planned.dataset_id} is not the one this run began with; start a new run.")
    return run.id, manifest.id, planned


def _adopt(
    store: Store, world: World, began: tuple[str, str, RunConfig | None] | None
) -> tuple[Run, Manifest, RunConfig | None]:
    """What the first process began, for all of them."""
    run_id, dataset_id, planned = world.tell(began) or ("", "", None)
    return Run(store.runs_dir / run_id), read_manifest(store, dataset_id), planned


def _plan(
    args: argparse.Namespace,
    store: Store,
    data: loop.Data,
    run: Run,
    device: torch.device,
    report: Callable[[Row], None],
) -> RunConfig:
    if args.start_from:
        config = read_origin(store, args.start_from, args.command, data.manifest).card.config
    else:
        named = read_with(named_config(args.command, args.config), args.text_encoder)
        config = loop.fit_config(named, data)
    budget = args.minutes if args.steps or args.minutes else DEFAULT_MINUTES
    if args.shard and args.steps is None:
        raise BadArgument("--shard needs --steps: no one process has room to try how long a step takes.")
    return plan(
        data,
        run,
        config,
        minutes=budget,
        steps=args.steps,
        seed=args.seed,
        device=device,
        report=report,
        threads=args.threads,
        train_on=_train_on(args),
        start_from=args.start_from,
        tries=not args.shard,
    )


def _train_on(args: argparse.Namespace) -> Source:
    """An IDM learns from people alone unless it is told otherwise: what was imputed is an IDM's own word."""
    assert args.train_on in (None, *get_args(Source))
    chosen: Source = args.train_on or ("human" if args.command == "idm" else "all")
    return chosen


def evaluate_model(args: argparse.Namespace) -> int:
    set_threads(args.threads)
    paraphrases = read_paraphrases(args.paraphrases) if args.paraphrases else None
    with open_library(args, create=False) as store:
        device = choose_device(args.device)
        found = evaluation.evaluate(store, args.model, args.split, device=device, paraphrases=paraphrases)
        path, page = store.models_dir / args.model / evaluation.NAME, evaluation.card_path(store, args.model)
        facts = evaluation.to_json(found) | {"path": str(path), "card": str(page)}
        blocks = [
            render(found),
            *([episodes.render(found["played"], found["eyes"])] if "played" in found else []),
            str(page),
        ]
        emit(args, facts, "\n\n".join(blocks))
    return 0


def compare_models(args: argparse.Namespace) -> int:
    set_threads(args.threads)
    with open_library(args, create=False) as store:
        found = comparison.compare(store, args.models, args.split, device=choose_device(args.device))
        comparison.write_page(found, args.out)
        facts = comparison.to_facts(found) | {"path": str(args.out)}
        emit(args, facts, f"{comparison.render_text(found)}\n\n{args.out}")
    return 0


def predict_session(args: argparse.Namespace) -> int:
    set_threads(args.threads)
    with open_library(args, create=False) as store:
        session_id = store.find(args.session)
        arrays = predict(store, args.model, session_id)
        write_npz(args.out, arrays)
        facts = {"path": str(args.out), "session": session_id, "ticks": len(arrays["ticks"])}
        emit(args, facts, f"{args.out}: {facts['ticks']} ticks of session {session_id}")
    return 0


def study_brake_light(args: argparse.Namespace) -> int:
    set_threads(args.threads)
    with ProgressLine("brake light") as line:
        curves = brakelight.study(steps=args.steps, seeds=args.seeds, tell=line.tell)
    brakelight.draw(curves, args.out)
    lines = [f"{'hidden layers':<16}{'causality after ' + str(args.steps) + ' steps, nats':>40}"]
    lines += [
        f"{curve.depth:<16}{curve.mean[-1]:>24.2f}  ({min(r[-1] for r in curve.scores):.2f} to "
        f"{max(r[-1] for r in curve.scores):.2f})"
        for curve in curves
    ]
    facts = {"path": str(args.out), "curves": [asdict(curve) for curve in curves]}
    emit(args, facts, "\n".join([*lines, str(args.out)]))
    return 0


def serve_model(args: argparse.Namespace) -> int:
    with open_library(args, create=False) as store:
        serve(
            store,
            args.model or latest_model(store, "policy"),
            address=args.address,
            key_file=args.key_file,
            keys=args.keys,
            temperature=args.temperature,
            steadiness=args.steadiness,
            threads=args.threads,
            idle_s=args.idle_s,
            seed=args.seed,
            device=choose_device(args.device),
        )
    return 0


def _conclude(args: argparse.Namespace, store: Store, run: Run, card: Card | None, *, is_planned: bool = True) -> int:
    """is_planned: whether the run got so far that it can be gone on with."""
    if card is None:
        text = f"stopped and saved; go on with: playtape-train {args.command} --resume {run.id}"
        if not is_planned:
            text = "stopped before the first step; begin again when you like, the pictures that were read are kept"
        emit(args, {"run": run.id, "stopped": True}, text)
        return STOPPED
    figures = loop.in_words(card.figures)
    path = store.models_dir / card.id
    emit(
        args,
        {"run": run.id, "model": card.id, "path": str(path), "figures": card.figures},
        f"model {card.id}\n  {figures}\n  {path}",
    )
    return 0


def check_length(args: argparse.Namespace) -> None:
    """Raises BadArgument where a training is to last no time at all."""
    for name in ("minutes", "steps"):
        if getattr(args, name) is not None and getattr(args, name) <= 0:
            raise BadArgument(f"--{name} must be more than 0.")


def set_threads(threads: int | None) -> None:
    """None leaves it as it is. Raises BadArgument."""
    if threads is not None:
        if threads < 1:
            raise BadArgument("--threads must be at least 1.")
        torch.set_num_threads(threads)


def reporter(args: argparse.Namespace) -> Callable[[Row], None]:
    """Rows as JSON with --json; for a person one line that is rewritten on a terminal, or one every few seconds."""
    live = sys.stderr.isatty()
    last_s = 0.0

    def tell(row: Row) -> None:
        nonlocal last_s
        if args.json:
            emit(args, row, "")
            return
        line, lasting = describe(row)
        if live:
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if lasting else ""))
            sys.stderr.flush()
        elif lasting or row["t"] - last_s >= _LINE_S:
            print(line, file=sys.stderr, flush=True)
            last_s = row["t"]

    return tell


def describe(row: Row) -> tuple[str, bool]:
    """A row of progress as a line, and whether the line is worth keeping."""
    phase, step, steps = row["phase"], row["step"], row["steps"]
    if phase == "training":
        ends = datetime.now() + timedelta(seconds=row["eta_s"])
        left = f"{int(row['eta_s']) // 60} min {int(row['eta_s']) % 60:02d} s"
        return f"step {step}/{steps}  loss {row['loss']:.3f}  finishes {ends:%H:%M:%S} (in {left})", False
    if phase == "evaluating":
        return f"step {step}/{steps}  {loop.in_words(row)}", True
    if phase == "reading sessions":
        return f"reading sessions: {step} of {steps}", False
    return phase, phase in ("trial", "stopped")


@contextmanager
def _followed(run: Run, world: World) -> Iterator[None]:
    """Whoever follows the run's folder sees that it lives, and how it ended; the first process tells."""
    with ExitStack() as stack:
        if world.is_first:
            run.forget_stop()
            stack.enter_context(Pulse(run))
            stack.enter_context(told_of_failure(run))
        yield
