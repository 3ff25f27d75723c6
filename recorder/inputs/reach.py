"""Whether what is injected at this instant would go to one window, asked of the X server itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import XError


class Reach:
    """Where keys and buttons go. Asked within `held_still`, the answer is still true when the injection arrives."""

    def __init__(self, connection: Display, window_id: int) -> None:
        self._connection, self._window_id = connection, window_id
        self._root = connection.screen().root
        self._within: dict[int, bool] = {}

    @contextmanager
    def held_still(self) -> Iterator[None]:
        """No other program's request is served meanwhile, so that no focus moves; to be left within a millisecond."""
        self._connection.grab_server()
        try:
            yield
        finally:
            self._connection.ungrab_server()
            self._connection.flush()

    def has_keyboard(self) -> bool:
        """Keys go to the window, or to one within it."""
        focus = self._connection.get_input_focus().focus
        number = focus if isinstance(focus, int) else focus.id
        if number in (X.NONE, X.PointerRoot, self._root.id):
            return number != X.NONE and self.has_pointer()
        return self._is_within(number)

    def has_pointer(self) -> bool:
        """Buttons go to the window, or to one within it."""
        under: Any = self._root
        try:
            while under not in (0, X.NONE):
                if under.id == self._window_id:
                    return True
                under = under.query_pointer().child
        except XError:  # the window under the pointer was closed
            return False
        return False

    def _is_within(self, number: int) -> bool:
        """Looked up once for each window: a window keeps its place in the tree while it has the keyboard."""
        if number == self._window_id:
            return True
        if number not in self._within:
            window = self._connection.create_resource_object("window", number)
            try:
                while (parent := window.query_tree().parent) not in (0, X.NONE, self._root):
                    if parent.id == self._window_id:
                        break
                    window = parent
            except XError:
                return False
            self._within[number] = parent not in (0, X.NONE, self._root)
        return self._within[number]
