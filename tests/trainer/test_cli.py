from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.store import Store
from trainer.__main__ import main
from trainer.machine import offers
from trainer.training.runs import read_progress

ROOT = Path(__file__).parents[2]


def test_help_needs_no_torch() -> None:
    code = "import sys; from trainer.__main__ import main\ntry: main(['idm', '--help'])\nfinally: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "False"
    assert "--minutes" in done.stdout


def test_an_error_is_one_sentence(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "--library", str(store.root)]) == 1
    assert "accept" in capsys.readouterr().err
    assert main(["idm", "--library", str(store.root), "--json"]) == 1
    printed = capsys.readouterr()
    assert "dataset" in json.loads(printed.out.splitlines()[-1])["error"]
    assert main(["dataset", "--library", str(store.root / "nowhere")]) == 1
    assert main(["policy", "--library", str(store.root), "--minutes", "0"]) == 1


def test_the_configurations_say_what_they_need(capsys: pytest.CaptureFixture[str]) -> None:
    assert all(offer.runs_here and not offer.reason for offer in offers(has_gpu=True))
    here = {offer.name: offer for offer in offers(has_gpu=False)}
    assert [name for name, offer in here.items() if offer.runs_here] == ["quick", "quick-gpu"]
    assert "NVIDIA" in here["p2p-150m"].reason
    assert main(["configurations", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["configurations"]
    assert [offer["name"] for offer in told] == list(here)
    assert main(["configurations"]) == 0
    assert "quick      128x96 at 15 Hz" in capsys.readouterr().out


def test_from_sessions_to_an_evaluated_model(
    toy_library: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    common = ["--library", str(toy_library), "--json"]

    def call(*args: str) -> dict[str, Any]:
        assert main([*args, *common]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    dataset = call("dataset", "--held-out-share", "0.25")
    assert dataset["hours"]["train"] > 0
    model = call("idm", "--dataset", dataset["id"], "--steps", "2", "--threads", "1")
    assert Path(model["path"], "model.safetensors").exists()
    scores = call("evaluate", "--model", model["model"])["scores"]
    assert {"model", "always released", "repeat last", "marginal", "grey pictures"} == scores.keys()
    with Store.open(toy_library) as store:
        session_id = store.search()[0].id
    out = tmp_path / "said.npz"
    assert call("predict", "--model", model["model"], "--session", session_id[-12:], "--out", str(out))["ticks"] > 100
    assert main(["idm", "--resume", "nothing", *common]) == 1
    assert main(["evaluate", "--model", model["model"], "--library", str(toy_library)]) == 0
    assert "onset" in capsys.readouterr().out


def test_what_is_stopped_while_it_reads_sessions_ends_at_once(
    toy_library: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def come_already() -> Iterator[Callable[[], bool]]:
        yield lambda: True

    monkeypatch.setattr("trainer.commands.stop_signals", come_already)
    common = ["--library", str(toy_library)]
    assert main(["dataset", "--held-out-share", "0.25", *common]) == 0
    runs = toy_library / "runs"
    before = set(runs.iterdir()) if runs.exists() else set()
    assert main(["idm", "--steps", "2", *common]) == 130
    assert "begin again" in capsys.readouterr().out
    (run,) = set(runs.iterdir()) - before
    assert [row["phase"] for row in read_progress(run)] == ["stopped"]
    assert main(["idm", "--resume", run.name, *common]) == 1
    assert "start a new one" in capsys.readouterr().err


def test_a_signal_stops_and_saves(toy_library: Path) -> None:
    command = [sys.executable, "-m", "trainer", "policy", "--library", str(toy_library), "--steps", "100000", "--json"]
    command += ["--threads", "1"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line).get("phase") == "training":
                    break
            process.terminate()
            last = json.loads(process.stdout.read().splitlines()[-1])
            assert process.wait(60) == 130
        finally:
            process.kill()
    assert last["stopped"]
    assert (toy_library / "runs" / last["run"] / "last.safetensors").exists()
