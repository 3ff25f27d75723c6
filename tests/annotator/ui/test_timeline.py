"""The timeline under a real mouse: presses, moves and releases at several zooms."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.editing import Editing
from annotator.ui.timeline.rows import HEADER_PX, RowKind
from annotator.ui.timeline.timeline import Timeline
from db.labelling.labels import LabelKind, spans


@pytest.fixture
def editing(store, make_session, qtbot):
    labels = [("instruction", 20, 50, "walk on"), ("flag", 100, 120, "idle")]
    opened = Editing(store, make_session(store, count=200, labels=labels), "ann")
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


def row(timeline: Timeline, kind: RowKind):
    return next(row for row in timeline.rows.labels if row.kind is kind)


def drag(timeline: Timeline, start: QPoint, stop: QPoint, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    port = timeline.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, modifiers, start)
    for share in (0.1, 0.5, 1.0):
        between = (QPointF(start) + (QPointF(stop) - QPointF(start)) * share).toPoint()
        if modifiers == Qt.KeyboardModifier.NoModifier:
            QTest.mouseMove(port, between)
        else:  # QTest's moves carry no modifiers
            place = QPointF(between), QPointF(port.mapToGlobal(between))
            buttons = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
            QApplication.sendEvent(port, QMouseEvent(QEvent.Type.MouseMove, *place, *buttons, modifiers))
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, modifiers, stop)


def stretches(editing: Editing, kind=LabelKind.INSTRUCTION) -> list[tuple[int, int, str]]:
    return [(span.start, span.stop, span.value) for span in editing.document.spans(kind)]


def wheel(timeline: Timeline, x: float, notches: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    at = QPointF(x, 60)
    event = QWheelEvent(
        at,
        QPointF(timeline.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(timeline.viewport(), event)


@pytest.mark.parametrize("zoom", [1, 2, 6])
def test_a_drag_on_empty_ground_creates_a_span_and_asks_for_its_text(timeline, editing, store, qtbot, zoom) -> None:
    timeline.set_axis(timeline.axis.zoomed(zoom, timeline.axis.x(70)))
    lane = row(timeline, RowKind.INSTRUCTION)
    drag(timeline, timeline.point_of(60, lane), timeline.point_of(80, lane))
    assert stretches(editing)[-1] == (60, 80, "")
    assert timeline.editor.is_open
    QTest.keyClicks(timeline.editor, "open the door")
    QTest.keyClick(timeline.editor, Qt.Key.Key_Return)
    assert stretches(editing)[-1] == (60, 80, "open the door")
    assert [(s.start, s.stop, s.value) for s in spans(store.edits(editing.session_id))][1] == (60, 80, "open the door")


@pytest.mark.parametrize("zoom", [1, 3])
def test_a_drag_of_the_body_moves_and_of_an_edge_resizes(timeline, editing, zoom) -> None:
    timeline.set_axis(timeline.axis.zoomed(zoom, timeline.axis.x(40)))
    lane = row(timeline, RowKind.INSTRUCTION)
    drag(timeline, timeline.point_of(35, lane), timeline.point_of(45, lane))
    assert stretches(editing) == [(30, 60, "walk on")]
    edge = timeline.point_of(60, lane) - QPoint(2, 0)
    drag(timeline, edge, edge + QPoint(round(10 * timeline.axis.px_per_frame), 0))
    assert stretches(editing) == [(30, 70, "walk on")]
    edge = timeline.point_of(30, lane) + QPoint(2, 0)
    drag(timeline, edge, edge - QPoint(round(5 * timeline.axis.px_per_frame), 0))
    assert stretches(editing) == [(25, 70, "walk on")]
    assert editing.history.undo_name == "resize the span"


def test_edges_snap_to_the_playhead_unless_shift_is_held(timeline, editing, qtbot) -> None:
    editing.player.seek(80)
    qtbot.waitUntil(lambda: editing.frame == 80)
    timeline.set_axis(timeline.axis.zoomed(2, timeline.axis.x(60)))
    lane = row(timeline, RowKind.INSTRUCTION)
    edge = timeline.point_of(50, lane) - QPoint(1, 0)
    near = timeline.point_of(81, lane) + QPoint(4, 0)
    drag(timeline, edge, near)
    assert stretches(editing)[0][1] == 81
    editing.undo()
    drag(timeline, edge, timeline.point_of(84, lane), Qt.KeyboardModifier.ShiftModifier)
    assert stretches(editing)[0][1] == 84


def test_a_span_dragged_over_a_neighbour_stops_at_its_edge(timeline, editing) -> None:
    lane = row(timeline, RowKind.INSTRUCTION)
    drag(timeline, timeline.point_of(70, lane), timeline.point_of(90, lane))
    timeline.editor.cancel()
    edge = timeline.point_of(50, lane) - QPoint(2, 0)
    drag(timeline, edge, timeline.point_of(85, lane))
    assert [s[:2] for s in stretches(editing)] == [(20, 70), (70, 90)]


def test_a_flag_is_drawn_on_the_flags_row_and_its_word_typed(timeline, editing) -> None:
    lane = row(timeline, RowKind.FLAG)
    drag(timeline, timeline.point_of(10, lane), timeline.point_of(30, lane))
    assert (10, 30, "idle") in stretches(editing, LabelKind.FLAG)
    QTest.keyClicks(timeline.editor, "loading")
    QTest.keyClick(timeline.editor, Qt.Key.Key_Return)
    assert (10, 30, "loading") in stretches(editing, LabelKind.FLAG)
    assert [r.word for r in timeline.rows.labels if r.kind is RowKind.FLAG] == ["idle", "loading"]


def test_escape_in_the_field_keeps_the_old_text_and_leaving_it_saves(timeline, editing) -> None:
    lane = row(timeline, RowKind.INSTRUCTION)
    QTest.mouseDClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(35, lane))
    assert timeline.editor.text() == "walk on"
    QTest.keyClicks(timeline.editor, "something else")
    QTest.keyClick(timeline.editor, Qt.Key.Key_Escape)
    assert stretches(editing)[0][2] == "walk on"
    QTest.mouseDClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(35, lane))
    QTest.keyClicks(timeline.editor, "run")
    QTest.mouseClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(150, lane))
    assert stretches(editing)[0][2] == "run"


def test_clicks_select_seek_and_scrub(timeline, editing, qtbot) -> None:
    lane = row(timeline, RowKind.INSTRUCTION)
    QTest.mouseClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(35, lane))
    assert editing.selected_span.value == "walk on"
    assert editing.frame == 0
    QTest.mouseClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(150.5, lane))
    qtbot.waitUntil(lambda: editing.frame == 150)
    assert editing.selection == ""
    ruler = QPoint(timeline.point_of(30.5, lane).x(), 10)
    drag(timeline, ruler, QPoint(timeline.point_of(199.5, lane).x() + 400, 10))
    qtbot.waitUntil(lambda: editing.frame == 199)


def test_the_wheel_zooms_around_the_cursor_and_pans_with_shift(timeline) -> None:
    x = 400
    under = timeline.axis.position(x)
    wheel(timeline, HEADER_PX + x, 5)
    assert timeline.axis.px_per_frame > 2.5 * 900 / 200
    assert timeline.axis.position(x) == pytest.approx(under)
    left = timeline.axis.left
    wheel(timeline, HEADER_PX + x, -1, Qt.KeyboardModifier.ShiftModifier)
    assert timeline.axis.left > left
    assert timeline.horizontalScrollBar().value() > 0
    timeline.horizontalScrollBar().setValue(0)
    assert timeline.axis.left == 0
    wheel(timeline, HEADER_PX + x, -50)
    assert timeline.axis.is_whole


def test_typing_goes_on_while_the_view_moves(timeline, editing, qtbot) -> None:
    timeline.set_axis(timeline.axis.zoomed(4, 0))
    timeline.edit_text(editing.document.spans(LabelKind.INSTRUCTION)[0].entity_id)
    QTest.keyClicks(timeline.editor, "jump")
    editing.player.seek(190)
    qtbot.waitUntil(lambda: editing.frame == 190)
    wheel(timeline, HEADER_PX + 300, 1)
    assert timeline.editor.is_open
    QTest.keyClicks(timeline.editor, " up")
    QTest.keyClick(timeline.editor, Qt.Key.Key_Return)
    assert stretches(editing)[0][2] == "jump up"


def test_escape_lets_go_of_a_drag(timeline, editing) -> None:
    lane = row(timeline, RowKind.INSTRUCTION)
    port = timeline.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=timeline.point_of(35, lane))
    QTest.mouseMove(port, timeline.point_of(60, lane))
    QTest.keyClick(timeline, Qt.Key.Key_Escape)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=timeline.point_of(60, lane))
    assert stretches(editing) == [(20, 50, "walk on")]


def test_it_paints_at_every_zoom_and_when_empty(timeline, editing, qtbot) -> None:
    for factor in (1, 3, 10, 100):
        timeline.set_axis(timeline.axis.zoomed(factor, 200))
        assert not timeline.grab().isNull()
    timeline.show_editing(None)
    assert not timeline.grab().isNull()


def test_narrow_spans_are_bars_with_the_ground_between_them(timeline, editing) -> None:
    for start in (150, 160, 161, 170):
        editing.create(LabelKind.INSTRUCTION, start, start + 1, "tap")
    editing.select("")
    lane = row(timeline, RowKind.INSTRUCTION)
    shown = timeline.viewport().grab().toImage()
    colours = {frame: shown.pixelColor(timeline.point_of(frame + 0.5, lane)).name() for frame in range(148, 174)}
    bars = {frame for frame, colour in colours.items() if colour == colours[150]}
    assert bars == {150, 160, 161, 170}
