"""Destroying private stretches from the window: asked in numbers, done in a thread, shown again afterwards."""

from __future__ import annotations

import pytest
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.model.edits.key_commands import AddPress
from annotator.ui.annotate import redacting
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.redact_dialog import RedactDialog
from db.errors import DiskFull
from db.labelling.labels import LabelKind
from db.recording.events import EventKind, GapReason
from db.store import Store
from labelling import Key, Mod, go, open_window, press, stored

W, FLAG = 17, LabelKind.FLAG


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacting, "WATCH_MS", 50)


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    labels = [("flag", 20, 40, "private"), ("flag", 60, 70, "private"), ("instruction", 10, 50, "walk on")]
    return open_window(store, make_session(store, count=120, labels=labels), qtbot)


def ask(window: AnnotateWindow, qtbot) -> RedactDialog:
    press(window, Key.Key_Delete, Mod.ControlModifier | Mod.ShiftModifier)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), RedactDialog))
    return QApplication.activeModalWidget()


def blackness(window: AnnotateWindow, qtbot, frame: int) -> int:
    """The lightest of some points of the displayed frame, 0 for a black one."""
    go(window, frame, qtbot)
    picture = window.picture.image
    return max(picture.pixelColor(x, y).lightness() for x in range(4, 96, 8) for y in (8, 40))


def destroy(window: AnnotateWindow, qtbot) -> None:
    before = window.editing
    QTest.keyClick(ask(window, qtbot).burn, Key.Key_Space)
    qtbot.waitUntil(lambda: window.editing is not None and window.editing is not before, timeout=20_000)
    qtbot.waitUntil(lambda: window.editing.player.is_settled)


def test_the_question_gives_numbers_and_enter_changes_nothing(window, qtbot) -> None:
    dialog = ask(window, qtbot)
    assert [button.text() for button in dialog.choices] == [
        "Everything that is flagged private: 30 frames, 1.0 s in 2 stretches"
    ]
    events = window.editing.recording.events
    edges = window.editing.document.clock.edges_ns
    presses = sum(
        int(event["kind"]) == EventKind.KEY and int(event["value"]) == 1
        for event in events
        for a, b in ((20, 40), (60, 70))
        if edges[a] <= event["t_ns"] < edges[b]
    )
    assert presses > 0
    assert f"30 frames (1.0 s), {presses} presses of keys and buttons" in dialog.numbers.text()
    assert dialog.burn.text() == "Destroy 30 frames"
    assert dialog.cancel.isDefault()
    qtbot.waitUntil(dialog.cancel.hasFocus)
    QTest.keyClick(QApplication.focusWidget(), Key.Key_Return)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    assert window.editing.recording.meta.revision == 1
    assert window.store.summary(window.editing.session_id).revision == 1


def test_the_marks_and_the_selected_flag_are_choices_of_their_own(window, qtbot) -> None:
    window.editing.select(next(s.entity_id for s in window.editing.document.spans(FLAG) if s.start == 60))
    go(window, 100, qtbot)
    press(window, Key.Key_I)
    press(window, Key.Key_O)
    dialog = ask(window, qtbot)
    assert [button.text().split(":")[0] for button in dialog.choices] == [
        "The marked stretch",
        "The selected private flag",
        "Everything that is flagged private",
    ]
    assert list(dialog.stretches) == [(100, 101)]
    assert dialog.burn.text() == "Destroy 1 frame"
    dialog.choices[1].setChecked(True)
    assert list(dialog.stretches) == [(60, 70)]
    dialog.reject()


def test_nothing_to_destroy_says_what_to_do(store, make_session, qtbot) -> None:
    window = open_window(store, make_session(store, count=30), qtbot)
    press(window, Key.Key_Delete, Mod.ControlModifier | Mod.ShiftModifier)
    assert window.info.text == redacting.NOTHING


def test_it_is_destroyed_and_the_session_is_shown_again_where_it_was(window, qtbot) -> None:
    editing = window.editing
    editing.do(AddPress.over(editing.inputs, 31, 25, 30))
    editing.do(AddPress.over(editing.inputs, 31, 100, 105))
    assert blackness(window, qtbot, 30) > 100
    destroy(window, qtbot)
    editing = window.editing
    assert editing.player.index == 30
    assert "black now" in window.info.text
    assert blackness(window, qtbot, 30) < 20
    assert blackness(window, qtbot, 65) < 20
    assert blackness(window, qtbot, 50) > 100
    assert editing.recording.meta.revision == 2
    gaps = [gap for gap in editing.recording.gaps if gap.reason is GapReason.REDACTED]
    assert len(gaps) == 2
    edges = editing.document.clock.edges_ns
    inside = (editing.recording.events["t_ns"] > edges[20]) & (editing.recording.events["t_ns"] < edges[40])
    assert not inside.any()
    assert [(s.start, s.stop) for s in editing.document.spans(LabelKind.ACTION)] == [(100, 105)]
    assert stored(window) == [(10, 50, "walk on")]
    assert stored(window, FLAG) == [(20, 40, "private"), (60, 70, "private")]


def test_undo_afterwards_neither_fails_nor_brings_anything_back(window, qtbot) -> None:
    editing = window.editing
    editing.do(AddPress.over(editing.inputs, 31, 25, 30))
    destroy(window, qtbot)
    for _ in range(4):
        press(window, Key.Key_Z, Mod.ControlModifier)
    for _ in range(4):
        press(window, Key.Key_Y, Mod.ControlModifier)
    assert window.editing.document.spans(LabelKind.ACTION) == []
    assert not [
        e for e in window.store.edits(window.editing.session_id) if e.kind is LabelKind.ACTION and not e.deleted
    ]


def test_unfinished_text_is_committed_before(window, qtbot) -> None:
    window.panel.note.setFocus()
    QTest.keyClicks(window.panel.note, "half")
    window.timeline.setFocus()
    destroy(window, qtbot)
    assert window.panel.note.toPlainText() == "half"


def test_a_refusal_leaves_the_session_as_it_was_and_shows_it(window, qtbot, monkeypatch) -> None:
    def refuse(self, *args):
        raise DiskFull("There is no room left.")

    monkeypatch.setattr(Store, "redact", refuse)
    destroy(window, qtbot)
    assert "no room" in window.info.text
    assert window.editing.recording.meta.revision == 1


def test_another_window_shows_it_anew_by_itself(window, store, qtbot) -> None:
    other = open_window(store, window.editing.session_id, qtbot, "bob")
    other.redacting._timer.start(50)
    old = other.editing
    kept = store.cache_dir / "strips" / f"{old.session_id}-1" / "late.jpg"
    assert blackness(other, qtbot, 30) > 100
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.timeline.setFocus()
    other.redacting._timer.stop()
    destroy(window, qtbot)
    kept.parent.mkdir(parents=True)
    kept.touch()
    other.redacting._timer.start(50)
    qtbot.waitUntil(lambda: other.editing is not None and other.editing is not old, timeout=20_000)
    qtbot.waitUntil(lambda: other.editing.player.is_settled)
    assert "destroyed by somebody else" in other.info.text
    assert other.editing.player.index == 30
    qtbot.waitUntil(lambda: not kept.exists())
    assert blackness(other, qtbot, 30) < 20


def test_closing_the_window_waits_until_what_was_begun_is_done(window, store, qtbot) -> None:
    session_id = window.editing.session_id
    ask(window, qtbot).accept()
    qtbot.waitUntil(lambda: window.redacting.is_busy)
    assert window.editing is None
    assert not window.open_session(session_id)
    window.close()
    assert store.summary(session_id).revision == 2
    assert store.verify(session_id) == []
