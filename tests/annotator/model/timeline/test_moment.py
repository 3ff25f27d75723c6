"""What is shown of one frame: held keys, those that were corrected, motion, and where nothing is known."""

from __future__ import annotations

from annotator.model.document import Document
from annotator.model.edits.history import History
from annotator.model.edits.key_commands import AddPress, RemovePress
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.motion_commands import ScaleMotion
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.moment import moment_of, uses_mouse
from db.clock import FrameClock
from db.labelling.labels import new_id
from db.recording.events import Gap, GapReason
from recordings import KEY_A, KEY_W, facts_of, frame_times, key, move

TIMES = frame_times(100)
STOP_NS = TIMES[-1] + 33_333_333


def inputs_of(events, gaps=()) -> Inputs:
    import numpy as np

    clock = FrameClock(np.array(TIMES, np.int64), STOP_NS)
    document = Document(MemoryLog(), new_id(), "ann", clock)
    return Inputs(facts_of(events, gaps, start_ns=TIMES[0], stop_ns=STOP_NS), document)


def test_a_key_that_was_added_or_taken_away_is_marked_where_that_shows() -> None:
    inputs = inputs_of([key(TIMES[10] + 5, KEY_W, 1), key(TIMES[20] + 5, KEY_W, 0)])
    history = History(inputs.document)
    assert moment_of(inputs, 12).held == (KEY_W,)
    assert moment_of(inputs, 12).corrected == frozenset()
    history.do(AddPress.over(inputs, KEY_A, 11, 14))
    history.do(RemovePress(inputs, KEY_W, TIMES[10] + 5))
    moment = moment_of(inputs, 12)
    assert moment.held == (KEY_A,)
    assert moment.corrected == {KEY_A, KEY_W}
    assert moment_of(inputs, 15).corrected == {KEY_W}
    assert moment_of(inputs, 30).corrected == frozenset()


def test_motion_is_shown_corrected_and_said_to_be() -> None:
    inputs = inputs_of([move(TIMES[10] + 5, 8.0, -4.0), move(TIMES[50] + 5, 8.0, -4.0)])
    assert uses_mouse(inputs)
    History(inputs.document).do(ScaleMotion(0, 20, right=0.5, down=0.5))
    assert moment_of(inputs, 10).motion == (4.0, -2.0)
    assert moment_of(inputs, 10).is_motion_corrected
    assert moment_of(inputs, 50).motion == (8.0, -4.0)
    assert not moment_of(inputs, 50).is_motion_corrected


def test_frames_that_a_gap_reaches_into_are_not_known() -> None:
    gap = Gap(TIMES[40] + 10, TIMES[43], GapReason.REDACTED)
    inputs = inputs_of([key(TIMES[10], KEY_W, 1)], [gap])
    assert [moment_of(inputs, frame).is_known for frame in (39, 40, 42, 43)] == [True, False, False, True]
    assert not uses_mouse(inputs)
