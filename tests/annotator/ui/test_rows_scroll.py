"""More label rows than there is room for scroll together with the lanes; the ruler stays."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from annotator.ui.annotate.editing import Editing
from annotator.ui.timeline.rows import RowKind, ruler_px
from annotator.ui.timeline.timeline import Timeline
from db.labelling.labels import Flag, LabelKind


@pytest.fixture
def editing(store, make_session):
    labels = [("flag", 10, 20, flag.value) for flag in Flag] + [("comment", 30, 60, "what is this")]
    opened = Editing(store, make_session(store, count=100, labels=labels), "ann")
    yield opened
    opened.close()


@pytest.fixture
def timeline(editing, qtbot) -> Timeline:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(900, 220)
    widget.show_editing(editing)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def is_in_view(timeline: Timeline, row) -> bool:
    y = timeline.point_of(0, row).y()
    return ruler_px() < y < timeline.viewport().height()


def test_selecting_brings_the_row_into_view_where_it_can_be_worked_on(timeline, editing) -> None:
    row = next(row for row in timeline.rows.labels if row.kind is RowKind.COMMENT)
    assert not is_in_view(timeline, row)
    comment = editing.document.spans(LabelKind.COMMENT)[0]
    editing.select(comment.entity_id)
    assert is_in_view(timeline, row)
    editing.select("")
    QTest.mouseClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(40, row))
    assert editing.selection == comment.entity_id
    QTest.mouseDClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=timeline.point_of(40, row))
    assert timeline.editor.is_open
    assert abs(timeline.editor.geometry().center().y() - timeline.point_of(40, row).y()) < 10
    timeline.editor.cancel()


def test_a_lane_that_is_worked_in_comes_into_view_too(timeline, editing) -> None:
    for code in editing.inputs.codes:
        editing.presses.choose_lane(code)
        assert is_in_view(timeline, timeline.rows.key_row(code))
    editing.select(editing.document.spans(LabelKind.FLAG)[0].entity_id)
    assert is_in_view(timeline, next(row for row in timeline.rows.labels if row.kind is RowKind.FLAG))


def test_with_room_enough_the_labels_stay_and_only_the_lanes_scroll(timeline, editing, qtbot) -> None:
    timeline.resize(900, 400)
    qtbot.waitUntil(lambda: timeline.viewport().height() > 300)
    before = timeline.point_of(0, timeline.rows.labels[0])
    timeline.verticalScrollBar().setValue(timeline.verticalScrollBar().maximum())
    assert timeline.point_of(0, timeline.rows.labels[0]) == before
    assert is_in_view(timeline, timeline.rows.labels[-1])
