"""What an IDM expects is kept tick by tick, and where a recording is wrong the disagreement with it is greatest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db.errors import BadArgument, BadFile, Withdrawn
from db.labelling.labels import Edit, Flag, LabelKind
from db.recording.events import EventKind, InputEvent
from db.recording.expectation import Expectation, find_expectations, read_expectation
from db.recording.surprise import Scale, key_surprise, mean_around, motion_surprise
from db.store import Store
from db.upkeep.withdrawal import withdraw
from trainer import expect as expecting
from trainer.data.clips import load_session
from trainer.expect import Expected, expect_session
from trainer.models import Loaded, load_model
from trainer.scoring.inference import predict_take

SECONDS, TICKS = 24.0, 360
WRONG = range(150, 210)
"""The ticks over which a session is spoilt."""


@pytest.fixture
def toy_store(idm_library: Path) -> Iterator[Store]:
    with Store.open(idm_library) as opened:
        yield opened


@pytest.fixture
def loaded(toy_store: Store, idm: str) -> Loaded:
    return load_model(toy_store, idm)


def kept(store: Store, session_id: str) -> list[Path]:
    return find_expectations(store.cache_dir, session_id, store.recording(session_id).meta.revision)


def ask(store: Store, loaded: Loaded, session_id: str, **more: Any) -> tuple[Expected, Expectation]:
    done = expect_session(store, loaded, session_id, **more)
    [path] = kept(store, session_id)
    assert str(path) == done.path
    return done, read_expectation(path, len(store.recording(session_id).clock))


def surprise(store: Store, session_id: str, said: Expectation) -> np.ndarray:
    """(T,) the mean surprise around each tick, from nothing but what was kept and what was recorded."""
    track = store.recording(session_id).resolve(said.edges_ns)
    total = key_surprise(said.probability, track.select(said.codes), track.known, said.said).sum(axis=1)
    for axis, (shares, edges) in enumerate(((said.dx, said.dx_edges), (said.dy, said.dy_edges))):
        total += motion_surprise(shares, edges, track.motion[:, axis], track.known, said.said)
    return mean_around(total, said.edges_ns, track.known & said.said)


def missing(toys, events: list[InputEvent]) -> list[InputEvent]:
    """Without what was pressed and moved while it goes wrong."""
    first, last = toys.frame_ns(WRONG.start), toys.frame_ns(WRONG.stop)
    return [e for e in events if not (first <= e.t_ns < last and (e.kind is EventKind.MOTION or e.value == 1))]


def late(toys, events: list[InputEvent]) -> list[InputEvent]:
    """With everything of the stretch eight ticks late, and nothing else from there to its end."""
    first, last = toys.frame_ns(WRONG.start), toys.frame_ns(WRONG.stop)
    delay = toys.frame_ns(8) - toys.frame_ns(0)
    return [replace(e, t_ns=e.t_ns + delay) if first <= e.t_ns < last - delay else e for e in events]


@pytest.mark.parametrize("how", [missing, late])
@pytest.mark.parametrize("seed", [41, 42])
def test_it_is_hottest_where_the_recording_was_spoilt(toy_store: Store, loaded: Loaded, toys, how, seed: int) -> None:
    session_id = toys.record(
        toy_store,
        group=f"{how.__name__}-{seed}",
        seed=seed,
        seconds=SECONDS,
        accept=False,
        spoil=lambda e: how(toys, e),
    )
    _, said = ask(toy_store, loaded, session_id)
    assert said.said.all()
    assert said.scale is not None, "what is usual was measured as the model was made"
    level = said.scale.disagreement(surprise(toy_store, session_id, said))
    wrong = np.zeros(len(level), np.bool_)
    wrong[WRONG.start : WRONG.stop] = True
    away = np.ones(len(level), np.bool_)
    away[WRONG.start - 8 : WRONG.stop + 8] = False  # the mean reaches half a second to both sides
    assert not away[np.argsort(level)[-20:]].any(), "some of the hottest ticks lie elsewhere"
    assert level[wrong].max() > 1.5
    assert np.mean(level[wrong]) > 4 * np.mean(level[away])
    assert np.median(level[away]) < 0.5


def test_what_is_usual_is_measured_on_the_calibration_split(toy_store: Store, loaded: Loaded) -> None:
    figures = loaded.card.figures
    assert 0 < figures["surprise_median"] < figures["surprise_p99"]


def test_the_probabilities_are_the_models_own(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = toys.record(toy_store, group="own", seed=51, seconds=SECONDS, accept=False)
    _, said = ask(toy_store, loaded, session_id)
    take = load_session(toy_store, session_id, loaded.card.clip, loaded.card.space)
    found = predict_take(loaded.net, take, loaded.card.space)
    assert said.model == loaded.card.id
    assert said.codes == loaded.card.space.codes
    assert np.array_equal(said.ticks, take.ticks)
    assert np.abs(said.probability - found.probability).max() < 2e-3
    assert np.abs(said.dx - found.bins[0]).max() < 2e-3
    assert said.scale == Scale(loaded.card.figures["surprise_median"], loaded.card.figures["surprise_p99"])


def test_it_goes_on_where_it_was_stopped(toy_store: Store, loaded: Loaded, toys, monkeypatch) -> None:
    session_id = toys.record(toy_store, group="stopped", seed=52, seconds=SECONDS, accept=False)
    monkeypatch.setattr(expecting, "BLOCK_TICKS", 64)
    told: list[tuple[str, int, int]] = []
    looked = lambda: sum(row[0] == "looking" for row in told)  # noqa: E731
    done, said = ask(
        toy_store, loaded, session_id, progress=lambda *row: told.append(row), stopped=lambda: looked() >= 3
    )
    assert done.was_stopped
    assert said.said.tolist() == [True] * 128 + [False] * (TICKS - 128)
    assert told[0][0] == "reading pictures"
    assert told[-1] == ("looking", 128, TICKS)
    told.clear()
    done, whole = ask(toy_store, loaded, session_id, progress=lambda *row: told.append(row))
    assert not done.was_stopped
    assert done.said_s == pytest.approx(SECONDS)
    assert told[0] == ("looking", 0, TICKS - 128), "the pictures were decoded before"
    assert whole.said.all()
    assert np.array_equal(whole.probability[:128], said.probability[:128])
    told.clear()
    ask(toy_store, loaded, session_id, progress=lambda *row: told.append(row))
    assert told == [("looking", 0, 0)]


def test_reading_the_pictures_can_be_stopped(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = toys.record(toy_store, group="reading", seed=53, seconds=SECONDS, accept=False)
    done = expect_session(toy_store, loaded, session_id, stopped=lambda: True)
    assert done.was_stopped
    assert not list(toy_store.cache_dir.rglob(f"{session_id}*"))


def test_what_is_private_is_not_looked_at(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = toys.record(toy_store, group="private", seed=54, seconds=SECONDS, accept=False)
    flag = Edit(session_id=session_id, kind=LabelKind.FLAG, start=30, stop=60, value=Flag.PRIVATE.value, author="ada")
    toy_store.commit([flag])
    _, said = ask(toy_store, loaded, session_id)
    assert not said.said[30:60].any()
    assert not said.probability[30:60].any()
    assert said.said[:30].all()
    assert said.said[60:].all()


def test_a_damaged_file_is_made_anew(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = toys.record(toy_store, group="damaged", seed=55, seconds=SECONDS, accept=False)
    done, said = ask(toy_store, loaded, session_id)
    Path(done.path).write_bytes(b"PK nonsense")
    with pytest.raises(BadFile):
        read_expectation(Path(done.path), TICKS)
    _, again = ask(toy_store, loaded, session_id)
    assert np.array_equal(again.probability, said.probability)


def test_nothing_is_kept_of_pictures_that_were_destroyed_meanwhile(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = toys.record(toy_store, group="meanwhile", seed=56, seconds=SECONDS, accept=False)
    with Store.open(toy_store.root) as other:

        def destroy(what: str, done: int, total: int) -> None:
            if what == "looking" and done == 0 and other.recording(session_id).meta.revision == revision:
                other.redact(session_id, [(10, 40)])

        revision = toy_store.recording(session_id).meta.revision
        with pytest.raises(BadArgument, match="changed meanwhile"):
            expect_session(toy_store, loaded, session_id, progress=destroy)
    assert find_expectations(toy_store.cache_dir, session_id, revision) == []


def test_a_session_that_is_destroyed_or_taken_back_takes_it_along(toy_store: Store, loaded: Loaded, toys) -> None:
    session_id = toys.record(toy_store, group="gone", seed=57, seconds=SECONDS, accept=False)
    done, _ = ask(toy_store, loaded, session_id)
    toy_store.redact(session_id, [(10, 40)])
    assert not Path(done.path).exists()
    done, _ = ask(toy_store, loaded, session_id)
    withdraw(toy_store, session_id)
    with pytest.raises(Withdrawn):
        expect_session(toy_store, loaded, session_id)
    toy_store.delete(session_id)
    assert not Path(done.path).exists()


def command(store: Store, idm: str, session_id: str) -> list[str]:
    options = ["--library", str(store.root), "--model", idm, "--json", "--threads", "1", session_id]
    return [sys.executable, "-P", "-m", "trainer", "expect", *options]


ENV = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def test_the_command_tells_how_far_it_is_and_what_it_did(toy_store: Store, idm: str, toys) -> None:
    session_id = toys.record(toy_store, group="told", seed=58, seconds=SECONDS, accept=False)
    done = subprocess.run(command(toy_store, idm, session_id), env=ENV, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["phase"] == "reading pictures"
    assert rows[-2] | {"eta_s": None} == {
        "phase": "looking", "session": session_id, "step": TICKS, "steps": TICKS, "eta_s": None,
    }  # fmt: skip
    assert rows[-1]["sessions"][0]["said_s"] == pytest.approx(SECONDS)
    assert kept(toy_store, session_id)


def test_the_command_keeps_what_was_said_when_it_is_asked_to_stop(toy_store: Store, idm: str, toys) -> None:
    session_id = toys.record(toy_store, group="long", seed=59, seconds=240.0, accept=False)
    with subprocess.Popen(command(toy_store, idm, session_id), env=ENV, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            row = json.loads(line)
            if row.get("phase") == "looking":
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
    assert process.returncode == 130, rest
    assert json.loads(rest.splitlines()[-1])["stopped"]
    [path] = kept(toy_store, session_id)
    said = read_expectation(path, len(toy_store.recording(session_id).clock))
    assert not said.said.all()
