from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BadArgument, BadFile, NotFound
from db.labelling.labels import Edit, LabelKind, Review
from db.recording.corrections import KeyCorrection
from db.recording.events import Gap, GapReason
from db.store import Store
from db.upkeep.withdrawal import withdraw
from trainer.data.clips import load_takes
from trainer.data.dataset import describe, freeze, split_groups, verify
from trainer.data.manifest import NAME, Manifest, read_manifest


def label(session_id: str, kind: LabelKind, start: int, stop: int, value: str = "") -> Edit:
    return Edit(session_id=session_id, kind=kind, start=start, stop=stop, value=value, author="ada")


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 1000), min_size=2, max_size=12),
    st.floats(0.05, 0.6),
    st.integers(0, 5),
)
def test_every_split_that_must_be_filled_is(weights: dict[str, int], share: float, seed: int) -> None:
    splits = split_groups(list(weights.items()), share, seed)
    assert splits.keys() == weights.keys(), "each group in exactly one split"
    assert {"train", "held-out"} <= set(splits.values())
    assert ("calibration" in splits.values()) == (list(splits.values()).count("held-out") <= len(weights) - 3)
    assert splits == split_groups(list(weights.items())[::-1], share, seed), "the order of the sessions decides nothing"


def test_ten_equal_groups_split_as_asked() -> None:
    splits = list(split_groups([(str(i), 100) for i in range(10)], 0.2, 0).values())
    assert (splits.count("held-out"), splits.count("calibration")) == (2, 1)


@pytest.mark.parametrize("seed", range(5))
def test_every_game_is_scored_and_trained_on(seed: int) -> None:
    games = {f"{game}{i}": game for game in "abcd" for i in range(6)}
    splits = split_groups([(group, 100) for group in games], 0.2, seed, games=games)
    for split, least in (("held-out", 4), ("calibration", 3), ("train", 4)):
        assert len({games[group] for group, found in splits.items() if found == split}) >= least


def test_the_only_group_of_a_game_is_trained_on() -> None:
    games = {"x": "rare"} | {f"y{i}": "common" for i in range(9)}
    for seed in range(20):
        splits = split_groups([(group, 100) for group in games], 0.2, seed, games=games)
        assert splits["x"] == "train"
        assert list(splits.values()).count("held-out") == 2


def test_where_no_game_has_two_groups_games_do_not_matter() -> None:
    games = {str(i): str(i) for i in range(10)}
    sizes = [(group, 100) for group in games]
    assert split_groups(sizes, 0.2, 3, games=games) == split_groups(sizes, 0.2, 3)


def test_one_group_cannot_be_split(store: Store, toys: Any) -> None:
    toys.record(store, group="only", seed=1, seconds=4)
    with pytest.raises(BadArgument, match="at least two"):
        freeze(store, clip=toys.clip)


def test_only_accepted_sessions_count(store: Store, toys: Any) -> None:
    toys.record(store, group="a", seed=1, seconds=4, accept=False)
    with pytest.raises(NotFound, match="accept"):
        freeze(store, clip=toys.clip)


def test_the_manifest_holds_values_and_a_stable_hash(toy_store: Store, toy_manifest: Manifest, toys: Any) -> None:
    again = freeze(toy_store, clip=toys.clip)
    assert again.hash == toy_manifest.hash
    assert again.id != toy_manifest.id
    assert read_manifest(toy_store, again.id) == again
    assert freeze(toy_store, clip=toys.clip, seed=1).hash != again.hash
    assert set(again.space.codes) == set(toys.keys)
    assert again.space.dx_values[again.space.dx_edges.index(0.5)] == 0.0
    assert {item.split for item in again.items} == {"train", "calibration", "held-out"}
    assert all(item.instructions for item in again.items)
    assert sum(again.hours.values()) * 3600 == pytest.approx(5 * 24, rel=0.02)
    verify(toy_store, again)


def test_a_manifest_that_was_edited_is_refused(toy_store: Store, toys: Any) -> None:
    manifest = freeze(toy_store, clip=toys.clip)
    path = toy_store.datasets_dir / manifest.id / NAME
    facts = json.loads(path.read_text())
    facts["items"][0]["split"] = "train" if facts["items"][0]["split"] != "train" else "held-out"
    path.write_text(json.dumps(facts))
    with pytest.raises(BadFile, match="changed after it was frozen"):
        read_manifest(toy_store, manifest.id)
    path.write_text("{")
    with pytest.raises(BadFile, match="damaged"):
        read_manifest(toy_store, manifest.id)
    with pytest.raises(NotFound, match="There is no dataset"):
        read_manifest(toy_store, "../datasets")


def test_a_changed_session_is_refused_with_the_reason(store: Store, toys: Any) -> None:
    ids = [toys.record(store, group=group, seed=i, seconds=4) for i, group in enumerate("ab")]
    manifest = freeze(store, clip=toys.clip)
    path = store.session_folder(ids[0]) / "session.json"
    meta = json.loads(path.read_text())
    path.write_text(json.dumps(meta | {"revision": 2}))
    with pytest.raises(BadFile, match="revision 2, frozen at 1"):
        verify(store, manifest)
    path.write_text(json.dumps(meta))
    verify(store, manifest)
    store.delete(ids[1])
    with pytest.raises(BadFile, match="cannot be read"):
        verify(store, manifest)


def test_a_withdrawn_session_is_left_out_and_its_datasets_are_refused(store: Store, toys: Any) -> None:
    ids = [toys.record(store, group=group, seed=i, seconds=4) for i, group in enumerate("abc")]
    manifest = freeze(store, clip=toys.clip)
    withdraw(store, ids[1])
    with pytest.raises(BadFile, match=f"{manifest.id} cannot be used any more.* Session {ids[1]} was withdrawn by"):
        verify(store, manifest)
    assert {item.session_id for item in freeze(store, clip=toys.clip).items} == {ids[0], ids[2]}


def test_later_labels_do_not_change_a_frozen_dataset(store: Store, toys: Any) -> None:
    ids = [toys.record(store, group=group, seed=i, seconds=4) for i, group in enumerate("ab")]
    manifest = freeze(store, clip=toys.clip)
    store.commit([label(ids[0], LabelKind.FLAG, 0, 10, "menu")])
    verify(store, manifest)
    assert read_manifest(store, manifest.id).items[0].masked == ()
    assert freeze(store, clip=toys.clip).hash != manifest.hash


def test_flags_trims_and_gaps_are_not_learnt(store: Store, toys: Any) -> None:
    gap = Gap(toys.frame_ns(50), toys.frame_ns(52), GapReason.REDACTED)
    session_id = toys.record(store, group="a", seed=1, seconds=4, gaps=(gap,))
    store.commit([
        label(session_id, LabelKind.FLAG, 10, 12, "menu"),
        label(session_id, LabelKind.TRIM, 0, 3),
    ])  # fmt: skip
    suggested = label(session_id, LabelKind.FLAG, 30, 40, "idle").model_copy(update={"suggested": True})
    store.commit([suggested])
    found = describe(store, session_id, toys.clip)
    assert np.flatnonzero(~found.learnable).tolist() == [0, 1, 2, 10, 11, 50, 51]


def test_corrections_are_learnt_and_frozen_as_values(store: Store, toys: Any) -> None:
    session_id = toys.record(store, group="a", seed=1, seconds=4)
    toys.record(store, group="b", seed=2, seconds=4)
    raw = freeze(store, clip=toys.clip)
    code = raw.space.codes[0]
    before = describe(store, session_id, toys.clip)
    first = int(np.flatnonzero(before.track.select([code])[:, 0])[0])
    edit = label(session_id, LabelKind.ACTION, first, first + 10, KeyCorrection(code=code).model_dump_json())
    store.commit([edit])
    after = describe(store, session_id, toys.clip)
    stretch = slice(first, first + 10)
    assert not after.track.select([code])[stretch].any()
    assert np.array_equal(after.track.select([code])[first + 10 :], before.track.select([code])[first + 10 :])
    assert np.array_equal(after.learnable, before.learnable)
    verify(store, raw)
    corrected = freeze(store, clip=toys.clip)
    store.commit([edit.revised("ann", deleted=True)])
    verify(store, corrected)
    (take,) = (take for take in load_takes(store, corrected, corrected.items) if take.item.session_id == session_id)
    assert not take.keys[stretch, 0].any(), "what is trained on is what was frozen"


def test_what_a_model_did_is_never_a_target(store: Store, toys: Any) -> None:
    session_id = toys.record(
        store, group="a", seed=1, seconds=8, actors=(toys.person, toys.model), actor_at=lambda i: int(i < 60)
    )
    found = describe(store, session_id, toys.clip)
    assert not found.learnable[:60].any()
    person = found.track.actors[60:] == 1
    assert found.learnable[60:][person].all(), "the person's own actions are learnt"
    assert found.learnable[60:].sum() > person.sum(), "and so is what the person left undone just after"


def test_keys_that_are_rare_or_only_held_out_are_told(store: Store, toys: Any) -> None:
    for i, group in enumerate("abc"):
        toys.record(store, group=group, seed=i, seconds=5)
    manifest = freeze(store, clip=toys.clip)
    assert any("only" in warning and "times" in warning for warning in manifest.warnings)
    assert any("fewer than four groups" in warning for warning in manifest.warnings)


def test_a_session_with_nothing_to_learn_is_left_out(store: Store, toys: Any) -> None:
    ids = [toys.record(store, group=group, seed=i, seconds=4) for i, group in enumerate("abc")]
    store.commit([label(ids[0], LabelKind.FLAG, 0, 1000, "bad capture")])
    assert store.summary(ids[0]).review is Review.ACCEPTED
    manifest = freeze(store, clip=toys.clip)
    assert ids[0] not in {item.session_id for item in manifest.items}
    assert any(ids[0] in warning for warning in manifest.warnings)
