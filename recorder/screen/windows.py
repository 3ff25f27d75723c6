"""The windows of an X display: found by title or id, described as they are now, and which of them lie over another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from Xlib import X
from Xlib.display import Display
from Xlib.error import CatchError, ConnectionClosedError, DisplayError, XError
from Xlib.protocol import event
from Xlib.xobject.drawable import Window as XWindow

from db.errors import BadArgument, CaptureUnavailable, NotFound


@dataclass(frozen=True)
class Window:
    """A window as a person sees it: its picture without the frame, in pixels of the root window."""

    window_id: int
    title: str
    position_px: tuple[int, int]
    size_px: tuple[int, int]
    viewable: bool

    def overlaps(self, other: Window) -> bool:
        """Whether the two rectangles share a pixel."""
        return all(
            a < b + other_length and b < a + length
            for a, length, b, other_length in zip(
                self.position_px, self.size_px, other.position_px, other.size_px, strict=True
            )
        )


def connect(display: str | None = None) -> Display:
    """A connection to an X display (None: the one that DISPLAY names). Raises CaptureUnavailable where there is none."""
    try:
        return Display(display)
    except (DisplayError, ConnectionClosedError, OSError) as error:
        raise CaptureUnavailable(
            f"The X display {display or 'named by DISPLAY'} cannot be opened; start this inside a desktop session ({error})."
        ) from error


def disconnect(connection: Display) -> None:
    """Closes a connection, also one whose server has gone away."""
    with suppress(ConnectionClosedError, OSError):
        connection.close()


def list_windows(connection: Display) -> list[Window]:
    """Every titled window on the screen, topmost first. Windows of a pixel or so, which only talk, are left out."""
    seen: dict[int, Window] = {}
    for window_id in _candidates(connection):
        if window_id not in seen and (window := describe(connection, window_id)) is not None:
            seen[window_id] = window
    return [window for window in seen.values() if window.viewable and window.title and min(window.size_px) > 8]


def find_window(connection: Display, *, title: str | None = None, window_id: int | None = None) -> Window:
    """The window with this id, or the topmost one in whose title this regular expression is found (in any case).

    Raises NotFound, and BadArgument for a broken expression.
    """
    if window_id is not None:
        window = describe(connection, window_id)
        if window is None:
            raise NotFound(f"There is no window with the id {window_id}; list the windows with --list-windows.")
        return window
    try:
        pattern = re.compile(title or "", re.IGNORECASE)
    except re.error as error:
        raise BadArgument(f"The window title {title!r} is not a regular expression: {error}.") from error
    for window in list_windows(connection):
        if pattern.search(window.title):
            return window
    raise NotFound(
        f"No window has {title!r} in its title; start the game first, or list the windows with --list-windows."
    )


def describe(connection: Display, window_id: int) -> Window | None:
    """The window as it is now, or None if there is none with this id."""
    handle = connection.create_resource_object("window", window_id)
    try:
        title = _title(connection, handle)
    except XError:
        return None
    return update(connection, Window(window_id, title, (0, 0), (0, 0), False))


def update(connection: Display, window: Window) -> Window | None:
    """The same window where it is now, its title as it was; None if it is gone. Three round trips, about 0.15 ms."""
    handle = connection.create_resource_object("window", window.window_id)
    try:
        geometry = handle.get_geometry()
        corner = connection.screen().root.translate_coords(handle, 0, 0)
        viewable = handle.get_attributes().map_state == X.IsViewable
    except XError:
        return None
    return replace(
        window, position_px=(corner.x, corner.y), size_px=(geometry.width, geometry.height), viewable=viewable
    )


def is_playtape(connection: Display, window: Window) -> bool:
    """Whether a window is one of Playtape's own, which nobody wants to record."""
    handle = connection.create_resource_object("window", window.window_id)
    try:
        names = handle.get_wm_class()
    except XError:
        return False
    return names is not None and names[0].startswith("playtape")


def activate(connection: Display, window_id: int) -> None:
    """Asks the window manager to bring the window to the front and focus it (EWMH); without one nothing happens."""
    root = connection.screen().root
    handle = connection.create_resource_object("window", window_id)
    by_a_pager = 2
    message = event.ClientMessage(
        window=handle,
        client_type=connection.get_atom("_NET_ACTIVE_WINDOW"),
        data=(32, [by_a_pager, X.CurrentTime, 0, 0, 0]),
    )
    root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
    connection.flush()


def take_focus(connection: Display, window_id: int) -> None:
    """Gives the window the keyboard: through the window manager, or where none runs, from the server itself."""
    root = connection.screen().root
    if root.get_full_property(connection.get_atom("_NET_SUPPORTING_WM_CHECK"), X.AnyPropertyType) is not None:
        activate(connection, window_id)
    else:
        handle = connection.create_resource_object("window", window_id)
        handle.set_input_focus(X.RevertToParent, X.CurrentTime, onerror=CatchError())
    connection.sync()


def covering(connection: Display, target: Window) -> list[Window]:
    """The windows that lie above `target` and share pixels with it.

    A window manager knows its windows' order; without one it is the order of the root window's children. (A
    compositor's overlay is a child of the root window too, above all others and see-through, so that order says
    nothing where a window manager runs.)
    """
    stack = _managed(connection)
    if target.window_id not in stack:
        stack = [child.id for child in connection.screen().root.query_tree().children]
    own = target.window_id if target.window_id in stack else _top_level(connection, target.window_id)
    above = stack[stack.index(own) + 1 :] if own in stack else stack
    others = (describe(connection, window_id) for window_id in above)
    return [window for window in others if window is not None and window.viewable and window.overlaps(target)]


def _candidates(connection: Display) -> Iterator[int]:
    """Ids of windows that may be a game's, topmost first: the managed ones, then whatever else has a title."""
    yield from reversed(_managed(connection))
    yield from _titled(connection, connection.screen().root, depth=3)


def _managed(connection: Display) -> list[int]:
    """The window manager's own list (EWMH), bottom to top; empty without one."""
    root = connection.screen().root
    prop = root.get_full_property(connection.get_atom("_NET_CLIENT_LIST_STACKING"), X.AnyPropertyType)
    return list(prop.value) if prop is not None else []


def _titled(connection: Display, parent: XWindow, depth: int) -> Iterator[int]:
    try:
        children = parent.query_tree().children
    except XError:
        return
    for child in reversed(children):
        try:
            has_title = bool(_title(connection, child))
        except XError:
            continue
        if has_title:
            yield child.id
        elif depth > 1:
            yield from _titled(connection, child, depth - 1)


def _top_level(connection: Display, window_id: int) -> int | None:
    """The child of the root window that holds this window (a frame, or the window itself); None if it is gone."""
    root = connection.screen().root
    handle = connection.create_resource_object("window", window_id)
    try:
        while (parent := handle.query_tree().parent) not in (0, root):
            handle = parent
    except XError:
        return None
    return int(handle.id)


def _title(connection: Display, handle: XWindow) -> str:
    for name in ("_NET_WM_NAME", "WM_NAME"):
        prop = handle.get_full_property(connection.get_atom(name), X.AnyPropertyType)
        if prop is not None and prop.value:
            return prop.value.decode("utf-8", "replace") if isinstance(prop.value, bytes) else str(prop.value)
    return ""
