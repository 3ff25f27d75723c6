"""Recorded inputs corrected under a real mouse: presses selected, dragged, added and removed in the lanes of their keys."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest

from annotator.model.timeline.axis import positions
from annotator.ui.annotate.editing import Editing
from annotator.ui.timeline.gesture import Grip
from annotator.ui.timeline.press_gesture import instant
from annotator.ui.timeline.rows import RowKind
from annotator.ui.timeline.timeline import Timeline
from db.labelling.labels import LabelKind

W, A = 17, 30
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def editing(store, make_session, qtbot):
    opened = Editing(store, make_session(store, count=120), "ann")
    opened.player.seek(0)
    qtbot.waitUntil(lambda: opened.player.is_settled)
    yield opened
    opened.close()


@pytest.fixture
def timeline(editing, qtbot) -> Timeline:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(1000, 320)
    widget.show_editing(editing)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def lane_point(timeline: Timeline, position: float, code: int = W) -> QPoint:
    row = timeline.rows.key_row(code)
    assert row is not None
    return timeline.point_of(position, row)


def drag(timeline: Timeline, start: QPoint, stop: QPoint) -> None:
    port = timeline.viewport()
    QTest.mousePress(port, LEFT, pos=start)
    for share in (0.1, 0.5, 1.0):
        QTest.mouseMove(port, (QPointF(start) + (QPointF(stop) - QPointF(start)) * share).toPoint())
    QTest.mouseRelease(port, LEFT, pos=stop)


def held(editing: Editing, code: int = W) -> list[tuple[float, float]]:
    """The holds of a key in positions, rounded to hundredths of a frame."""
    found = positions(editing.inputs.holds(code).reshape(-1), editing.document.clock.edges_ns)
    return [(float(a), float(b)) for a, b in np.round(found.reshape(-1, 2), 2)]


def test_time_and_position_are_each_others_inverse(editing) -> None:
    edges = editing.document.clock.edges_ns
    for position in (0.0, 0.25, 17.5, 119.999, 120.0):
        assert positions(np.array([instant(position, edges)]), edges)[0] == pytest.approx(position)
    assert instant(-3, edges) == edges[0]
    assert instant(500, edges) == edges[-1]


def test_a_click_selects_a_press_and_delete_removes_it(timeline, editing) -> None:
    assert held(editing)[:2] == [(5, 15), (25, 35)]
    QTest.mouseClick(timeline.viewport(), LEFT, pos=lane_point(timeline, 30))
    assert editing.presses.selected is not None
    assert editing.presses.code == W
    editing.delete()
    assert held(editing)[:2] == [(5, 15), (45, 55)]
    assert editing.presses.selected is None
    assert editing.history.undo_name == "remove a press of W"
    row = timeline.rows.key_row(W)
    assert row.recorded_key is editing.inputs.recorded_key(W)
    assert row.changed.round(2).tolist() == [[25, 35]]
    editing.undo()
    assert held(editing)[:2] == [(5, 15), (25, 35)]
    assert timeline.rows.key_row(W).recorded_key is None


@pytest.mark.parametrize("zoom", [1, 3])
def test_the_ends_and_the_body_of_a_press_are_dragged(timeline, editing, zoom) -> None:
    timeline.set_axis(timeline.axis.zoomed(zoom, 0))
    frame_px = timeline.axis.px_per_frame
    end = lane_point(timeline, 15) - QPoint(1, 0)
    drag(timeline, end, end + QPoint(round(5 * frame_px), 0))
    assert held(editing)[0] == (5, pytest.approx(20, abs=2 / frame_px))
    assert editing.history.undo_name == "move the release of W"
    editing.undo()
    start = lane_point(timeline, 5) + QPoint(2, 0)
    drag(timeline, start, start - QPoint(round(3 * frame_px), 0))
    assert held(editing)[0] == (pytest.approx(2, abs=2 / frame_px), 15)
    editing.undo()
    drag(timeline, lane_point(timeline, 10), lane_point(timeline, 10) + QPoint(round(6 * frame_px), 0))
    assert held(editing)[0] == (pytest.approx(11, abs=2 / frame_px), pytest.approx(21, abs=2 / frame_px))
    assert editing.presses.selected is not None
    editing.undo()
    assert held(editing)[0] == (5, 15)


def test_a_press_stops_at_its_neighbour(timeline, editing) -> None:
    end = lane_point(timeline, 15) - QPoint(1, 0)
    drag(timeline, end, lane_point(timeline, 32))
    assert held(editing)[:2] == [(5, 25), (25, 35)]
    assert editing.presses.selected.up_ns < editing.inputs.holds(W)[1, 0]


def test_a_double_click_adds_a_press_over_the_marks_or_one_frame(timeline, editing, qtbot) -> None:
    QTest.mouseDClick(timeline.viewport(), LEFT, pos=lane_point(timeline, 20.5))
    assert (20, 21) in held(editing)
    assert editing.presses.selected is not None
    editing.player.seek(17)
    qtbot.waitUntil(lambda: editing.frame == 17)
    editing.marking.mark_in()
    editing.player.seek(21)
    qtbot.waitUntil(lambda: editing.frame == 21)
    editing.marking.mark_out()
    QTest.mouseDClick(timeline.viewport(), LEFT, pos=lane_point(timeline, 19.5, A))
    assert (17, 22) in held(editing, A)
    count = editing.document.edit_count
    QTest.mouseDClick(timeline.viewport(), LEFT, pos=lane_point(timeline, 30))
    assert editing.document.edit_count == count


def test_escape_lets_go_of_a_press(timeline, editing) -> None:
    port = timeline.viewport()
    QTest.mousePress(port, LEFT, pos=lane_point(timeline, 10))
    QTest.mouseMove(port, lane_point(timeline, 18))
    QTest.keyClick(timeline, Qt.Key.Key_Escape)
    QTest.mouseRelease(port, LEFT, pos=lane_point(timeline, 18))
    assert editing.document.edit_count == 0


def test_empty_ground_of_a_lane_scrubs_and_chooses_the_lane(timeline, editing, qtbot) -> None:
    QTest.mouseClick(timeline.viewport(), LEFT, pos=lane_point(timeline, 20.5))
    qtbot.waitUntil(lambda: editing.frame == 20)
    assert (editing.presses.code, editing.presses.selected) == (W, None)


def test_a_press_and_a_span_are_not_selected_together(editing) -> None:
    span = editing.create(LabelKind.INSTRUCTION, 40, 50, "go")
    editing.presses.choose_lane(W)
    editing.presses.add_here()
    assert (40, 50) not in held(editing)  # W is down from 45 on: the two are one press
    assert (40, 55) in held(editing)
    assert editing.selection == ""
    editing.select(span)
    assert editing.presses.selected is None


def test_a_run_of_nudges_is_one_step_and_the_selection_follows_undo(editing) -> None:
    editing.player.index = 10
    editing.presses.select_here()
    for _ in range(3):
        editing.nudge(Grip.STOP, 1)
    editing.nudge(Grip.BODY, -2)
    assert held(editing)[0] == (3, 16)
    assert editing.presses.selected.down_ns == editing.inputs.holds(W)[0, 0]
    editing.undo()
    assert held(editing)[0] == (5, 18)
    assert editing.presses.selected.down_ns == editing.inputs.holds(W)[0, 0]
    editing.undo()
    assert held(editing)[0] == (5, 15)
    assert editing.history.undo_name == ""


def test_motion_is_scaled_over_the_stretch_and_shown_over_the_recorded_one(timeline, editing) -> None:
    refused: list[str] = []
    editing.refused.connect(refused.append)
    editing.presses.scale_motion(0.0)
    assert "marks" in refused[-1]
    editing.create(LabelKind.INSTRUCTION, 30, 60, "look")
    editing.presses.scale_motion(0.5)
    recorded = editing.inputs.raw.dx.values
    assert np.array_equal(editing.inputs.dx.values[30:60], recorded[30:60] / 2)
    row = next(row for row in timeline.rows.signals if row.kind is RowKind.MOTION)
    assert row.recorded_motion is editing.inputs.raw.dx
    assert row.changed.tolist() == [[30, 60]]
    assert not timeline.grab().isNull()
    editing.presses.scale_motion(1.0)
    assert np.array_equal(editing.inputs.dx.values, recorded)
    editing.presses.clear_scroll()
    assert editing.history.undo_name == "clear the scrolling"
    editing.presses.restore_scroll()
    assert editing.document.spans(LabelKind.ACTION) == []


def test_a_correction_is_painted_beside_what_was_recorded(timeline, editing) -> None:
    before = timeline.grab().toImage()
    editing.player.index = 10
    editing.presses.select_here()
    editing.delete()
    row = timeline.rows.key_row(W)
    after = timeline.grab().toImage()
    at = timeline.point_of(7, row)
    bottom = QPoint(at.x(), at.y() + row.height // 2 - 4)
    upper = QPoint(at.x(), at.y() - 4)
    ground = after.pixelColor(timeline.point_of(20, row))
    assert before.pixelColor(upper) != after.pixelColor(upper)
    colours = {after.pixelColor(bottom + QPoint(i, 0)).name() for i in range(8)}
    assert len(colours) > 1  # hatched
    assert ground.name() != after.pixelColor(upper).name()  # tinted where the two differ
