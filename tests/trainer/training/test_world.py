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
from safetensors.torch import load_file

from db.errors import BadArgument
from db.store import Store
from trainer.training.runs import LAST_NAME
from trainer.training.world import World, joined


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


def test_one_process_has_nobody_to_share_weights_with():
    with pytest.raises(BadArgument, match="torchrun"), joined(torch.device("cpu"), shards=True):
        pass


def run_script(
    library: Path, dataset: str, processes: int, stop_after: int, run: str = "", which: str = "idm", how: str = "copies"
) -> dict[str, str]:
    """Trains in so many processes, and gives the run's and the model's ids."""
    script = Path(__file__).parent / "exact_training.py"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
        command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    command += [str(script), str(library), dataset, str(stop_after), which, how, run]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("which", "how"), [("idm", "copies"), ("p2p", "shards")])
def test_two_processes_learn_what_one_learns(toy_library: Any, toy_manifest: Any, tmp_path: Path, which: str, how: str):
    """The same batches at float32 without dropout, two of them stopped and going on: only rounding differs.

    What they save is whole: one process goes on with what two have shared out.
    """
    library = tmp_path / "library"
    shutil.copytree(toy_library, library)
    alone = run_script(library, toy_manifest.id, 1, 6, which=which)
    begun = run_script(library, toy_manifest.id, 2, 3, which=which, how=how)
    assert begun["model"] == ""
    halfway = load_file(library / "runs" / begun["run"] / LAST_NAME)
    if how == "shards":
        shutil.copytree(library / "runs" / begun["run"], tmp_path / "copy")
    together = run_script(library, toy_manifest.id, 2, 6, begun["run"], which, how)
    found = [weights_of(library, said["model"]) for said in (alone, together)]
    if how == "shards":
        shutil.rmtree(library / "runs" / begun["run"])
        shutil.copytree(tmp_path / "copy", library / "runs" / begun["run"])
        found.append(weights_of(library, run_script(library, toy_manifest.id, 1, 6, begun["run"], which)["model"]))
    one, *others = found
    learnt = max(float((one[name].float() - halfway[f"ema.{name}"].float()).abs().max()) for name in one)
    for other in others:
        largest = max(float((one[name].float() - other[name].float()).abs().max()) for name in one)
        assert largest < 2e-4 < learnt, (largest, learnt)


def weights_of(library: Path, model: str) -> dict[str, torch.Tensor]:
    with Store.open(library) as store:
        return load_file(store.models_dir / model / "model.safetensors")
