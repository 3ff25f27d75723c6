"""What the mouse is told about labels and presses, and comments that lie over one another."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint
from PyQt6.QtTest import QTest

from annotator.model.timeline.label_lanes import DEEPEST
from annotator.ui.annotate.editing import Editing
from annotator.ui.timeline.rows import RowKind
from annotator.ui.timeline.timeline import Timeline
from db.labelling.labels import LabelKind

W = 17


@pytest.fixture
def editing(store, make_session, qtbot):
    labels = [("instruction", 20, 50, "take <b>that</b> & go " + "on " * 80), ("comment", 10, 60, "first")]
    labels += [("comment", 30, 90, "second"), ("comment", 70, 95, "third")]
    opened = Editing(store, make_session(store, count=100, labels=labels), "bob")
    yield opened
    opened.close()


@pytest.fixture
def timeline(editing, qtbot) -> Timeline:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(1000, 400)
    widget.show_editing(editing)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def comment_rows(timeline: Timeline):
    return [row for row in timeline.rows.labels if row.kind is RowKind.COMMENT]


def hover(timeline: Timeline, point: QPoint) -> str:
    QTest.mouseMove(timeline.viewport(), point)
    return timeline.viewport().toolTip()


def test_comments_that_overlap_stand_in_rows_of_their_own(timeline, editing) -> None:
    first, second = comment_rows(timeline)
    assert [span.value for span in first.lane.spans] == ["first", "third"]
    assert [span.value for span in second.lane.spans] == ["second"]
    assert first.bottom <= second.top
    for number in range(DEEPEST + 3):
        editing.marking.add_comment(40, 45 + number, f"more {number}")
    rows = comment_rows(timeline)
    assert len(rows) == DEEPEST
    assert sum(len(row.lane) for row in rows) == 3 + DEEPEST + 3


def test_a_label_tells_all_its_text_as_it_was_written_when_and_who(timeline, editing) -> None:
    row = next(row for row in timeline.rows.labels if row.kind is RowKind.INSTRUCTION)
    tip = hover(timeline, timeline.point_of(35, row))
    assert "take &lt;b&gt;that&lt;/b&gt; &amp; go" in tip
    assert tip.count("on ") >= 80
    assert "frames 20 to 49" in tip
    assert "Instruction by ann" in tip
    assert hover(timeline, timeline.point_of(70, row)) == ""


def test_a_press_tells_its_key_its_time_and_who_corrected_it(timeline, editing) -> None:
    row = timeline.rows.key_row(W)
    tip = hover(timeline, timeline.point_of(8, row))
    assert "<b>W</b>" in tip
    assert "frames 5 to 15" in tip
    assert "As recorded" in tip
    editing.presses.add(W, 17, 19)
    tip = hover(timeline, timeline.point_of(18, timeline.rows.key_row(W)))
    assert "Corrected by bob" in tip
    assert "frames 17 to 18" in tip


def test_a_suggestion_says_that_it_is_one_and_where_it_comes_from(timeline, editing, store) -> None:
    from db.labelling.labels import Edit

    store.commit(
        [
            Edit(
                session_id=editing.session_id,
                kind=LabelKind.FLAG,
                start=60,
                stop=90,
                value="idle",
                author="ann",
                source="rule idle",
                suggested=True,
            )
        ]
    )
    editing.document.refresh()
    row = next(row for row in timeline.rows.labels if row.kind is RowKind.SUGGESTION)
    assert "Suggested flag by ann, rule idle" in hover(timeline, timeline.point_of(75, row))
