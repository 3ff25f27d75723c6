"""What people did while a model played is learnt; what the model did stays context; and the model goes on from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from db.errors import BadArgument, NotFound
from db.labelling.instructions import note_told
from db.labelling.labels import Review
from db.specs import ActionSpace
from db.store import Store
from trainer.__main__ import main
from trainer.data.clips import load_session, load_takes, windows
from trainer.data.corrections import freeze_corrections, is_correction, mix
from trainer.data.dataset import freeze, verify
from trainer.data.manifest import Manifest, read_manifest
from trainer.models import CARD_NAME, Card, MarginalCard, build, save_model
from trainer.training.runs import CONFIG_NAME

PLAYED = range(30, 60)
"""The frames in which a person had taken over."""


@pytest.fixture
def library(store: Store, toys: Any) -> tuple[Store, Manifest, str]:
    """A library with a dataset of people, and one session in which a model played and somebody took over; not reviewed."""
    for number, group in enumerate("abcd"):
        toys.record(store, group=group, seed=number, seconds=5)
    before = freeze(store, clip=toys.clip)
    played = toys.record(
        store, group="play", seed=9, seconds=8, actors=(toys.person, toys.model), accept=False,
        actor_at=lambda i: int(i not in PLAYED),
    )  # fmt: skip
    return store, before, played


def test_the_persons_stretch_is_learnt_and_the_models_is_context(store: Store, toys: Any) -> None:
    played = toys.record(
        store, group="play", seed=9, seconds=8, actors=(toys.person, toys.model), accept=False,
        actor_at=lambda i: int(i not in PLAYED),
    )  # fmt: skip
    note_told(store.session_folder(played), toys.frame_ns(20), "shoot them all")
    store.enter(played)
    space = ActionSpace(codes=toys.keys)
    take = load_session(store, played, toys.clip, space)
    person, model = (take.actors & 1).astype(bool), take.actors > 1
    assert person.any()
    assert model.any()
    assert not take.known[model].any(), "what the model did is never learnt"
    assert take.known[person & ~model].all(), "what the person did is"
    assert take.known[: PLAYED.start].sum() == 0
    assert take.watched.all(), "all of it is context"
    assert take.texts[take.text_ids[40]] == "shoot them all", "both are conditioned on what the play was told"
    assert is_correction(take)


def test_corrections_are_frozen_beside_what_the_model_learnt_from(library: tuple[Store, Manifest, str]) -> None:
    store, before, played = library
    found = freeze_corrections(store, before.space, before)
    after = read_manifest(store, found.manifest.id)
    assert found.sessions == (played,)
    assert after.items[: len(before.items)] == before.items
    assert (after.items[-1].session_id, after.items[-1].split) == (played, "train")
    assert after.of("held-out") == before.of("held-out")
    assert (after.space, after.clip) == (before.space, before.clip)
    assert after.hours["train"] == pytest.approx(before.hours["train"] + found.seconds / 3600, abs=1e-4)
    assert 0 < found.seconds <= (len(PLAYED) + 20) / before.clip.rate_hz
    assert sum(key.train_presses for key in after.keys) >= sum(key.train_presses for key in before.keys)
    verify(store, after)


def test_without_a_take_over_there_is_nothing_to_learn(store: Store, toys: Any) -> None:
    for number, group in enumerate("ab"):
        toys.record(store, group=group, seed=number, seconds=4)
    before = freeze(store, clip=toys.clip)
    toys.record(
        store, group="play", seed=5, seconds=4, actors=(toys.person, toys.model), accept=False, actor_at=lambda i: 1
    )
    with pytest.raises(NotFound, match="Nobody has taken over from a model in toy yet"):
        freeze_corrections(store, before.space, before)


def test_a_rejected_play_is_left_out_and_a_persons_session_is_no_correction(
    library: tuple[Store, Manifest, str], toys: Any
) -> None:
    store, before, played = library
    later = toys.record(store, group="e", seed=20, seconds=4)
    with pytest.raises(BadArgument, match="No model played in session"):
        freeze_corrections(store, before.space, before, [later])
    store.set_review(played, Review.REJECTED, "ada")
    with pytest.raises(NotFound):
        freeze_corrections(store, before.space, before)


def test_keys_that_the_model_has_no_output_for_are_told(library: tuple[Store, Manifest, str]) -> None:
    store, before, _ = library
    space = before.space.model_copy(update={"codes": (17,)})  # W, which the toy game does not have
    (warning,) = freeze_corrections(store, space, before).warnings
    assert "knows no" in warning


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
def test_corrections_make_up_about_the_share_that_is_asked_for(
    library: tuple[Store, Manifest, str], share: float
) -> None:
    store, before, _ = library
    manifest = freeze_corrections(store, before.space, before).manifest
    takes = load_takes(store, manifest, manifest.of("train"))
    times = mix(takes, 8, share)
    met = [times[found.take] * is_correction(takes[found.take]) for found in windows(takes, 8, 4)]
    whole = sum(times[found.take] for found in windows(takes, 8, 4))
    assert min(times) == 1
    assert sum(met) / whole == pytest.approx(share, abs=0.12)


def test_without_corrections_nothing_is_mixed(library: tuple[Store, Manifest, str]) -> None:
    store, before, _ = library
    takes = load_takes(store, before, before.of("train"))
    assert mix(takes, 8, 0.5) == [1] * len(takes)
    with pytest.raises(BadArgument, match="--share"):
        mix(takes, 8, 1.0)


@pytest.fixture
def policy(library: tuple[Store, Manifest, str], configs: dict[str, Callable[..., Any]]) -> str:
    """A policy of the dataset that has learnt nothing."""
    store, before, _ = library
    torch.manual_seed(0)
    config = configs["policy"]()
    net = build(config, before.clip, before.space)
    bins = [np.full(len(v), 1 / len(v)).tolist() for v in (before.space.dx_values, before.space.dy_values)]
    marginal = MarginalCard(
        keys=(0.1,) * len(before.space.codes), dx=tuple(bins[0]), dy=tuple(bins[1]), motion=(0.0, 0.0)
    )
    card = Card(
        id="policy-x", config=config, clip=before.clip, space=before.space, dataset_id=before.id, dataset_hash=before.hash,
        run_id="r", seed=0, steps=1, best_step=1, created_at="2026-01-01T00:00:00+00:00",
        thresholds=(0.5,) * len(before.space.codes), marginal=marginal,
    )  # fmt: skip
    save_model(store, card, net.state_dict())
    return card.id


def test_one_command_learns_from_them_and_scores_before_and_after(
    library: tuple[Store, Manifest, str], policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store, before, played = library
    command = ["correct", "--model", policy, "--steps", "3", "--threads", "1", "--share", "0.4", "--json"]
    assert main([*command, "--library", str(store.root)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["from"] == policy
    assert told["corrections"] == [played]
    assert told["models"] == [policy, told["model"]]
    assert told["split"] == "held-out"
    assert told["correction_share"] == pytest.approx(0.4, abs=0.12)
    card = json.loads((store.models_dir / told["model"] / CARD_NAME).read_text())
    assert card["dataset_id"] == told["dataset"] != before.id
    run = json.loads((store.runs_dir / card["run_id"] / CONFIG_NAME).read_text())
    assert (run["start_from"], run["train_on"], run["correction_share"]) == (policy, "human", 0.4)


def test_a_share_that_cannot_be_is_refused(library: tuple[Store, Manifest, str], capsys: Any) -> None:
    store, _, _ = library
    assert main(["correct", "--share", "1.5", "--library", str(store.root)]) == 1
    assert "--share must lie between 0 and 1." in capsys.readouterr().err
