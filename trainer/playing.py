"""`playtape-train evaluate --play`: a policy's episodes in a game, added to its evaluation and to its card."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from db.cli import emit, open_library
from db.errors import BadArgument, NotFound
from db.files import replace_text
from db.progressline import ProgressLine
from db.specs import CaptureSpec
from db.store import Store
from trainer.cards.report import write_card
from trainer.commands import set_threads
from trainer.data.manifest import Manifest, Split, read_manifest
from trainer.episodes import eyes
from trainer.episodes.finding import CheckedGame, find_game
from trainer.episodes.outcomes import summarise
from trainer.episodes.record import Episodes
from trainer.episodes.running import Plan, choose_tasks, play_all
from trainer.episodes.tables import render
from trainer.models import Loaded, choose_device, load_model
from trainer.play import Sampling, read_sampling
from trainer.scoring import evaluate as evaluation
from trainer.training.stopping import Stopped, stop_signals

_STOPPED = 130


def play_model(args: argparse.Namespace) -> int:
    """Exit status 0, or 130 when it was stopped before; the same command then goes on."""
    set_threads(args.threads or 1)  # as a server: one picture is too little work for two to share
    plan = read_plan(args)
    with open_library(args, create=False) as store, stop_signals() as stopped:
        loaded = load_model(store, args.model, choose_device(args.device))
        if loaded.card.kind != "policy":
            raise BadArgument(f"{args.model} is an {loaded.card.kind} and plays nothing; leave out --play.")
        manifest = read_manifest(store, loaded.card.dataset_id)
        with find_game(plan.game, loaded.card.clip) as game, ProgressLine(f"playing {game.name}") as line:
            try:
                played = play(store, loaded, manifest, game, plan, args.films, line.tell, stopped)
            except Stopped:
                emit(args, {"stopped": True}, "stopped; the same command goes on with the episodes that are missing")
                return _STOPPED
        found = keep(store, loaded, manifest, args.split, *played)
        page = evaluation.card_path(store, args.model)
        path = store.models_dir / args.model / evaluation.NAME
        facts = {"played": found["played"], "eyes": found["eyes"], "path": str(path), "card": str(page)}
        emit(args, facts, f"{render(found['played'], found['eyes'])}\n\n{page}")
    return 0


def read_plan(args: argparse.Namespace) -> Plan:
    """Raises BadArgument for numbers that cannot be."""
    if args.episodes < 1 or args.films < 0 or args.first_seed < 0:
        raise BadArgument("--episodes must be at least 1; --films and --first-seed must not be negative.")
    sampling = read_sampling({name: getattr(args, name) for name in Sampling.model_fields})
    tellings = tuple(dict.fromkeys(("asked", *args.tell)))  # what all others are held against comes first
    return Plan(args.play, args.episodes, args.first_seed, tuple(args.task or ()), tellings, sampling)


def play(
    store: Store,
    loaded: Loaded,
    manifest: Manifest,
    game: CheckedGame,
    plan: Plan,
    films: int,
    tell: Callable[[float], None],
    stopped: Callable[[], bool],
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the episodes came to and, with `films` episodes filmed, what an encoder does to the policy's outputs.

    Raises Stopped, BadArgument.
    """
    taught = {span.text for item in manifest.of("train") for span in item.instructions}
    record = Episodes(store.models_dir / loaded.card.id)
    episodes = play_all(loaded, taught, game, plan, record, tell, stopped)
    tasks = choose_tasks(game, plan)
    found = summarise(game, plan, tasks, episodes)
    if not films:
        return found, None
    if not game.can_be_filmed:
        raise BadArgument(f"{game.name} cannot be filmed; leave out --films.")
    capture = CaptureSpec()
    reels = [
        eyes.film(loaded, game, tasks[i % len(tasks)].instruction, seed, plan.sampling, capture, stopped)
        for i, seed in enumerate(range(plan.first_seed, plan.first_seed + films))
    ]
    return found, asdict(eyes.measure(loaded, reels, capture))


def keep(
    store: Store,
    loaded: Loaded,
    manifest: Manifest,
    split: Split,
    found: dict[str, Any],
    seen: dict[str, Any] | None,
) -> evaluation.Evaluation:
    """Adds what was played to the model's evaluation, which is made first where there is none, and writes both pages."""
    card = loaded.card
    whole = _evaluated(store, loaded, split)
    others = [game for game in whole.get("played", []) if game["game"] != found["game"]]
    whole["played"] = evaluation.to_json([*others, found])
    whole["eyes"] = whole.get("eyes", {}) | ({found["game"]: evaluation.to_json(seen)} if seen else {})
    replace_text(store.models_dir / card.id / evaluation.NAME, json.dumps(whole, indent=1) + "\n")
    write_card(store, card, manifest, whole)
    return whole


def _evaluated(store: Store, loaded: Loaded, split: Split) -> evaluation.Evaluation:
    with suppress(NotFound):
        found = evaluation.read_evaluation(store, loaded.card.id)
        if found["split"] == split:
            return found
    made: evaluation.Evaluation = evaluation.to_json(
        evaluation.evaluate(store, loaded.card.id, split, device=loaded.device)
    )
    return made
