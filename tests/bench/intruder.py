"""A game's window and a private one on a display, and play that keeps changing between them.

Both windows write down what the server delivered to them: that, and nothing that was intended, is the truth about who
was typed to. Keys of `MARKED`, the left button, downward notches and moves by `AWAY_STEP` go to others alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest
from Xlib.protocol.event import ClientMessage

from db.clock import now_ns
from db.recording.keys import BTN_LEFT, BTN_RIGHT, CODES, X11_KEYCODE_OFFSET
from recorder.inputs.injection import Injector

MARKED_TEXT = "qzxjvkq"
MARKED = tuple(CODES[f"KEY_{letter.upper()}"] for letter in MARKED_TEXT)
GAME_KEYS = tuple(CODES[f"KEY_{name}"] for name in ("W", "A", "S", "D", "SPACE"))
ALT, TAB, HOTKEY = CODES["KEY_LEFTALT"], CODES["KEY_TAB"], CODES["KEY_F6"]
AWAY_STEP, GAME_STEP = (11, 7), (3, -1)
GAME_RECT, OTHER_RECT = (60, 60, 320, 240), (480, 80, 240, 200)
GAME_COLOUR, PRIVATE_COLOUR = 0x206020, 0xFF00FF
_EVENTS = X.KeyPressMask | X.KeyReleaseMask | X.ButtonPressMask
_TIMEOUT_S = 1.0
_CLICKS = 5
_HAND_S = 0.02
"""openbox loses its way where a hand is faster than this over alt and tab."""


@dataclass
class Window:
    """One window on a connection of its own, and what was delivered to it."""

    connection: Display
    handle: Any
    got: list[tuple[int, int, int]] = field(default_factory=list)
    """(evdev code, 1 down or 0 up, the server's milliseconds) of every key."""

    @classmethod
    def open(cls, display: str, title: str, rect: tuple[int, int, int, int], colour: int, **more: Any) -> Window:
        connection = Display(display)
        handle = connection.screen().root.create_window(
            *rect, 0, 24, background_pixel=colour, event_mask=_EVENTS, **more
        )
        handle.set_wm_name(title)
        handle.set_wm_normal_hints(flags=3, x=rect[0], y=rect[1])  # USPosition, PPosition
        return cls(connection, handle)

    def map(self) -> None:
        """Returns once it is on the screen, which with a window manager takes some time."""
        self.handle.map()
        while self.handle.get_attributes().map_state != X.IsViewable:
            time.sleep(0.001)

    def pump(self) -> None:
        """Reads what was delivered so far."""
        while self.connection.pending_events():
            event = self.connection.next_event()
            if event.type in (X.KeyPress, X.KeyRelease):
                self.got.append((event.detail - X11_KEYCODE_OFFSET, int(event.type == X.KeyPress), event.time))

    def wait_focus(self) -> bool:
        """Whether it got the focus in time."""
        stop_s = time.monotonic() + _TIMEOUT_S
        while self.connection.get_input_focus().focus != self.handle:
            if time.monotonic() > stop_s:
                return False
        return True

    def close(self) -> None:
        self.handle.destroy()
        self.connection.close()


@dataclass
class Account:
    """What happened, on the clock of the recording."""

    rounds: int = 0
    away_ns: list[tuple[int, int]] = field(default_factory=list)
    """When keys surely went to another window: after the change was told and before the way back began."""
    changes_ns: list[tuple[int, int]] = field(default_factory=list)
    """Around each change of the focus."""
    covered_ns: list[tuple[int, int]] = field(default_factory=list)
    """When, besides, a window of PRIVATE_COLOUR surely lay over the game."""
    marked: int = 0
    """Marked keys that were typed."""
    ways: dict[str, int] = field(default_factory=dict)


class Stage:
    """The windows and two connections that inject.

    switch: how one goes from window to window, beside all that takes the keyboard without one: `focus` where no window
    manager runs, `click` or `alt-tab` where openbox does (which at this speed gets stuck when one mixes the two).
    """

    def __init__(self, display: str, switch: str, seed: int) -> None:
        self._managed, self._dice = switch != "focus", random.Random(seed)
        self.game = Window.open(display, "Witnessed game", GAME_RECT, GAME_COLOUR)
        self.other = Window.open(display, "Private letter", OTHER_RECT, PRIVATE_COLOUR)
        self.popup = Window.open(display, "", (100, 100, 200, 120), PRIVATE_COLOUR, override_redirect=True)
        self._grabber = Display(display)
        self._grabber.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)
        self._hands = [Injector(display), Injector(display)]
        self.account = Account()
        for window in (self.other, self.game):
            window.map()
        self._ways: dict[str, Callable[[], None]] = {"popup": self._by_popup, "grab of the root": self._by_root_grab}
        self._ways["grab of the device"] = self._by_device_grab
        self._ways["hotkey"] = self._by_hotkey
        self._ways[switch] = {"focus": self._by_focus, "click": self._by_click, "alt-tab": self._by_alt_tab}[switch]
        if self._managed:
            self._keep_one_desktop()
        self.focus_game()

    def close(self) -> None:
        for hand in self._hands:
            hand.close()
        for window in (self.popup, self.other, self.game):
            window.close()
        self._grabber.close()

    def play(self, rounds: int) -> None:
        """Plays, is taken away from the game by one way or another, types what is private, and comes back."""
        for _ in range(rounds):
            self._play_game()
            name = self._dice.choice(list(self._ways))
            start_ns, count = now_ns(), len(self.account.away_ns)
            self._ways[name]()
            (away_ns,) = self.account.away_ns[count:]
            self.account.changes_ns += [(start_ns, away_ns[0]), (away_ns[1], now_ns())]
            self.account.ways[name] = self.account.ways.get(name, 0) + 1
            self.account.rounds += 1
            for window in (self.game, self.other, self.popup):
                window.pump()
        for hand in self._hands:
            hand.release_all()
            hand._connection.sync()
        self.game.connection.sync()
        self.game.pump()

    def focus_game(self) -> None:
        if self._managed:
            self._click_on(self.game, GAME_RECT, BTN_RIGHT)
        else:
            self._set_focus(self.game)
            self._point(GAME_RECT)

    def _play_game(self) -> None:
        hand = self._hand()
        for number in range(self._dice.randrange(1, 4)):
            self._pause()
            if number:  # before that the last marked key may be down still
                for other in self._hands:
                    other.set(MARKED[-1], False)
            code = self._dice.choice(GAME_KEYS)
            hand.set(code, True)
            self._move(hand, GAME_STEP)
            if self._dice.random() < 0.75:  # else it stays down when the game loses the focus
                hand.set(code, False)
            if self._dice.random() < 0.3:
                hand.set(BTN_RIGHT, True)
                hand.set(BTN_RIGHT, False)
                self._notch(hand, 4)
        hand._connection.sync()

    def _type_marked(self) -> None:
        """Right away or within five milliseconds, from either connection, sometimes with a key left down."""
        self._pause()
        hand = self._hand()
        for code in MARKED:
            if code in hand.down:
                continue
            hand.set(code, True)
            if self._dice.random() < 0.2:
                self._pause()
            if code != MARKED[-1] or self._dice.random() < 0.8:
                hand.set(code, False)
            self.account.marked += 1
        self._move(hand, AWAY_STEP)
        self._notch(hand, 5)
        for held in self._hands:
            for code in held.down & frozenset(GAME_KEYS):
                if self._dice.random() < 0.5:
                    held.set(code, False)
            held._connection.sync()

    def _away(self, *, covered: bool = False) -> None:
        """Types while another has the keys, and notes when that was."""
        start_ns = now_ns()
        self._type_marked()
        stop_ns = now_ns()
        self.account.away_ns.append((start_ns, stop_ns))
        if covered:
            self.account.covered_ns.append((start_ns, stop_ns))
        self._pause()

    def _by_focus(self) -> None:
        self._set_focus(self.other)
        self._point(OTHER_RECT)
        self._click()
        self._away()
        self.focus_game()

    def _by_click(self) -> None:
        self._click_on(self.other, OTHER_RECT, BTN_LEFT)
        self._away()
        self.focus_game()

    def _by_alt_tab(self) -> None:
        for there in (self.other, self.game):
            hand = self._hand()
            hand.set(ALT, True)
            for down in (True, False):
                hand.set(TAB, down)
                hand._connection.sync()
                time.sleep(_HAND_S)
            hand.set(ALT, False)
            hand._connection.sync()
            if not there.wait_focus():
                raise RuntimeError("alt-tab did not change the focus")
            if there is self.other:
                self._away()

    def _by_popup(self) -> None:
        """As a program starter: lies over the game, takes the keyboard, and leaves."""
        self.popup.map()
        self._grab_keyboard(self.popup.handle)
        self._point((100, 100, 200, 120))
        self._click()
        self._away(covered=True)
        self.popup.connection.ungrab_keyboard(X.CurrentTime)
        self.popup.handle.unmap()
        self.popup.connection.sync()
        self._point(GAME_RECT)

    def _by_root_grab(self) -> None:
        root = self._grabber.screen().root
        self._grab_keyboard(root)
        self._away()
        self._grabber.ungrab_keyboard(X.CurrentTime)
        self._grabber.sync()

    def _by_device_grab(self) -> None:
        """The newer way, of XInput 2, of the master keyboard (always device 3)."""
        connection = self.popup.connection
        connection.xinput_query_version()
        self.popup.map()
        modes = (X.GrabModeAsync, X.GrabModeAsync)
        self._insist(lambda: self.popup.handle.xinput_grab_device(3, X.CurrentTime, *modes, False, 0).status)
        self._away(covered=True)
        connection.xinput_ungrab_device(3, X.CurrentTime)
        self.popup.handle.unmap()
        connection.sync()

    def _by_hotkey(self) -> None:
        """Another program's own key: the game never hears of it, and of nothing typed while it is down."""
        root = self._grabber.screen().root
        root.grab_key(HOTKEY + X11_KEYCODE_OFFSET, X.AnyModifier, True, X.GrabModeAsync, X.GrabModeAsync)
        self._grabber.sync()
        hand = self._hand()
        hand.set(HOTKEY, True)
        hand._connection.sync()
        self._away()
        hand.set(HOTKEY, False)
        hand._connection.sync()
        root.ungrab_key(HOTKEY + X11_KEYCODE_OFFSET, X.AnyModifier)
        self._grabber.sync()

    def _keep_one_desktop(self) -> None:
        """A wheel that turns over the desktop would go to the next one."""
        root = self._grabber.screen().root
        wanted = self._grabber.intern_atom("_NET_NUMBER_OF_DESKTOPS")
        message = ClientMessage(window=root, client_type=wanted, data=(32, [1, 0, 0, 0, 0]))
        root.send_event(message, X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        while list(root.get_full_property(wanted, X.AnyPropertyType).value) != [1]:
            time.sleep(0.001)

    def _grab_keyboard(self, window: Any) -> None:
        modes = (X.GrabModeAsync, X.GrabModeAsync)
        self._insist(lambda: window.grab_keyboard(True, *modes, X.CurrentTime))

    def _insist(self, grab: Callable[[], int]) -> None:
        """Grabs as soon as the window manager has let go."""
        stop_s = time.monotonic() + _TIMEOUT_S
        while grab():
            if time.monotonic() > stop_s:
                raise RuntimeError("the keyboard could not be grabbed")

    def _set_focus(self, window: Window) -> None:
        window.handle.set_input_focus(X.RevertToParent, X.CurrentTime)
        window.connection.sync()

    def _click_on(self, window: Window, rect: tuple[int, int, int, int], button: int) -> None:
        """Points at it and clicks until the window manager has given it the focus."""
        for _ in range(_CLICKS):
            self._point(rect)
            hand = self._hand()
            hand.set(button, True)
            hand.set(button, False)
            hand._connection.sync()
            if window.wait_focus():
                return
        raise RuntimeError("a click did not give the focus")

    def _click(self) -> None:
        hand = self._hand()
        hand.set(BTN_LEFT, True)
        hand.set(BTN_LEFT, False)
        hand._connection.sync()

    def _point(self, rect: tuple[int, int, int, int]) -> None:
        """Brings the pointer into the middle without a device's motion."""
        self._grabber.screen().root.warp_pointer(rect[0] + rect[2] // 2, rect[1] + rect[3] // 2)
        self._grabber.sync()

    def _move(self, hand: Injector, step: tuple[int, int]) -> None:
        sign = self._dice.choice((1, -1))
        hand.move(sign * step[0], sign * step[1])

    def _notch(self, hand: Injector, button: int) -> None:
        for kind in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(hand._connection, kind, button)

    def _hand(self) -> Injector:
        return self._dice.choice(self._hands)

    def _pause(self) -> None:
        length_s = self._dice.uniform(-0.001, 0.005)
        if length_s > 0:
            time.sleep(length_s)
