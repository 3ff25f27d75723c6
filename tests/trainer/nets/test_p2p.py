"""The transformer of Pixels2Play: what each token may see, what a stream is equal to, how large it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from db.errors import BadFile
from db.recording.keys import BTN_LEFT, BTN_RIGHT, CODES
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from trainer.configs import CLIPS, P2P_SIZES, P2PConfig, named_config
from trainer.data.dataset import freeze
from trainer.models import build, load_model, read_card
from trainer.nets import transformer
from trainer.nets.efficientnet import EfficientNet
from trainer.nets.heads import Targets
from trainer.nets.p2p import P2P, P2PState
from trainer.nets.slots import Layout, fit_slots
from trainer.nets.transformer import Cache, Transformer, rotate
from trainer.play import SlotStream, open_player
from trainer.scoring.evaluate import evaluate
from trainer.scoring.rivals import MODEL
from trainer.training.loop import fit_config, load_data, train
from trainer.training.runs import RunConfig, new_run, open_run, write_config

W, A, S, D, SPACE = (CODES[f"KEY_{name}"] for name in ("W", "A", "S", "D", "SPACE"))
SPACE_OF_ACTIONS = ActionSpace(
    codes=(W, A, S, D, SPACE, BTN_LEFT, BTN_RIGHT),
    dx_edges=(-5.0, -0.5, 0.5, 5.0), dx_values=(-9.0, -3.0, 0.0, 3.0, 9.0),
    dy_edges=(-0.5, 0.5), dy_values=(-2.0, 0.0, 2.0),
)  # fmt: skip
CLIP = ClipSpec(size_px=(48, 32), rate_hz=20.0)
LENGTH = 7


def make(kind: str, **changes: Any) -> P2P:
    torch.manual_seed(1)
    config = named_config(kind, "p2p-tiny").model_copy(update={"draws": 64} | changes)  # type: ignore[arg-type]
    net = build(config, CLIP, SPACE_OF_ACTIONS)
    assert isinstance(net, P2P)
    with torch.no_grad():
        for module in net.encoder.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # at once the statistics of these pictures
        net.encoder(some_frames(4).flatten(0, 1))
        for layer in net.backbone.layers:  # begun small, they would hardly let anything be told from rounding
            layer.attention.out.weight.mul_(10)
    return net.eval()


def some_frames(batch: int = 1, length: int = LENGTH) -> torch.Tensor:
    return torch.rand(batch, length, 3, CLIP.size_px[1], CLIP.size_px[0], generator=torch.Generator().manual_seed(3))


def some_actions(batch: int = 1, length: int = LENGTH, seed: int = 5) -> Targets:
    rng = np.random.default_rng(seed)
    return Targets(
        keys=torch.from_numpy((rng.random((batch, length, 7)) < 0.3).astype(np.float32)),
        dx=torch.from_numpy(rng.integers(0, 5, (batch, length))),
        dy=torch.from_numpy(rng.integers(0, 3, (batch, length))),
        known=torch.ones(batch, length),
    )


def texts_of(net: P2P, words: list[str]) -> torch.Tensor:
    return net.encode_texts(words)[None]


WORDS = ["go", "go", "", "jump", "jump", "go", ""]


@torch.inference_mode()
def test_an_action_sees_its_past_and_neither_itself_nor_the_future():
    net, frames, done = make("policy"), some_frames(), some_actions()
    texts = texts_of(net, WORDS)
    before = net.latents(frames, texts, done)
    assert before.shape == (1, LENGTH, net.config.width)
    at = 3
    other = some_actions(seed=6)
    for name in ("keys", "dx", "dy"):
        getattr(done, name)[:, at] = getattr(other, name)[:, at]
    changed = net.latents(frames, texts, done)
    assert torch.allclose(changed[:, : at + 1], before[:, : at + 1], atol=1e-5)  # its own action is not told to it
    assert (changed[:, at + 1 :] - before[:, at + 1 :]).abs().max() > 1e-4  # but to all that follow
    moved = frames.clone()
    moved[:, at + 1 :] = moved[:, at + 1 :].flip(-1)
    assert torch.allclose(net.latents(moved, texts, done)[:, : at + 1], changed[:, : at + 1], atol=1e-5)
    moved[:, at] = moved[:, at].flip(-1)
    assert (net.latents(moved, texts, done)[:, at] - changed[:, at]).abs().max() > 1e-4
    other_text = texts.clone()
    other_text[:, at] = texts_of(net, ["stop"])[0]
    assert (net.latents(frames, other_text, done)[:, at] - changed[:, at]).abs().max() > 1e-4


@torch.inference_mode()
def test_an_action_that_nobody_knows_is_seen_as_such():
    net, frames, done = make("policy"), some_frames(), some_actions()
    texts = texts_of(net, WORDS)
    done.known[:, 2] = 0
    before = net.latents(frames, texts, done)
    done.keys[:, 2] = 1 - done.keys[:, 2]
    assert torch.equal(net.latents(frames, texts, done), before)
    done.known[:, 2] = 1
    assert (net.latents(frames, texts, done) - before).abs().max() > 1e-4


@pytest.mark.parametrize("sees_actions", [True, False])
@torch.inference_mode()
def test_a_stream_equals_the_whole_clip(sees_actions):
    net, frames, done = make("policy", sees_actions=sees_actions), some_frames(), some_actions()
    texts = texts_of(net, WORDS)
    whole = net.latents(frames, texts, done)
    tokens = net.layout.encode(done.keys, done.dx, done.dy)
    state = P2PState()
    for t in range(LENGTH):
        latent, state = net.see(frames[:, t], texts[:, t], state)
        assert torch.allclose(latent, whole[:, t], atol=2e-5), t
        state = net.tell(tokens[0, t], state)


@torch.inference_mode()
def test_a_stream_looks_back_as_far_as_its_window_and_no_further():
    net = make("policy", window=3, layers=1)  # one layer: what it sees is what it may look at
    frames, done = some_frames(), some_actions()
    texts = texts_of(net, WORDS)
    tokens = net.layout.encode(done.keys, done.dx, done.dy)

    def last(first_frame: int) -> torch.Tensor:
        state = P2PState()
        for t in range(first_frame, LENGTH):
            latent, state = net.see(frames[:, t], texts[:, t], state)
            state = net.tell(tokens[0, t], state)
            assert state.cache is not None
            assert len(state.cache) <= 2 * (net.tokens_per_frame - 1)
        return latent

    assert torch.allclose(last(0), last(LENGTH - 3), atol=2e-5)
    assert (last(0) - last(LENGTH - 1)).abs().max() > 1e-4


@torch.inference_mode()
def test_positions_that_grow_for_hours_change_nothing(monkeypatch):
    net = Transformer(32, 2, 4).eval()
    tokens = torch.randn(1, 40, 32, generator=torch.Generator().manual_seed(1))

    def stream() -> torch.Tensor:
        cache: Cache | None = None
        outs = []
        for token in tokens.unbind(1):
            out, cache = net.extend(token[:, None], None, cache)
            cache = cache.last(9)
            outs.append(out)
        return torch.cat(outs, dim=1)

    plain = stream()
    monkeypatch.setattr(transformer, "REBASE_AT", 15)
    assert torch.allclose(stream(), plain, atol=1e-5)


def test_only_distances_between_positions_matter():
    a, b = torch.randn(2, 1, 8, generator=torch.Generator().manual_seed(2))

    def product(p: int, q: int) -> float:
        return float((rotate(a, torch.tensor([p])) * rotate(b, torch.tensor([q]))).sum())

    assert product(3, 7) == pytest.approx(product(103, 107), abs=1e-4)
    assert product(3, 7) != pytest.approx(product(3, 8), abs=1e-4)


@torch.inference_mode()
def test_the_idm_sees_both_ways_and_no_text():
    net, frames = make("idm"), some_frames()
    before = net.latents(frames, None)
    moved = frames.clone()
    moved[:, -1] = moved[:, -1].flip(-1)
    assert (net.latents(moved, None)[:, 0] - before[:, 0]).abs().max() > 1e-5
    out = net(frames)
    assert out.keys.shape == (1, LENGTH, 7)
    assert out.dx.exp().sum(-1) == pytest.approx(torch.ones(1, LENGTH), abs=1e-4)
    assert not hasattr(net, "text")


@torch.inference_mode()
def test_the_chances_that_are_told_are_those_of_the_actions_that_are_drawn():
    net, frames, done = make("policy", draws=400), some_frames(length=2), some_actions(length=2)
    torch.manual_seed(0)
    for head in net.heads:
        torch.nn.init.normal_(head.weight, std=0.3)
    texts = texts_of(net, ["go", "go"])
    said = net(frames, texts, done)
    latent = net.latents(frames, texts, done)[0, 1]
    drawn = net.draw(latent.repeat(2000, 1), 1.0, torch.Generator().manual_seed(9))
    pressed, dx, _ = net.layout.decode(drawn)
    assert torch.sigmoid(said.keys[0, 1]).numpy() == pytest.approx(pressed.float().mean(0).numpy(), abs=0.09)
    shares = torch.bincount(dx, minlength=5) / 2000
    assert said.dx[0, 1].exp().numpy() == pytest.approx(shares.numpy(), abs=0.09)
    assert torch.equal(net(frames, texts, done).keys, said.keys)  # the same clip, the same numbers


def test_nothing_known_is_no_loss_and_a_known_row_is_one():
    net, frames, done = make("policy"), some_frames(), some_actions()
    texts = texts_of(net, WORDS)
    done.known[:] = 0
    loss, _ = net.loss(frames, texts, done, torch.ones(1, LENGTH))
    assert loss.item() == 0.0
    done.known[:, 4] = 1
    loss, parts = net.loss(frames, texts, done, torch.ones(1, LENGTH))
    assert loss.item() > 1
    assert set(parts) == {"keys", "dx", "dy"}
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_actions_survive_their_slots():
    layout = Layout(SPACE_OF_ACTIONS, 4, 2)
    assert layout.classes == (6, 6, 6, 6, 5, 3, 3, 3)
    done = some_actions(3, 50)
    done.keys[..., :5] *= (done.keys[..., :5].cumsum(-1) <= 4).float()
    keys, dx, dy = layout.decode(layout.encode(done.keys, done.dx, done.dy))
    assert torch.equal(keys, done.keys > 0)
    assert torch.equal(dx, done.dx)
    assert torch.equal(dy, done.dy)


def test_slots_grow_with_what_was_down_at_once():
    keys = torch.zeros(10, 7, dtype=torch.bool)
    keys[3, :5] = True
    assert fit_slots(keys, SPACE_OF_ACTIONS, (4, 2)) == (5, 2)
    assert fit_slots(keys[:2], SPACE_OF_ACTIONS, (4, 2)) == (4, 2)
    assert fit_slots(keys[:0], SPACE_OF_ACTIONS, (4, 2)) == (4, 2)


def test_a_space_without_keys_or_buttons_works():
    space = SPACE_OF_ACTIONS.model_copy(update={"codes": (BTN_LEFT,)})
    layout = Layout(space, 4, 2)
    tokens = layout.encode(torch.ones(2, 1), torch.zeros(2, dtype=torch.long), torch.zeros(2, dtype=torch.long))
    assert tokens[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 0]
    assert layout.decode(tokens)[0].tolist() == [[True], [True]]


@pytest.mark.parametrize(("name", "millions"), [("150m", 150), ("300m", 300), ("600m", 600), ("1200m", 1200)])
def test_sizes_are_those_of_the_paper(name, millions):
    """Within a quarter: the paper gives layers and widths, not the inner width of its feed-forward layers."""
    config = named_config("policy", f"p2p-{name}")
    assert isinstance(config, P2PConfig)
    assert (config.layers, config.width) == P2P_SIZES[f"p2p-{name}"]
    keys = (*range(2, 20 + 1), BTN_LEFT, BTN_RIGHT)
    space = ActionSpace(
        codes=keys,
        dx_edges=tuple(map(float, range(22))), dx_values=(*map(float, range(23)),),
        dy_edges=tuple(map(float, range(16))), dy_values=(*map(float, range(17)),),
    )  # fmt: skip
    with torch.device("meta"):
        net = build(config, CLIPS[config.name], space)
    assert isinstance(net, P2P)
    assert net.tokens_per_frame == 12
    total = sum(parameter.numel() for parameter in net.parameters()) / 1e6
    assert millions <= total <= millions * 1.26


def test_weights_of_an_efficientnet_are_taken_from_a_file(tmp_path):
    torch.manual_seed(0)
    one, other = EfficientNet(), EfficientNet()
    save_file({f"{n}": v for n, v in one.state_dict().items()}, tmp_path / "b0.safetensors")
    other.load_weights(tmp_path / "b0.safetensors")
    picture = torch.rand(1, 3, 32, 48)
    assert torch.equal(one.eval()(picture), other.eval()(picture))
    assert one(picture).shape == (1, 112, 2, 3)
    save_file({"features.0.0.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(BadFile, match=r"features\.0\.0\.weight"):
        other.load_weights(tmp_path / "other.safetensors")
    (tmp_path / "pickle.pth").write_bytes(b"\x80\x04.")
    with pytest.raises(BadFile, match="safetensors"):
        other.load_weights(tmp_path / "pickle.pth")


def plan_run(store: Store, manifest: Any, kind: str, steps: int, seed: int = 4) -> tuple[Any, Any, RunConfig]:
    run = new_run(store, kind)
    data = load_data(store, manifest, run, lambda row: None)
    tiny = named_config(kind, "p2p-tiny")  # type: ignore[arg-type]
    optim = tiny.optim.model_copy(update={"batch_size": 4, "evaluations": 1, "rate": 1e-3, "warmup_steps": 10})
    config = fit_config(tiny.model_copy(update={"optim": optim, "draws": 3}), data)
    planned = RunConfig(
        id=run.id, config=config, dataset_id=manifest.id, dataset_hash=manifest.hash, seed=seed, steps=steps,
        precision="float32", threads=2,
    )  # fmt: skip
    write_config(run, planned)
    return run, data, planned


def learn(store: Store, run: Any, data: Any, planned: RunConfig, stop_after: int | None = None) -> Any:
    seen: list[int] = []

    def stopped() -> bool:
        seen.append(1)
        return stop_after is not None and len(seen) >= stop_after

    return train(store, data, run, planned, device=torch.device("cpu"), report=lambda row: None, stopped=stopped)


@pytest.mark.parametrize("kind", ["idm", "policy"])
def test_it_trains_stops_goes_on_exactly_evaluates_and_plays(toy_store: Store, toy_manifest: Any, kind: str):
    manifest = freeze(toy_store, clip=ClipSpec(size_px=(48, 32), rate_hz=15.0))
    run, data, planned = plan_run(toy_store, manifest, kind, steps=8)
    card = learn(toy_store, run, data, planned)
    again, data, planned_again = plan_run(toy_store, manifest, kind, steps=8)
    assert learn(toy_store, again, data, planned_again, stop_after=6) is None
    resumed, stored = open_run(toy_store, again.id)
    assert isinstance(stored.config, P2PConfig)
    card_again = learn(toy_store, resumed, data, stored)
    one, other = load_model(toy_store, card.id), load_model(toy_store, card_again.id)
    assert isinstance(read_card(toy_store, card.id).config, P2PConfig)
    for (name, a), b in zip(one.net.state_dict().items(), other.net.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    found = evaluate(toy_store, card.id)
    assert np.isfinite(found["scores"][MODEL]["cross_entropy"]["all"])
    if kind == "policy":
        player = open_player(one, seed=1)
        assert isinstance(player, SlotStream)
        player.instruct("push left")
        picture = bytes(player.frame_bytes)
        decisions = [player.see(picture) for _ in range(20)]
        twin = open_player(one, seed=1)
        twin.instruct("push left")
        assert [twin.see(picture).down for _ in range(20)] == [decision.down for decision in decisions]
