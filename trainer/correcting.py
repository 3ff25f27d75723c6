"""The command `playtape-train correct`: take-overs are frozen beside the model's own data, learnt, and scored before and after."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from db.cli import emit, open_library
from db.errors import BadArgument
from db.store import Store
from trainer.cards import comparison
from trainer.commands import DEFAULT_MINUTES, STOPPED, check_length, reporter, set_threads
from trainer.data.corrections import DEFAULT_SHARE, Corrections, freeze_corrections, is_correction
from trainer.data.manifest import read_manifest
from trainer.models import Card, choose_device, latest_model, read_card
from trainer.training import loop
from trainer.training.runs import Pulse, new_run, told_of_failure
from trainer.training.stopping import stop_signals
from trainer.training.trial import plan


def correct_model(args: argparse.Namespace) -> int:
    """Exit status 0 with a model, 130 when it was stopped before; `policy --resume` goes on then."""
    set_threads(args.threads)
    check_length(args)
    share = DEFAULT_SHARE if args.share is None else args.share
    if not 0 < share < 1:
        raise BadArgument("--share must lie between 0 and 1.")
    device = choose_device(args.device)
    with open_library(args, create=False) as store, stop_signals() as stopped:
        card = read_card(store, args.model or latest_model(store, "policy"))
        if card.kind != "policy":
            raise BadArgument(f"{card.id} is an {card.kind}; people take over from a policy.")
        chosen = [store.find(part) for part in args.session] if args.session else None
        frozen = freeze_corrections(store, card.space, read_manifest(store, card.dataset_id), chosen)
        report = reporter(args)
        run = new_run(store, "policy")
        with Pulse(run), told_of_failure(run):
            data = loop.load_data(store, frozen.manifest, run, report, "human", stopped)
            clips = loop.new_sampler(data, card.config, args.seed, device, correction_share=share)
            planned = plan(
                data, run, card.config, minutes=args.minutes if args.steps or args.minutes else DEFAULT_MINUTES,
                steps=args.steps, seed=args.seed, device=device, report=report, threads=args.threads, train_on="human",
                start_from=card.id, correction_share=share,
            )  # fmt: skip
            made = loop.train(store, data, run, planned, device=device, report=report, stopped=stopped)
        if made is None:
            text = f"stopped and saved; go on with: playtape-train policy --resume {run.id}"
            emit(args, {"run": run.id, "stopped": True}, text)
            return STOPPED
        real = clips.share_of({number for number, take in enumerate(data.train) if is_correction(take)})
        _tell(args, store, card, made, frozen, real)
    return 0


def _tell(args: argparse.Namespace, store: Store, before: Card, made: Card, frozen: Corrections, share: float) -> None:
    """What was learnt from, and the figures of both models on the rows that were held out from both."""
    found = comparison.compare(store, [before.id, made.id], device=choose_device(args.device))
    path: Path = store.models_dir / made.id
    facts: dict[str, Any] = {
        "model": made.id,
        "from": before.id,
        "dataset": frozen.manifest.id,
        "corrections": list(frozen.sessions),
        "correction_seconds": round(frozen.seconds, 1),
        "correction_share": round(share, 3),
        "path": str(path),
        **comparison.to_facts(found),
    }
    lines = [
        f"model {made.id}, from {before.id}",
        f"  {frozen.seconds:.0f} s of corrections in {len(frozen.sessions)} sessions, beside "
        f"{(frozen.manifest.hours['train'] * 3600 - frozen.seconds) / 60:.1f} min: {share:.0%} of the clips",
        *(f"  note: {warning}" for warning in frozen.warnings),
        f"  {path}",
        "",
        comparison.render_text(found),
    ]
    emit(args, facts, "\n".join(lines))
