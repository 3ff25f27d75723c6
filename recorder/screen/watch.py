"""Where a window is, kept up by the X server's own events: nothing is asked while nothing changes.

The server sends the events of a change before it answers a later request, so after one round trip it is known whether
anything changed until then. A picture that was taken between two looks, with nothing changed in the second one, shows the
window as it was known at the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import CatchError, ConnectionClosedError, XError
from Xlib.xobject.drawable import Window as XWindow

from db.clock import now_ns
from recorder.screen import windows
from recorder.screen.source import DisplayLost

_CHANGES = frozenset(
    (
        X.ConfigureNotify,
        X.MapNotify,
        X.UnmapNotify,
        X.DestroyNotify,
        X.ReparentNotify,
        X.GravityNotify,
        X.CirculateNotify,
        X.PropertyNotify,
    )
)
_MASK = X.StructureNotifyMask
_FOCUS = frozenset((X.FocusIn, X.FocusOut))
_ROOT_MASK = X.StructureNotifyMask | X.SubstructureNotifyMask | X.PropertyChangeMask
"""On the root window: all top-level windows, and the window manager's list of them."""
_GONE = "The X display has gone away; what was recorded until then is kept."
_TO_THE_ROOT = 16
"""Windows lie in each other two or three deep; more than this is a loop of changes."""


@dataclass(frozen=True)
class View:
    """What was known at one look. Two looks with equal `moves` mean that the window stood still in between."""

    window: windows.Window | None
    """None where there is none, or it is gone."""
    screen_px: tuple[int, int]
    moves: int
    """Counts what happened to the window, to what it lies in, or to the screen."""
    stirred_ns: int
    """`now_ns()` when an event of any window last came that may cover this one or have covered it; 0 before."""
    refocused_ns: int = 0
    """`now_ns()` when the keyboard's focus last came to the window or left it; 0 before."""
    away: bool = False
    """The focus has left the window since this watch began, and did not come back."""


class Watch:
    """Follows one window (or, for None, only the screen) on a connection of its own, which it closes.

    One thread uses it. Raises DisplayLost where the server is gone.
    """

    def __init__(self, connection: Display, window: windows.Window | None = None) -> None:
        self.connection = connection
        self._root: XWindow = connection.screen().root
        self._chain: frozenset[int] = frozenset()
        self._moves = self._stirred_ns = self._refocused_ns = 0
        self._away = False
        self._root.change_attributes(event_mask=_ROOT_MASK if window is not None else _MASK)
        self._window = window
        self._view = self._ask()

    def look(self) -> View:
        """How things stand, after one round trip; more only where something changed."""
        try:
            self.connection.sync()
            if self._heed():
                self._view = self._ask()
        except (ConnectionClosedError, OSError) as error:
            raise DisplayLost(_GONE) from error
        return self._view

    def covering(self, window: windows.Window) -> list[windows.Window]:
        """The windows that lie over this one now."""
        try:
            return windows.covering(self.connection, window)
        except (ConnectionClosedError, OSError) as error:
            raise DisplayLost(_GONE) from error

    def close(self) -> None:
        windows.disconnect(self.connection)

    def _heed(self) -> bool:
        """Takes in the events that have come: whether one touches the window, what it lies in, or the screen."""
        moves = self._moves
        while self.connection.pending_events():
            event = self.connection.next_event()
            if event.type in _FOCUS:
                self._heed_focus(event)
            if event.type not in _CHANGES:
                continue
            self._stirred_ns = now_ns()
            self._moves += event.type != X.PropertyNotify and event.window.id in self._chain
        self._view = self._see(self._view.window, self._view.screen_px)
        return self._moves != moves

    def _heed_focus(self, event: Any) -> None:
        """Grabs count too: the server tells them in the same way. Within the window nothing changes for the others."""
        if event.detail not in (X.NotifyInferior, X.NotifyPointer):
            self._refocused_ns = now_ns()
            self._away = event.type == X.FocusOut

    def _see(self, window: windows.Window | None, screen_px: tuple[int, int]) -> View:
        return View(window, screen_px, self._moves, self._stirred_ns, self._refocused_ns, self._away)

    def _ask(self) -> View:
        """Asks anew where everything is. What changes while it asks shows as an event at the next look."""
        self._chain = frozenset({self._root.id, *self._follow()})
        window = windows.update(self.connection, self._window) if self._window is not None else None
        geometry = self._root.get_geometry()
        return self._see(window, (geometry.width, geometry.height))

    def _follow(self) -> list[int]:
        """Selects the events of the window and of all that it lies in, up to the root window; their ids."""
        followed: list[int] = []
        if self._window is None:
            return followed
        handle = self.connection.create_resource_object("window", self._window.window_id)
        while handle != self._root and len(followed) < _TO_THE_ROOT:
            mask = _MASK if followed else _MASK | X.FocusChangeMask
            handle.change_attributes(event_mask=mask, onerror=CatchError())
            followed.append(handle.id)
            try:
                handle = handle.query_tree().parent  # after the selection: a change of parent is not missed
            except XError:
                break
        return followed
