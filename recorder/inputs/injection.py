"""Keys, buttons and relative motion injected into an X display by XTEST, with a ledger of all that was injected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from Xlib import X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, XError
from Xlib.ext import xtest

from db.clock import now_ns
from db.errors import CaptureUnavailable, WindowLost
from db.recording import keys
from recorder.inputs.reach import Reach
from recorder.screen.windows import connect

_X_BUTTONS = {keys.BTN_LEFT: 1, keys.BTN_MIDDLE: 2, keys.BTN_RIGHT: 3} | {
    keys.BTN_SIDE + n - 8: n for n in range(8, 13)
}


@dataclass(frozen=True, slots=True)
class Injection:
    """One injected event, in order. A key or button has a code and a value; motion has code 0 and its (dx, dy)."""

    t_ns: int
    code: int
    value: int = 0
    dx: int = 0
    dy: int = 0


class Injector:
    """Presses and moves on one display. One thread uses it, except that any thread may read `ledger`.

    Only changes are sent: pressing what this injector holds, or releasing what it does not, does nothing.
    """

    def __init__(self, display: str | None = None, *, window_id: int | None = None) -> None:
        """window_id: the one window that presses are for; one that would go to another is not sent (see `hold_exactly`), and
        what is held does not repeat, since the server would go on repeating it in whichever window has the focus next.

        Raises CaptureUnavailable where there is no display or it does not take injected events.
        """
        self._connection: Display = connect(display)
        self._reach = Reach(self._connection, window_id) if window_id is not None else None
        self._repeats = self._connection.get_keyboard_control().auto_repeats if window_id is not None else []
        """A bit for each X keycode that repeats while it is held."""
        self._down: set[int] = set()
        self.ledger: list[Injection] = []
        self.on_send: Callable[[Injection], None] = lambda injection: None
        """Called with each injection before it is sent, so that whoever compares inputs with it never comes too early."""
        if not self._connection.has_extension("XTEST"):
            self._connection.close()
            raise CaptureUnavailable(
                "This X server takes no injected input (no XTEST extension); a model cannot play on it."
            )

    @property
    def down(self) -> frozenset[int]:
        """evdev codes that this injector holds."""
        return frozenset(self._down)

    def set(self, code: int, down: bool) -> None:
        """Presses or releases a key or button by its evdev code."""
        if down == (code in self._down):
            return
        self._note(Injection(now_ns(), code, int(down)))
        (self._down.add if down else self._down.discard)(code)
        if down and self._repeats_by_itself(code):
            self._let_repeat(code, X.AutoRepeatModeOff)
        self._send_change(code, down)
        if not down and self._repeats_by_itself(code):
            self._let_repeat(code, X.AutoRepeatModeOn)

    def hold_exactly(self, codes: frozenset[int]) -> bool:
        """Releases what is held beyond `codes` and presses what is missing, in ascending order of code.

        False where a press was left out, since it would have gone to another window than the one that they are for.
        """
        for code in sorted(self._down - codes):
            self.set(code, False)
        missing = sorted(codes - self._down)
        if not missing or self._reach is None:
            self._press(missing)
            return True
        try:
            with self._reach.held_still():
                there = self._reach.has_keyboard()
                under = there and any(map(keys.is_pointer_button, missing)) and self._reach.has_pointer()
                allowed = [code for code in missing if there and (under or not keys.is_pointer_button(code))]
                self._press(allowed)
        except (ConnectionClosedError, OSError) as error:
            raise WindowLost("The X display has gone away.") from error
        return len(allowed) == len(missing)

    def move(self, dx: int, dy: int) -> None:
        """Moves the pointer by device counts, right and down; (0, 0) sends nothing."""
        if dx or dy:
            self._note(Injection(now_ns(), 0, 0, dx, dy))
            self._send(X.MotionNotify, 1, dx, dy)

    def release_all(self) -> None:
        """Releases everything that this injector holds."""
        self.hold_exactly(frozenset())

    def release_foreign(self, codes: Iterable[int]) -> None:
        """Releases keys that another program's injector held for a window and did not release; they repeat again."""
        for code in codes:
            self._send_change(code, False)
            if not keys.is_button(code):
                self._let_repeat(code, X.AutoRepeatModeDefault)

    def knows(self, code: int) -> bool:
        """Whether this code can be injected: X's 248 keys, and mouse buttons."""
        return code in _X_BUTTONS if keys.is_button(code) else 0 < code < 248

    def close(self) -> None:
        """Releases everything and leaves the display."""
        try:
            self.release_all()
            self._connection.sync()
            self._connection.close()
        except (WindowLost, XError, ConnectionClosedError, OSError):
            self._down.clear()  # the display is gone, and with it whatever was held

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _press(self, codes: Iterable[int]) -> None:
        for code in codes:
            self.set(code, True)

    def _note(self, injection: Injection) -> None:
        self.ledger.append(injection)
        self.on_send(injection)

    def _send_change(self, code: int, down: bool) -> None:
        if keys.is_button(code):
            self._send(X.ButtonPress if down else X.ButtonRelease, _X_BUTTONS[code])
        else:
            self._send(X.KeyPress if down else X.KeyRelease, code + keys.X11_KEYCODE_OFFSET)

    def _repeats_by_itself(self, code: int) -> bool:
        """Whether the server repeats this key where nobody told it otherwise; never asked where no window is aimed at."""
        byte, bit = divmod(code + keys.X11_KEYCODE_OFFSET, 8)
        return not keys.is_button(code) and byte < len(self._repeats) and bool(self._repeats[byte] & (1 << bit))

    def _let_repeat(self, code: int, mode: int) -> None:
        try:
            self._connection.change_keyboard_control(key=code + keys.X11_KEYCODE_OFFSET, auto_repeat_mode=mode)
            self._connection.flush()
        except (ConnectionClosedError, OSError) as error:
            raise WindowLost("The X display has gone away.") from error

    def _send(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        try:
            xtest.fake_input(self._connection, kind, detail, x=x, y=y)
            self._connection.flush()
        except (ConnectionClosedError, OSError) as error:
            raise WindowLost("The X display has gone away.") from error


def sum_motion(ledger: list[Injection]) -> tuple[int, int]:
    """The whole way that a ledger's motions went."""
    return sum(entry.dx for entry in ledger), sum(entry.dy for entry in ledger)


def count_changes(ledger: list[Injection]) -> Counter[tuple[int, int]]:
    """How often each (code, value) was sent, motion left out."""
    return Counter((entry.code, entry.value) for entry in ledger if entry.code)
