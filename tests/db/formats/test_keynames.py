"""Every key keeps its meaning on its way out and in again, and what has no name is known."""

from __future__ import annotations

import pytest

from db.formats.keynames import (
    MINECRAFT,
    MOUSE_CODES,
    MOUSE_NUMBERS,
    OPEN_P2P,
    PAD_BUTTONS,
    PAD_CODES,
    WINDOWS_CODES,
    WINDOWS_KEYS,
)
from db.recording.keys import CODES, NAMES

KEYS = [code for code, name in NAMES.items() if name.startswith("KEY_")]
NAMELESS = {  # what a format cannot say at all
    "KEY_ZENKAKUHANKAKU", "KEY_RO", "KEY_KATAKANA", "KEY_HIRAGANA", "KEY_KATAKANAHIRAGANA", "KEY_KPJPCOMMA",
    "KEY_LINEFEED", "KEY_MACRO", "KEY_POWER", "KEY_KPPLUSMINUS", "KEY_SCALE", "KEY_YEN",
}  # fmt: skip
JAPANESE = {"KEY_HENKAN", "KEY_MUHENKAN", "KEY_HANGEUL", "KEY_HANJA", "KEY_KPCOMMA"}
KEYPAD = {*(f"KEY_KP{digit}" for digit in range(10)), "KEY_KPENTER", "KEY_KPEQUAL"}
HIGH = {f"KEY_F{number}" for number in range(13, 25) if number != 20}


@pytest.mark.parametrize("code", KEYS, ids=lambda code: NAMES[code])
def test_every_key_comes_back_as_itself_or_has_no_name(code):
    for table, missing in (
        (OPEN_P2P, NAMELESS | JAPANESE | KEYPAD | HIGH | {"KEY_102ND"}),
        (MINECRAFT, NAMELESS | JAPANESE | {"KEY_MUTE", "KEY_VOLUMEDOWN", "KEY_VOLUMEUP"}),
    ):
        name = table.name(code)
        assert (name is None) == (NAMES[code] in missing)
        if name is not None:
            assert table.code(name) == code
    number = WINDOWS_KEYS.get(code)
    assert (number is None) == (NAMES[code] in NAMELESS | {"KEY_KPENTER", "KEY_KPEQUAL"})
    if number is not None:
        assert WINDOWS_CODES[number] == code


def test_buttons_come_back_as_themselves():
    assert {MOUSE_CODES[number]: number for number in range(5)} == MOUSE_NUMBERS
    assert {PAD_CODES[name]: name for name in PAD_BUTTONS.values()} == PAD_BUTTONS


def test_names_of_other_spellings_are_understood_and_strange_ones_are_not():
    assert OPEN_P2P.code("BackQuote") == OPEN_P2P.code("GraveAccent") == CODES["KEY_GRAVE"]
    assert OPEN_P2P.code("W") == OPEN_P2P.code("w") == CODES["KEY_W"]
    assert MINECRAFT.name(CODES["KEY_LEFTSHIFT"]) == "key.keyboard.left.shift"
    assert WINDOWS_KEYS[CODES["KEY_W"]] == ord("W")
    for table in (OPEN_P2P, MINECRAFT):
        assert table.code("") is None
        assert table.code("Any") is None
