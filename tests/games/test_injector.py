"""The injector and the hand: what they inject is what an X client sees and what their ledger says."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from Xlib import X
from Xlib.display import Display

from games.engine import KEY_A, KEY_W, TIC_NS
from games.hand import MIN_TICS, Hand, Intent, _steps
from games.injector import BTN_LEFT, KEYCODE_OFFSET, Injector
from games.xserver import XServer


@pytest.fixture(scope="module")
def server() -> Iterator[XServer]:
    with XServer() as server:
        yield server


def test_keys_buttons_and_motion_reach_the_display_in_order(server: XServer) -> None:
    connection = Display(server.display)
    screen = connection.screen()
    mask = X.KeyPressMask | X.KeyReleaseMask | X.ButtonPressMask | X.ButtonReleaseMask
    size = (screen.width_in_pixels, screen.height_in_pixels)
    window = screen.root.create_window(0, 0, *size, 0, screen.root_depth, event_mask=mask | X.ExposureMask)
    window.map()
    while connection.next_event().type != X.Expose:
        pass
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    connection.sync()
    with Injector(server.display) as injector:
        before = screen.root.query_pointer()
        injector.move(-7, 5)
        injector.set_key(KEY_W, True)
        injector.set_button(BTN_LEFT, True)
        injector.set_key(KEY_W, False)
        injector.set_button(BTN_LEFT, False)
        # The server also announces that another keyboard is now in use; that is no input.
        events = (connection.next_event() for _ in itertools.count())
        seen = list(itertools.islice((event for event in events if event.type != X.MappingNotify), 4))
    after = screen.root.query_pointer()
    connection.close()
    assert (after.root_x - before.root_x, after.root_y - before.root_y) == (-7, 5)
    expected = [(X.KeyPress, KEY_W + KEYCODE_OFFSET), (X.ButtonPress, 1), (X.KeyRelease, KEY_W + KEYCODE_OFFSET)]
    assert [(event.type, event.detail) for event in seen] == [*expected, (X.ButtonRelease, 1)]


def test_ledger_holds_transitions_only_and_release_all_ends_them(server: XServer) -> None:
    with Injector(server.display) as injector:
        injector.set_key(KEY_A, True)
        injector.set_key(KEY_A, True)
        injector.set_button(BTN_LEFT, True)
        injector.move(0, 0)
        injector.release_all()
        injector.set_key(KEY_A, False)
        ledger = injector.ledger
        assert not injector.down
    assert [(row.kind, row.code, row.value) for row in ledger] == [
        ("key", KEY_A, 1),
        ("button", BTN_LEFT, 1),
        ("key", KEY_A, 0),
        ("button", BTN_LEFT, 0),
    ]
    assert [row.t_ns for row in ledger] == sorted(row.t_ns for row in ledger)


def test_hand_holds_each_key_for_the_least_number_of_tics_and_moves_by_the_whole(server: XServer) -> None:
    with Hand(server.display) as hand:
        for tic in range(12):
            # Wants a change in every tic; gets one in every third.
            hand.follow(Intent(frozenset({KEY_W} if tic % 2 == 0 else ()), dx=50, dy=-9), tic)
        deadline_s = time.monotonic() + 10
        while sum(row.dx for row in hand.ledger) < 600 and time.monotonic() < deadline_s:
            time.sleep(TIC_NS / 1e9)
    ledger = hand.ledger
    assert (sum(row.dx for row in ledger), sum(row.dy for row in ledger)) == (600, -108)
    values = [row.value for row in ledger if row.kind == "key"]
    assert values == [1, 0] * (len(values) // 2)
    assert len(values) <= 12 // MIN_TICS + 1


def test_closing_a_hand_releases_what_it_holds(server: XServer) -> None:
    with Hand(server.display) as hand:
        hand.follow(Intent(frozenset({KEY_W})), 0)
        deadline_s = time.monotonic() + 10
        while not hand.ledger and time.monotonic() < deadline_s:
            time.sleep(TIC_NS / 1e9)
    assert [(row.code, row.value) for row in hand.ledger] == [(KEY_W, 1), (KEY_W, 0)]


@given(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 4), st.tuples(st.integers(-3, 99), st.just(0)))
def test_steps_add_up_and_never_repeat(dx: int, dy: int, parts: int, before: tuple[int, int]) -> None:
    steps = _steps(dx, dy, parts, before)
    assert (sum(x for x, _ in steps), sum(y for _, y in steps)) == (dx, dy)
    assert all(a != b for a, b in itertools.pairwise(steps))
    assert not steps or steps[0] != before or (len(steps) == 1 and abs(dx) + abs(dy) == 1)
