"""Trains a small model in whatever world `torchrun` made.

Library, dataset, steps to stop after, `idm` or `p2p`, `shards` or `copies`, run to go on with.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import nn

from db.store import Store
from trainer.configs import AugmentConfig, IdmConfig, ModelConfig, OptimConfig, named_config
from trainer.data.manifest import read_manifest
from trainer.nets import efficientnet
from trainer.training import loop
from trainer.training.runs import Run, RunConfig, new_run, open_run, write_config
from trainer.training.world import joined

STEPS = 6


def configure(which: str) -> ModelConfig:
    optim = OptimConfig(batch_size=4, rate=1e-3, warmup_steps=2, evaluations=1)
    if which == "p2p":
        efficientnet.nn.BatchNorm2d = lambda channels: nn.GroupNorm(1, channels)  # type: ignore[attr-defined,misc,assignment]
        config = named_config("policy", "p2p-tiny")
        return config.model_copy(update={"window": 16, "optim": optim, "augment": AugmentConfig(mirror=0.5)})
    return IdmConfig(
        window=8, widths=(8, 16), frame_features=32, shift_features=32, shift_px=(8, 4), shift_cells=(2, 2), hidden=16,
        dropout=0, overlap=4, augment=AugmentConfig(mirror=0.5), optim=optim,
    )  # fmt: skip


def main(library: str, dataset: str, stop_after: str, which: str, how: str, run_id: str = "") -> None:
    """A norm over the batch would be over each process's part of it on a CPU, so the transformer has another one here."""
    config = configure(which)
    with (
        joined(torch.device("cpu"), shards=how == "shards") as (world, device),
        Store.open(Path(library)) as store,
    ):
        manifest = read_manifest(store, dataset)
        if world.is_first and not run_id:
            run = new_run(store, config.kind)
            planned = RunConfig(
                id=run.id, config=config, dataset_id=dataset, dataset_hash=manifest.hash, seed=3, steps=STEPS,
                precision="float32", threads=1,
            )  # fmt: skip
            write_config(run, planned)
            run_id = run.id
        run_id = world.tell(run_id)
        _, planned = open_run(store, run_id)
        run = Run(store.runs_dir / run_id)
        data = loop.load_data(store, manifest, run, lambda row: None)
        asked: list[int] = []

        def stopped() -> bool:
            asked.append(1)
            return len(asked) >= int(stop_after) < STEPS

        card = loop.train(
            store, data, run, planned, device=device, report=lambda row: None, stopped=stopped, world=world
        )
        if world.is_first:
            print(json.dumps({"run": run_id, "model": card.id if card else ""}), flush=True)


main(*sys.argv[1:])
