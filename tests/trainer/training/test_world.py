"""Several processes train the same weights as one does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from db.errors import BadArgument
from db.store import Store
from trainer.models import build, load_model, read_card
from trainer.training.world import World


def test_a_world_of_one_does_nothing():
    world = World()
    assert world.is_first
    assert world.share(7) == slice(0, 7)
    assert world.tell("x") == "x"
    assert world.any(True, torch.device("cpu"))
    assert not world.any(False, torch.device("cpu"))
    assert float(world.sum(torch.tensor(3.0))) == 3
    world.wait()


def test_a_batch_is_shared_equally_or_not_at_all():
    assert [World(rank, 3).share(6) for rank in range(3)] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    with pytest.raises(BadArgument, match="7 clips"):
        World(0, 2).share(7)


def run_script(library: Path, dataset: str, processes: int, stop_after: int, run: str = "") -> dict[str, str]:
    """Trains in so many processes, and gives the run's and the model's ids."""
    script = Path(__file__).parent / "exact_training.py"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
        command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    command += [str(script), str(library), dataset, str(stop_after), run]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def test_two_processes_learn_what_one_learns(toy_library: Any, toy_manifest: Any, tmp_path: Path):
    """The same batches at float32 without dropout, two of them stopped and going on: only rounding differs."""
    library = tmp_path / "library"
    shutil.copytree(toy_library, library)
    alone = run_script(library, toy_manifest.id, 1, 6)
    begun = run_script(library, toy_manifest.id, 2, 3)
    assert begun["model"] == ""
    together = run_script(library, toy_manifest.id, 2, 6, begun["run"])
    with Store.open(library) as store:
        one, two = (load_model(store, said["model"]).net.state_dict() for said in (alone, together))
        fresh = build_fresh(store, alone["model"])
    largest = max(float((one[name] - two[name]).abs().max()) for name in one)
    learnt = max(float((one[name] - fresh[name]).abs().max()) for name in one)
    assert largest < 2e-4 < learnt, (largest, learnt)


def build_fresh(store: Store, model: str) -> dict[str, torch.Tensor]:
    """The weights that training began with, but for the heads' biases."""
    card = read_card(store, model)
    torch.manual_seed(card.seed)
    return build(card.config, card.clip, card.space).state_dict()
