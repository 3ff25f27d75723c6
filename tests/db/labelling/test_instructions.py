"""What a player was told becomes spans when the session is entered, also after a crash."""

from __future__ import annotations

import numpy as np
import pytest

from db.clock import FrameClock
from db.labelling.instructions import NAME, Told, note_told, read_told, settle_told, to_spans
from db.labelling.labels import LabelKind, spans
from db.store import Store
from recordings import Take, record

CLOCK = FrameClock(np.array([100, 200, 300, 400, 500], np.int64), 600)


def stretches(told):
    return [(edit.start, edit.stop, edit.value) for edit in to_spans(told, "s", "ann", CLOCK)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(100, "go")], [(0, 5, "go")]),
        ([(50, "go"), (300, "stop")], [(0, 2, "go"), (2, 5, "stop")]),
        ([(100, "go"), (250, ""), (400, "stop")], [(0, 2, "go"), (3, 5, "stop")]),
        ([(100, "go"), (101, "run"), (200, "stop")], [(0, 1, "go"), (1, 5, "stop")]),
        ([(100, ""), (550, "too late")], []),
        ([], []),
    ],
    ids=["one", "two", "none between", "between two frames", "nothing", "nobody"],
)
def test_each_lasts_from_its_frame_to_the_next(told, expected):
    assert stretches([Told(t_ns=t_ns, text=text) for t_ns, text in told]) == expected


def test_a_torn_line_is_left_out(tmp_path):
    note_told(tmp_path, 300, "stop")
    note_told(tmp_path, 100, "go")
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"t_ns": 400, "te')
    assert [(told.t_ns, told.text) for told in read_told(tmp_path)] == [(100, "go"), (300, "stop")]


@pytest.fixture
def played(tmp_path):
    """A library with one session, entered, and its folder."""
    with Store.open(tmp_path / "library") as store:
        session_id = record(store, Take(count=30))
        yield store, session_id, store.session_folder(session_id)


def test_entering_makes_confirmed_spans_of_the_play(played):
    store, session_id, folder = played
    clock = store.recording(session_id).clock
    note_told(folder, int(clock.t_ns[0]), "go")
    note_told(folder, int(clock.t_ns[12]), "stop")
    store.enter(session_id)
    assert not (folder / NAME).exists()
    found = spans(store.edits(session_id), LabelKind.INSTRUCTION)
    assert [(e.start, e.stop, e.value, e.source, e.suggested) for e in found] == [
        (0, 12, "go", "play", False), (12, 30, "stop", "play", False),
    ]  # fmt: skip
    assert {edit.author for edit in found} == {store.recording(session_id).meta.player}


def test_a_crash_between_the_two_steps_makes_nothing_twice(played):
    store, session_id, folder = played
    recording = store.recording(session_id)
    note_told(folder, int(recording.clock.t_ns[0]), "go")
    kept = (folder / NAME).read_bytes()
    settle_told(folder, session_id, recording.meta.player, recording.clock)
    (folder / NAME).write_bytes(kept)
    store.enter(session_id)
    store.enter(session_id)
    assert [edit.value for edit in store.edits(session_id)] == ["go"]
    store.rebuild()
    assert len(store.edits(session_id)) == 1
