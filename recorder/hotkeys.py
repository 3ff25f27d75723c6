"""The recorder's own keys: what each does, how it is written, and what speaks against a choice.

While a session is recorded they are recognised within the input stream, so that none is ever written and muting takes
effect at the very key press. `HotkeyListener` hears them at any other time, and on platforms without a raw back end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from db.errors import BadArgument, PlaytapeError
from db.recording import keys


class HotkeyAction(StrEnum):
    """What a hotkey does."""

    RECORD = "record"
    """Starts, and stops."""
    PAUSE = "pause"
    """Pauses, and resumes."""
    MUTE = "mute"
    """Mutes the keyboard, and lets it be heard again."""
    DISCARD = "discard"
    """Discards the last seconds (as many as the settings say)."""


_MODIFIERS = {
    "ctrl": ("KEY_LEFTCTRL", "KEY_RIGHTCTRL"),
    "shift": ("KEY_LEFTSHIFT", "KEY_RIGHTSHIFT"),
    "alt": ("KEY_LEFTALT", "KEY_RIGHTALT"),
    "meta": ("KEY_LEFTMETA", "KEY_RIGHTMETA"),
}
MODIFIER_CODES = {keys.CODES[name]: modifier for modifier, names in _MODIFIERS.items() for name in names}
"""evdev code -> the modifier that it is."""


@dataclass(frozen=True)
class Hotkey:
    """A key (evdev code) with exactly these modifiers held; None: whichever are held."""

    code: int
    modifiers: frozenset[str] | None = frozenset()

    @classmethod
    def parse(cls, text: str) -> Hotkey:
        """`F9`, `Ctrl+Shift+KEY_R`. Raises BadArgument."""
        *before, last = (part.strip() for part in text.split("+"))
        modifiers = frozenset(part.lower() for part in before)
        code = keys.CODES.get(f"KEY_{last.upper()}", keys.CODES.get(last.upper()))
        if code is None or modifiers - set(_MODIFIERS) or code in MODIFIER_CODES:
            raise BadArgument(f"{text!r} is not a hotkey; write for example F9 or Ctrl+Shift+R.")
        return cls(code, modifiers)

    def __str__(self) -> str:
        ordered = [name.capitalize() for name in _MODIFIERS if name in (self.modifiers or ())]
        return "+".join([*ordered, keys.name(self.code).removeprefix("KEY_").capitalize()])

    def matches(self, code: int, held: Collection[int]) -> bool:
        """Whether the press of `code`, while the codes `held` are down, is this hotkey."""
        return code == self.code and self.modifiers in (None, modifiers_of(held))


Bindings = Mapping[HotkeyAction, Hotkey]

DEFAULTS: dict[HotkeyAction, Hotkey] = {
    HotkeyAction.DISCARD: Hotkey(keys.CODES["KEY_F7"]),
    HotkeyAction.MUTE: Hotkey(keys.CODES["KEY_F8"]),
    HotkeyAction.RECORD: Hotkey(keys.CODES["KEY_F9"]),
    HotkeyAction.PAUSE: Hotkey(keys.CODES["KEY_F10"]),
}
"""Of a recorder; those of a play are in `recorder.play.ownkeys`."""


def modifiers_of(held: Collection[int]) -> frozenset[str]:
    """The modifiers among the codes that are down."""
    return frozenset(MODIFIER_CODES[code] for code in held if code in MODIFIER_CODES)


def problems(bindings: Bindings, profile_keys: Collection[int] = ()) -> dict[HotkeyAction, str]:
    """What speaks against each binding, one sentence each: twice used, a key of the game, unknown here, or taken."""
    found: dict[HotkeyAction, str] = {}
    for action, hotkey in bindings.items():
        twin = next((other for other, used in bindings.items() if used == hotkey and other is not action), None)
        if twin is not None:
            found[action] = f"{hotkey} is also the hotkey for “{twin}”; choose another for one of them."
        elif hotkey.code in profile_keys and not hotkey.modifiers:
            found[action] = f"{hotkey} is one of the game's own keys, and would be missing in the recording."
        elif (reason := _refused(hotkey)) is not None:
            found[action] = reason
    return found


def _refused(hotkey: Hotkey) -> str | None:
    """Why the system would not give us this key, None where it would or nobody can tell."""
    if not sys.platform.startswith("linux"):
        return None
    from recorder.inputs.grabs import is_taken

    taken = is_taken(hotkey.code, hotkey.modifiers or ())
    if taken is None:
        return f"This keyboard has no key {keys.name(hotkey.code).removeprefix('KEY_').capitalize()}."
    return f"Another program uses {hotkey} as its hotkey; both would act on it." if taken else None


class HotkeyListener:
    """Hears the hotkeys wherever the focus is, from `start` to `close`.

    On X11 it reads raw key presses as a recording does, so that a hotkey is the same physical key here and there, and is
    heard while a game holds the keyboard; elsewhere pynput listens.
    """

    def __init__(self, bindings: Bindings, on_action: Callable[[HotkeyAction], None]) -> None:
        """on_action: called in the listener's own thread, once for each press."""
        self._bindings, self._on_action = dict(bindings), on_action
        self._close: Callable[[], None] = lambda: None
        self.problem = ""
        """Why no hotkey is heard, empty while they are."""

    def start(self) -> None:
        """Begins to listen; where the system does not allow it, `problem` says why."""
        if sys.platform.startswith("linux"):
            self._start_raw()
        else:
            self._start_pynput()

    def close(self) -> None:
        """Stops listening and joins. Does nothing the second time."""
        self._close()
        self._close = lambda: None

    def _start_raw(self) -> None:
        from recorder.inputs.keypresses import KeyPresses

        presses = KeyPresses(self._hear)
        presses.start()
        self._close = presses.close
        try:
            presses.wait_open()
        except PlaytapeError as error:
            self.problem = f"Hotkeys do not work here, use the buttons: {error}"

    def _hear(self, code: int, held: Collection[int]) -> None:
        for action, hotkey in self._bindings.items():
            if hotkey.matches(code, held):
                self._on_action(action)

    def _start_pynput(self) -> None:
        from pynput import keyboard

        heard = {_in_pynput(hotkey): partial(self._on_action, action) for action, hotkey in self._bindings.items()}
        try:
            listener: Any = keyboard.GlobalHotKeys(heard)
        except ValueError as error:
            self.problem = f"One of the hotkeys cannot be heard here; choose another ({error})."
            return
        listener.start()

        def close() -> None:
            listener.stop()
            listener.join()

        self._close = close


_PYNPUT_NAMES = {
    "LEFT": "left", "RIGHT": "right", "UP": "up", "DOWN": "down", "PAGEUP": "page_up", "PAGEDOWN": "page_down",
    "SCROLLLOCK": "scroll_lock", "NUMLOCK": "num_lock", "CAPSLOCK": "caps_lock", "SYSRQ": "print_screen",
    "ENTER": "enter", "SPACE": "space", "TAB": "tab", "BACKSPACE": "backspace", "ESC": "esc", "HOME": "home",
    "END": "end", "INSERT": "insert", "DELETE": "delete", "PAUSE": "pause", "COMPOSE": "menu",
}  # fmt: skip
_PYNPUT_MODIFIERS = {"ctrl": "<ctrl>", "shift": "<shift>", "alt": "<alt>", "meta": "<cmd>"}


def _in_pynput(hotkey: Hotkey) -> str:
    """The hotkey in pynput's notation: `<ctrl>+<f9>`."""
    name = keys.name(hotkey.code).removeprefix("KEY_")
    named = _PYNPUT_NAMES.get(name) or (name.lower() if name[0] == "F" and name[1:].isdecimal() else None)
    key = f"<{named}>" if named else name.lower()
    return "+".join([*(_PYNPUT_MODIFIERS[m] for m in _MODIFIERS if m in (hotkey.modifiers or ())), key])
