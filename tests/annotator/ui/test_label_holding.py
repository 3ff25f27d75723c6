"""Keys that mark while they are held: exactly what is shown meanwhile, and nothing stuck or lost whatever happens."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcutEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog

from annotator.ui.annotate import holding
from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.labelling.labels import LabelKind
from db.settings import FlagEntry, LibrarySettings, VocabularyEntry, write_settings
from labelling import Key, Mod, Shown, go, open_window, press, repeat, stored

FLAG = LabelKind.FLAG


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    words = (VocabularyEntry(text="walk on", key="Shift+Q"), VocabularyEntry(text="turn left", key="F7"))
    write_settings(store.root, LibrarySettings(vocabulary=words, flags=(FlagEntry(word="lag", key="8"),)))
    return open_window(store, make_session(store, count=240), qtbot)


@pytest.fixture(autouse=True)
def holds_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key counts as tapped, so that nothing here depends on how fast the machine is."""
    monkeypatch.setattr(holding, "TAP_NS", 0)


@pytest.fixture
def taps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "TAP_NS", 10**15)


def play(window, qtbot, start: int = 20) -> None:
    go(window, start, qtbot)
    press(window, Key.Key_Space)
    qtbot.waitUntil(lambda: window.picture.index > start)


def hold(window, qtbot, key, modifiers=Mod.NoModifier, frames: int = 5) -> tuple[int, int]:
    """Holds a key until some frames have been shown; returns the first and the last frame shown meanwhile."""
    shown = Shown(window)
    QTest.keyPress(window.timeline, key, modifiers)
    qtbot.waitUntil(lambda: window.editing.player.index >= shown.frames[0] + frames)
    first, last = shown.frames[0], window.editing.player.index
    QTest.keyRelease(window.timeline, key, modifiers)
    return first, last


def test_a_word_of_the_vocabulary_covers_what_is_shown_while_its_key_is_down(window, qtbot) -> None:
    play(window, qtbot)
    first, last = hold(window, qtbot, Key.Key_Q, Mod.ShiftModifier)
    assert stored(window) == [(first, last + 1, "walk on")]
    assert window.editing.player.is_playing
    second, end = hold(window, qtbot, Key.Key_F7)
    assert stored(window)[1] == (max(second, last + 1), end + 1, "turn left")
    press(window, Key.Key_Z, Mod.ControlModifier)
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert stored(window) == []


def test_an_instruction_without_words_asks_for_them_when_its_key_comes_up(window, qtbot) -> None:
    play(window, qtbot)
    first, last = hold(window, qtbot, Key.Key_B)
    assert not window.editing.player.is_playing
    assert window.timeline.editor.is_open
    QTest.keyClicks(window.timeline.editor, "jump over")
    press(window, Key.Key_Return)
    assert stored(window) == [(first, last + 1, "jump over")]
    assert window.editing.player.is_playing


@pytest.mark.parametrize("end", [Key.Key_Escape, None])
def test_playing_goes_on_only_after_the_text_was_entered(window, qtbot, end) -> None:
    play(window, qtbot)
    hold(window, qtbot, Key.Key_B)
    QTest.keyClicks(window.timeline.editor, "jump")
    if end is None:
        window.panel.note.setFocus()
    else:
        press(window, end)
    assert not window.timeline.editor.is_open
    assert not window.editing.player.is_playing


def test_a_flag_is_held_with_its_digit_and_with_a_key_of_the_librarys_own(window, qtbot) -> None:
    play(window, qtbot)
    menu = hold(window, qtbot, Key.Key_2)
    lag = hold(window, qtbot, Key.Key_8)
    assert stored(window, FLAG) == [(menu[0], menu[1] + 1, "menu"), (lag[0], lag[1] + 1, "lag")]
    assert "Lag" in [row.label for row in window.timeline.rows.labels]


def test_a_flag_key_that_is_only_tapped_while_it_plays_starts_and_ends_the_flag(window, qtbot, taps) -> None:
    play(window, qtbot)
    first, _ = hold(window, qtbot, Key.Key_1, frames=1)
    assert stored(window, FLAG) == [(first, first + 1, "idle")]
    qtbot.waitUntil(lambda: window.editing.player.index > first + 5)
    last, _ = hold(window, qtbot, Key.Key_1, frames=1)
    assert stored(window, FLAG) == [(first, last + 1, "idle")]


def test_a_tapped_word_labels_two_seconds_from_where_the_key_went_down(window, qtbot, taps) -> None:
    play(window, qtbot)
    first, _ = hold(window, qtbot, Key.Key_Q, Mod.ShiftModifier, frames=1)
    assert stored(window) == [(first, first + 61, "walk on")]


def test_repeats_of_a_held_key_change_nothing(window, qtbot) -> None:
    play(window, qtbot)
    first = window.editing.player.index
    QTest.keyPress(window.timeline, Key.Key_2)
    for _ in range(10):
        repeat(window, Key.Key_2)
    assert stored(window, FLAG) == []
    qtbot.waitUntil(lambda: window.editing.player.index > first + 3)
    last = window.editing.player.index
    QTest.keyRelease(window.timeline, Key.Key_2)
    assert stored(window, FLAG) == [(first, last + 1, "menu")]


def test_escape_forgets_what_is_held_and_the_key_coming_up_makes_nothing(window, qtbot) -> None:
    play(window, qtbot)
    QTest.keyPress(window.timeline, Key.Key_2)
    qtbot.waitUntil(lambda: window.editing.player.index > 25)
    press(window, Key.Key_Escape)
    QTest.keyRelease(window.timeline, Key.Key_2)
    assert stored(window, FLAG) == []
    assert not window.holding.is_active
    hold(window, qtbot, Key.Key_2)
    assert len(stored(window, FLAG)) == 1


@pytest.mark.parametrize("loss", ["window", "dialog", "session", "close"])
def test_what_is_held_is_stored_when_the_window_loses_the_keyboard(window, store, make_session, qtbot, loss) -> None:
    session_id, other = window.editing.session_id, make_session(store, count=30)
    play(window, qtbot)
    first = window.editing.player.index
    QTest.keyPress(window.timeline, Key.Key_2)
    qtbot.waitUntil(lambda: window.editing.player.index > first + 3)
    if loss == "window":
        QApplication.sendEvent(window, QEvent(QEvent.Type.WindowDeactivate))
    elif loss == "dialog":
        dialog = QDialog(window)
        qtbot.addWidget(dialog)
        dialog.open()
        qtbot.waitUntil(lambda: not window.holding.is_active)
        dialog.close()
    elif loss == "session":
        assert window.open_session(other)
    else:
        window.close()
    assert not window.holding.is_active
    flags = [edit for edit in store.edits(session_id) if edit.kind is FLAG]
    assert [(edit.start, edit.value) for edit in flags] == [(first, "menu")]
    assert flags[0].stop > first + 3


def test_a_release_that_nobody_saw_does_not_stick(window, qtbot) -> None:
    play(window, qtbot)
    QTest.keyPress(window.timeline, Key.Key_2)
    qtbot.waitUntil(lambda: window.editing.player.index > 25)
    first_end = window.editing.player.index
    QTest.keyPress(window.timeline, Key.Key_2)
    assert stored(window, FLAG)[0][1] == first_end + 1
    qtbot.waitUntil(lambda: window.editing.player.index > first_end + 3)
    QTest.keyRelease(window.timeline, Key.Key_2)
    assert not window.holding.is_active
    assert len(stored(window, FLAG)) == 2


def test_what_is_held_is_shown_before_it_is_stored(window, qtbot) -> None:
    play(window, qtbot)
    QTest.keyPress(window.timeline, Key.Key_Q, Mod.ShiftModifier)
    first = window.editing.player.index
    qtbot.waitUntil(lambda: window.editing.player.index > first + 3)
    (growing,) = window.editing.marking.growing()
    assert (growing.value, growing.start, growing.stop) == ("walk on", first, window.editing.frame + 1)
    window.timeline.grab()
    QTest.keyRelease(window.timeline, Key.Key_Q, Mod.ShiftModifier)
    assert window.editing.marking.growing() == []


def test_a_held_label_that_meets_a_neighbour_is_shortened_and_says_so(window, qtbot) -> None:
    window.editing.create(LabelKind.INSTRUCTION, 26, 120, "there")
    play(window, qtbot)
    first, last = hold(window, qtbot, Key.Key_F7, frames=10)
    assert last > 26
    assert stored(window)[0] == (first, 26, "turn left")
    assert "shortened at its neighbour" in window.saved.text()


class Stamped(QKeyEvent):
    """An event with the system's time of it."""

    def __init__(self, kind: QEvent.Type, key: Key, time_ms: int) -> None:
        super().__init__(kind, key.value, Mod.NoModifier, 11, 0, 0, "2")
        self.time_ms = time_ms

    def timestamp(self) -> int:
        return self.time_ms


def send(window, kind: QEvent.Type, time_ms: int, key: Key = Key.Key_2) -> None:
    """One event as the system would send it, with its time."""
    QApplication.sendEvent(window.timeline, Stamped(kind, key, time_ms))


def test_repeats_that_are_not_marked_as_such_are_known_by_their_time(window, qtbot) -> None:
    play(window, qtbot)
    first = window.editing.player.index
    send(window, QEvent.Type.ShortcutOverride, 1000)
    window.actions_by_name["flag_2"].trigger()
    for time_ms in range(1500, 2000, 40):
        send(window, QEvent.Type.KeyRelease, time_ms)
        send(window, QEvent.Type.ShortcutOverride, time_ms)
        window.actions_by_name["flag_2"].trigger()
    assert window.holding.is_active
    assert stored(window, FLAG) == []
    qtbot.waitUntil(lambda: window.editing.player.index > first + 3)
    last = window.editing.player.index
    send(window, QEvent.Type.KeyRelease, 2000)
    qtbot.waitUntil(lambda: not window.holding.is_active)
    assert stored(window, FLAG) == [(first, last + 1, "menu")]


def test_a_key_that_is_held_while_paused_does_its_work_once(window) -> None:
    send(window, QEvent.Type.ShortcutOverride, 1000)
    window.actions_by_name["flag_2"].trigger()
    for time_ms in (1500, 1540, 1580):
        send(window, QEvent.Type.KeyRelease, time_ms)
        send(window, QEvent.Type.ShortcutOverride, time_ms)
        window.actions_by_name["flag_2"].trigger()
    assert stored(window, FLAG) == [(0, 1, "menu")]
    assert len(window.editing.marking._running_flags) == 1


def test_an_action_that_is_not_to_repeat_does_not_where_repeats_are_not_marked(window) -> None:
    send(window, QEvent.Type.KeyRelease, 1500, Key.Key_Space)
    send(window, QEvent.Type.ShortcutOverride, 1500, Key.Key_Space)
    shortcut = QShortcutEvent(QKeySequence("Space"), 0)
    QApplication.sendEvent(window.actions_by_name["toggle"], shortcut)
    assert not window.editing.player.is_playing
    send(window, QEvent.Type.ShortcutOverride, 1600, Key.Key_Space)
    QApplication.sendEvent(window.actions_by_name["toggle"], shortcut)
    assert window.editing.player.is_playing
