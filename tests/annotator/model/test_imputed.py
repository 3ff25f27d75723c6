"""What a model imputed, in the lanes: suggested beside them, confirmed in them, and what a person may then correct."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import ConfirmSpan
from annotator.model.edits.history import History
from annotator.model.edits.key_commands import AddPress, RemovePress
from annotator.model.edits.suggesting import ConfirmAll, RejectSpan
from annotator.model.timeline.inputs import Inputs
from db.errors import BadArgument
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.corrections import ImputedCorrection, KeyCorrection, corrections_of
from db.recording.events import Gap, GapReason
from db.store import Store
from recordings import KEY_A, KEY_W, Take, frame_times, record

FRAMES = 60
TIMES = frame_times(FRAMES)


@pytest.fixture
def session_id(store: Store) -> str:
    """Nothing is known of frames 20 to 40; a model says that W was held over 25 to 30, and moves in frame 32."""
    made = record(store, Take(count=FRAMES, gaps=[Gap(TIMES[20], TIMES[40], GapReason.LOST)]))
    keys = (KeyCorrection(code=KEY_W, holds_ns=((TIMES[25], TIMES[30]),)),)
    first = ImputedCorrection(confidence=0.9, keys=keys, moves=((TIMES[32], 5.0, 0.0),))
    doubt = KeyCorrection(code=KEY_A, holds_ns=((TIMES[50], TIMES[52]),), confidence=0.97)
    common = {"session_id": made, "kind": LabelKind.ACTION, "author": "ann", "source": "run:idm-1", "suggested": True}
    store.commit(
        [
            Edit(start=20, stop=40, value=first.model_dump_json(), **common),
            Edit(start=50, stop=52, value=doubt.model_dump_json(), **common),
        ]
    )
    return made


@pytest.fixture
def document(store: Store, session_id: str) -> Document:
    return Document(store, session_id, "ann", store.recording(session_id).clock)


@pytest.fixture
def inputs(store: Store, session_id: str, document: Document) -> Inputs:
    return Inputs(store.recording(session_id).facts, document)


def agrees(store: Store, inputs: Inputs) -> bool:
    """Whether the lanes say what `resolve` says."""
    document = inputs.document
    said = corrections_of(spans(store.edits(document.session_id)))
    track = store.recording(document.session_id).resolve(corrections=said)
    for frame in range(FRAMES):
        held = {code for code, on in zip(track.codes, track.active[frame], strict=True) if on}
        if set(inputs.active(frame)) != held or inputs.motion(frame) != tuple(track.motion[frame].tolist()):
            return False
    return True


def test_a_suggestion_stands_beside_the_lanes(store, document, inputs) -> None:
    assert inputs.active(26) == []
    assert KEY_A in inputs.codes
    lane = inputs.suggested(KEY_W)
    assert lane is not None
    assert (round(float(lane.start[0]), 3), round(float(lane.stop[0]), 3)) == (25, 30)
    assert inputs.suggested(KEY_W) is lane
    assert len(inputs.gaps) == 1
    assert agrees(store, inputs)


def test_confirmed_it_is_known_and_can_be_corrected(store, document, inputs) -> None:
    history = History(document)
    with pytest.raises(BadArgument, match="stays unknown"):
        history.do(AddPress.over(inputs, KEY_W, 35, 38))
    history.do(ConfirmSpan(document.spans(LabelKind.ACTION)[0].entity_id))
    assert inputs.active(26) == [KEY_W]
    assert inputs.motion(32) == (5.0, 0.0)
    assert len(inputs.gaps) == 0
    assert inputs.suggested(KEY_W) is None
    assert agrees(store, inputs)
    history.do(AddPress.over(inputs, KEY_W, 35, 38))
    assert inputs.active(36) == [KEY_W]
    history.do(RemovePress.under(inputs, KEY_W, 26))
    assert inputs.active(26) == []
    assert agrees(store, inputs)
    for _ in range(3):
        history.undo()
    assert inputs.active(26) == []
    assert len(inputs.gaps) == 1
    assert agrees(store, inputs)


def test_all_are_confirmed_and_one_is_rejected(store, document, inputs) -> None:
    history = History(document)
    history.do(RejectSpan(document.spans(LabelKind.ACTION)[1].entity_id))
    assert inputs.suggested(KEY_A) is None
    history.do(ConfirmAll("run:idm-1"))
    assert document.spans(suggested=True) == []
    assert inputs.active(26) == [KEY_W]
    assert inputs.active(51) == inputs.raw.active(51)
    assert np.all(inputs.raw.known)
    assert agrees(store, inputs)
