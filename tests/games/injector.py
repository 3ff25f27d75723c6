"""Input injected into an X display through the XTEST extension, with a ledger of all that was injected.

Codes are Linux evdev codes, as in a recording: a key's X keycode is its evdev code + 8 (the X.Org evdev and libinput
drivers, and Xvfb's default rules). Motion is relative, so a game that grabs the pointer for mouse-look sees it whole.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Literal, Self

from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

KEYCODE_OFFSET = 8
BTN_LEFT, BTN_RIGHT, BTN_MIDDLE = 0x110, 0x111, 0x112
X_BUTTONS = {BTN_LEFT: 1, BTN_MIDDLE: 2, BTN_RIGHT: 3}

Kind = Literal["key", "button", "motion"]


@dataclass(frozen=True, slots=True)
class Injection:
    """One injected event. ``t_ns`` is ``perf_counter_ns`` just before the request left this process.

    ``value`` is 1 for a press and 0 for a release; motion has code 0, value 0 and its (dx, dy) in pixels, +x to the
    right and +y down.
    """

    t_ns: int
    kind: Kind
    code: int
    value: int
    dx: int = 0
    dy: int = 0

    def to_row(self) -> dict[str, int | str]:
        """As a row for a JSON log."""
        return asdict(self)


class Injector:
    """Presses keys and buttons and moves the mouse on one display. For one thread at a time.

    ``ledger`` lists every injection in the order it was sent. A press of what is already down, or a release of what
    is up, is not sent: the ledger then holds transitions only, as the game and a recording see them.
    """

    def __init__(self, display: str | None = None) -> None:
        self._connection = Display(display)
        self.ledger: list[Injection] = []
        self._down: dict[int, Kind] = {}

    @property
    def down(self) -> Collection[int]:
        """The codes that are held at this moment."""
        return self._down.keys()

    def set_key(self, code: int, pressed: bool) -> None:
        """Press or release the key with this evdev code."""
        self._set("key", code, pressed, code + KEYCODE_OFFSET)

    def set_button(self, code: int, pressed: bool) -> None:
        """Press or release a mouse button: BTN_LEFT, BTN_RIGHT or BTN_MIDDLE."""
        self._set("button", code, pressed, X_BUTTONS[code])

    def set_held(self, code: int, pressed: bool) -> None:
        """Press or release a key or a button, whichever the code means."""
        (self.set_button if code in X_BUTTONS else self.set_key)(code, pressed)

    def move(self, dx: int, dy: int = 0) -> None:
        """Move the mouse by (dx, dy) pixels; (0, 0) sends nothing.

        SDL drops a motion that equals the one before it in the same millisecond of the server's clock: games built on it
        do not see that one, so equal motions must be sent some milliseconds apart.
        """
        if dx or dy:
            xtest.fake_input(self._connection, X.MotionNotify, detail=1, x=dx, y=dy)
            self._send("motion", 0, 0, dx, dy)

    def release_all(self) -> None:
        """Release all that is held."""
        for code in list(self._down):
            self.set_held(code, False)

    def close(self) -> None:
        """Release all that is held and leave the display."""
        self.release_all()
        self._connection.sync()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set(self, kind: Kind, code: int, pressed: bool, detail: int) -> None:
        if pressed == (code in self._down):
            return
        press, release = (X.KeyPress, X.KeyRelease) if kind == "key" else (X.ButtonPress, X.ButtonRelease)
        xtest.fake_input(self._connection, press if pressed else release, detail)
        self._send(kind, code, int(pressed))
        if pressed:
            self._down[code] = kind
        else:
            del self._down[code]

    def _send(self, kind: Kind, code: int, value: int, dx: int = 0, dy: int = 0) -> None:
        t_ns = time.perf_counter_ns()
        self._connection.flush()
        self.ledger.append(Injection(t_ns, kind, code, value, dx, dy))
