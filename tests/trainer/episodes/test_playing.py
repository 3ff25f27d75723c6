"""`evaluate --play` from the command line, with a policy that was never trained, in a game of our own."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import toyepisodes
from db.errors import BadArgument
from db.specs import CaptureSpec
from db.store import Store
from trainer.__main__ import main
from trainer.data.clips import load_takes
from trainer.data.manifest import Manifest
from trainer.episodes import eyes
from trainer.episodes.finding import find_game
from trainer.episodes.record import Episodes
from trainer.episodes.running import Plan, play_all, words_of
from trainer.episodes.tables import render
from trainer.models import Card, Loaded, MarginalCard, build, load_model, save_model
from trainer.play import Sampling
from trainer.scoring.baselines import Marginal
from trainer.scoring.evaluate import read_evaluation
from trainer.scoring.inference import truth_of
from trainer.training.stopping import Stopped

GAME = "toyepisodes:make"


@pytest.fixture(scope="module")
def policy(toy_library: Path, toy_manifest: Manifest, configs: dict[str, Callable[..., Any]]) -> str:
    with Store.open(toy_library) as store:
        truths = [truth_of(take) for take in load_takes(store, toy_manifest, toy_manifest.of("train"))]
        torch.manual_seed(0)
        config = configs["policy"]()
        net = build(config, toy_manifest.clip, toy_manifest.space)
        for weights in net.heads.parameters():
            torch.nn.init.normal_(weights, std=0.5)  # never trained, but what it sees moves it
        card = Card(
            id="player", config=config, clip=toy_manifest.clip, space=toy_manifest.space, steps=7, best_step=5, seed=0,
            dataset_id=toy_manifest.id, dataset_hash=toy_manifest.hash, run_id="player",
            created_at="2026-01-02T03:04:05+00:00", thresholds=(0.5,) * len(toy_manifest.space.codes),
            marginal=MarginalCard.of(Marginal.fit(truths, toy_manifest.space)),
        )  # fmt: skip
        save_model(store, card, net.state_dict())
        return card.id


@pytest.fixture
def loaded(toy_store: Store, policy: str) -> Loaded:
    return load_model(toy_store, policy)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--play", "toyepisodes:falls_in"], "the maze fell in"),
        (["--play", "toyepisodes:odd_settings"], "JSON"),
        (["--play", "no_such_module:make"], "no_such_module"),
        (["--play", GAME, "--episodes", "0"], "--episodes"),
        (["--play", GAME, "--steadiness", "1"], "--steadiness"),
        (["--play", GAME, "--task", "fly"], "no task 'fly'"),
    ],
)
def test_what_cannot_be_played_is_one_sentence(
    toy_library: Path, policy: str, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--model", policy, "--library", str(toy_library), *options]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert words in said[-1]
    assert not any("Traceback" in line for line in said)


def call(library: Path, policy: str, *options: str) -> dict[str, Any]:
    """`playtape-train evaluate`, and the last line that it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", "--model", policy, "--library", str(library), "--json", *options]) == 0
    told: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def told(toy_library: Path, policy: str) -> dict[str, Any]:
    tell = ["--tell", "nothing", "another", "unseen"]
    return call(toy_library, policy, "--play", GAME, "--episodes", "3", "--films", "2", *tell)


def test_a_policy_plays_and_its_card_says_how(told: dict[str, Any]) -> None:
    parts = {part["instruction"]: part for part in told["played"][0]["tasks"]}
    assert list(parts) == ["push left", "push right", "all tasks"]
    players = parts["push left"]["players"]
    assert list(players) == [
        "model", "model, told nothing", "model, told another task", "model, told in unseen words", "demonstrator", "random", "noop",
        "repeat-last",
    ]  # fmt: skip
    assert players["demonstrator"]["scores"] == [100.0] * 3
    assert (players["noop"]["mean"], players["noop"]["sd"]) == (0.0, 0.0)
    assert len(set(players["random"]["scores"])) > 1
    assert players["model, told nothing"]["followed"] is None
    together = parts["all tasks"]
    assert together["players"]["model"]["n"] == 6
    gap = together["paired"]["demonstrator"]
    assert gap["mean"] == pytest.approx(together["players"]["model"]["mean"] - 100.0)
    assert together["of_demonstrator"] == pytest.approx(together["players"]["model"]["mean"] / 100)
    assert told["eyes"]["pushing"]["kl"] > 0
    assert told["eyes"]["pushing"]["episodes"] == 2
    page = Path(told["card"]).read_text(encoding="utf-8")
    for words in ("In play", "repeat-last", "push left", "% of the way", "stands under In play"):
        assert words in page
    text = render(told["played"], told["eyes"])
    assert "pushing: push left (% of the way)" in text
    assert "nats apart" in text


def test_what_was_played_is_not_played_again(toy_library: Path, policy: str, told: dict[str, Any]) -> None:
    toyepisodes.begun.clear()
    again = call(toy_library, policy, "--play", GAME, "--episodes", "4", "--task", "push left")
    assert set(toyepisodes.begun) == {(1003, "push left")}
    one = again["played"][0]["tasks"][0]["players"]["demonstrator"]
    assert one["n"] == 4
    assert again["eyes"] == told["eyes"]


def test_one_thread_plays_unless_more_are_wanted(toy_library: Path, policy: str, told: dict[str, Any]) -> None:
    before = torch.get_num_threads()
    try:
        call(toy_library, policy, "--play", GAME, "--episodes", "1", "--threads", "3")
        assert torch.get_num_threads() == 3
        call(toy_library, policy, "--play", GAME, "--episodes", "1")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_scoring_anew_forgets_nothing_that_was_played(toy_library: Path, policy: str, told: dict[str, Any]) -> None:
    assert [game["game"] for game in call(toy_library, policy)["played"]] == ["pushing"]
    with Store.open(toy_library) as store:
        assert read_evaluation(store, policy)["eyes"] == told["eyes"]


def test_words_for_each_telling() -> None:
    left, right = toyepisodes.Pushing.tasks
    tasks = (left, right)
    assert words_of(left, tasks, "asked", 3, ()) == "push left"
    assert words_of(left, tasks, "nothing", 3, ()) == ""
    assert {words_of(left, tasks, "another", seed, ()) for seed in range(4)} == {"push right"}
    assert {words_of(left, tasks, "unseen", seed, ()) for seed in range(4)} == {"shove it left", "push right"}
    assert {words_of(left, tasks, "unseen", seed, {"Push Right"}) for seed in range(4)} == {"shove it left"}
    with pytest.raises(BadArgument, match="not seen"):
        words_of(right, tasks, "unseen", 0, {"shove it RIGHT"})
    with pytest.raises(BadArgument, match="one task"):
        words_of(left, (left,), "another", 0, ())


def test_a_stop_costs_one_episode(loaded: Loaded, tmp_path: Path) -> None:
    plan = Plan(GAME, episodes=2, first_seed=50)
    with find_game(GAME, loaded.card.clip) as game:
        (tmp_path / "whole").mkdir()
        whole = play_all(loaded, (), game, plan, Episodes(tmp_path / "whole"))
        (tmp_path / "cut").mkdir()
        asked = iter([False] * 100 + [True])
        with pytest.raises(Stopped):
            play_all(loaded, (), game, plan, Episodes(tmp_path / "cut"), stopped=lambda: next(asked))
        kept = len(Episodes(tmp_path / "cut").all())
        assert 0 < kept < len(whole)
        toyepisodes.begun.clear()
        assert play_all(loaded, (), game, plan, Episodes(tmp_path / "cut")) == whole
        assert len(toyepisodes.begun) == len(whole) - kept


def test_what_an_encoder_does_to_the_outputs(loaded: Loaded) -> None:
    with find_game(GAME, loaded.card.clip) as game:

        def measure(crf: int) -> eyes.Eyes:
            capture = CaptureSpec(crf=crf)
            films = [eyes.film(loaded, game, "push left", seed, Sampling(), capture) for seed in (1, 2)]
            assert all(len(film.live) == len(film.decoded) == 15 for film in films)
            return eyes.measure(loaded, films, capture)

        lossless, coarse = measure(0), measure(40)
    assert lossless.grey_levels == 0.0, "lossless in the colours of a recording: the same bits"
    assert lossless.kl == pytest.approx(0.0, abs=1e-6)
    assert coarse.grey_levels > 1
    assert coarse.kl > 100 * max(lossless.kl, 1e-9)
    assert (lossless.ticks, lossless.episodes) == (30, 2)
    assert np.isfinite(coarse.step_kl)
