"""The window under real keys: inputs corrected, edges of spans, comments, the assignee and tags."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QInputDialog

from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.timeline.rows import RowKind
from db.labelling.labels import LabelKind, Review, spans
from db.settings import LibrarySettings, write_settings

Key, Mod = Qt.Key, Qt.KeyboardModifier
W, A, LMB = 17, 30, 0x110


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    labels = [("instruction", 20, 50, "walk on"), ("instruction", 60, 80, "turn left")]
    session_id = make_session(store, count=120, labels=labels)
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def go(window: AnnotateWindow, frame: int, qtbot) -> None:
    window.editing.player.seek(frame)
    qtbot.waitUntil(lambda: window.picture.index == frame)


def stored(window: AnnotateWindow, kind: LabelKind) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, s.value) for s in spans(window.store.edits(window.editing.session_id), kind)]


def down(window: AnnotateWindow, code: int) -> list[int]:
    """The frames in which a key is shown as down."""
    return [frame for frame in range(120) if code in window.picture.inputs.active(frame)]


def test_a_press_is_selected_changed_and_removed_by_key(window, qtbot) -> None:
    go(window, 7, qtbot)
    press(window, Key.Key_E)
    assert window.editing.presses.selected.code == W
    go(window, 9, qtbot)
    press(window, Key.Key_BracketRight)
    assert [frame for frame in down(window, W) if frame < 20] == [5, 6, 7, 8, 9]
    press(window, Key.Key_Right, Mod.AltModifier)
    press(window, Key.Key_Right, Mod.AltModifier)
    assert [frame for frame in down(window, W) if frame < 20] == [5, 6, 7, 8, 9, 10, 11]
    go(window, 6, qtbot)
    press(window, Key.Key_BracketLeft)
    assert min(down(window, W)) == 6
    shown = window.picture.grab().toImage()
    press(window, Key.Key_Delete)
    assert [frame for frame in down(window, W) if frame < 20] == []
    assert window.picture.grab().toImage() != shown
    for _ in range(4):
        press(window, Key.Key_Z, Mod.ControlModifier)
    assert [frame for frame in down(window, W) if frame < 20] == list(range(5, 15))
    assert stored(window, LabelKind.ACTION) == []


def test_a_press_is_added_over_the_selected_span_or_at_the_playhead(window, qtbot) -> None:
    press(window, Key.Key_P)
    assert "Choose the key" in window.info.text
    while window.editing.presses.code != A:
        press(window, Key.Key_Down, Mod.ControlModifier)
    go(window, 90, qtbot)
    press(window, Key.Key_P)
    assert 90 in down(window, A)
    go(window, 0, qtbot)
    press(window, Key.Key_Tab)
    span = window.editing.selected_span
    press(window, Key.Key_P)
    assert set(range(span.start, span.stop)) <= set(down(window, A))
    press(window, Key.Key_Up, Mod.ControlModifier)
    assert window.editing.presses.code == W
    texts = [window.panel.table.spans.index(row, 0).data() for row in range(len(window.panel.table.spans.spans))]
    assert any(text.startswith("A: ") for text in texts)


def test_mouse_motion_is_cleared_scaled_and_given_back(window, qtbot) -> None:
    press(window, Key.Key_U)
    assert "marks" in window.info.text
    press(window, Key.Key_Tab)
    press(window, Key.Key_U)
    assert window.picture.inputs.motion(30) == (0, 0)
    press(window, Key.Key_U, Mod.ControlModifier)
    recorded = window.picture.inputs.motion(30)
    assert recorded == window.editing.inputs.raw.motion(30)
    press(window, Key.Key_U, Mod.ShiftModifier)
    dialog = window.findChild(QInputDialog)
    dialog.setDoubleValue(2.0)
    dialog.accept()
    assert window.picture.inputs.motion(30) == (2 * recorded[0], 2 * recorded[1])
    assert window.editing.history.undo_name == "scale the mouse motion"


def test_edges_snap_stretch_together_and_spans_merge(window, qtbot) -> None:
    press(window, Key.Key_Tab)
    press(window, Key.Key_BracketLeft, Mod.ControlModifier)
    press(window, Key.Key_BracketRight, Mod.ControlModifier)
    assert stored(window, LabelKind.INSTRUCTION)[0] == (16, 52, "walk on")
    go(window, 30, qtbot)
    press(window, Key.Key_S)
    go(window, 39, qtbot)
    press(window, Key.Key_BracketRight, Mod.AltModifier)
    assert [s[:2] for s in stored(window, LabelKind.INSTRUCTION)] == [(16, 40), (40, 52), (60, 80)]
    press(window, Key.Key_Tab)
    go(window, 35, qtbot)
    press(window, Key.Key_BracketLeft, Mod.AltModifier)
    assert [s[:2] for s in stored(window, LabelKind.INSTRUCTION)] == [(16, 35), (35, 52), (60, 80)]
    press(window, Key.Key_Backtab, Mod.ShiftModifier)
    press(window, Key.Key_M, Mod.ControlModifier)
    press(window, Key.Key_M, Mod.ControlModifier)
    assert stored(window, LabelKind.INSTRUCTION) == [(16, 80, "walk on; turn left")]
    go(window, 90, qtbot)
    press(window, Key.Key_N)
    press(window, Key.Key_Escape)
    press(window, Key.Key_D, Mod.ControlModifier)
    assert stored(window, LabelKind.INSTRUCTION)[1][2] == "walk on; turn left"


def test_a_comment_is_written_on_the_marks_and_edited_in_its_lane(window, qtbot) -> None:
    press(window, Key.Key_M, Mod.ShiftModifier)
    press(window, Key.Key_Return)
    assert stored(window, LabelKind.COMMENT) == []
    press(window, Key.Key_Tab)
    press(window, Key.Key_M, Mod.ShiftModifier)
    QTest.keyClicks(window.timeline.editor, "wrong door")
    press(window, Key.Key_Return)
    assert stored(window, LabelKind.COMMENT) == [(20, 50, "wrong door")]
    lane = next(row for row in window.timeline.rows.labels if row.kind is RowKind.COMMENT)
    at = window.timeline.point_of(35, lane)
    QTest.mouseDClick(window.timeline.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.keyClicks(window.timeline.editor, "the left door")
    press(window, Key.Key_Return)
    assert stored(window, LabelKind.COMMENT) == [(20, 50, "the left door")]
    press(window, Key.Key_Delete)
    assert stored(window, LabelKind.COMMENT) == []
    assert stored(window, LabelKind.INSTRUCTION)[0] == (20, 50, "walk on")


def test_marked_frames_are_left_out(window, qtbot) -> None:
    press(window, Key.Key_D)
    assert "leave out" in window.info.text
    press(window, Key.Key_I)
    go(window, 9, qtbot)
    press(window, Key.Key_O)
    press(window, Key.Key_D)
    assert stored(window, LabelKind.TRIM) == [(0, 10, "")]
    assert window.timeline.rows.labels[-1].kind is RowKind.TRIM
    assert not window.timeline.editor.is_open


def test_the_assignee_and_tags_are_typed_taken_off_and_undone(window, qtbot) -> None:
    press(window, Key.Key_G)
    QTest.keyClicks(window.panel.assignee, "bob")
    press(window, Key.Key_Return)
    assert window.editing.document.assignee == "bob"
    window.timeline.setFocus()
    for word in ("rare", "boss fight"):
        press(window, Key.Key_T)
        QTest.keyClicks(window.panel.tags.word, word)
        press(window, Key.Key_Return)
        window.timeline.setFocus()
    assert window.editing.document.tags == ["boss fight", "rare"]
    QTest.mouseClick(window.panel.tags.buttons["rare"], Qt.MouseButton.LeftButton)
    assert list(window.panel.tags.buttons) == ["boss fight"]
    window.timeline.setFocus()
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert list(window.panel.tags.buttons) == ["boss fight", "rare"]
    press(window, Key.Key_G)
    QTest.keyClicks(window.panel.assignee, "by")
    press(window, Key.Key_Escape)
    assert window.panel.assignee.text() == "bob"


def test_nobody_accepts_their_own_labels_where_the_library_says_so(window, qtbot) -> None:
    write_settings(window.store.root, LibrarySettings(no_self_accept=True))
    press(window, Key.Key_A)
    assert window.editing.document.review is Review.UNLABELLED
    assert "ask somebody else" in window.info.text
    press(window, Key.Key_R)
    assert window.editing.document.review is Review.REJECTED


def test_the_next_pane_key_goes_round(window, qtbot) -> None:
    seen = []
    for _ in range(6):
        press(window, Key.Key_F6)
        seen.append(QApplication.focusWidget())
    assert set(seen) >= {window.timeline, window.panel.note, window.panel.assignee, window.panel.tags.word}
