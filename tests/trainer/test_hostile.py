"""Models, checkpoints, runs, datasets, caches and videos that were damaged, or made by somebody who means harm."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from db.errors import BadFile, NotFound, PlaytapeError, TooNew
from db.specs import ActionSpace, ClipSpec
from db.store import Store
from hostile import NASTY, Bomb, nothing_executed
from trainer.models import (
    CARD_NAME,
    WEIGHTS_NAME,
    Card,
    MarginalCard,
    build,
    latest_model,
    load_model,
    read_card,
    save_model,
)
from trainer.training import checkpoints
from trainer.training.learner import Learner
from trainer.training.runs import (
    CONFIG_NAME,
    LAST_NAME,
    PROGRESS_NAME,
    Run,
    RunConfig,
    open_run,
    read_progress,
    write_config,
)

CLIP = ClipSpec(size_px=(32, 24), rate_hz=15)
SPACE = ActionSpace(codes=(17, 272), dx_edges=(-0.5, 0.5), dx_values=(-7.0, 0.0, 7.0))
TIME_BOXED = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(autouse=True)
def canary() -> Iterator[None]:
    with nothing_executed():
        yield


@pytest.fixture
def model(store: Store, configs: dict[str, Callable[..., Any]]) -> Path:
    """The folder of a sound model."""
    torch.manual_seed(0)
    config = configs["policy"](widths=(4, 8), frame_features=8, hidden=8, text_features=4, text_buckets=16)
    net = build(config, CLIP, SPACE)
    card = Card(
        id="policy-x", config=config, clip=CLIP, space=SPACE, dataset_id="d", dataset_hash="h", run_id="r", seed=0,
        steps=1, best_step=1, created_at="2026-01-01T00:00:00+00:00", thresholds=(0.5, 0.9),
        marginal=MarginalCard(keys=(0.1, 0.1), dx=(0.3, 0.4, 0.3), dy=(1.0,), motion=(0.0, 0.0)),
    )  # fmt: skip
    folder = save_model(store, card, net.state_dict())
    assert load_model(store, "policy-x").card == card
    return folder


@pytest.fixture
def learner(configs: dict[str, Callable[..., Any]]) -> Learner:
    config = configs["policy"](widths=(4, 8), frame_features=8, hidden=8, text_features=4, text_buckets=16)
    made = Learner(build(config, CLIP, SPACE), config, SPACE, seed=0, steps=4, precision="float32")
    for value in made.net.parameters():
        value.grad = torch.ones_like(value)
    made.optimiser.step()
    return made


@pytest.fixture
def saved(learner: Learner, tmp_path: Path) -> Path:
    path = tmp_path / LAST_NAME
    facts = {"step": 2, "best_score": 0.5, "best_step": 1, "skipped": 0}
    checkpoints.save(path, checkpoints.pack(learner.net, learner.averaged, learner.optimiser), facts)
    return path


def resume(path: Path, learner: Learner) -> None:
    found = checkpoints.load(path, learner.net)
    found.position()
    checkpoints.unpack(found, learner.net, learner.optimiser)


def refused(path: Path, act: Callable[[], object]) -> str:
    """What is said, in one line that names the file; and the folder holds what it held."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises((BadFile, NotFound, TooNew)) as caught:
        act()
    assert sorted(path.parent.rglob("*")) == before, "nothing is left behind"
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 1000
    return said


def outcome(act: Callable[[], Any]) -> Any:
    """What comes out of it, or the one line in which it is refused."""
    try:
        return act()
    except PlaytapeError as error:
        said = str(error)
    assert "\n" not in said
    return said


def headed(header: bytes, length: int | None = None, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


BROKEN_FILES: dict[str, bytes] = {
    "empty": b"",
    "a header of 2**60 bytes": headed(b"{}", 2**60),
    "a header of 2**64 - 1 bytes": headed(b"{}", 2**64 - 1),
    "a header longer than the file": headed(b"{}", 1000),
    "no JSON": headed(b"{not json}"),
    "JSON of another kind": headed(b"[1, 2]"),
    "deep JSON": headed(b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "a tensor beyond the end": headed(b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'),
    "a tensor of 2**60 numbers": headed(b'{"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}', None, b"abcd"),
    "sizes that overflow": headed(b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'),
    "a negative size": headed(b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', None, b"abcd"),
    "offsets backwards": headed(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', None, b"abcd"),
    "an unknown type": headed(b'{"a":{"dtype":"PICKLE","shape":[1],"data_offsets":[0,4]}}', None, b"abcd"),
    "a pickle": pickle.dumps({"net.weight": Bomb()}),
    "a zip": b"PK\x03\x04" + bytes(200),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_file_that_holds_no_tensors(store: Store, model: Path, saved: Path, learner: Learner, name: str) -> None:
    for path, act in (
        (model / WEIGHTS_NAME, lambda: load_model(store, "policy-x")),
        (saved, lambda: resume(saved, learner)),
    ):
        path.write_bytes(BROKEN_FILES[name])
        assert str(path) in refused(path, act)


def test_a_file_cut_short_anywhere(store: Store, model: Path, saved: Path, learner: Learner) -> None:
    for path, act in (
        (model / WEIGHTS_NAME, lambda: load_model(store, "policy-x")),
        (saved, lambda: resume(saved, learner)),
    ):
        whole = path.read_bytes()
        for part in range(20):
            path.write_bytes(whole[: len(whole) * part // 20])
            assert str(path) in refused(path, act)


def changed(tensors: dict[str, torch.Tensor], how: str) -> dict[str, torch.Tensor]:
    name = max(tensors, key=lambda name: tensors[name].numel() * tensors[name].dtype.is_floating_point)
    value = tensors[name]
    match how:
        case "missing":
            return {other: v for other, v in tensors.items() if other != name}
        case "another":
            return {**tensors, "evil": torch.zeros(3)}
        case "shape":
            return {**tensors, name: value.flatten()[1:].clone()}
        case "transposed":
            return {**tensors, name: value.flatten().clone()}
        case "type":
            return {**tensors, name: value.to(torch.float16)}
        case "integers":
            return {**tensors, name: value.to(torch.int32)}
    bad = value.clone()
    bad.view(-1)[-1] = float(how)
    return {**tensors, name: bad}


@pytest.mark.parametrize("how", ["missing", "another", "shape", "transposed", "type", "integers", "nan", "inf"])
def test_tensors_that_do_not_fit(store: Store, model: Path, saved: Path, learner: Learner, how: str) -> None:
    path = model / WEIGHTS_NAME
    save_file(changed(load_file(path), how), path)
    assert str(path) in refused(path, lambda: load_model(store, "policy-x"))
    sound = checkpoints.load(saved)
    before = {name: value.clone() for name, value in learner.net.state_dict().items()}
    for prefix in ("net", "ema", "adam"):
        part = {f"{prefix}.{n}": v for n, v in changed(sound.part(prefix), how).items()}
        rest = {n: v for n, v in sound.tensors.items() if not n.startswith(prefix + ".")}
        checkpoints.save(saved, rest | part, sound.facts)
        refused(saved, lambda: resume(saved, learner))
        assert all(torch.equal(before[n], v) for n, v in learner.net.state_dict().items()), "nothing half done"


@pytest.mark.parametrize(
    "facts", [{}, {"step": -1}, {"step": "2"}, {"step": 10**40}, {"best_score": "x"}, {"skipped": None}, {"more": 1}]
)
def test_a_checkpoint_with_impossible_facts(saved: Path, learner: Learner, facts: dict[str, Any]) -> None:
    sound = checkpoints.load(saved)
    checkpoints.save(saved, sound.tensors, (sound.facts | facts) if facts else {})
    refused(saved, lambda: resume(saved, learner))


def test_metadata_that_is_no_metadata(saved: Path, learner: Learner) -> None:
    tensors = checkpoints.load(saved).tensors
    for facts, version in (("[1]", "1"), ("{", "1"), ("[" * 100_000, "1"), ("{}", "x"), ("{}", "9" * 5000)):
        save_file(tensors, saved, metadata={"facts": facts, "format": version})
        assert str(saved) in refused(saved, lambda: resume(saved, learner))
    save_file(tensors, saved, metadata={"facts": "{}", "format": "7"})
    assert "update Playtape" in refused(saved, lambda: resume(saved, learner))


def test_what_is_far_too_large_is_not_read(store: Store, model: Path, saved: Path, learner: Learner) -> None:
    count = 2**34
    header = json.dumps({"a": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    for path in (saved, model / WEIGHTS_NAME):
        with path.open("wb") as file:
            file.write(headed(header))
            file.truncate(8 + len(header) + 4 * count)  # a hole: 64 GiB that take no room
    assert "too many" in refused(saved, lambda: resume(saved, learner))
    assert "too many" in refused(model / WEIGHTS_NAME, lambda: load_model(store, "policy-x"))


def test_a_card_of_another_model(store: Store, model: Path) -> None:
    card = json.loads((model / CARD_NAME).read_text())
    wider = {"codes": [17, 272, 30], "dx_edges": [-0.5, 0.5], "dx_values": [-7, 0, 7]}
    for space in (wider, wider | {"codes": [17]}, {"dx_edges": []}, wider | {"codes": [17, 17]}):
        (model / CARD_NAME).write_text(json.dumps(card | {"space": card["space"] | space}))
        refused(model / CARD_NAME, lambda: load_model(store, "policy-x"))
    fitting = card | {"space": card["space"] | wider, "thresholds": [0.5] * 3}
    fitting["marginal"] = card["marginal"] | {"keys": [0.1] * 3}
    (model / CARD_NAME).write_text(json.dumps(fitting))
    assert "heads" in refused(model / CARD_NAME, lambda: load_model(store, "policy-x"))
    (model / CARD_NAME).write_text(json.dumps(card | {"format": 99}))
    assert "update Playtape" in refused(model / CARD_NAME, lambda: load_model(store, "policy-x"))
    (model / CARD_NAME).write_text(json.dumps(card | {"id": "../../elsewhere"}))
    refused(model / CARD_NAME, lambda: read_card(store, "policy-x"))
    for hidden in (2**16, 10**12, -1, 0, "x", None):
        (model / CARD_NAME).write_text(json.dumps(card | {"config": card["config"] | {"hidden": hidden}}))
        refused(model / CARD_NAME, lambda: load_model(store, "policy-x"))


def test_a_damaged_model_hides_no_other(store: Store, model: Path) -> None:
    other = store.models_dir / "policy-y"
    shutil.copytree(model, other)
    (other / CARD_NAME).write_bytes(pickle.dumps(Bomb()))
    assert latest_model(store, "policy") == "policy-x"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value but the whole."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, part in inner for found in [(*path, name), *places(part, (*path, name))]]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    value = copy.deepcopy(value)
    part = value
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = new
    return value


@TIME_BOXED
@given(st.data())
def test_any_card_loads_or_is_refused(store: Store, model: Path, data: st.DataObject) -> None:
    path = model / CARD_NAME
    kept = model.parent.parent / "card.json"
    if not kept.exists():
        shutil.copy(path, kept)
    card = json.loads(kept.read_text())
    path.write_text(json.dumps(put(card, data.draw(st.sampled_from(places(card))), data.draw(NASTY))))
    loaded = outcome(lambda: load_model(store, "policy-x"))
    assert isinstance(loaded, str) or loaded.card.id == "policy-x"


@TIME_BOXED
@given(st.binary(max_size=200), st.integers(0, 10_000), st.booleans())
def test_any_damage_to_weights_loads_or_is_refused(
    store: Store, model: Path, noise: bytes, at: int, is_cut: bool
) -> None:
    path = model / WEIGHTS_NAME
    kept = model.parent.parent / "weights"
    if not kept.exists():
        shutil.copy(path, kept)
    whole = kept.read_bytes()
    at %= len(whole)
    path.write_bytes(whole[:at] + noise + (b"" if is_cut else whole[at + len(noise) :]))
    loaded = outcome(lambda: load_model(store, "policy-x"))
    if isinstance(loaded, str):
        assert str(path) in loaded
    else:
        assert all(torch.isfinite(v).all() for v in loaded.net.state_dict().values() if v.dtype.is_floating_point)


def test_links_that_lead_out(store: Store, model: Path, tmp_path: Path, run: Run) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for path, act in (
        (model / CARD_NAME, lambda: load_model(store, "policy-x")),
        (model / WEIGHTS_NAME, lambda: load_model(store, "policy-x")),
        (run.folder / PROGRESS_NAME, lambda: open_run(store, run.id)),
        (run.folder / CONFIG_NAME, lambda: open_run(store, run.id)),
    ):
        shutil.move(path, outside / path.name)
        path.symlink_to(outside / path.name)
        before = (outside / path.name).read_bytes()
        assert "leads out" in refused(path, act)
        assert (outside / path.name).read_bytes() == before
        path.unlink()
        shutil.move(outside / path.name, path)
    load_model(store, "policy-x")


def test_saving_writes_through_no_link(learner: Learner, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / (LAST_NAME + ".new")).symlink_to(victim)
    (folder / LAST_NAME).symlink_to(victim)
    checkpoints.save(folder / LAST_NAME, learner.averaged, {})
    assert victim.read_text() == "precious"
    assert not (folder / LAST_NAME).is_symlink()


@pytest.fixture
def run(store: Store, configs: dict[str, Callable[..., Any]]) -> Run:
    made = Run(store.runs_dir / "idm-1")
    made.progress("training", step=1, steps=2)
    write_config(
        made,
        RunConfig(
            id="idm-1", config=configs["idm"](), dataset_id="d", dataset_hash="h", seed=0, steps=2, precision="float32",
            threads=1,
        ),
    )  # fmt: skip
    return made


@TIME_BOXED
@given(st.data())
def test_any_run_opens_or_is_refused(store: Store, run: Run, data: st.DataObject) -> None:
    path = run.folder / CONFIG_NAME
    kept = run.folder.parent / "config.json"
    if not kept.exists():
        shutil.copy(path, kept)
    config = json.loads(kept.read_text())
    path.write_text(json.dumps(put(config, data.draw(st.sampled_from(places(config))), data.draw(NASTY))))
    opened = outcome(lambda: open_run(store, "idm-1"))
    assert isinstance(opened, str) or opened[1].steps >= 1
    kept.unlink()
    path.write_text(json.dumps(config))


def test_a_run_from_the_future_or_of_another_name(store: Store, run: Run) -> None:
    path = run.folder / CONFIG_NAME
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"format": 9, "novel": 1}))
    assert "update Playtape" in refused(path, lambda: open_run(store, "idm-1"))
    path.write_text(json.dumps(config | {"id": "idm-2"}))
    assert str(path) in refused(path, lambda: open_run(store, "idm-1"))
    for junk in (b"\xff\xfe\x00", pickle.dumps(Bomb()), b"[" * 100_000, b" " * (17 * 2**20)):
        path.write_bytes(junk)
        assert str(path) in refused(path, lambda: open_run(store, "idm-1"))


@TIME_BOXED
@given(st.lists(st.one_of(st.binary(max_size=60), NASTY.map(lambda v: json.dumps({"phase": v, "step": v}).encode()))))
def test_junk_among_the_progress_is_left_out(run: Run, junk: list[bytes]) -> None:
    path = run.folder / PROGRESS_NAME
    good = b'{"step": 1, "steps": 2, "phase": "training", "t": 1.5}'
    deep = b"[" * 20_000
    path.write_bytes(b"\n".join([good, deep, pickle.dumps(Bomb()), *junk, b"", good]))
    rows = read_progress(run.folder)
    assert len(rows) >= 2
    assert all(isinstance(row["phase"], str) for row in rows)
    run.forget_after(0)
    assert all(row.get("step", 0) == 0 for row in read_progress(run.folder))
