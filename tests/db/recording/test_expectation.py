"""What an IDM expects is kept in a file that says what it is of; one that lies is refused in one sentence."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from db.errors import BadFile
from db.recording.expectation import (
    Expectation,
    expectation_path,
    find_expectations,
    model_digest,
    read_expectation,
    write_expectation,
)
from db.recording.surprise import Scale
from hostile import Bomb, nothing_executed


def made(count: int = 40) -> Expectation:
    rng = np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(3), count).astype(np.float16)
    return Expectation(
        model="idm-1", ticks=np.arange(0, 2 * count, 2), edges_ns=np.arange(count + 1) * 66_666_667, codes=(17, 30),
        probability=rng.random((count, 2)).astype(np.float16), dx=shares, dy=shares[:, :1],
        dx_edges=np.array([-1.0, 1.0]), dy_edges=np.zeros(0), dx_values=np.array([-5.0, 0, 5]), dy_values=np.zeros(1),
        said=rng.random(count) < 0.5, scale=Scale(1.0, 2.5),
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return expectation_path(tmp_path / "cache", "s1", 3, "abcd")


def test_it_reads_back(path: Path) -> None:
    said = made()
    write_expectation(path, said)
    found = read_expectation(path, 80)
    for field in fields(said):
        assert np.array_equal(getattr(found, field.name), getattr(said, field.name)), field.name
    assert path.name == "s1-r3-abcd.npz"


def test_without_a_measured_scale_there_is_none(path: Path) -> None:
    write_expectation(path, replace(made(), scale=None))
    assert read_expectation(path, 80).scale is None


def test_the_newest_of_this_revision_is_found_first(path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert find_expectations(cache, "s1", 3) == []
    other = expectation_path(cache, "s1", 3, "ef01")
    for number, name in enumerate((other, path, expectation_path(cache, "s1", 2, "ef01"))):
        write_expectation(name, made())
        os.utime(name, (1000 + number, 1000 + number))
    assert find_expectations(cache, "s1", 3) == [path, other]


def test_a_model_that_is_trained_again_is_another_one(tmp_path: Path) -> None:
    card = tmp_path / "model.json"
    card.write_text('{"created_at": "1"}')
    before = model_digest(card)
    card.write_text('{"created_at": "2"}')
    assert len(before) == 16
    assert model_digest(card) != before
    with pytest.raises(BadFile):
        model_digest(tmp_path / "nothing.json")


def refused(path: Path, frame_count: int = 80) -> str:
    with pytest.raises(BadFile) as caught:
        read_expectation(path, frame_count)
    assert "\n" not in str(caught.value)
    assert "ask the IDM again" in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_not_there(path: Path) -> None:
    refused(path)


def test_every_truncation_is_refused(path: Path) -> None:
    write_expectation(path, made(8))
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        refused(path)


def test_damage_anywhere_is_refused_or_harmless(path: Path) -> None:
    """Flipped bytes: whatever is read has the shapes and the ranges that it should have."""
    write_expectation(path, made(8))
    whole = path.read_bytes()
    refusals, rng = 0, np.random.default_rng(1)
    for at in rng.integers(0, len(whole), 400).tolist():
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            said = read_expectation(path, 80)
        except BadFile:
            refusals += 1
            continue
        assert said.probability.shape == (8, 2)
        assert ((said.probability[said.said] >= 0) & (said.probability[said.said] <= 1)).all()
    assert refusals > 200, "zip's own sums find most of it"


def rewrite(path: Path, *, packed: bool = False, **changes: np.ndarray | bytes) -> None:
    """The file with other arrays, or other bytes for them."""
    write_expectation(path, made())
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        held = io.BytesIO()
        if isinstance(change, bytes):
            held.write(change)
        else:
            np.save(held, change, allow_pickle=True)
        parts[f"{name}.npy"] = held.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def header(shape: tuple[int, ...], descr: str = "<f2") -> bytes:
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": descr, "fortran_order": False, "shape": shape})
    return held.getvalue()


@pytest.mark.parametrize(
    "changes",
    [
        {"probability": np.full((40, 2), 2.0, np.float16), "said": np.ones(40, np.bool_)},
        {"probability": np.full((40, 2), np.nan, np.float16), "said": np.ones(40, np.bool_)},
        {"probability": np.zeros((40, 3), np.float16)},
        {"probability": np.zeros((40, 2), np.float64)},
        {"probability": header((10**9, 10**9))},
        {"probability": header((40, 2)) + b"short"},
        {"probability": pickle.dumps(Bomb())},
        {"probability": np.array([[Bomb()]], object)},
        {"ticks": np.arange(40) * 3},
        {"ticks": np.zeros(40, np.int64)},
        {"ticks": np.arange(1, 41)},
        {"edges_ns": np.zeros(41, np.int64)},
        {"codes": np.array([17, 17])},
        {"codes": np.array([17, -4])},
        {"codes": np.array([17, 10**9])},
        {"dx_edges": np.array([1.0, -1.0])},
        {"dx_edges": np.array([np.nan, 1.0])},
        {"dx_values": np.array([np.inf, 0.0, 1.0])},
        {"format": np.array([2])},
        {"model": np.frombuffer(b"\xff\xfe", np.uint8)},
        {"ticks": np.zeros(0, np.int64)},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_what_contradicts_itself_is_refused(path: Path, changes: dict[str, np.ndarray | bytes]) -> None:
    with nothing_executed():
        rewrite(path, **changes)
        refused(path)


def test_what_is_packed_is_not_unpacked(path: Path) -> None:
    rewrite(path, packed=True)
    assert "packed" in refused(path)


def test_it_must_be_of_as_many_frames(path: Path) -> None:
    write_expectation(path, made())
    assert read_expectation(path, 79).ticks[-1] == 78
    refused(path, 78)
