from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer.data.clips
from db.labelling.labels import Edit, LabelKind
from db.media.resize import resize
from db.specs import ClipSpec
from db.store import Store
from trainer.data.clips import cut, decode, load_session, load_takes, windows
from trainer.data.dataset import freeze
from trainer.data.manifest import Manifest


def cached(store: Store) -> list[str]:
    return sorted(path.name for path in (store.cache_dir / "clips").iterdir())


def test_takes_hold_what_was_recorded_tick_by_tick(toy_store: Store, toy_manifest: Manifest) -> None:
    take = load_takes(toy_store, toy_manifest, toy_manifest.items)[0]
    recording = toy_store.recording(take.item.session_id)
    reader = recording.video()
    assert take.frames.dtype == np.uint8
    assert len(take) == len(recording.clock) == len(take.frames)
    for i in (0, 7, len(take) - 1):
        assert np.array_equal(take.frames[i], resize(reader.frame(int(take.ticks[i])), toy_manifest.clip.size_px))
    reader.close()
    assert np.array_equal(take.edges_ns, recording.clock.edges_ns)
    assert np.array_equal(take.keys, recording.resolve().select(toy_manifest.space.codes))
    assert take.known.all()
    assert {take.texts[i] for i in take.text_ids} == {s.text for s in take.item.instructions}


def test_a_slower_rate_takes_the_last_frame_before_each_tick(toy_store: Store, toy_manifest: Manifest) -> None:
    clip = ClipSpec(size_px=(32, 24), rate_hz=5)
    take = load_session(toy_store, toy_manifest.items[0].session_id, clip, toy_manifest.space)
    assert take.frames.shape[1:] == (24, 32, 3)
    assert take.ticks[:4].tolist() == [0, 3, 6, 9]
    assert take.keys.shape == (len(take.ticks), len(toy_manifest.space.codes))


def test_each_session_is_decoded_once(store: Store, toys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for i, group in enumerate("ab"):
        toys.record(store, group=group, seed=i, seconds=3)
    manifest = freeze(store, clip=toys.clip)
    load_takes(store, manifest, manifest.items)
    monkeypatch.setattr(trainer.data.clips, "decode", lambda *args: pytest.fail("decoded again"))
    load_takes(store, manifest, manifest.items)
    assert cached(store) == sorted(f"{i.session_id}-r1-{manifest.clip.digest()}.npy" for i in manifest.items)


def test_being_killed_while_decoding_leaves_nothing_bad(
    store: Store, toys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i, group in enumerate("ab"):
        toys.record(store, group=group, seed=i, seconds=3)
    manifest = freeze(store, clip=toys.clip)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            load_takes(store, manifest, manifest.items)
    assert cached(store) == []
    folder = store.cache_dir / "clips"
    name = f"{manifest.items[0].session_id}-r1-{manifest.clip.digest()}.npy"
    (folder / name).write_bytes(b"\x93NUMPY cut off")
    (folder / "left.by.a.dead.process.partial").write_bytes(b"half")
    takes = load_takes(store, manifest, manifest.items)
    assert takes[0].frames.shape == (45, 48, 64, 3)
    assert takes[0].frames.max() > 100


def test_a_full_disk_is_one_sentence(store: Store, toys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.errors import DiskFull

    session_id = toys.record(store, group="a", seed=1, seconds=3)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="disk is full"):
        decode(store.recording(session_id), toys.clip, store.cache_dir / "clips" / "x.npy")


def test_the_cache_keeps_to_its_quota(store: Store, toys: Any) -> None:
    for i, group in enumerate("abcd"):
        toys.record(store, group=group, seed=i, seconds=3)
    manifest = freeze(store, clip=toys.clip)
    load_takes(store, manifest, manifest.items)
    one = (store.cache_dir / "clips" / cached(store)[0]).stat().st_size
    load_takes(store, manifest, manifest.items[:1], quota_bytes=2 * one)
    left = cached(store)
    assert len(left) == 2
    assert any(name.startswith(manifest.items[0].session_id) for name in left)
    load_takes(store, manifest, manifest.items[:3], quota_bytes=0)
    assert len(cached(store)) == 3, "what is in use is never deleted"


def test_windows_without_anything_known_are_skipped(store: Store, toys: Any) -> None:
    session_id = toys.record(store, group="a", seed=1, seconds=8)
    flag = Edit(session_id=session_id, kind=LabelKind.FLAG, start=0, stop=64, value="menu", author="ada")
    store.commit([flag])
    toys.record(store, group="b", seed=2, seconds=1)
    manifest = freeze(store, clip=toys.clip)
    long, short = sorted(load_takes(store, manifest, manifest.items), key=len, reverse=True)
    starts = [w.start for w in windows([long], 32, 16)]
    assert starts == [48, 64, 80, 88]
    assert [w.start for w in windows([short], 32, 16)] == [0]
    clip = cut(short, 0, 32)
    assert clip["frames"].shape == (32, 48, 64, 3)
    assert clip["known"].sum() == len(short) == 15
    assert not clip["known"][15:].any()


def test_the_instruction_that_started_last_is_in_force(store: Store, toys: Any) -> None:
    session_id = toys.record(store, group="a", seed=1, seconds=6)
    for edit in store.edits(session_id):
        if edit.kind is LabelKind.INSTRUCTION:
            store.commit([edit.revised("ada", deleted=True)])
    spans = [(10, 60, "outer"), (20, 30, "inner"), (70, 80, "suggested")]
    store.commit(
        [toys.instruction(session_id, *s).model_copy(update={"suggested": s[2] == "suggested"}) for s in spans]
    )
    from trainer.data.space import fit_space

    take = load_session(store, session_id, toys.clip, fit_space([], np.zeros((1, 2), np.float32)))
    said = [take.texts[i] for i in take.text_ids]
    assert (said[9], said[10], said[25], said[30], said[60], said[75]) == ("", "outer", "inner", "outer", "", "")


def test_the_cache_is_named_by_what_it_holds(store: Store, toys: Any, tmp_path: Path) -> None:
    session_id = toys.record(store, group="a", seed=1, seconds=2)
    recording = store.recording(session_id)
    one = decode(recording, toys.clip, tmp_path / "one.npy")
    other = decode(recording, toys.clip, tmp_path / "other.npy")
    assert np.array_equal(one, other)
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "other.npy").read_bytes()
