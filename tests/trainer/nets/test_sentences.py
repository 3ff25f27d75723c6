from __future__ import annotations

import copy
import json
import pickle
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from db.errors import BadArgument, BadFile, NotFound
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from trainer.configs import IdmConfig, PolicyConfig, named_config
from trainer.models import Card, MarginalCard, build, load_model, save_model
from trainer.nets.sentences import PLACE, Sentences, describe, find_folder, read_with
from trainer.nets.text import SentenceEncoder
from trainer.training import loop
from trainer.training.runs import new_run

WIDTH = 16
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "push", "left", "right", "the", "block", "look"]
CLIP = ClipSpec(size_px=(32, 24), rate_hz=15)
SPACE = ActionSpace(codes=(17, 272), dx_edges=(-0.5, 0.5), dx_values=(-7.0, 0.0, 7.0))


class StandIn:
    """The part of transformers that is used: a table of word vectors, read from the folder's safetensors."""

    opened = 0

    @classmethod
    def module(cls) -> types.ModuleType:
        made = types.ModuleType("transformers")
        made.AutoTokenizer = made.AutoModel = cls  # type: ignore[attr-defined]
        return made

    @classmethod
    def from_pretrained(cls, folder: str, **how: Any) -> StandIn:
        assert how.pop("local_files_only")
        assert how.pop("trust_remote_code") is False
        assert how in ({}, {"use_safetensors": True})
        cls.opened += 1
        made = cls()
        made.words = (Path(folder) / "vocab.txt").read_text().split()
        made.table = load_file(Path(folder) / "model.safetensors")["table"]
        return made

    def eval(self) -> StandIn:
        return self

    def requires_grad_(self, wanted: bool) -> None:
        assert not wanted

    def __call__(self, texts: list[str] | None = None, **fed: Any) -> Any:
        if texts is None:
            return types.SimpleNamespace(last_hidden_state=self.table[fed["ids"]])
        ids = [self.words.index(word) if word in self.words else 1 for word in texts[0].casefold().split()]
        return {"ids": torch.tensor([[2, *ids, 3]])}


@pytest.fixture(params=["stand-in", "real"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny encoder; a real one where transformers is installed."""
    made = tmp_path / "encoder"
    made.mkdir()
    (made / "vocab.txt").write_text("\n".join(WORDS))
    monkeypatch.delenv(PLACE, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch.manual_seed(0)
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "transformers", StandIn.module())
        save_file({"table": torch.randn(len(WORDS), WIDTH)}, made / "model.safetensors")
        (made / "config.json").write_text(json.dumps({"hidden_size": WIDTH}))
    else:
        package = pytest.importorskip("transformers")
        sizes = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        config = package.BertConfig(vocab_size=len(WORDS), hidden_size=WIDTH, **sizes)
        package.BertModel(config).save_pretrained(made, safe_serialization=True)
        package.BertTokenizer(str(made / "vocab.txt")).save_pretrained(made)
    (made / "1_Pooling").mkdir()
    (made / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    return made


def small() -> PolicyConfig:
    return PolicyConfig(widths=(4, 8), frame_features=8, hidden=8)


def test_each_text_is_encoded_once_and_kept(folder: Path, tmp_path: Path) -> None:
    sentences = Sentences(str(folder), describe(folder))
    sentences.keep_in(tmp_path / "cache")
    texts = ["push left", "push right", "push left"]
    first = sentences.vectors(texts)
    assert first.shape == (3, WIDTH)
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    assert np.array_equal(first[0], first[2])
    assert not np.allclose(first[0], first[1])
    assert np.array_equal(sentences.vectors(["push right"])[0], first[1]), "in any company"
    kept = sorted((tmp_path / "cache").rglob("*.f32"))
    assert len(kept) == 2
    shutil.rmtree(folder)
    again = Sentences(str(folder), sentences.spec)
    again.keep_in(tmp_path / "cache")
    assert np.array_equal(again.vectors(texts), first), "what is kept needs no encoder"
    for junk in (b"", pickle.dumps(first), b"\xff" * 4 * WIDTH):
        kept[0].write_bytes(junk)
        kept[1].write_bytes(junk)
        anew = Sentences(str(folder), sentences.spec)
        anew.keep_in(tmp_path / "cache")
        with pytest.raises(NotFound, match="needs the sentence encoder encoder"):
            anew.vectors(["push left"])


def test_a_model_refuses_another_encoder(store: Store, folder: Path, tmp_path: Path) -> None:
    config = read_with(small(), str(folder))
    assert isinstance(config, PolicyConfig)
    assert config.sentences is not None
    assert config.augment.text_augment == 0.0
    net = build(config, CLIP, SPACE)
    assert isinstance(net.text, SentenceEncoder)
    assert copy.deepcopy(net).text.sentences is net.text.sentences
    card = Card(
        id="policy-s", config=config, clip=CLIP, space=SPACE, dataset_id="d", dataset_hash="h", run_id="r", seed=0,
        steps=1, best_step=1, created_at="2026-01-01T00:00:00+00:00", thresholds=(0.5, 0.9),
        marginal=MarginalCard(keys=(0.1, 0.1), dx=(0.3, 0.4, 0.3), dy=(1.0,), motion=(0.0, 0.0)),
    )  # fmt: skip
    save_model(store, card, net.state_dict())
    loaded = load_model(store, "policy-s")
    assert loaded.card == card
    texts = ["push left", "", "look right"]
    assert torch.equal(loaded.net.encode_texts(texts), net.encode_texts(texts))
    assert torch.equal(net.encode_texts(["", ""])[1], net.encode_texts(texts)[1])
    assert (store.cache_dir / "sentences").is_dir()
    moved = tmp_path / "moved"
    folder.rename(moved)
    with pytest.raises(NotFound, match=PLACE):
        load_model(store, "policy-s")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLACE, str(moved))
        assert torch.equal(load_model(store, "policy-s").net.encode_texts(texts), net.encode_texts(texts))
        (moved / "vocab.txt").write_text("\n".join(reversed(WORDS)))
        with pytest.raises(BadFile, match="another sentence encoder"):
            load_model(store, "policy-s")


def test_only_the_frozen_part_is_frozen(folder: Path) -> None:
    torch.manual_seed(0)
    net = build(read_with(small(), str(folder)), CLIP, SPACE)
    encoded = net.encode_texts(["push left", "push right", ""])
    assert encoded.shape == (3, 8)
    encoded.square().sum().backward()
    assert all(value.grad is not None for value in net.text.parameters())
    assert not any("encoder" in name for name in net.text.state_dict())


def test_what_cannot_be_an_encoder_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadArgument, match="reads no instructions"):
        read_with(IdmConfig(), str(folder))
    with pytest.raises(BadArgument, match="was not looked for"):
        build(small().model_copy(update={"text_encoder": str(folder)}), CLIP, SPACE)
    assert read_with(named_config("idm", "quick"), "hashed") == named_config("idm", "quick")
    with pytest.raises(NotFound, match="nowhere"):
        read_with(small(), str(folder / "nowhere"))
    (folder / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Dense"}]))
    with pytest.raises(BadFile, match="Dense"):
        Sentences(str(folder), describe(folder)).vectors(["push"])
    (folder / "modules.json").unlink()
    spec = describe(folder)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BadArgument, match="not installed"):
        Sentences(str(folder), spec).vectors(["push"])
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadFile, match="safe to read"):
        find_folder(str(folder))
    (folder / "model.safetensors").write_bytes(b"junk")
    (folder / "config.json").write_text("[")
    with pytest.raises(BadFile, match=r"config\.json"):
        describe(folder)


def test_damaged_weights_are_one_sentence(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(BadFile, match="cannot be opened"):
        Sentences(str(folder), describe(folder)).vectors(["push"])


def test_an_installed_one_is_found_in_the_local_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = folder.parent / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    with pytest.raises(NotFound, match="--text-encoder"):
        find_folder("installed")
    for name in ("zzz", "all-MiniLM-L6-v2"):
        shutil.copytree(folder, cache / f"models--sentence-transformers--{name}" / "snapshots" / "abc")
    assert find_folder("installed").parts[-3] == "models--sentence-transformers--all-MiniLM-L6-v2"


def test_a_policy_learns_with_a_frozen_encoder(
    folder: Path, toy_store: Store, toy_manifest: Any, configs: dict[str, Callable[..., Any]]
) -> None:
    data = loop.load_data(toy_store, toy_manifest, new_run(toy_store, "policy"), lambda row: None)
    config = read_with(configs["policy"](), str(folder))
    learner = loop.new_learner(data, config, "float32", 0, 40, torch.device("cpu"))
    batches = loop.new_sampler(data, config, 0, torch.device("cpu"))
    losses = [learner.step(step, batches.batch(step)) for step in range(40)]
    assert np.mean(losses[-8:]) < np.mean(losses[:8])
    opened = StandIn.opened
    learner.step(39, batches.batch(39))
    assert StandIn.opened == opened
    learner.net_with(learner.averaged)
