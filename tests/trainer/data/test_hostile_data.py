"""Datasets, caches and videos that were damaged, or made by somebody who means harm."""

from __future__ import annotations

import copy
import io
import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BadFile, PlaytapeError, TooNew
from db.store import Store
from hostile import NASTY, Bomb, nothing_executed
from trainer.data.clips import load_takes
from trainer.data.dataset import freeze
from trainer.data.manifest import NAME, Manifest, read_manifest

TIME_BOXED = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(autouse=True)
def canary() -> Iterator[None]:
    with nothing_executed():
        yield


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, toys: Any) -> Path:
    """Two short sessions and a dataset of them."""
    root = tmp_path_factory.mktemp("hostile") / "library"
    with Store.open(root) as store:
        for number in range(2):
            toys.record(store, group=f"g{number}", seed=number, seconds=4)
        freeze(store, clip=toys.clip)
    return root


@pytest.fixture
def manifest(library: Path, tmp_path: Path) -> Iterator[tuple[Store, Path, dict[str, Any]]]:
    """A copy of the library, its manifest's place, and what that holds."""
    shutil.copytree(library, tmp_path / "library")
    with Store.open(tmp_path / "library") as store:
        path = next(store.datasets_dir.glob(f"*/{NAME}"))
        yield store, path, json.loads(path.read_text())


def outcome(act: Callable[[], Any]) -> Any:
    """What comes out of it, or the one line in which it is refused."""
    try:
        return act()
    except PlaytapeError as error:
        said = str(error)
    assert "\n" not in said
    return said


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, part in inner for found in [(*path, name), *places(part, (*path, name))]]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    value = copy.deepcopy(value)
    part = value
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = new
    return value


def rehashed(values: dict[str, Any]) -> str:
    """The manifest as somebody writes it who knows how it is hashed; as it is where it is none."""
    try:
        made = Manifest.model_validate_json(json.dumps(values))
        return made.model_copy(update={"hash": made.content_hash()}).model_dump_json()
    except (ValueError, UnicodeError):
        return json.dumps(values)


@TIME_BOXED
@given(st.data())
def test_any_manifest_is_loaded_or_refused(manifest: tuple[Store, Path, dict[str, Any]], data: st.DataObject) -> None:
    store, path, values = manifest
    path.write_text(rehashed(put(values, data.draw(st.sampled_from(places(values))), data.draw(NASTY))))

    def use() -> Any:
        found = read_manifest(store, path.parent.name)
        return load_takes(store, found, found.items)

    takes = outcome(use)
    assert isinstance(takes, str) or all(len(take) == len(take.keys) for take in takes)


def test_a_manifest_that_was_edited_or_is_none(manifest: tuple[Store, Path, dict[str, Any]]) -> None:
    store, path, values = manifest
    dataset = path.parent.name
    for junk in (
        json.dumps(values | {"seed": 7}).encode(), json.dumps(values | {"hash": "0" * 64}).encode(),
        pickle.dumps(Bomb()), b"", b"[" * 100_000, b"\xff\xfe", json.dumps(values).encode()[:-40],
    ):  # fmt: skip
        path.write_bytes(junk)
        with pytest.raises(BadFile, match=r"manifest\.json"):
            read_manifest(store, dataset)
    path.write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(TooNew, match="update Playtape"):
        read_manifest(store, dataset)


def npy(array: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.save(held, array, allow_pickle=True)
    return held.getvalue()


def zipped() -> bytes:
    held = io.BytesIO()
    np.savez(held, frames=np.zeros((2, 2), np.uint8))
    return held.getvalue()


def header(text: str) -> bytes:
    raw = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw


CACHES: dict[str, bytes] = {
    "empty": b"",
    "a pickle": pickle.dumps(Bomb()),
    "an array of objects": npy(np.array([Bomb()], dtype=object)),
    "other numbers": npy(np.zeros((60, 48, 64, 3), np.float64)),
    "another shape": npy(np.zeros((1, 1), np.uint8)),
    "a zip": zipped(),
    "a huge shape": header("{'descr': '|u1', 'fortran_order': False, 'shape': (1152921504606846976, 48, 64, 3)}\n"),
    "a negative shape": header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 48, 64, 3)}\n"),
    "a header that calls": header("__import__('os').abort()\n"),
    "a header that never ends": header("{'descr': '|u1', 'shape': ((((((((((\n"),
    "a header cut short": b"\x93NUMPY\x01\x00\xff\xff{",
    "a deep header": header("(" * 5000 + "\n"),
    "of a version to come": b"\x93NUMPY\x09\x00" + bytes(100),
}


@pytest.mark.parametrize("name", CACHES)
def test_a_cache_that_is_none_is_decoded_again(manifest: tuple[Store, Path, dict[str, Any]], name: str) -> None:
    store, path, _ = manifest
    found = read_manifest(store, path.parent.name)
    item = found.items[:1]
    sound = np.array(load_takes(store, found, item)[0].frames)
    cached = next((store.cache_dir / "clips").glob("*.npy"))
    cached.write_bytes(CACHES[name])
    (take,) = load_takes(store, found, item)
    assert np.array_equal(take.frames, sound)
    assert [file.name for file in cached.parent.iterdir()] == [cached.name], "nothing is left behind"


def test_a_cache_cut_short_anywhere_is_decoded_again(manifest: tuple[Store, Path, dict[str, Any]]) -> None:
    store, path, _ = manifest
    found = read_manifest(store, path.parent.name)
    sound = np.array(load_takes(store, found, found.items[:1])[0].frames)
    cached = next((store.cache_dir / "clips").glob("*.npy"))
    whole = cached.read_bytes()
    for part in range(0, 20, 3):
        cached.write_bytes(whole[: len(whole) * part // 20])
        assert np.array_equal(load_takes(store, found, found.items[:1])[0].frames, sound)


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "pickle", "another"])
def test_a_damaged_video_is_one_sentence(manifest: tuple[Store, Path, dict[str, Any]], damage: str) -> None:
    store, path, _ = manifest
    found = read_manifest(store, path.parent.name)
    item = found.items[0]
    (video,) = sorted(
        file for file in store.session_folder(item.session_id).iterdir() if file.suffix in (".mkv", ".mp4")
    )
    whole = video.read_bytes()
    rng = np.random.default_rng(0)
    versions = {
        "cut": [whole[: len(whole) * part // 20] for part in range(1, 20)],
        "empty": [b""],
        "noise": [
            whole[:at] + rng.bytes(400) + whole[at + 400 :] for at in range(0, len(whole) - 400, len(whole) // 12)
        ],
        "pickle": [pickle.dumps(Bomb())],
        "another": [b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"],
    }[damage]
    for version in versions:
        video.write_bytes(version)
        takes = outcome(lambda: load_takes(store, found, [item]))
        assert isinstance(takes, str) or takes[0].frames.shape[0] == item.ticks
        if isinstance(takes, str):
            assert item.session_id in takes
        for left in (store.cache_dir / "clips").glob("*"):
            assert left.suffix == ".npy", "nothing is left behind"
            left.unlink()
