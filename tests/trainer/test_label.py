"""A trained IDM fills in what was never recorded, and doubts what was recorded wrongly; a person has the last word."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from db.errors import BadArgument
from db.labelling.labels import Edit, LabelKind, Review, spans
from db.recording.corrections import ImputedCorrection, KeyCorrection, corrections_of, read_correction
from db.recording.events import Gap, GapReason
from db.store import Store
from trainer import label as labels
from trainer.configs import named_config
from trainer.data.dataset import describe, freeze
from trainer.label import Labelled, label_session
from trainer.models import Loaded, load_model

CPU = torch.device("cpu")


@pytest.fixture
def toy_store(idm_library: Path) -> Iterator[Store]:
    with Store.open(idm_library) as opened:
        yield opened


@pytest.fixture
def loaded(toy_store: Store, idm: str) -> Loaded:
    return load_model(toy_store, idm)


def unrecorded(store: Store, toys, seed: int, *gaps: tuple[int, int, GapReason], seconds: float = 12.0) -> str:
    """A session of the toy game with gaps over these frames. Not accepted, so that it is in nobody's dataset."""
    made = tuple(Gap(toys.frame_ns(a), toys.frame_ns(b), reason) for a, b, reason in gaps)
    return toys.record(store, group=f"gaps-{seed}", seed=seed, seconds=seconds, gaps=made, accept=False)


def run_label(store: Store, loaded: Loaded, session_id: str, **more: Any) -> Labelled:
    return label_session(store, loaded, session_id, "ada", **more)


def suggested(store: Store, session_id: str) -> list[Edit]:
    return [edit for edit in spans(store.edits(session_id), LabelKind.ACTION) if edit.suggested]


def covered(edits: list[Edit]) -> list[int]:
    return sorted(frame for edit in edits for frame in range(edit.start, edit.stop))


def confirm_all(store: Store, session_id: str) -> None:
    store.commit([edit.revised("ada", suggested=False) for edit in suggested(store, session_id)])


def test_a_session_without_any_input_is_filled_and_learnt_from_once_confirmed(
    toy_store: Store, loaded: Loaded, toys
) -> None:
    session_id = unrecorded(toy_store, toys, 91, (0, 180, GapReason.UNRECORDED))
    truth = toy_store.recording(toys.record(toy_store, group="gaps-91b", seed=91, seconds=12.0, accept=False)).resolve()
    result = run_label(toy_store, loaded, session_id)
    edits = suggested(toy_store, session_id)
    assert covered(edits) == list(range(180))
    assert result.suggestions == len(edits) == 2
    assert result.imputed_s == pytest.approx(12.0)
    assert {edit.source for edit in edits} == {f"run:{loaded.card.id}"}
    assert all(isinstance(read_correction(edit.value), ImputedCorrection) for edit in edits)
    assert not describe(toy_store, session_id, toys.clip).learnable.any(), "a suggestion is learnt from"
    confirm_all(toy_store, session_id)
    described = describe(toy_store, session_id, toys.clip)
    assert described.learnable.all()
    track = toy_store.recording(session_id).resolve(corrections=corrections_of(spans(toy_store.edits(session_id))))
    agrees = float((track.select(toys.keys) == truth.select(toys.keys)).mean())
    silent = float((~truth.select(toys.keys)).mean())
    assert agrees > silent, "what was imputed is no better than nothing"
    assert float(np.corrcoef(track.motion[:, 0], truth.motion[:, 0])[0, 1]) > 0.2


def test_only_gaps_that_nobody_made_on_purpose_are_filled(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(
        toy_store, toys, 92, (20, 40, GapReason.LOST), (60, 80, GapReason.REDACTED), (100, 120, GapReason.MUTED),
        (140, 160, GapReason.UNRECORDED),
    )  # fmt: skip
    toy_store.commit(
        [
            Edit(session_id=session_id, kind=LabelKind.FLAG, start=145, stop=150, value="private", author="ada"),
            Edit(session_id=session_id, kind=LabelKind.TRIM, start=155, stop=180, author="ada"),
        ]
    )
    run_label(toy_store, loaded, session_id)
    assert covered(suggested(toy_store, session_id)) == [*range(20, 40), *range(140, 145), *range(150, 155)]


def test_a_session_that_is_known_gets_nothing(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 93)
    assert run_label(toy_store, loaded, session_id).suggestions == 0
    assert suggested(toy_store, session_id) == []


def test_what_was_said_or_rejected_is_not_said_again(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 94, (0, 180, GapReason.UNRECORDED))
    run_label(toy_store, loaded, session_id)
    first, *others = suggested(toy_store, session_id)
    toy_store.commit([first.revised("ada", deleted=True)])
    assert run_label(toy_store, loaded, session_id).suggestions == 0
    assert suggested(toy_store, session_id) == others


def test_it_stops_between_blocks_and_goes_on_there(
    toy_store: Store, loaded: Loaded, toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "BLOCK_TICKS", 60)
    session_id = unrecorded(toy_store, toys, 95, (0, 180, GapReason.UNRECORDED))
    heard: list[tuple[int, int]] = []
    result = run_label(
        toy_store, loaded, session_id, progress=lambda *far: heard.append(far), stopped=lambda: len(heard) > 1
    )
    assert result.was_stopped
    assert heard == [(0, 180), (60, 180)]
    assert covered(suggested(toy_store, session_id)) == list(range(60))
    assert not run_label(toy_store, loaded, session_id).was_stopped
    assert covered(suggested(toy_store, session_id)) == list(range(180))


def test_a_key_that_was_not_recorded_is_missed(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 96, seconds=20.0)
    *_, light = toys.keys
    lit = np.flatnonzero(toy_store.recording(session_id).resolve().select([light])[:, 0])
    run_label(toy_store, loaded, session_id, disagreements=0.6)
    assert not set(covered(suggested(toy_store, session_id))) & set(lit[2:-2].tolist()), "a true press is doubted"
    with closing(sqlite3.connect(toy_store.session_folder(session_id) / "facts.sqlite")) as facts, facts:
        facts.execute("DELETE FROM event WHERE code = ?", (light,))
    before = {edit.entity_id for edit in suggested(toy_store, session_id)}
    result = run_label(toy_store, loaded, session_id, disagreements=0.6)
    fresh = [edit for edit in suggested(toy_store, session_id) if edit.entity_id not in before]
    assert result.disagreements == len(fresh) > 0
    missed = [edit for edit in fresh if read_correction(edit.value).code == light]
    assert len(set(covered(missed)) & set(lit.tolist())) > len(lit) / 2
    for edit in fresh:
        correction = read_correction(edit.value)
        assert isinstance(correction, KeyCorrection)
        assert correction.confidence >= 0.6
        assert edit.stop - edit.start >= labels.LEAST_TICKS
    assert run_label(toy_store, loaded, session_id, disagreements=0.6).suggestions == 0


def test_what_a_person_corrected_is_not_doubted(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 102)
    count = len(toy_store.recording(session_id).clock)
    said = [KeyCorrection(code=code).model_dump_json() for code in toys.keys]
    whole = {"session_id": session_id, "kind": LabelKind.ACTION, "start": 0, "stop": count, "author": "ada"}
    toy_store.commit([Edit(value=value, **whole) for value in said])
    assert run_label(toy_store, loaded, session_id, disagreements=0.6).disagreements == 0


def test_too_much_for_one_suggestion_becomes_two(
    toy_store: Store, loaded: Loaded, toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MOST_TEXT", 300)
    session_id = unrecorded(toy_store, toys, 97, (0, 180, GapReason.UNRECORDED))
    run_label(toy_store, loaded, session_id)
    edits = suggested(toy_store, session_id)
    assert len(edits) > 2
    assert covered(edits) == list(range(180))
    assert all(len(edit.value) <= 300 or edit.stop - edit.start == 1 for edit in edits)


def test_what_does_not_fit_is_refused(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 98, (0, 180, GapReason.UNRECORDED))
    card = loaded.card
    recording = toy_store.recording(session_id)
    fast = card.model_copy(update={"clip": card.clip.model_copy(update={"rate_hz": 60.0})})
    with pytest.raises(BadArgument, match="frames a second"):
        labels.check_fits(toy_store, fast, recording)
    strange = card.model_copy(update={"space": card.space.model_copy(update={"codes": (200, 201)})})
    with pytest.raises(BadArgument, match="None of the keys"):
        labels.check_fits(toy_store, strange, recording)
    policy = card.model_copy(update={"config": named_config("policy", "quick")})
    with pytest.raises(BadArgument, match="is a policy"):
        labels.check_fits(toy_store, policy, recording)


def test_another_game_needs_leave(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 99, (0, 180, GapReason.UNRECORDED))
    recording = toy_store.recording(session_id)
    recording.meta = recording.meta.model_copy(update={"game": "Chess"})
    with pytest.raises(BadArgument, match="--any-game"):
        labels.check_fits(toy_store, loaded.card, recording)
    labels.check_fits(toy_store, loaded.card, recording, any_game=True)


def test_the_command_tells_how_far_it_is_and_what_it_did(toy_store: Store, idm: str, toys) -> None:
    session_id = unrecorded(toy_store, toys, 100, (0, 180, GapReason.UNRECORDED))
    command = [
        sys.executable,
        "-P",
        "-m",
        "trainer",
        "label",
        "--library",
        str(toy_store.root),
        "--model",
        idm,
        "--json",
    ]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*command, session_id, "--threads", "1", "--person", "eve"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["phase"] == "labelling"
    assert (rows[0]["step"], rows[0]["steps"]) == (0, 180)
    assert rows[-1]["suggestions"] == len(suggested(toy_store, session_id)) == 2
    assert {edit.author for edit in suggested(toy_store, session_id)} == {"eve"}


def test_a_dataset_frozen_afterwards_holds_what_was_confirmed(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = unrecorded(toy_store, toys, 101, (0, 180, GapReason.UNRECORDED))
    run_label(toy_store, loaded, session_id)
    confirm_all(toy_store, session_id)
    toy_store.set_review(session_id, Review.ACCEPTED, "ada")
    try:
        manifest = freeze(toy_store, clip=toys.clip)
        item = next(item for item in manifest.items if item.session_id == session_id)
        assert item.learnable_ticks == item.ticks
        assert len(item.corrected) == 2
        track = toy_store.recording(session_id).resolve(corrections=item.corrections)
        assert track.known.all()
    finally:
        toy_store.set_review(session_id, Review.REJECTED, "ada")
