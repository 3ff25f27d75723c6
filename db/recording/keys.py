"""Linux evdev codes (uapi/linux/input-event-codes.h), the key names of every platform in Playtape.

Keys and buttons share one number space, so one integer names either. X11 key codes are evdev codes plus 8.
"""

from __future__ import annotations

from db.errors import BadArgument

REL_X, REL_Y, REL_HWHEEL, REL_WHEEL = 0x00, 0x01, 0x06, 0x08
BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA = 0x110, 0x111, 0x112, 0x113, 0x114
X11_KEYCODE_OFFSET = 8

_ROWS = {
    1: "ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER LEFTCTRL "
    "A S D F G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA DOT SLASH RIGHTSHIFT "
    "KPASTERISK LEFTALT SPACE CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK KP7 KP8 KP9 KPMINUS KP4 KP5 "
    "KP6 KPPLUS KP1 KP2 KP3 KP0 KPDOT",
    85: "ZENKAKUHANKAKU 102ND F11 F12 RO KATAKANA HIRAGANA HENKAN KATAKANAHIRAGANA MUHENKAN KPJPCOMMA KPENTER "
    "RIGHTCTRL KPSLASH SYSRQ RIGHTALT LINEFEED HOME UP PAGEUP LEFT RIGHT END DOWN PAGEDOWN INSERT DELETE MACRO MUTE "
    "VOLUMEDOWN VOLUMEUP POWER KPEQUAL KPPLUSMINUS PAUSE SCALE KPCOMMA HANGEUL HANJA YEN LEFTMETA RIGHTMETA COMPOSE",
    183: "F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24",
}
KEY_COUNT = 0x300
"""Codes of keys and buttons are below it."""

_BUTTONS = {
    BTN_LEFT: "LEFT RIGHT MIDDLE SIDE EXTRA FORWARD BACK TASK",
    0x120: "TRIGGER THUMB THUMB2 TOP TOP2 PINKIE BASE BASE2 BASE3 BASE4 BASE5 BASE6",
    0x12F: "DEAD",
    0x130: "SOUTH EAST C NORTH WEST Z TL TR TL2 TR2 SELECT START MODE THUMBL THUMBR",
    0x220: "DPAD_UP DPAD_DOWN DPAD_LEFT DPAD_RIGHT",
    0x2C0: " ".join(f"TRIGGER_HAPPY{i}" for i in range(1, 41)),
}
_AXES = {
    0x00: "X Y Z RX RY RZ THROTTLE RUDDER WHEEL GAS BRAKE",
    0x10: "HAT0X HAT0Y HAT1X HAT1Y HAT2X HAT2Y HAT3X HAT3Y",
}


def _number(prefix: str, rows: dict[int, str]) -> dict[int, str]:
    return {first + i: prefix + name for first, names in rows.items() for i, name in enumerate(names.split())}


NAMES: dict[int, str] = _number("KEY_", _ROWS) | _number("BTN_", _BUTTONS)
AXIS_NAMES: dict[int, str] = _number("ABS_", _AXES)
"""Names of a gamepad's axes, in a number space of their own."""
CODES: dict[str, int] = {name: code for code, name in NAMES.items()}

_SHORT = {
    "KEY_LEFTSHIFT": "Shift", "KEY_RIGHTSHIFT": "RShift", "KEY_LEFTCTRL": "Ctrl", "KEY_RIGHTCTRL": "RCtrl",
    "KEY_LEFTALT": "Alt", "KEY_RIGHTALT": "AltGr", "KEY_LEFTMETA": "Meta", "KEY_UP": "↑", "KEY_DOWN": "↓",
    "KEY_LEFT": "←", "KEY_RIGHT": "→", "KEY_MINUS": "-", "KEY_EQUAL": "=", "KEY_COMMA": ",", "KEY_DOT": ".",
    "KEY_SLASH": "/", "KEY_SEMICOLON": ";", "KEY_APOSTROPHE": "'", "KEY_GRAVE": "`", "KEY_BACKSLASH": "\\",
    "KEY_LEFTBRACE": "[", "KEY_RIGHTBRACE": "]", "BTN_LEFT": "LMB", "BTN_RIGHT": "RMB", "BTN_MIDDLE": "MMB",
    "BTN_C": "Pad C", "BTN_Z": "Pad Z", "BTN_TL": "LB", "BTN_TR": "RB", "BTN_TL2": "LT", "BTN_TR2": "RT",
    "BTN_THUMBL": "L3", "BTN_THUMBR": "R3", "BTN_DPAD_UP": "D-pad ↑",
    "BTN_DPAD_DOWN": "D-pad ↓", "BTN_DPAD_LEFT": "D-pad ←", "BTN_DPAD_RIGHT": "D-pad →",
}  # fmt: skip


def is_button(code: int) -> bool:
    """Whether an evdev code is a mouse or gamepad button rather than a key."""
    return 0x100 <= code < 0x160 or 0x220 <= code < 0x224 or 0x2C0 <= code < 0x2E8


def is_pointer_button(code: int) -> bool:
    """Whether it is a mouse button, which goes to the window under the pointer; a gamepad follows the keyboard."""
    return BTN_LEFT <= code < 0x120


def name(code: int) -> str:
    """The evdev name, such as `KEY_W` or `BTN_LEFT`; `CODE_<n>` for one without a name here."""
    return NAMES.get(code, f"CODE_{code}")


def axis_name(code: int) -> str:
    """The evdev name of a gamepad's axis, such as `ABS_X`; `ABS_<n>` for one without a name here."""
    return AXIS_NAMES.get(code, f"ABS_{code}")


def label(code: int) -> str:
    """What a person reads on a lane or a key cap: `W`, `Shift`, `LMB`."""
    full = name(code)
    return _SHORT.get(full) or full.removeprefix("KEY_").removeprefix("BTN_").capitalize()


def parse(text: str) -> int:
    """The code of `KEY_W`, `BTN_LEFT` or `CODE_<n>`."""
    if text in CODES:
        return CODES[text]
    number = text.removeprefix("CODE_")
    if number != text and number.isdecimal() and int(number) < KEY_COUNT:
        return int(number)
    raise BadArgument(f"There is no key named {text!r}; names look like KEY_W or BTN_LEFT.")
