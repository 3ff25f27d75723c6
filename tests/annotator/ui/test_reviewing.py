"""A second person labels blind, a third compares, and comments go back to the labeller: by key, in the real window."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from annotator.model.library.seat import LABELLING, Role, Seat
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.sessions.session_model import marks_text
from annotator.ui.timeline.rows import RowKind
from db.labelling.labels import Edit, LabelKind, Review, spans
from db.labelling.readings import Stage, marks, source_of
from db.library.facets import read_marks

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def open_window(store, qtbot):
    def make(author: str) -> AnnotateWindow:
        window = AnnotateWindow(store, author)
        window.opener.patience_ms = 10_000
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return window

    return make


def key(window: AnnotateWindow, pressed, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.timeline, pressed, modifier)


def test_a_second_reader_sees_only_their_own_and_submits(store, make_session, open_window) -> None:
    ids = [make_session(store, labels=[(LabelKind.INSTRUCTION, 0, 20, "go in")]) for _ in range(2)]
    window = open_window("bob")
    window.reviewing.begin([(one, Seat(Role.SECOND, "bob")) for one in ids])
    assert (window.editing.session_id, window.panel.table.spans.spans) == (ids[0], [])
    assert window.panel.review_panel.role.text().startswith("Second reading, blind")
    window.editing.create(LabelKind.FLAG, 3, 9, "idle")
    key(window, Qt.Key.Key_A)
    assert "second reading" in window.info.text
    key(window, Qt.Key.Key_Return, CTRL)
    assert window.editing.session_id == ids[1]
    assert (marks(store)[ids[0]].stage, marks(store)[ids[0]].open_spans) == (Stage.TO_COMPARE, 1)
    assert store.summary(ids[0]).review is Review.UNLABELLED
    key(window, Qt.Key.Key_Return, CTRL)
    assert "last one in the queue" in window.info.text
    window.open_session(ids[0])
    assert [span.value for span in window.editing.document.spans()] == ["go in"]


def test_two_readings_are_settled_by_key(store, make_session, open_window) -> None:
    said = [
        (LabelKind.INSTRUCTION, 0, 20, "go in"),
        (LabelKind.INSTRUCTION, 40, 60, "turn"),
        (LabelKind.FLAG, 70, 80, "idle"),
    ]
    session_id = make_session(store, labels=said)
    store.set_review(session_id, Review.LABELLED, "ann")
    own = {"session_id": session_id, "author": "bob", "source": source_of("bob"), "suggested": True}
    store.commit(
        [
            Edit(kind=LabelKind.INSTRUCTION, start=5, stop=20, value="enter", **own),
            Edit(kind=LabelKind.INSTRUCTION, start=40, stop=60, value="Turn!", **own),
            Edit(kind=LabelKind.FLAG, start=30, stop=35, value="menu", **own),
            Edit(kind=LabelKind.REVIEW, value=Review.LABELLED.value, **own),
        ]
    )
    window = open_window("eve")
    window.open_session(session_id, Seat(Role.COMPARE, "bob"))
    panel, comparing = window.panel.review_panel, window.editing.comparing
    assert panel.places.count() == 4
    assert "“go in” / “enter”" in panel.places.item(0).text()
    assert "IoU" in panel.figures.text()
    assert [row.label for row in window.timeline.rows.labels if row.kind is RowKind.SUGGESTION] == [
        "2nd reading",
        "2nd: Menu",
    ]
    key(window, Qt.Key.Key_Q, CTRL)
    assert panel.places.count() == 3
    key(window, Qt.Key.Key_Return, CTRL)
    assert "still to settle" in window.info.text
    key(window, Qt.Key.Key_Q)
    assert window.editing.selected_span.value == "enter"
    key(window, Qt.Key.Key_F, SHIFT)
    key(window, Qt.Key.Key_Y)
    key(window, Qt.Key.Key_Y, SHIFT)
    assert comparing.places == []
    key(window, Qt.Key.Key_Return, CTRL)
    assert marks(store)[session_id].stage is Stage.COMPARED
    left = [(e.start, e.stop, e.value) for e in spans(store.edits(session_id))]
    assert left == [(5, 20, "enter"), (30, 35, "menu"), (40, 60, "turn")]
    assert not any(edit.suggested for edit in spans(store.edits(session_id)))


def test_hundreds_that_agree_are_settled_at_once_and_taken_back_as_one_step(
    store, make_session, open_window, qtbot
) -> None:
    spans_said = [(LabelKind.FLAG, at, at + 1, word) for at in range(0, 90, 3) for word in ("idle", "menu")]
    session_id = make_session(store, labels=[*spans_said, (LabelKind.INSTRUCTION, 0, 20, "go in")])
    store.set_review(session_id, Review.LABELLED, "ann")
    own = {"session_id": session_id, "author": "bob", "source": source_of("bob"), "suggested": True}
    alike = [Edit(kind=kind, start=start, stop=stop, value=value, **own) for kind, start, stop, value in spans_said]
    other = Edit(kind=LabelKind.INSTRUCTION, start=5, stop=20, value="enter", **own)
    store.commit([*alike, other, Edit(kind=LabelKind.REVIEW, value=Review.LABELLED.value, **own)])
    window = open_window("eve")
    window.open_session(session_id, Seat(Role.COMPARE, "bob"))
    panel, comparing = window.panel.review_panel, window.editing.comparing
    assert panel.figures.text().startswith("61 places")
    before = len(store.edits(session_id))
    window.actions_by_name["settle_agreed"].trigger()
    assert [place.second.value for place in comparing.places] == ["enter"]
    assert len({edit.step for edit in store.edits(session_id)[before:]}) == 1
    qtbot.waitUntil(lambda: panel.figures.text().startswith("1 place "))
    assert panel.places.count() == 1
    window.actions_by_name["undo"].trigger()
    assert len(comparing.places) == 61
    qtbot.waitUntil(lambda: panel.figures.text().startswith("61 places"))


def test_what_was_sent_back_shows_its_comments_first(store, make_session, open_window) -> None:
    said = [
        (LabelKind.COMMENT, 50, 60, "too late"),
        (LabelKind.COMMENT, 10, 20, "wrong word"),
        (LabelKind.FLAG, 0, 5, "idle"),
    ]
    session_id = make_session(store, labels=said)
    store.set_review(session_id, Review.REJECTED, "eve")
    window = open_window("ann")
    window.open_session(session_id, LABELLING)
    panel = window.panel.review_panel
    assert panel.comments_title.text() == "Sent back: 2 comments to settle"
    assert window.editing.selected_span.value == "wrong word"
    key(window, Qt.Key.Key_W)
    assert window.editing.selected_span.value == "too late"
    key(window, Qt.Key.Key_W, SHIFT)
    assert [span.value for span in window.editing.comments.open] == ["wrong word"]
    key(window, Qt.Key.Key_W, SHIFT)
    assert (panel.isVisible(), [e.value for e in spans(store.edits(session_id))]) == (False, ["idle"])
    key(window, Qt.Key.Key_Z, CTRL)
    assert panel.comments.count() == 1
    key(window, Qt.Key.Key_Return, CTRL)
    assert store.summary(session_id).review is Review.IN_REVIEW


def test_a_change_of_an_accepted_session_sends_it_back_and_says_so(store, make_session, open_window) -> None:
    session_id = make_session(store, count=60, labels=[("instruction", 10, 30, "go")])
    store.set_review(session_id, Review.ACCEPTED, "eve")
    window = open_window("ann")
    window.open_session(session_id)
    QTest.keyClick(window.timeline, Qt.Key.Key_Tab)
    QTest.keyClick(window.timeline, Qt.Key.Key_Delete)
    assert "waits for review again" in window.info.text
    assert window.panel.review.text == "labelled"
    assert store.summary(session_id).review is Review.LABELLED
    QTest.keyClick(window.timeline, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert store.summary(session_id).review is Review.ACCEPTED
    assert window.panel.review.text == "accepted"


def test_what_one_has_rejected_oneself_stays_rejected(store, make_session, open_window) -> None:
    session_id = make_session(store)
    window = open_window("eve")
    window.open_session(session_id, LABELLING)
    key(window, Qt.Key.Key_R)
    key(window, Qt.Key.Key_Return, CTRL)
    assert store.summary(session_id).review is Review.REJECTED


def test_deciding_goes_on_to_the_next_in_the_queue(store, make_session, open_window) -> None:
    ids = [make_session(store) for _ in range(3)]
    for session_id in ids:
        store.set_review(session_id, Review.LABELLED, "ann")
    window = open_window("eve")
    window.reviewing.begin([(one, LABELLING) for one in ids])
    assert window.panel.review_panel.role.text() == "Reviewing · 2 more to review"
    key(window, Qt.Key.Key_A)
    key(window, Qt.Key.Key_R)
    assert window.panel.review_panel.role.text() == "Reviewing"
    key(window, Qt.Key.Key_Return, CTRL)
    assert [store.summary(one).review for one in ids] == [Review.ACCEPTED, Review.REJECTED, Review.IN_REVIEW]
    assert "last one in the queue" in window.info.text
    assert not window.reviewing.is_on


def test_open_comments_are_counted_on_the_sessions_line(store, make_session) -> None:
    said = [(LabelKind.COMMENT, 0, 5, "one"), (LabelKind.COMMENT, 3, 9, "two"), (LabelKind.FLAG, 0, 5, "idle")]
    ids = [make_session(store, labels=said), make_session(store)]
    found = read_marks(store, ids)
    assert (found[ids[0]].comments, marks_text(found[ids[0]]), ids[1] in found) == (2, "✎ 2 comments", False)
