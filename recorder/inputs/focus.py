"""Whether keys and pointer go to one window, told from the events that the X server itself sends about it.

The server sends these in the same stream as the raw input, in the order in which it decided, so no polling is involved:
an event stands before or after the change. (X protocol, chapter 10: FocusIn, FocusOut, EnterNotify, LeaveNotify.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, auto


class Mode(IntEnum):
    """Why the server sent the event."""

    NORMAL = 0
    GRAB = 1
    UNGRAB = 2
    WHILE_GRABBED = 3
    PASSIVE_GRAB = 4
    PASSIVE_UNGRAB = 5


class Detail(IntEnum):
    """Where the focus (or pointer) went to or came from, seen from the window that the event is about."""

    ANCESTOR = 0
    VIRTUAL = 1
    INFERIOR = 2
    NONLINEAR = 3
    NONLINEAR_VIRTUAL = 4
    POINTER = 5
    POINTER_ROOT = 6
    NONE = 7


_AT_ROOT = (Detail.ANCESTOR, Detail.INFERIOR, Detail.NONLINEAR, Detail.POINTER_ROOT)


class KeyboardFocus(Enum):
    """Who gets the keys."""

    OURS = auto()
    OTHER = auto()
    FOLLOWS_POINTER = auto()
    """Nobody in particular: whatever window the pointer is in (as on a display without a window manager)."""


@dataclass
class FocusTracker:
    """The state of one window. `active` is what the window manager says (True where there is none).

    That counts only where the server itself sends keys to nobody in particular: elsewhere the server's own focus is the
    truth, of which a window manager tells some milliseconds later.
    """

    focus: KeyboardFocus
    inside: bool
    """The pointer's events go to the window or to one within it."""
    active: bool = True
    _grabbed_away: bool = False

    @property
    def keyboard(self) -> bool:
        """Keys go to the window."""
        if self.focus is KeyboardFocus.FOLLOWS_POINTER:
            return self.inside and self.active
        return self.focus is KeyboardFocus.OURS

    @property
    def pointer(self) -> bool:
        """Buttons, wheel and motion go to the window."""
        return self.inside

    def focus_in(self, mode: int, detail: int) -> None:
        """XI_FocusIn on the window."""
        if detail == Detail.INFERIOR:
            return
        if detail == Detail.POINTER:
            self.focus = KeyboardFocus.FOLLOWS_POINTER
            return
        if mode == Mode.WHILE_GRABBED and self._grabbed_away:
            return  # the focus is ours again, but another program still holds the keyboard
        self._grabbed_away = False
        self.focus = KeyboardFocus.OURS

    def focus_out(self, mode: int, detail: int) -> None:
        """XI_FocusOut on the window."""
        if detail == Detail.INFERIOR:
            return
        if mode in (Mode.GRAB, Mode.PASSIVE_GRAB):
            self._grabbed_away = True
        self.focus = KeyboardFocus.OTHER

    def root_focus_in(self, mode: int, detail: int) -> None:
        """XI_FocusIn on the root window: the focus is on it or follows the pointer, which is the same for us."""
        if mode in (Mode.GRAB, Mode.PASSIVE_GRAB) or (mode == Mode.WHILE_GRABBED and self._grabbed_away):
            return  # a program took the keyboard by way of the root window
        if detail in _AT_ROOT:
            self._grabbed_away = False
            self.focus = KeyboardFocus.FOLLOWS_POINTER

    def root_focus_out(self, detail: int) -> None:
        """XI_FocusOut on the root window; if the window gets the focus, its own event follows."""
        if detail in _AT_ROOT and self.focus is KeyboardFocus.FOLLOWS_POINTER:
            self.focus = KeyboardFocus.OTHER

    def enter(self, detail: int) -> None:
        """XI_Enter on the window."""
        if detail != Detail.INFERIOR:
            self.inside = True

    def leave(self, detail: int) -> None:
        """XI_Leave on the window."""
        if detail != Detail.INFERIOR:
            self.inside = False
