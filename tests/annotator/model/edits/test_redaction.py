"""What destroying stretches would take away, counted."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import CreateSpan
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.redaction import choices, joined, loss_of
from db.clock import FrameClock
from db.labelling.labels import Edit, LabelKind, new_id
from db.recording.corrections import KeyCorrection
from db.recording.events import EventKind, InputEvent, Origin, to_array

FRAME_NS = 10_000_000
FLAG = LabelKind.FLAG


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def document(log) -> Document:
    clock = FrameClock(np.arange(100, dtype=np.int64) * FRAME_NS, 100 * FRAME_NS)
    return Document(log, new_id(), "ann", clock)


def flag(document: Document, start: int, stop: int, word: str = "private") -> str:
    return History(document).do(CreateSpan(FLAG, start, stop, word))[0].entity_id


def test_only_what_there_is_is_offered(document) -> None:
    assert choices(document, None, None) == {}
    idle, private = flag(document, 5, 9, "idle"), flag(document, 10, 20)
    flag(document, 20, 30)
    everything = {"Everything that is flagged private": ((10, 30),)}
    assert choices(document, None, document.span(idle)) == everything
    assert choices(document, (1, 3), document.span(private)) == {
        "The marked stretch": ((1, 3),),
        "The selected private flag": ((10, 20),),
        **everything,
    }


def test_a_suggested_flag_destroys_nothing(document, log) -> None:
    fields = {"session_id": document.session_id, "author": "rules", "source": "run:rules-1"}
    log.commit([Edit(kind=FLAG, start=1, stop=9, value="private", suggested=True, **fields)])
    document.refresh()
    span = document.spans(FLAG)[0]
    assert span.suggested
    assert choices(document, None, span) == {}


def test_each_press_counts_once_and_states_do_not(document) -> None:
    def key(frame: float, value: int, **more) -> InputEvent:
        return InputEvent(round(frame * FRAME_NS), EventKind.KEY, 17, value, **more)

    events = to_array(
        [
            key(9.9, 1),
            key(10, 1, origin=Origin.SNAPSHOT),
            key(10.5, 1),
            key(11, 0),
            InputEvent(12 * FRAME_NS, EventKind.MOTION, x=1.0),
            key(19.9, 1),
            key(20, 1),
        ]
    )
    loss = loss_of(document, events, [(10, 15), (12, 20)])
    assert loss.stretches == ((10, 20),)
    assert (loss.frames, loss.presses, loss.motions) == (10, 2, 1)
    assert loss.seconds == pytest.approx(0.1)


def test_corrections_that_reach_into_it_count(document, log) -> None:
    said = KeyCorrection(code=17, holds_ns=()).model_dump_json()
    fields = {"session_id": document.session_id, "author": "ann", "kind": LabelKind.ACTION, "value": said}
    log.commit([Edit(start=5, stop=11, **fields), Edit(start=20, stop=25, **fields)])
    document.refresh()
    assert loss_of(document, to_array([]), [(10, 20)]).corrections == 1


def test_stretches_are_joined() -> None:
    assert joined([(5, 9), (1, 3), (3, 4), (8, 12)]) == ((1, 4), (5, 12))
    assert joined([]) == ()
