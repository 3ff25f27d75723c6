from __future__ import annotations

import pytest

from db.errors import BadArgument
from db.recording import keys


def test_names_follow_the_kernel_header() -> None:
    known = {
        "KEY_ESC": 1, "KEY_1": 2, "KEY_W": 17, "KEY_A": 30, "KEY_LEFTSHIFT": 42, "KEY_SPACE": 57, "KEY_F10": 68,
        "KEY_KPDOT": 83, "KEY_102ND": 86, "KEY_F11": 87, "KEY_RIGHTCTRL": 97, "KEY_UP": 103, "KEY_LEFT": 105,
        "KEY_RIGHT": 106, "KEY_DOWN": 108, "KEY_DELETE": 111, "KEY_LEFTMETA": 125, "KEY_COMPOSE": 127, "KEY_F13": 183,
        "BTN_LEFT": 0x110, "BTN_RIGHT": 0x111, "BTN_MIDDLE": 0x112, "BTN_TASK": 0x117,
    }  # fmt: skip
    assert {name: keys.CODES.get(name) for name in known} == known


def test_every_name_parses_back() -> None:
    assert len(keys.CODES) == len(keys.NAMES)
    for code in [*keys.NAMES, 700]:
        assert keys.parse(keys.name(code)) == code
        assert keys.label(code)


@pytest.mark.parametrize("text", ["", "W", "KEY_NOPE", "CODE_", "CODE_x", "CODE_99999", "17"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadArgument, match="KEY_W"):
        keys.parse(text)


def test_buttons_and_short_labels() -> None:
    assert keys.is_button(keys.BTN_LEFT)
    assert not keys.is_button(keys.CODES["KEY_W"])
    assert [keys.label(keys.CODES[name]) for name in ("KEY_W", "KEY_LEFTSHIFT", "BTN_LEFT")] == ["W", "Shift", "LMB"]


def test_gamepads_have_buttons_and_axes_but_no_pointer_buttons() -> None:
    pad = ["BTN_SOUTH", "BTN_THUMBR", "BTN_DPAD_UP", "BTN_TRIGGER", "BTN_TRIGGER_HAPPY40"]
    codes = [keys.parse(name) for name in pad]
    assert codes == [0x130, 0x13E, 0x220, 0x120, 0x2E7]
    assert all(keys.is_button(code) and not keys.is_pointer_button(code) for code in codes)
    assert keys.is_pointer_button(keys.BTN_EXTRA)
    assert not keys.is_button(keys.CODES["KEY_F13"])
    assert [keys.axis_name(code) for code in (0, 5, 0x11, 0x28)] == ["ABS_X", "ABS_RZ", "ABS_HAT0Y", "ABS_40"]
    assert len({keys.label(code) for code in keys.NAMES}) == len(keys.NAMES)
