from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from db.errors import BadArgument, WireError
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from db.wire import connect, read_key
from trainer.models import Card, Loaded, MarginalCard, build, load_model, save_model
from trainer.play import Stream
from trainer.serve import format_address, parse_address

CLIP = ClipSpec(size_px=(32, 24), rate_hz=15)
SPACE = ActionSpace(codes=(17, 272), dx_edges=(-0.5, 0.5), dx_values=(-7.0, 0.0, 7.0))


@pytest.fixture
def model_id(store: Store, configs: dict[str, Callable[..., Any]]) -> str:
    torch.manual_seed(0)
    config = configs["policy"]()
    net = build(config, CLIP, SPACE)
    torch.nn.init.constant_(net.heads.keys.bias, 0.0)
    marginal = MarginalCard(keys=(0.1, 0.1), dx=(0.3, 0.4, 0.3), dy=(1.0,), motion=(0.0, 0.0))
    card = Card(
        id="policy-x", config=config, clip=CLIP, space=SPACE, dataset_id="d", dataset_hash="h", run_id="r", seed=0,
        steps=1, best_step=1, created_at="2026-01-01T00:00:00+00:00", thresholds=(0.5, 0.99), marginal=marginal,
    )  # fmt: skip
    save_model(store, card, net.state_dict())
    return card.id


@pytest.fixture
def loaded(store: Store, model_id: str) -> Loaded:
    return load_model(store, model_id)


@pytest.fixture
def server(store: Store, model_id: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "trainer", "serve", "--library", str(store.root), "--model", model_id]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([*command, "--idle-s", "60"], stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_client_plays(server: tuple[subprocess.Popen[str], dict[str, str]]) -> None:
    process, ready = server
    address, key = parse_address(ready["address"]), read_key(Path(ready["key_file"]))
    assert address is not None
    with pytest.raises(WireError, match="does not accept"):
        connect(address, b"another key that is long enough")
    for _ in range(2):
        peer = connect(address, key)
        peer.send("hello")
        hello = peer.receive(30)
        assert hello.kind == "ready"
        assert ClipSpec.model_validate(hello.fields["clip"]) == CLIP
        assert ActionSpace.model_validate(hello.fields["space"]) == SPACE
        assert hello.fields["actor"] == "model:policy-x"
        assert hello.fields["sampling"] == {"keys": "sample", "temperature": 1.0, "steadiness": 0.9}
        peer.send("instruction", {"text": "go"})
        for index in range(5):
            peer.send("frame", {"index": index, "t_ns": 1}, bytes(CLIP.size_px[0] * CLIP.size_px[1] * 3))
            action = peer.receive(30)
            assert action.kind == "action"
            assert action.fields["index"] == index
            assert set(action.fields["down"]) <= set(SPACE.codes)
            assert action.fields["dx"] in SPACE.dx_values
            assert action.fields["dy"] == 0.0
            assert action.fields["infer_ns"] > 0
        peer.send("reset")
        peer.send("bye")
        peer.close()
    rude = connect(address, key)
    rude.send("frame", {"index": 0}, b"too short")
    answer = rude.receive(30)
    assert answer.kind == "error"
    assert "32x24" in answer.fields["message"]
    rude.close()
    sure = connect(address, key)
    sure.send("hello", {"temperature": 0, "keys": "threshold"})
    said = sure.receive(30).fields
    assert said["sampling"] == {"keys": "threshold", "temperature": 0.0, "steadiness": 0.9}
    actions = set()
    for index in range(8):
        sure.send("frame", {"index": index, "t_ns": 1}, bytes(CLIP.size_px[0] * CLIP.size_px[1] * 3))
        action = sure.receive(30).fields
        actions.add((tuple(action["down"]), action["dx"]))
    assert len(actions) == 1, "nothing is drawn"
    sure.close()
    odd = connect(address, key)
    odd.send("hello", {"temperature": -1})
    answer = odd.receive(30)
    assert answer.kind == "error"
    assert "temperature" in answer.fields["message"]
    odd.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert not Path(ready["key_file"]).exists()


def test_a_stream_is_reproducible_and_resets(loaded: Loaded) -> None:
    picture = os.urandom(CLIP.size_px[0] * CLIP.size_px[1] * 3)

    def play() -> list[tuple[tuple[int, ...], float]]:
        stream = Stream(loaded, seed=5)
        stream.instruct("go")
        return [(d.down, d.dx) for d in (stream.see(picture) for _ in range(12))]

    first = play()
    assert first == play()
    assert len({dx for _, dx in first}) > 1, "motion is drawn, not always the likeliest"


def test_thresholds_and_temperature_choose(loaded: Loaded) -> None:
    picture = bytes(CLIP.size_px[0] * CLIP.size_px[1] * 3)
    chosen = [Stream(loaded, keys="threshold", temperature=0.0, seed=s).see(picture) for s in range(5)]
    assert len({(d.down, d.dx) for d in chosen}) == 1
    assert 272 not in chosen[0].down, "its threshold is .99"


def test_addresses_read_back() -> None:
    assert parse_address(None) is None
    assert parse_address("/run/x.sock") == "/run/x.sock"
    assert parse_address("127.0.0.1:7000") == ("127.0.0.1", 7000)
    assert parse_address(format_address(("0.0.0.0", 80))) == ("0.0.0.0", 80)
    with pytest.raises(BadArgument, match="HOST:PORT"):
        parse_address("localhost:http")
