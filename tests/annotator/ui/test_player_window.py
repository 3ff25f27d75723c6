"""Watching in the whole window under real keys: shuttle, jump, loop, and the proxy that a process makes beside."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.model.video.proxy import Proxy
from annotator.ui.annotate.annotate_window import AnnotateWindow
from films import Film
from watchers import Watcher

Key, Mod = Qt.Key, Qt.KeyboardModifier


def opened(store, session_id: str, qtbot) -> AnnotateWindow:
    window = AnnotateWindow(store, "ann")
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    assert window.open_session(session_id)
    qtbot.waitUntil(lambda: window.editing is not None and window.picture.index == 0)
    window.timeline.setFocus()
    return window


@pytest.fixture
def window(store, make_session, qtbot) -> AnnotateWindow:
    labels = [("instruction", 20, 26, "walk on"), ("instruction", 60, 80, "turn left")]
    return opened(store, make_session(store, count=120, labels=labels), qtbot)


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def test_j_and_l_speed_up_slow_down_and_turn_and_k_stops(window) -> None:
    player, met = window.editing.player, []
    player.seek(60)
    for key in (Key.Key_L, Key.Key_L, Key.Key_L, Key.Key_J, Key.Key_J, Key.Key_J, Key.Key_K):
        press(window, key)
        met.append(player.speed)
    assert met == [1, 2, 4, 2, 1, -1, 0]


def test_with_k_held_j_and_l_are_one_frame(window, qtbot) -> None:
    player = window.editing.player
    player.seek(60)
    qtbot.waitUntil(lambda: player.is_settled)
    QTest.keyPress(window.timeline, Key.Key_K)
    for key in (Key.Key_L, Key.Key_L, Key.Key_J):
        press(window, key)
    QTest.keyRelease(window.timeline, Key.Key_K)
    qtbot.waitUntil(lambda: player.is_settled)
    assert (player.index, player.speed) == (61, 0)
    press(window, Key.Key_L)
    assert player.speed == 1


def test_k_that_comes_up_elsewhere_is_not_held_any_more(window, qtbot) -> None:
    player = window.editing.player
    QTest.keyPress(window.timeline, Key.Key_K)
    window.panel.note.setFocus()
    QTest.keyRelease(window.panel.note, Key.Key_K)
    window.timeline.setFocus()
    press(window, Key.Key_L)
    assert player.speed == 1
    QTest.keyPress(window.timeline, Key.Key_K)
    QApplication.sendEvent(window, QEvent(QEvent.Type.WindowDeactivate))
    press(window, Key.Key_J)
    assert player.speed == -1


def test_up_and_down_go_through_every_pace(window) -> None:
    player, pace = window.editing.player, window.transport.pace
    for _ in range(9):
        press(window, Key.Key_Up)
    assert (player.pace, pace.currentText()) == (16, "16×")
    met = []
    for _ in range(8):
        press(window, Key.Key_Down)
        met.append(player.pace)
    assert met == [8, 4, 2, 1, 0.5, 0.25, 0.1, 0.1]
    assert pace.currentText() == "0.1×"


def test_jumping_goes_where_one_types_and_says_what_is_no_place(window, qtbot) -> None:
    field, player = window.transport.place, window.editing.player
    press(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "f 42")
    press(window, Key.Key_Return)
    assert not field.isVisible()
    qtbot.waitUntil(lambda: window.picture.index == 42)
    press(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "f 4200")
    press(window, Key.Key_Return)
    assert field.isVisible()
    assert "no frame 4200; the last one is 119" in window.transport.note.toolTip()
    QTest.keyClicks(field, "+1")  # over what was wrong
    assert not window.transport.note.isVisible()
    press(window, Key.Key_Return)
    qtbot.waitUntil(lambda: player.index == 72)
    press(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "0")
    press(window, Key.Key_Escape)
    assert not field.isVisible()
    assert window.transport.where.isVisible()
    assert player.target == 72


def test_the_span_or_the_marks_are_looped_until_the_key_comes_again(window, qtbot) -> None:
    player, button = window.editing.player, window.transport._buttons["loop"]
    press(window, Key.Key_L, Mod.ControlModifier)
    assert player.loop is None
    assert "select a span" in window.info.text
    assert not button.isChecked()
    press(window, Key.Key_Tab)
    press(window, Key.Key_L, Mod.ControlModifier)
    assert player.loop == range(20, 26)
    assert button.isChecked()
    seen: list[int] = []
    player.displayed.connect(lambda index: seen.append(index))
    qtbot.waitUntil(lambda: seen.count(20) >= 2)
    assert set(seen) <= set(range(20, 26))
    press(window, Key.Key_L, Mod.ControlModifier)
    assert (player.loop, player.is_playing, button.isChecked()) == (None, False, False)


def test_a_long_group_gets_a_proxy_from_a_process_beside(store, qtbot) -> None:
    session_id = Film(count=600, gop=10_000, size_px=(320, 180)).record(store)
    window = opened(store, session_id, qtbot)
    proxying, told = window.editing.proxying, []
    proxying.progressed.connect(lambda share, left_s: told.append(share))
    assert proxying.is_working
    qtbot.waitUntil(lambda: not proxying.is_working, timeout=30_000)
    assert proxying.proxy.is_whole
    assert told == sorted(told)
    assert told[-1] == 1
    assert not window.transport.note.isVisible()
    watcher = Watcher(window.editing.player)
    watcher.do(10)
    assert watcher.wrong == []
    assert watcher.drafts


def test_closing_ends_the_process_and_the_next_time_it_goes_on(store, qtbot) -> None:
    session_id = Film(count=900, gop=10_000, size_px=(640, 360)).record(store)
    window = opened(store, session_id, qtbot)
    process, proxy = window.editing.proxying._process, window.editing.proxying.proxy
    qtbot.waitUntil(lambda: proxy.frames_done > 0, timeout=30_000)
    window.close()
    assert process.state() == process.ProcessState.NotRunning
    done = Proxy(store.cache_dir, store.recording(session_id)).frames_done
    assert done >= 256
    again = opened(store, session_id, qtbot).editing.proxying
    assert again.proxy.frames_done >= done
    qtbot.waitUntil(lambda: not again.is_working, timeout=30_000)
    assert again.proxy.is_whole


def test_what_is_quick_already_needs_no_proxy(window) -> None:
    assert window.editing.proxying.proxy is None
    assert not window.editing.proxying.is_working
    assert not window.transport.note.isVisible()


def test_a_proxy_that_cannot_be_made_is_said_and_all_works_without(store, qtbot) -> None:
    session_id = Film(count=300, gop=10_000).record(store)
    (store.cache_dir / "proxies").parent.mkdir(exist_ok=True)
    (store.cache_dir / "proxies").write_text("in the way")
    window = opened(store, session_id, qtbot)
    qtbot.waitUntil(lambda: not window.editing.proxying.is_working, timeout=30_000)
    assert window.transport.note.toolTip().startswith("No smooth seeking: ")
    watcher = Watcher(window.editing.player)
    watcher.do(5)
    assert (watcher.wrong, watcher.drafts) == ([], 0)


def test_what_takes_long_is_said(window, qtbot) -> None:
    transport, player = window.transport, window.editing.player
    player.seek(100)
    assert transport._waits.isActive()
    transport._on_waiting()
    assert "frame 100 is coming" in transport.where.toolTip()
    qtbot.waitUntil(lambda: player.is_settled)
    assert "frame 100 of 120" in transport.where.toolTip()
    assert not transport._waits.isActive()
    player.is_true = False
    transport._on_waiting()
    assert "preview" in transport.where.toolTip()


def test_in_a_narrow_bar_buttons_make_room_for_the_number_of_the_frame(window, qtbot) -> None:
    transport, player = window.transport, window.editing.player
    player.seek(100)
    qtbot.waitUntil(lambda: player.is_settled)
    buttons = transport._buttons
    assert all(button.isVisible() for button in buttons.values())
    for width in range(transport.width(), transport.minimumSizeHint().width(), -20):
        transport.resize(width, transport.height())
        assert transport.where.text().endswith(("100/120", "frame 100 of 120"))
        assert buttons["toggle"].isVisible()
        assert transport.overlay.width() >= transport.overlay.sizeHint().width()
    assert not buttons["first"].isVisible()
    transport.resize(900, transport.height())
    assert all(button.isVisible() for button in buttons.values())
