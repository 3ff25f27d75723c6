"""One training and its scores, as a row of a bench that may be ended and gone on with."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch

from db.store import Store
from trainer.configs import ModelConfig
from trainer.data.manifest import Manifest, Source
from trainer.scoring.evaluate import evaluate, to_json
from trainer.scoring.paraphrases import Paraphrases
from trainer.training import loop
from trainer.training.runs import new_run
from trainer.training.trial import plan

Row = dict[str, Any]


def train(
    store: Store,
    manifest: Manifest,
    config: ModelConfig,
    *,
    minutes: float,
    threads: int,
    seed: int = 0,
    train_on: Source = "human",
    start_from: str | None = None,
) -> Row:
    """Trains on the processor for so many minutes; `model`, `parameters`, `steps`, `best_step` and `seconds`."""
    began_s = time.monotonic()
    device, run = torch.device("cpu"), new_run(store, config.kind)
    torch.set_num_threads(threads)
    data = loop.load_data(store, manifest, run, lambda row: None, train_on)
    planned = plan(
        data, run, config, minutes=minutes, steps=None, seed=seed, device=device, report=lambda row: None,
        threads=threads, train_on=train_on, start_from=start_from,
    )  # fmt: skip
    card = loop.train(store, data, run, planned, device=device, report=lambda row: None, stopped=lambda: False)
    assert card is not None
    taken_s = round(time.monotonic() - began_s, 1)
    facts = {"parameters": card.parameters, "steps": card.steps, "best_step": card.best_step}
    return {"model": card.id, **facts, "seconds": taken_s}


def scores_of(store: Store, model_id: str, paraphrases: Paraphrases | None = None) -> Row:
    """Of the model and its rivals, on the held-out sessions."""
    found: Row = to_json(evaluate(store, model_id, paraphrases=paraphrases))["scores"]
    return found


def read_row(path: Path, key: Row) -> Row | None:
    """A row that was written before, of a measurement that depended on the same."""
    try:
        row: Row = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return row if row.get("key") == key else None
