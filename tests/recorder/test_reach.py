"""Presses go to the game's window or are not sent, whatever the recorder believes of the focus."""

from __future__ import annotations

import pytest
from Xlib import X

from db.recording.keys import BTN_LEFT, CODES
from recorder.inputs.injection import Injector

W, A = CODES["KEY_W"], CODES["KEY_A"]


@pytest.fixture
def aimed(display, game):
    with Injector(display, window_id=game.id) as made:
        yield made


def heard(window):
    """The presses that a window was sent: X keycodes and buttons."""
    window.connection.sync()
    events = [window.connection.next_event() for _ in range(window.connection.pending_events())]
    return [event.detail for event in events if event.type in (X.KeyPress, X.ButtonPress)]


def listen(window):
    window.handle.change_attributes(event_mask=X.KeyPressMask | X.ButtonPressMask)
    window.connection.sync()


def test_the_focused_window_gets_what_is_pressed(aimed, game):
    listen(game)
    assert aimed.hold_exactly(frozenset({W, BTN_LEFT}))
    assert heard(game) == [W + 8, 1]
    assert aimed.down == {W, BTN_LEFT}


def test_another_window_gets_nothing(aimed, game, display, make_window):
    other = make_window(display, "other", (500, 40, 200, 200))
    listen(other)
    aimed.hold_exactly(frozenset({W}))
    other.focus()
    assert not aimed.hold_exactly(frozenset({W, A, BTN_LEFT}))
    assert aimed.down == {W}
    assert aimed.hold_exactly(frozenset())
    assert heard(other) == []


def test_a_click_beside_the_window_is_not_sent(aimed, game, display, make_window):
    other = make_window(display, "other", (500, 40, 200, 200))
    listen(other)
    listen(game)
    other.handle.warp_pointer(20, 20)
    other.connection.sync()
    assert not aimed.hold_exactly(frozenset({W, BTN_LEFT}))
    assert aimed.down == {W}
    assert heard(other) == []
    assert heard(game) == [W + 8]


@pytest.mark.parametrize("inside", [True, False])
def test_where_the_focus_follows_the_pointer_the_pointer_decides(aimed, game, inside):
    game.connection.set_input_focus(X.PointerRoot, X.RevertToNone, X.CurrentTime)
    game.handle.warp_pointer(*((20, 20) if inside else (-30, -30)))
    game.connection.sync()
    assert aimed.hold_exactly(frozenset({W})) is inside


def test_a_window_within_the_game_is_the_game(aimed, game):
    child = game.handle.create_window(5, 5, 50, 50, 0, X.CopyFromParent, event_mask=X.KeyPressMask)
    child.map()
    child.set_input_focus(X.RevertToParent, X.CurrentTime)
    game.connection.sync()
    assert aimed.hold_exactly(frozenset({W}))
    assert heard(game) == [W + 8]


def test_nobody_has_the_focus(aimed, game):
    game.connection.set_input_focus(X.NONE, X.RevertToNone, X.CurrentTime)
    game.connection.sync()
    assert not aimed.hold_exactly(frozenset({W}))


def test_an_injector_without_a_window_presses_anywhere(injector, game, display, make_window):
    make_window(display, "other", (500, 40, 200, 200)).focus()
    assert injector.hold_exactly(frozenset({W}))


def repeating(window):
    return bool(window.connection.get_keyboard_control().auto_repeats[(W + 8) // 8] & (1 << (W + 8) % 8))


def test_what_is_held_for_a_window_does_not_repeat_meanwhile(aimed, injector, game):
    assert repeating(game)
    aimed.hold_exactly(frozenset({W}))
    game.connection.sync()
    aimed._connection.sync()
    assert not repeating(game), "else the server would repeat it in the window that has the focus next"
    aimed.hold_exactly(frozenset())
    aimed._connection.sync()
    assert repeating(game)
    aimed.hold_exactly(frozenset({W}))
    aimed._connection.sync()
    injector.release_foreign([W])
    injector._connection.sync()
    assert repeating(game), "so it does when the one who held it was killed"
    injector.set(W, True)
    injector._connection.sync()
    assert repeating(game), "where nobody aims at a window nothing is changed"
