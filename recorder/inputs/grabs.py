"""Whether another program has taken a key for itself on this X display."""

from __future__ import annotations

from collections.abc import Collection

from Xlib import X
from Xlib.display import Display
from Xlib.error import BadAccess, CatchError, DisplayError

from db.recording import keys

_MASKS = {"ctrl": X.ControlMask, "shift": X.ShiftMask, "alt": X.Mod1Mask, "meta": X.Mod4Mask}


def is_taken(code: int, modifiers: Collection[str], display: str | None = None) -> bool | None:
    """True where another client grabs this key with these modifiers, None where the keyboard does not have it.

    Asked by grabbing the key for an instant; False where no display answers.
    """
    try:
        connection = Display(display)
    except (DisplayError, OSError):
        return False
    try:
        keycode = code + keys.X11_KEYCODE_OFFSET
        if not 8 <= keycode <= 255 or not any(connection.get_keyboard_mapping(keycode, 1)[0]):
            return None
        mask = 0
        for modifier in modifiers:
            mask |= _MASKS[modifier]
        root, caught = connection.screen().root, CatchError(BadAccess)
        root.grab_key(keycode, mask, True, X.GrabModeAsync, X.GrabModeAsync, onerror=caught)
        connection.sync()
        root.ungrab_key(keycode, mask)
        connection.sync()
        return caught.get_error() is not None
    finally:
        connection.close()
