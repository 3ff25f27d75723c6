"""Who acted comes back from the formats that Playtape writes it into: what a model did is not learnt as a person's."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from db.formats.acting import bits_of, list_actors, places_of, read_actors, tell_actors
from db.formats.format import Asked
from db.formats.registry import find_format
from db.formats.table import has_parquet
from db.formats.transfer import bring_in, write_out
from db.recording.events import Actor, ActorKind
from db.store import Store
from recordings import FRAME_NS, KEY_A, KEY_W, START_NS, Take, key, move, record

COUNT = 60
PERSON, SCRIPT, MODEL = (
    Actor(kind=kind, name=name) for kind, name in zip(ActorKind, ("ann", "demo", "p-1"), strict=True)
)


def at(frame: float) -> int:
    return START_NS + int(frame * FRAME_NS)


def play(actors: tuple[int, ...]) -> list:
    """Each in turn for ten frames: a key held for six of them, and motion."""
    events = []
    for turn in range(6):
        actor, first = actors[turn % len(actors)], 10 * turn
        code = (KEY_W, KEY_A)[turn % 2]
        events += [key(at(first + 1.5), code, 1), *(move(at(first + i + 0.5), i, -1) for i in range(2, 7))]
        events += [key(at(first + 7.5), code, 0)]
        events[-7:] = [replace(event, actor=actor) for event in events[-7:]]
    return events


@pytest.mark.parametrize("kind", ["frames", "lerobot", "owamcap"])
@pytest.mark.parametrize("actors", [(PERSON, MODEL), (PERSON, SCRIPT, MODEL), (MODEL, PERSON), (SCRIPT,), (PERSON,)])
def test_who_acted_comes_back(store, tmp_path, kind, actors):
    if kind != "frames" and not has_parquet():
        pytest.skip("pyarrow is not installed")
    session = record(store, Take(count=COUNT, events=play(tuple(range(len(actors)))), actors=actors))
    list(write_out(store, find_format(kind), [session], tmp_path / "out", Asked()))
    with Store.open(tmp_path / "other") as other:
        (report,) = bring_in(other, find_format(kind), [tmp_path / "out"], Asked())
        assert report.outcome == "imported", report.error
        came = other.recording(report.session_id)
        assert set(came.meta.actors) == set(actors)
        assert np.array_equal(came.resolve().actors, store.recording(session).resolve().actors)


def test_a_frame_in_which_a_model_had_a_part_is_not_the_persons(store, tmp_path):
    events = [replace(move(at(5.2), 3, 0), actor=1), move(at(5.4), 1, 0), move(at(6.5), 1, 0)]
    session = record(store, Take(count=COUNT, events=events, actors=(PERSON, MODEL)))
    list(write_out(store, find_format("frames"), [session], tmp_path / "out", Asked()))
    with Store.open(tmp_path / "other") as other:
        (report,) = bring_in(other, find_format("frames"), [tmp_path / "out"], Asked())
        acted = other.recording(report.session_id).resolve().actors
    assert acted[5:7].tolist() == [ActorKind.MODEL.bit, ActorKind.PERSON.bit]


def test_a_strangers_column_of_actors_is_no_claim(store, tmp_path):
    """A LeRobot dataset of somebody else may mean anything by it; in a table of frames words that name nobody count for nothing."""
    session = record(store, Take(count=COUNT, events=play((0,))))
    list(write_out(store, find_format("frames"), [session], tmp_path / "out", Asked()))
    table = tmp_path / "out" / session / "frames.csv"
    table.write_text(table.read_text().replace(",person,", ",R2D2+person+person,"))
    with Store.open(tmp_path / "other") as other:
        (report,) = bring_in(other, find_format("frames"), [tmp_path / "out"], Asked())
        assert [actor.kind for actor in other.recording(report.session_id).meta.actors] == [ActorKind.PERSON]


@pytest.mark.parametrize(
    "told", [None, 3, "x", [3], [["person"]], [["god", "x"]], [[1, 2]], {"person": "x"}, [["model", None]]]
)
def test_notes_that_cannot_be_are_left_out(told):
    assert read_actors(told) == []
    assert list_actors(4, "bob", told) == (Actor(kind=ActorKind.MODEL),)


def test_words_bits_and_places():
    bits = bits_of(["person", "", "person+model", "script", "model", "nobody"])
    assert bits.tolist() == [1, 0, 5, 2, 4, 0]
    actors = list_actors(7, "bob", tell_actors((SCRIPT, MODEL)))
    assert actors == (Actor(kind=ActorKind.PERSON, name="bob"), SCRIPT, MODEL)
    assert places_of(bits, actors).tolist() == [0, 0, 2, 1, 2, 0]
    assert places_of(bits, (MODEL,)).tolist() == [0] * 6
    assert read_actors(json.loads(json.dumps(tell_actors([PERSON, MODEL])))) == [PERSON, MODEL]
