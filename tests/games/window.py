"""Windows of an X display: find the one that a game has just opened, and give it the focus."""

from __future__ import annotations

from dataclasses import dataclass

from Xlib import X, error
from Xlib.display import Display
from Xlib.protocol import event
from Xlib.xobject.drawable import Window


@dataclass(frozen=True, slots=True)
class GameWindow:
    """A top-level window as a recorder names it: X id, title, class, position and size in pixels of the root."""

    id: int
    title: str
    wm_class: str
    x_px: int
    y_px: int
    size_px: tuple[int, int]


def list_windows(connection: Display) -> list[GameWindow]:
    """All visible windows that have a title, at any depth, bottom to top. One that vanishes meanwhile is left out."""
    found: list[GameWindow] = []
    _collect(connection.screen().root, found)
    return found


def focus(connection: Display, window_id: int) -> None:
    """Raise the window and give it the keyboard: by asking the window manager, or directly where there is none."""
    root = connection.screen().root
    window = connection.create_resource_object("window", window_id)
    if root.get_full_property(connection.intern_atom("_NET_SUPPORTING_WM_CHECK"), X.AnyPropertyType) is None:
        window.configure(stack_mode=X.Above)
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
    else:
        activate = connection.intern_atom("_NET_ACTIVE_WINDOW")
        # Source 2 is "a pager": window managers obey it without focus-stealing prevention (EWMH).
        message = event.ClientMessage(window=window, client_type=activate, data=(32, [2, X.CurrentTime, 0, 0, 0]))
        root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
    connection.sync()


def _collect(parent: Window, found: list[GameWindow]) -> None:
    try:
        children = parent.query_tree().children
    except error.XError:
        return
    for window in children:
        try:
            title = window.get_wm_name()
            if title and window.get_attributes().map_state == X.IsViewable:
                shape = window.get_geometry()
                corner = shape.root.translate_coords(window, 0, 0)
                names = window.get_wm_class() or ("", "")
                size_px = (shape.width, shape.height)
                found.append(GameWindow(window.id, str(title), names[1], corner.x, corner.y, size_px))
        except error.XError:
            continue
        _collect(window, found)
