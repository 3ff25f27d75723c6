from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from db.errors import BadArgument, BadFile, NotFound
from db.store import Store
from trainer.cards.tables import render
from trainer.configs import OptimConfig
from trainer.data.manifest import Manifest
from trainer.models import Card, load_model, read_card
from trainer.scoring.evaluate import evaluate, swap_texts
from trainer.scoring.predict import predict_session, write_npz
from trainer.scoring.rivals import MARGINAL, MEANING, MODEL, RELEASED, REPEAT, REWORDED, SHUFFLED, TEXTLESS
from trainer.training import checkpoints, loop
from trainer.training.learner import rate_at
from trainer.training.runs import LAST_NAME, Run, new_run, open_run, read_progress
from trainer.training.trial import plan

CPU = torch.device("cpu")
Configs = dict[str, Callable[..., Any]]


def train(
    store: Store, manifest: Manifest, config: Any, steps: int, stop_after: int | None = None, run: Run | None = None
) -> tuple[Run, Card | None]:
    """Trains, or goes on with `run`; `stop_after` steps asks it to stop."""
    rows: list[dict[str, Any]] = []
    planned = None
    if run is None:
        run = new_run(store, config.kind)
    else:
        run, planned = open_run(store, run.id)
    data = loop.load_data(store, manifest, run, rows.append)
    if planned is None:
        threads = torch.get_num_threads()
        planned = plan(
            data, run, config, minutes=None, steps=steps, seed=3, device=CPU, report=rows.append, threads=threads
        )
    asked = iter(range(10**9))
    stopped = (lambda: next(asked) >= stop_after - 1) if stop_after else (lambda: False)
    return run, loop.train(store, data, run, planned, device=CPU, report=rows.append, stopped=stopped)


@pytest.fixture(scope="module")
def trained_idm(toy_library: Any, toy_manifest: Manifest, configs: Configs) -> str:
    with Store.open(toy_library) as store:
        _, card = train(store, toy_manifest, configs["idm"](), 200)
        assert card is not None
        return card.id


@pytest.fixture(scope="module")
def trained_policy(toy_library: Any, toy_manifest: Manifest, configs: Configs) -> str:
    with Store.open(toy_library) as store:
        _, card = train(store, toy_manifest, configs["policy"](), 120)
        assert card is not None
        return card.id


def test_the_idm_learns_the_toy_and_beats_every_baseline(toy_store: Store, trained_idm: str) -> None:
    found = evaluate(toy_store, trained_idm)
    scores = found["scores"]
    model = scores[MODEL]
    for baseline in (RELEASED, MARGINAL):
        assert model["macro_ap"] > scores[baseline]["macro_ap"] + 0.3
        assert model["onset_f1"]["0"] > scores[baseline]["onset_f1"]["0"] + 0.3
        assert model["onset_f1"]["1"] > scores[baseline]["onset_f1"]["1"] + 0.3
        assert model["mouse"]["dx"]["r2"] > scores[baseline]["mouse"]["dx"]["r2"] + 0.5
    assert scores[REPEAT]["onset_f1"]["0"] == 0.0
    assert model["mouse"]["dx"]["r2"] > scores[REPEAT]["mouse"]["dx"]["r2"]
    stored = json.loads((toy_store.models_dir / trained_idm / "evaluation.json").read_text())
    assert stored["scores"][MODEL]["rows"] == model["rows"] > 300
    assert stored["scores"][MODEL]["mouse"]["dy"]["r2"] is None, "a mouse that never moves has no R2, and JSON no NaN"
    table = render(found)
    assert all(who in table for who in (MODEL, RELEASED, REPEAT, MARGINAL, "Space"))


def test_the_policy_uses_its_instruction(toy_store: Store, trained_policy: str) -> None:
    words = {
        text: (f"please {text} now", text)
        for text in ("push left", "push right", "look left", "look right", "flash the light")
    }
    scores = evaluate(toy_store, trained_policy, paraphrases=words)["scores"]
    entropy = {who: s["cross_entropy"]["all"] for who, s in scores.items()}
    assert entropy[MODEL] < entropy[MARGINAL] - 0.2
    assert entropy[MODEL] < entropy[SHUFFLED] - 0.5
    assert entropy[MODEL] < entropy[TEXTLESS]
    assert entropy[MODEL] < entropy[REWORDED] < entropy[SHUFFLED], "other words are told apart, if less surely"
    page = (toy_store.models_dir / trained_policy / "card.html").read_text()
    assert MEANING[REWORDED] in page
    assert scores[MODEL]["perplexity"]["all"] == pytest.approx(np.exp(entropy[MODEL]))


def test_paraphrases_are_for_policies_and_for_every_instruction(
    toy_store: Store, trained_idm: str, trained_policy: str
) -> None:
    with pytest.raises(BadArgument, match="reads no instructions"):
        evaluate(toy_store, trained_idm, paraphrases={})
    with pytest.raises(BadArgument, match="'flash the light'"):
        evaluate(toy_store, trained_policy, paraphrases={"push left": ("shove it left",)})


def test_the_card_says_all_that_is_needed(toy_store: Store, toy_manifest: Manifest, trained_idm: str) -> None:
    card = read_card(toy_store, trained_idm)
    assert card.clip == toy_manifest.clip
    assert card.space == toy_manifest.space
    assert card.dataset_hash == toy_manifest.hash
    assert len(card.thresholds) == len(card.space.codes)
    assert card.figures["dx_r2"] is not None
    names = {path.name for path in (toy_store.models_dir / trained_idm).iterdir()}
    assert {"model.json", "model.safetensors"} <= names
    run, planned = open_run(toy_store, card.run_id)
    assert planned.steps == card.steps == 200
    rows = read_progress(run.folder)
    assert rows[-1]["phase"] == "done"
    assert [row["step"] for row in rows if row["phase"] == "evaluating"] == [100, 200]
    assert all(row["eta_s"] >= 0 and row["loss"] > 0 for row in rows if row["phase"] == "training")
    assert (run.folder / "heartbeat").exists()
    assert "wrote model" in (run.folder / "log.txt").read_text()


def test_predictions_of_a_session_stand_beside_the_truth(
    toy_store: Store, toy_manifest: Manifest, trained_idm: str, tmp_path: Any
) -> None:
    item = toy_manifest.of("held-out")[0]
    path = tmp_path / "said.npz"
    write_npz(path, predict_session(toy_store, trained_idm, item.session_id))
    with np.load(path, allow_pickle=False) as said:
        assert said["probability"].shape == said["true_keys"].shape == (item.ticks, 3)
        assert said["edges_ns"].shape == (item.ticks + 1,)
        assert np.array_equal(said["keys"], said["probability"] >= said["thresholds"])
        assert said["text"][0] in {stretch.text for stretch in item.instructions}


@pytest.mark.parametrize("kind", ["idm", "policy"])
def test_a_stopped_run_goes_on_exactly(toy_store: Store, toy_manifest: Manifest, configs: Configs, kind: str) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        config = configs[kind]()
        _, whole = train(toy_store, toy_manifest, config, 8)
        run, none = train(toy_store, toy_manifest, config, 8, stop_after=5)
        assert none is None
        assert read_progress(run.folder)[-1]["phase"] == "stopped"
        saved = checkpoints.load(run.folder / LAST_NAME)
        assert 0 < saved.facts["step"] < 8
        _, resumed = train(toy_store, toy_manifest, config, 8, run=run)
    finally:
        torch.set_num_threads(threads)
    assert whole is not None
    assert resumed is not None
    assert resumed.thresholds == whole.thresholds
    weights = [load_file(toy_store.models_dir / card.id / "model.safetensors") for card in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert [row["step"] for row in read_progress(run.folder) if row["phase"] == "evaluating"] == [4, 8]


def test_a_time_budget_becomes_a_stored_step_count(toy_store: Store, toy_manifest: Manifest, configs: Configs) -> None:
    run = new_run(toy_store, "idm")
    data = loop.load_data(toy_store, toy_manifest, run, lambda row: None)
    auto = OptimConfig(batch_size=2, precision="auto", evaluations=1)
    config = configs["idm"](optim=auto)
    one, two = (
        plan(data, run, config, minutes=m, steps=None, seed=0, device=CPU, report=lambda row: None) for m in (0.2, 20.0)
    )
    assert 10 <= one.steps < two.steps
    assert two.precision in ("float32", "bfloat16")
    assert open_run(toy_store, run.id)[1] == two


def test_a_gradient_that_is_not_finite_changes_nothing(
    toy_store: Store, toy_manifest: Manifest, configs: Configs
) -> None:
    run = new_run(toy_store, "idm")
    data = loop.load_data(toy_store, toy_manifest, run, lambda row: None)
    learner = loop.new_learner(data, configs["idm"](), "float32", 0, 10, CPU)
    batch = loop.new_sampler(data, configs["idm"](), 0, CPU).batch(0)
    batch.frames[0] = torch.nan
    before = {name: value.clone() for name, value in learner.net.state_dict().items()}
    learner.step(0, batch)
    assert learner.skipped == 1
    assert all(torch.equal(before[name], value) for name, value in learner.net.state_dict().items())


def test_damage_and_absence_are_one_sentence(toy_store: Store, tmp_path: Any, trained_idm: str) -> None:
    with pytest.raises(NotFound, match="there are"):
        load_model(toy_store, "nothing")
    with pytest.raises(NotFound, match="There is no run"):
        open_run(toy_store, "../runs")
    (tmp_path / "bad.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(BadFile, match="damaged"):
        checkpoints.load(tmp_path / "bad.safetensors")


def test_the_rate_warms_up_and_comes_down() -> None:
    config = OptimConfig(rate=1.0, warmup_steps=10, final_share=0.1)
    rates = [rate_at(step, 200, config) for step in range(200)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_swapped_texts_are_never_the_right_ones() -> None:
    swapped = swap_texts({"a", "b", "c", ""})
    assert swapped.keys() == {"a", "b", "c"}
    assert all(text != other for text, other in swapped.items())
    assert swap_texts({"a", ""}) == {}
