"""Trains a small IDM in whatever world `torchrun` made: library, dataset, steps to stop after, run to go on with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from db.store import Store
from trainer.configs import AugmentConfig, IdmConfig, OptimConfig
from trainer.data.manifest import read_manifest
from trainer.training import loop
from trainer.training.runs import Run, RunConfig, new_run, open_run, write_config
from trainer.training.world import joined

STEPS = 6


def main(library: str, dataset: str, stop_after: str, run_id: str = "") -> None:
    config = IdmConfig(
        window=8, widths=(8, 16), frame_features=32, shift_features=32, shift_px=(8, 4), shift_cells=(2, 2), hidden=16,
        dropout=0, overlap=4, augment=AugmentConfig(mirror=0.5),
        optim=OptimConfig(batch_size=4, rate=1e-3, warmup_steps=2, evaluations=1),
    )  # fmt: skip
    with joined(torch.device("cpu")) as (world, device), Store.open(Path(library)) as store:
        manifest = read_manifest(store, dataset)
        if world.is_first and not run_id:
            run = new_run(store, "idm")
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
