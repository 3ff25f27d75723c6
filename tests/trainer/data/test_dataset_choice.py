from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.errors import BadArgument, NotFound, TooNew
from db.labelling.labels import Edit, LabelKind, Review
from db.recording.session import META_NAME
from db.store import Store
from trainer.__main__ import main
from trainer.data.balance import warn
from trainer.data.choice import Choice, chosen_sessions, read_day
from trainer.data.dataset import describe, freeze
from trainer.data.manifest import NAME, Manifest, read_manifest
from trainer.data.preview import preview


def add(store: Store, session_id: str, kind: LabelKind, value: str, start: int | None = None, stop: int | None = None):
    edit = Edit(session_id=session_id, kind=kind, start=start, stop=stop, value=value, author="ada")
    store.commit([edit])


def rename(store: Store, session_id: str, **changes: Any) -> None:
    """Gives a session another game or player, as if it had been recorded so."""
    path = store.session_folder(session_id) / META_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    store.enter(session_id)


@pytest.fixture
def four(store: Store, toys: Any) -> list[str]:
    return [toys.record(store, group=group, seed=i, seconds=4) for i, group in enumerate("abcd")]


def ids(store: Store, **asked: Any) -> set[str]:
    return {summary.id for summary in chosen_sessions(store, Choice(**asked))}


def test_each_filter_leaves_what_fits(store: Store, four: list[str]) -> None:
    rename(store, four[0], game="chess")
    rename(store, four[1], player="eve")
    add(store, four[2], LabelKind.TAG, "boss")
    store.set_review(four[3], Review.REJECTED, "ada")
    assert ids(store) == set(four[:3])
    assert ids(store, review="any") == set(four[:3]), "what was rejected is never chosen"
    assert ids(store, games=("chess",)) == {four[0]}
    assert ids(store, games=("chess", "toy")) == set(four[:3])
    assert ids(store, players=("eve",)) == {four[1]}
    assert ids(store, tags=("boss", "other")) == {four[2]}
    graded = {summary.id: summary.grade for summary in store.search()}
    order = ("bad", "usable", "good")
    for least in order:
        fits = {i for i in four[:3] if order.index(graded[i]) >= order.index(least)}
        assert ids(store, min_grade=least) == fits
    store.set_review(four[0], Review.LABELLED, "ada")
    assert four[0] not in ids(store)
    assert four[0] in ids(store, review="any")


def test_days_are_local_and_whole(store: Store, four: list[str]) -> None:
    when = store.summary(four[0]).started_at
    day = when.astimezone().strftime("%Y-%m-%d")
    before = (when.astimezone() - timedelta(days=1)).strftime("%Y-%m-%d")
    assert four[0] in ids(store, since=read_day(day), until=read_day(day, is_last=True))
    assert ids(store, until=read_day(before, is_last=True)) == set()
    assert read_day("2026-02-28", is_last=True) - read_day("2026-02-28") == timedelta(days=1)
    assert read_day("2026-02-28T10:00:00+00:00") == datetime(2026, 2, 28, 10, tzinfo=UTC)
    with pytest.raises(BadArgument, match="is no date"):
        read_day("yesterday")


def test_only_the_flags_that_were_chosen_mask(store: Store, toys: Any, four: list[str]) -> None:
    for number, word in enumerate(("menu", "Lag", "private")):
        add(store, four[0], LabelKind.FLAG, word, number * 10, number * 10 + 2)

    def masked(*words: str) -> list[int]:
        choice = Choice(flags_out=words) if words else None
        return np.flatnonzero(~describe(store, four[0], toys.clip, choice).learnable).tolist()

    assert masked() == [0, 1, 10, 11, 20, 21]
    assert masked("lag") == [10, 11, 20, 21], "what is private is never learnt from"
    assert masked("idle") == [20, 21]
    one, other = (freeze(store, clip=toys.clip, choice=Choice(flags_out=words)) for words in (("lag",), ("menu",)))
    assert one.hash != other.hash
    assert read_manifest(store, one.id).choice == Choice(flags_out=("lag",))


def test_what_nobody_asked_for_is_said(store: Store, toys: Any, four: list[str]) -> None:
    with pytest.raises(NotFound, match=r"No accepted session fits \(game chess or go, from 2030-01-01\)"):
        freeze(store, clip=toys.clip, choice=Choice(games=("chess", "go"), since=read_day("2030-01-01")))


def test_warnings_name_what_is_out_of_balance(store: Store, toys: Any) -> None:
    made = [toys.record(store, group=f"g{i}", seed=i, seconds=6) for i in range(6)]
    rename(store, made[5], game="chess")
    said = " ".join(freeze(store, clip=toys.clip).warnings)
    assert "toy is 83% of the time" in said
    assert "minutes are left to train on" in said
    assert freeze(store, clip=toys.clip).games == {"chess": pytest.approx(6 / 3600, rel=0.1), "toy": pytest.approx(30 / 3600, rel=0.1)}  # fmt: skip
    fast = toys.clip.model_copy(update={"rate_hz": 30.0})
    assert "6 sessions have fewer than the 30 frames" in " ".join(freeze(store, clip=fast).warnings)


def test_rates_that_differ_are_said(store: Store, toys: Any, four: list[str]) -> None:
    tallies = [describe(store, one, toys.clip).tally() for one in four]
    assert not any("rates differ" in warning for warning in warn(tallies, 15.0))
    mixed = [*tallies[:3], tallies[3].model_copy(update={"rate_hz": 60.0})]
    assert "rates differ, from 15.0 to 60.0 frames a second; the models see 15." in " ".join(warn(mixed, 15.0))


def test_a_key_that_a_split_lacks_is_named(store: Store, toys: Any) -> None:
    """One second is too short for every key to be pressed in every split."""
    for i in range(4):
        toys.record(store, group=f"g{i}", seed=i, seconds=2)
    manifest = freeze(store, clip=toys.clip)
    held_out = {key.code for key in manifest.keys if not key.held_out_presses}
    assert held_out, "the recordings were chosen so"
    assert any("never pressed in the held-out split" in warning for warning in manifest.warnings)


def test_a_damaged_session_is_left_out_and_told(store: Store, toys: Any, four: list[str]) -> None:
    (store.session_folder(four[0]) / META_NAME).write_text("{")
    manifest = freeze(store, clip=toys.clip)
    assert {item.session_id for item in manifest.items} == set(four[1:])
    assert any(four[0] in warning and "damaged" in warning for warning in manifest.warnings)


def test_the_preview_says_what_freezing_gives(store: Store, toys: Any, four: list[str]) -> None:
    counts = preview(store, Choice(), clip=toys.clip)
    assert not list(store.datasets_dir.iterdir()), "nothing was frozen"
    manifest = freeze(store, clip=toys.clip)
    assert (counts.problem, counts.sessions) == ("", 4)
    assert counts.splits == {split: len(manifest.of(split)) for split in manifest.hours}
    assert counts.hours == manifest.hours
    assert counts.games == manifest.games
    assert counts.warnings == manifest.warnings
    assert counts.players == {"ada": pytest.approx(sum(counts.hours.values()), abs=2e-4)}
    presses = {key.code: key.presses for key in counts.keys}
    for key in manifest.keys:
        assert presses[key.code]["train"] == key.train_presses
        assert presses[key.code]["held-out"] == key.held_out_presses
    assert counts.told_share == 1.0
    few = preview(store, Choice(), clip=toys.clip, by="player")
    assert "one player" in few.problem
    assert (few.sessions, sum(few.splits.values())) == (4, 0)
    none = preview(store, Choice(games=("chess",)), clip=toys.clip)
    assert (none.sessions, none.keys) == (0, ())
    assert "game chess" in none.problem


def test_counts_follow_the_labels_and_are_kept(store: Store, toys: Any, four: list[str]) -> None:
    """What was counted once is read from the cache, and a label that changes it is noticed."""
    kept = store.cache_dir / "tallies"
    first = preview(store, Choice(), clip=toys.clip)
    files = sorted(kept.iterdir())
    assert len(files) == 4
    assert preview(store, Choice(), clip=toys.clip) == first
    assert sorted(kept.iterdir()) == files
    for number in range(8):
        add(store, four[0], LabelKind.FLAG, "menu", number * 5, number * 5 + 5)
        fewer = preview(store, Choice(), clip=toys.clip)
    assert sum(fewer.hours.values()) == pytest.approx(sum(first.hours.values()) - 40 / 15 / 3600, abs=2e-4)
    assert len(list(kept.glob(f"{four[0]}*"))) <= 6
    for path in kept.iterdir():
        path.write_text("{")
    assert preview(store, Choice(), clip=toys.clip) == fewer, "a damaged tally is counted again"
    store.delete(four[0])
    assert not list(kept.glob(f"{four[0]}*"))
    assert preview(store, Choice(), clip=toys.clip).sessions == 3


def test_older_manifests_keep_their_hash(store: Store, toys: Any, four: list[str]) -> None:
    manifest = freeze(store, clip=toys.clip)
    path = store.datasets_dir / manifest.id / NAME
    facts = json.loads(path.read_text()) | {"format": 2}
    for name in ("choice", "games", "imputed_hours"):
        del facts[name]
    for item in facts["items"]:
        del item["imputed"]
    covered = {name: value for name, value in facts.items() if name not in ("id", "created_at", "hash")}
    text = json.dumps(covered, sort_keys=True, ensure_ascii=False)
    facts["hash"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(facts))
    assert read_manifest(store, manifest.id).items == manifest.items
    path.write_text(json.dumps(facts | {"format": 99}))
    with pytest.raises(TooNew, match="format 99"):
        read_manifest(store, manifest.id)


def test_the_command_chooses_previews_and_freezes(toy_library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["dataset", "--library", str(toy_library), "--json", "--game", "toy", "--game", "chess"]
    assert main([*common, "--preview", "--until", "2100-01-01"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["sessions"], counts["problem"]) == (5, "")
    assert main([*common, "--since", "2000-01-01", "--min-grade", "bad", "--flag-out", "menu"]) == 0
    frozen = json.loads(capsys.readouterr().out)
    assert frozen["hours"] == counts["hours"]
    with Store.open(toy_library) as store:
        choice = read_manifest(store, frozen["id"]).choice
    assert choice == Choice(games=("chess", "toy"), since=read_day("2000-01-01"), flags_out=("menu",))
    assert main(["dataset", "--library", str(toy_library), "--preview", "--player", "ada"]) == 0
    assert "not frozen" in capsys.readouterr().out
    for wrong in (["--since", "soon"], ["--since", "2026-02-02", "--until", "2026-02-01"], ["--min-confidence", "0.5"]):
        assert main([*common, *wrong]) == 1
        capsys.readouterr()


def test_manifests_of_one_choice_are_equal(toy_store: Store, toy_manifest: Manifest, toys: Any) -> None:
    again = freeze(toy_store, clip=toys.clip, choice=Choice())
    assert again.hash == toy_manifest.hash
    assert freeze(toy_store, clip=toys.clip, choice=Choice(games=("toy",))).hash != again.hash, "it was asked for more"
