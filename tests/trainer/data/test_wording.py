from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.configs import AugmentConfig
from trainer.data.batches import Sampler
from trainer.data.clips import load_takes
from trainer.data.manifest import Manifest
from trainer.data.wording import reword
from trainer.scoring.inference import predict_take
from trainer.training import loop
from trainer.training.runs import new_run
from trainer.training.world import World

CONTENT = {"push", "left", "shoot", "red", "door", "monster", "not", "through"}


def words_of(text: str) -> list[str]:
    return [word.strip(".,;:!").casefold() for word in text.split()]


@given(
    st.integers(0, 2**62),
    st.sampled_from(["push left", "go through the red door and shoot the monster", "do not shoot"]),
)
def test_no_word_of_content_is_lost_or_comes_in(seed: int, text: str) -> None:
    said = reword(text, np.random.default_rng(seed))
    assert sorted(CONTENT & set(words_of(said))) == sorted(CONTENT & set(words_of(text)))
    assert said == reword(text, np.random.default_rng(seed))


@given(st.text(max_size=40), st.integers(0, 2**62))
def test_any_text_can_be_reworded(text: str, seed: int) -> None:
    said = reword(text, np.random.default_rng(seed))
    assert bool(said.split()) == bool(text.split())


def test_a_refusal_and_an_order_in_time_stay_in_their_order() -> None:
    for seed in range(200):
        said = words_of(reword("do not shoot", np.random.default_rng(seed)))
        assert said.index("not") < said.index("shoot")
        said = words_of(reword("open the door then push left", np.random.default_rng(seed)))
        assert said.index("open") < said.index("push") < said.index("left")


def sampler(store: Any, manifest: Manifest, share: float, world: World | None = None) -> Sampler:
    config = AugmentConfig(mirror=0.5, text_augment=share)
    takes = load_takes(store, manifest, manifest.of("train"))
    return Sampler(
        takes, manifest.space, config, window=24, batch_size=8, seed=1, device=torch.device("cpu"), world=world
    )


def test_one_wording_a_clip(toy_store: Any, toy_manifest: Manifest) -> None:
    plain, varied = (sampler(toy_store, toy_manifest, share).batch(3) for share in (0.0, 1.0))
    assert torch.equal(plain.frames, varied.frames), "words change no picture"
    for said, meant in zip(varied.text_ids.tolist(), plain.text_ids.tolist(), strict=True):
        pairs = set(zip(said, meant, strict=True))
        assert len(pairs) == len({number for number, _ in pairs}) == len({number for _, number in pairs})
        for new, old in pairs:
            assert CONTENT & set(words_of(varied.texts[new])) == CONTENT & set(words_of(plain.texts[old]))
    assert len(set(varied.texts) - set(plain.texts)) > 4
    assert sampler(toy_store, toy_manifest, 0.0).batch(3).texts == plain.texts


def test_processes_share_the_wordings_of_one(toy_store: Any, toy_manifest: Manifest) -> None:
    whole = sampler(toy_store, toy_manifest, 0.5).batch(2)
    for rank in range(2):
        part = sampler(toy_store, toy_manifest, 0.5, World(rank, 2)).batch(2)
        said = [[part.texts[i] for i in row] for row in part.text_ids.tolist()]
        assert said == [[whole.texts[i] for i in row] for row in whole.text_ids[4 * rank : 4 * rank + 4].tolist()]


def test_an_unseen_wording_of_a_known_instruction_is_followed(
    toy_store: Any, toy_manifest: Manifest, configs: dict[str, Callable[..., Any]]
) -> None:
    data = loop.load_data(toy_store, toy_manifest, new_run(toy_store, "policy"), lambda row: None)
    config = configs["policy"](augment=AugmentConfig(shift_share=0.0, mirror=0.5, text_augment=0.5))
    device = torch.device("cpu")
    learner = loop.new_learner(data, config, "float32", 0, 120, device)
    batches = loop.new_sampler(data, config, 0, device)
    for step in range(120):
        learner.step(step, batches.batch(step))
    net, take = learner.net_with(learner.averaged), data.calibration[0]

    def follows(retext: Callable[[str], str]) -> float:
        said = predict_take(net, take, toy_manifest.space, retext=retext)
        values = np.asarray(toy_manifest.space.dx_values)
        looks = [said.bins[0][:, side].sum(axis=1) for side in (values < 0, values > 0)]
        chosen = np.column_stack([said.probability, *looks]).argmax(axis=1)
        true = np.column_stack([take.keys, take.motion[:, 0] < 0, take.motion[:, 0] > 0])
        acting = np.flatnonzero(true.any(axis=1) & take.known)
        return float(true[acting, chosen[acting]].mean())

    unseen = {
        "push left": "shove it left", "push right": "shove the block right", "look left": "glance over left and look",
        "look right": "could you look right a bit", "flash the light": "make that light flash",
    }  # fmt: skip
    other = dict(zip(unseen, [*list(unseen)[1:], "push left"], strict=True))
    assert follows(lambda text: text) > 0.9
    assert follows(lambda text: unseen.get(text, text)) > 0.8
    assert follows(lambda text: "") < 0.7
    assert follows(lambda text: other.get(text, text)) < 0.4
