"""Pictures of an X11 window, region or monitor by mss, which reads through shared memory (MIT-SHM)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import mss
import numpy as np
from mss.exception import ScreenShotError
from Xlib.error import ConnectionClosedError

from db.clock import now_ns
from db.errors import BadArgument, CaptureUnavailable
from recorder.screen import windows
from recorder.screen.source import (
    Bgra,
    DisplayLost,
    Grab,
    Target,
    TargetKind,
    WindowClosed,
    WindowHidden,
    WindowResized,
    even,
)
from recorder.screen.watch import View, Watch

Rect = tuple[int, int, int, int]
"""(left, top, width, height) in pixels of the root window."""

_TRIES = 5
_CALM_NS = 100_000_000
"""A window manager tells the new order of its windows some time after it made it: until then anything may cover."""
_UNREADABLE = "The screen can no longer be read; what was recorded until then is kept."


class X11Window:
    """One window, followed when it moves; what is beyond the edge of the screen is black.

    A picture never shows what came to light when the window moved or went away while it was taken: then another is
    taken, and a black one is given where the window does not come to rest. The recording goes on when the screen
    changes its resolution and the window keeps its size.
    """

    def __init__(self, *, title: str | None = None, window_id: int | None = None, display: str | None = None) -> None:
        self._title, self._window_id, self._display = title, window_id, display
        self._opened: _Opened | None = None

    def open(self) -> Target:
        connection = windows.connect(self._display)
        try:
            found = windows.find_window(connection, title=self._title, window_id=self._window_id)
            if not found.viewable:
                raise WindowHidden(f"The window {found.title!r} is hidden; bring it to the screen and start again.")
            if min(found.size_px) < 2:
                raise WindowHidden(f"The window {found.title!r} is too small to record: {found.size_px} pixels.")
            self._opened = _Opened(Watch(connection, found), _Screen(self._display), found)
        except (ConnectionClosedError, OSError) as error:
            windows.disconnect(connection)
            raise DisplayLost("The X display has gone away; nothing was recorded.") from error
        except BaseException:
            windows.disconnect(connection)
            raise
        return Target("window", found.title, found.window_id, found.position_px, even(found.size_px))

    def grab(self, *, blank_if_covered: bool = False) -> Grab:
        assert self._opened is not None, "grab before open"
        return self._opened.grab(blank_if_covered)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class _Opened:
    """What an open X11Window holds: the events of the window, the screen, and the window as it was at the start."""

    def __init__(self, watch: Watch, screen: _Screen, window: windows.Window) -> None:
        self._watch, self._screen, self._window = watch, screen, window
        self._view = watch.look()
        self._covered: tuple[tuple[int, int], bool] = ((-1, -1), False)
        """Whether something lay over the window when `moves` and `stirred_ns` were these."""

    def grab(self, blank_if_covered: bool) -> Grab:
        """The window while it stood still, or black. Raises as ScreenSource.grab does."""
        grab: Grab | None = None
        for _ in range(_TRIES):
            before = self._view
            window = self._check(before)
            grab = self._screen.grab((*window.position_px, *even(window.size_px)), before.screen_px)
            self._view = after = self._watch.look()
            if after.moves == before.moves:
                if grab is None:
                    raise DisplayLost(_UNREADABLE)
                return _blank(grab) if self._is_private(before, after, window, blank_if_covered) else grab
        if grab is None:
            raise DisplayLost(_UNREADABLE)
        return _blank(grab)

    def close(self) -> None:
        self._screen.close()
        self._watch.close()

    def _check(self, view: View) -> windows.Window:
        """The window as it is now. Raises WindowLost unless it is still there, shown, and of the same size."""
        window, title = view.window, self._window.title
        if window is None:
            raise WindowClosed(f"The window {title!r} was closed.")
        if not window.viewable:
            raise WindowHidden(f"The window {title!r} was hidden.")
        if window.size_px != self._window.size_px:
            raise WindowResized(
                f"The window {title!r} was resized from {self._window.size_px} to {window.size_px}; "
                "start a new recording at the new size."
            )
        return window

    def _is_private(self, before: View, after: View, window: windows.Window, asked: bool) -> bool:
        """Whether a picture between two looks may show what lies over a window without the focus.

        The second look knows of everything that happened before the picture: also of a focus that was lost, and that
        whoever asks for blank pictures has not heard of yet.
        """
        if not (asked or after.away or now_ns() - after.refocused_ns < _CALM_NS):
            return False
        covered = self._is_covered(after, window)
        self._view = self._watch.look()  # what went away before that was asked lay over the picture all the same
        return covered or self._view.stirred_ns != before.stirred_ns

    def _is_covered(self, view: View, window: windows.Window) -> bool:
        """Whether another window may lie over this one; asked of the server only after something changed."""
        if now_ns() - view.stirred_ns < _CALM_NS:
            return True
        key = (view.moves, view.stirred_ns)
        if self._covered[0] != key:
            self._covered = (key, bool(self._watch.covering(window)))
        return self._covered[1]


class X11Region:
    """A fixed rectangle of the screen, or a whole monitor (0 is all of the screen, 1 the first monitor)."""

    def __init__(self, rect_px: Rect | None = None, *, monitor: int | None = None, display: str | None = None) -> None:
        self._wanted, self._monitor, self._display = rect_px, monitor, display
        self._watch: Watch | None = None
        self._screen: _Screen | None = None
        self._rect: Rect = (0, 0, 0, 0)
        self._screen_px = (0, 0)

    def open(self) -> Target:
        self._watch = Watch(windows.connect(self._display))
        self._screen = _Screen(self._display)
        self._screen_px = self._watch.look().screen_px
        kind: TargetKind = "region" if self._wanted is not None else "monitor"
        title = kind if self._wanted is not None else f"monitor {self._monitor or 0}"
        left, top, width, height = self._wanted or self._screen.monitor(self._monitor or 0)
        screen_width, screen_height = self._screen_px
        if left < 0 or top < 0 or left + width > screen_width or top + height > screen_height or min(width, height) < 2:
            raise BadArgument(
                f"The region {left},{top},{width},{height} is not within the screen of {screen_width}x{screen_height} pixels."
            )
        self._rect = (left, top, *even((width, height)))
        return Target(kind, title, None, (left, top), even((width, height)))

    def grab(self, *, blank_if_covered: bool = False) -> Grab:
        assert self._screen is not None, "grab before open"
        assert self._watch is not None
        grab = self._screen.grab(self._rect, self._screen_px)
        size_px = self._watch.look().screen_px
        if size_px != self._screen_px:
            raise WindowResized(
                f"The screen changed from {self._screen_px} to {size_px} pixels; start a new recording at the new size."
            )
        if grab is None:
            raise DisplayLost(_UNREADABLE)
        return grab

    def close(self) -> None:
        if self._screen is not None:
            self._screen.close()
            self._screen = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None


class _Screen:
    """mss on one display: rectangles of the root window as fresh arrays."""

    def __init__(self, display: str | None) -> None:
        self._display = display
        self._mss = self._connect()
        self._screen_px = self.monitor(0)[2:]

    def monitor(self, number: int) -> Rect:
        """The rectangle of monitor `number`; 0 is the whole screen. Raises BadArgument for one that does not exist."""
        monitors = self._mss.monitors
        if not 0 <= number < len(monitors):
            raise BadArgument(f"There is no monitor {number}; this screen has {len(monitors) - 1}.")
        rect = monitors[number]
        return rect["left"], rect["top"], rect["width"], rect["height"]

    def grab(self, rect: Rect, screen_px: tuple[int, int]) -> Grab | None:
        """(height, width, 4) of this rectangle of a screen of `screen_px`; black where it leaves the screen.

        None where the screen did not give it, as it does not if it changed its size just now.
        """
        left, top, width, height = rect
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, screen_px[0]), min(top + height, screen_px[1])
        if x1 <= x0 or y1 <= y0:
            raise WindowHidden("The window was moved off the screen.")
        t_before_ns = now_ns()
        try:
            if screen_px != self._screen_px:  # mss keeps room for the screen that it met
                self.close()
                self._mss, self._screen_px = self._connect(), screen_px
            shot = self._mss.grab({"left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0})
        except (ScreenShotError, CaptureUnavailable, AssertionError):  # mss asserts that the server is still there
            return None
        t_ns = now_ns()
        # The raw buffer is this shot's own and is viewed in place: np.array(shot) is 14 times slower.
        seen: Bgra = np.frombuffer(shot.raw, np.uint8).reshape(y1 - y0, x1 - x0, 4)
        if seen.shape[:2] != (height, width):
            whole = np.zeros((height, width, 4), np.uint8)
            whole[y0 - top : y1 - top, x0 - left : x1 - left] = seen
            seen = whole
        return Grab(seen, t_before_ns, t_ns)

    def close(self) -> None:
        with suppress(ScreenShotError):  # the server may have gone before
            self._mss.close()

    def _connect(self) -> Any:
        try:
            return mss.MSS(display=self._display) if self._display else mss.MSS()
        except (ScreenShotError, OSError) as error:
            raise CaptureUnavailable(f"The screen cannot be read: {error}.") from error


def _blank(grab: Grab) -> Grab:
    return Grab(np.zeros_like(grab.bgra), grab.t_before_ns, grab.t_ns)
