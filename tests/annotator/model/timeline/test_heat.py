"""The disagreement with an IDM follows the inputs in force, corrections included, and is hottest where they are wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annotator.model.document import Document
from annotator.model.edits.commands import DeleteSpan
from annotator.model.edits.history import History
from annotator.model.edits.key_commands import AddPress
from annotator.model.edits.motion_commands import ScaleMotion
from annotator.model.timeline.axis import Axis
from annotator.model.timeline.heat import Heat, HeatLane
from annotator.model.timeline.inputs import Inputs
from db.labelling.labels import LabelKind, spans
from db.recording.corrections import corrections_of
from db.recording.events import EventKind, InputEvent
from db.recording.expectation import Expectation
from db.recording.surprise import Scale, key_surprise, mean_around, motion_surprise

W, A = 17, 30
COUNT, STEP_NS = 240, 33_333_333
HELD = [(30, 60), (90, 150), (180, 200)]
"""The frames in which W is really down, and the picture shows it."""
LOST = 1
"""Which of them is not recorded."""


def frame_ns(frame: int) -> int:
    return 10**9 + frame * STEP_NS


def press(code: int, start: int, stop: int) -> list[InputEvent]:
    return [
        InputEvent(frame_ns(start) + 5, EventKind.KEY, code, 1),
        InputEvent(frame_ns(stop) + 5, EventKind.KEY, code, 0),
    ]


def expectation(recording, every: int = 2, scale: Scale | None = Scale(0.2, 1.0)) -> Expectation:  # noqa: B008
    """Of an IDM that sees everything as it really was, and the mouse at rest."""
    ticks = np.arange(0, COUNT, every)
    edges_ns = np.append(recording.clock.t_ns[ticks], recording.clock.t_stop_ns)
    down = np.zeros(COUNT, np.bool_)
    for start, stop in HELD:
        down[start:stop] = True
    probability = np.where(down[np.minimum(ticks + every - 1, COUNT - 1)], 0.97, 0.02)
    shares = np.tile(np.array([0.005, 0.005, 0.98, 0.005, 0.005], np.float16), (len(ticks), 1))
    return Expectation(
        model="idm-1", ticks=ticks, edges_ns=edges_ns, codes=(W, A),
        probability=np.stack([probability, np.full(len(ticks), 0.01)], axis=1).astype(np.float16),
        dx=shares, dy=np.ones((len(ticks), 1), np.float16), dx_edges=np.array([-20.0, -0.5, 0.5, 20.0]), dy_edges=np.zeros(0),
        dx_values=np.array([-30.0, -5, 0, 5, 30]), dy_values=np.zeros(1), said=np.ones(len(ticks), np.bool_), scale=scale,
    )  # fmt: skip


@pytest.fixture
def session_id(store, make_session) -> str:
    events = [event for number, hold in enumerate(HELD) if number != LOST for event in press(W, *hold)]
    return make_session(store, count=COUNT, events=events)


@pytest.fixture
def recording(store, session_id):
    return store.recording(session_id)


@pytest.fixture
def document(store, session_id, recording) -> Document:
    return Document(store, session_id, "ann", recording.clock)


@pytest.fixture
def inputs(document, recording) -> Inputs:
    return Inputs(recording.facts, document)


def worked_out(heat: Heat) -> Heat:
    while heat.advance():
        pass
    assert heat.is_current
    return heat


def by_the_definition(said: Expectation, recording, edits) -> np.ndarray:
    """From `resolve`, with nothing of the annotator."""
    track = recording.resolve(said.edges_ns, corrections=corrections_of(spans(edits, LabelKind.ACTION)))
    total = key_surprise(said.probability, track.select(said.codes), track.known, said.said).sum(axis=1)
    total += motion_surprise(said.dx, said.dx_edges, track.motion[:, 0], track.known, said.said)
    return said.scale.disagreement(mean_around(total, said.edges_ns, track.known & said.said))


def test_it_is_hottest_where_the_press_was_lost(inputs, recording) -> None:
    heat = worked_out(Heat(expectation(recording), inputs))
    lost = range(90, 150)
    hot = heat.lane.ticks[heat.lane.level > 1]
    assert set(range(90, 150, 2)) <= set(hot.tolist())
    assert min(hot) >= lost.start - 16
    assert max(hot) < lost.stop + 16
    assert len(heat.peaks) == 1
    assert heat.peaks[0] in lost
    assert heat.is_measured


@pytest.mark.parametrize("every", [1, 2, 3])
def test_it_is_what_the_definition_says(store, session_id, inputs, recording, document, every: int) -> None:
    said = expectation(recording, every)
    heat = worked_out(Heat(said, inputs))
    assert heat.lane.level == pytest.approx(by_the_definition(said, recording, store.edits(session_id)), abs=1e-4)
    history = History(document)
    for command in (AddPress(inputs, A, frame_ns(20), frame_ns(31)), AddPress(inputs, W, frame_ns(92), frame_ns(148))):
        history.do(command)
        assert not heat.is_current
        worked_out(heat)
        assert heat.lane.level == pytest.approx(by_the_definition(said, recording, store.edits(session_id)), abs=1e-4)


def test_a_correction_cools_it_and_taking_it_back_heats_it_again(inputs, recording, document) -> None:
    heat = worked_out(Heat(expectation(recording), inputs))
    before = heat.lane.level
    history = History(document)
    history.do(AddPress(inputs, W, frame_ns(90), frame_ns(150)))
    worked_out(heat)
    assert heat.lane.level.max() < 0.2
    assert len(heat.peaks) == 0
    history.undo()
    assert np.array_equal(worked_out(heat).lane.level, before)


def test_only_what_changed_is_worked_out_anew(inputs, recording, document) -> None:
    heat = Heat(expectation(recording), inputs)
    steps = 1
    while heat.advance():
        steps += 1
    assert steps == 4, "two keys and two axes"
    History(document).do(AddPress(inputs, A, frame_ns(10), frame_ns(20)))
    assert not heat.advance(), "one key"
    assert heat.is_current


def test_it_says_what_disagrees(inputs, recording, document) -> None:
    heat = worked_out(Heat(expectation(recording), inputs))
    [doubt] = heat.doubts(heat.lane.at(120))
    assert (doubt.code, doubt.recorded, doubt.expected) == (W, 0, 1)
    assert doubt.sure == pytest.approx(0.97, abs=0.01)
    assert heat.doubts(heat.lane.at(10)) == []
    History(document).do(AddPress(inputs, A, frame_ns(100), frame_ns(140)))
    worked_out(heat)
    first, second = heat.doubts(heat.lane.at(120))
    assert (first.code, first.recorded, first.expected) == (A, 1, 0)
    assert second == doubt


def test_mouse_motion_that_the_picture_does_not_show(store, make_session, recording) -> None:
    events = [InputEvent(frame_ns(i) + 9, EventKind.MOTION, x=40.0) for i in range(100, 130)]
    session_id = make_session(store, count=COUNT, events=events)
    moved = store.recording(session_id)
    document = Document(store, session_id, "ann", moved.clock)
    inputs = Inputs(moved.facts, document)
    said = expectation(moved)
    said = replace(said, probability=np.full_like(said.probability, 0.01))
    heat = worked_out(Heat(said, inputs))
    assert heat.peaks.tolist()[0] in range(100, 130)
    [doubt] = heat.doubts(heat.lane.at(114))
    assert (doubt.code, doubt.axis, doubt.recorded) == (None, 0, 80.0)
    assert doubt.expected == pytest.approx(0.0, abs=0.05)
    History(document).do(ScaleMotion(100, 130))
    assert worked_out(heat).lane.level.max() < 0.2


def test_without_a_measured_scale_the_sessions_own_is_taken_once(inputs, recording, document) -> None:
    heat = worked_out(Heat(expectation(recording, scale=None), inputs))
    assert not heat.is_measured
    assert heat.lane.level.max() == pytest.approx(1.0)
    [peak] = heat.peaks
    assert peak in range(90, 150)
    History(document).do(AddPress(inputs, W, frame_ns(90), frame_ns(150)))
    worked_out(heat)
    assert heat.lane.level.max() < 0.5, "a correction makes the rest no hotter"


def test_what_is_not_known_or_not_said_is_masked(store, make_session, recording, inputs) -> None:
    said = expectation(recording)
    asked = said.said.copy()
    asked[50:] = False
    heat = worked_out(Heat(replace(said, said=asked), inputs))
    assert np.isnan(heat.lane.level[50:]).all()
    assert not np.isnan(heat.lane.level[:50]).any()
    assert heat.doubts(60) == []


def test_a_deleted_correction_brings_the_disagreement_back(inputs, recording, document) -> None:
    heat = worked_out(Heat(expectation(recording), inputs))
    history = History(document)
    [delta] = history.do(AddPress(inputs, W, frame_ns(90), frame_ns(150)))
    worked_out(heat)
    history.do(DeleteSpan(delta.entity_id))
    assert worked_out(heat).lane.level.max() > 1


@pytest.mark.parametrize("width", [7, 100, 1000])
def test_columns_show_the_greatest_of_what_they_touch(width: int) -> None:
    rng = np.random.default_rng(5)
    ticks = np.unique(np.append(0, rng.integers(0, 3000, 1200)))
    level = rng.random(len(ticks)).astype(np.float32)
    level[rng.random(len(ticks)) < 0.3] = np.nan
    lane = HeatLane(ticks, 3000, level)
    axis = Axis.whole(3000, width).zoomed(1.7, width / 3)
    edges = axis.pixel_edges(width)
    found = lane.columns(edges)
    tick_of = np.searchsorted(ticks, np.arange(3000), "right") - 1
    for column in range(width):
        first, last = int(np.floor(edges[column])), min(int(np.ceil(edges[column + 1])), 3000)
        touched = level[np.unique(tick_of[first:last])]
        if not np.isnan(touched).all():
            assert found[column] >= np.nanmax(touched)
        wide = level[max(tick_of[first] - (last - first), 0) : tick_of[last - 1] + (last - first) + 1]
        assert np.isnan(found[column]) or found[column] <= np.nanmax(wide)
