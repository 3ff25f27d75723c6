"""One table of key names: evdev codes (`db.recording.keys`) and what other tools call the same keys.

The columns: open-p2p's keys as its published key map spells them (elefant-ai/open-p2p, elefant/data/action_mapping.py); Minecraft's,
as in VPT's contractor data (`key.keyboard.` stands before each); Windows virtual-key codes, as in OWAMcap (winuser.h). `-` where a tool
has no name for the key. Every name in a column stands for one code, so that what went out comes in as it was. Names that
only come in are aliases.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from db.recording.keys import BTN_EXTRA, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, CODES

_TABLE = """
ESC         Escape        escape           1B
1           1             1                31
2           2             2                32
3           3             3                33
4           4             4                34
5           5             5                35
6           6             6                36
7           7             7                37
8           8             8                38
9           9             9                39
0           0             0                30
MINUS       Minus         minus            BD
EQUAL       Equal         equal            BB
BACKSPACE   Backspace     backspace        08
TAB         Tab           tab              09
Q           q             q                51
W           w             w                57
E           e             e                45
R           r             r                52
T           t             t                54
Y           y             y                59
U           u             u                55
I           i             i                49
O           o             o                4F
P           p             p                50
LEFTBRACE   LeftBracket   left.bracket     DB
RIGHTBRACE  RightBracket  right.bracket    DD
ENTER       Enter         enter            0D
LEFTCTRL    LeftControl   left.control     A2
A           a             a                41
S           s             s                53
D           d             d                44
F           f             f                46
G           g             g                47
H           h             h                48
J           j             j                4A
K           k             k                4B
L           l             l                4C
SEMICOLON   Semicolon     semicolon        BA
APOSTROPHE  Apostrophe    apostrophe       DE
GRAVE       GraveAccent   grave.accent     C0
LEFTSHIFT   LeftShift     left.shift       A0
BACKSLASH   Backslash     backslash        DC
Z           z             z                5A
X           x             x                58
C           c             c                43
V           v             v                56
B           b             b                42
N           n             n                4E
M           m             m                4D
COMMA       Comma         comma            BC
DOT         Period        period           BE
SLASH       Slash         slash            BF
RIGHTSHIFT  RightShift    right.shift      A1
KPASTERISK  Multiply      keypad.multiply  6A
LEFTALT     LeftAlt       left.alt         A4
SPACE       Space         space            20
CAPSLOCK    CapsLock      caps.lock        14
F1          F1            f1               70
F2          F2            f2               71
F3          F3            f3               72
F4          F4            f4               73
F5          F5            f5               74
F6          F6            f6               75
F7          F7            f7               76
F8          F8            f8               77
F9          F9            f9               78
F10         F10           f10              79
NUMLOCK     NumLock       num.lock         90
SCROLLLOCK  ScrollLock    scroll.lock      91
KP7         -             keypad.7         67
KP8         -             keypad.8         68
KP9         -             keypad.9         69
KPMINUS     Subtract      keypad.subtract  6D
KP4         -             keypad.4         64
KP5         -             keypad.5         65
KP6         -             keypad.6         66
KPPLUS      Add           keypad.add       6B
KP1         -             keypad.1         61
KP2         -             keypad.2         62
KP3         -             keypad.3         63
KP0         -             keypad.0         60
KPDOT       Decimal       keypad.decimal   6E
102ND       -             world.1          E2
F11         F11           f11              7A
F12         F12           f12              7B
KPENTER     -             keypad.enter     -
RIGHTCTRL   RightControl  right.control    A3
KPSLASH     Divide        keypad.divide    6F
SYSRQ       PrintScreen   print.screen     2C
RIGHTALT    RightAlt      right.alt        A5
HOME        Home          home             24
UP          UpArrow       up               26
PAGEUP      PageUp        page.up          21
LEFT        LeftArrow     left             25
RIGHT       RightArrow    right            27
END         End           end              23
DOWN        DownArrow     down             28
PAGEDOWN    PageDown      page.down        22
INSERT      Insert        insert           2D
DELETE      Delete        delete           2E
MUTE        VolumeMute    -                AD
VOLUMEDOWN  VolumeDown    -                AE
VOLUMEUP    VolumeUp      -                AF
KPEQUAL     -             keypad.equal     -
PAUSE       Pause         pause            13
KPCOMMA     -             -                C2
HANGEUL     -             -                15
HANJA       -             -                19
HENKAN      -             -                1C
MUHENKAN    -             -                1D
LEFTMETA    LeftWin       left.win         5B
RIGHTMETA   RightWin      right.win        5C
COMPOSE     Menu          menu             5D
F13         -             f13              7C
F14         -             f14              7D
F15         -             f15              7E
F16         -             f16              7F
F17         -             f17              80
F18         -             f18              81
F19         -             f19              82
F20         F20           f20              83
F21         -             f21              84
F22         -             f22              85
F23         -             f23              86
F24         -             f24              87
"""
_ROWS = [line.split() for line in _TABLE.strip().splitlines()]


@dataclass(frozen=True)
class KeyNames:
    """What one format calls keys and buttons. `None` where it has no name, or Playtape no such key."""

    names: dict[int, str]
    """Code -> name, each different."""
    aliases: dict[str, int] = field(default_factory=dict)
    """Further names that come in."""
    codes: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        known = {name: code for code, name in self.names.items()}
        assert len(known) == len(self.names), "two keys of one name"
        object.__setattr__(self, "codes", self.aliases | known)

    def name(self, code: int) -> str | None:
        return self.names.get(code)

    def code(self, name: str) -> int | None:
        return self.codes.get(name)


def _column(number: int, prefix: str = "") -> dict[int, str]:
    return {CODES[f"KEY_{row[0]}"]: prefix + row[number] for row in _ROWS if row[number] != "-"}


def _also(**names: str) -> dict[str, int]:
    return {name: CODES[key] for name, key in names.items()}


OPEN_P2P = KeyNames(
    _column(1),
    _also(BackQuote="KEY_GRAVE", Quote="KEY_APOSTROPHE", Return="KEY_ENTER", Control="KEY_LEFTCTRL",
          Shift="KEY_LEFTSHIFT", Alt="KEY_LEFTALT", KpEqual="KEY_KPEQUAL", KpComma="KEY_KPCOMMA")
    | {name.upper(): code for code, name in _column(1).items() if len(name) == 1 and name.isalpha()},
)  # fmt: skip
MINECRAFT = KeyNames(_column(2, "key.keyboard."), {"key.keyboard.world.2": CODES["KEY_RO"]})
MOUSE_NUMBERS = {BTN_LEFT: 0, BTN_RIGHT: 1, BTN_MIDDLE: 2, BTN_SIDE: 3, BTN_EXTRA: 4}
"""The buttons of a mouse as open-p2p and Minecraft number them."""
MOUSE_CODES = {number: code for code, number in MOUSE_NUMBERS.items()}
WINDOWS_KEYS: dict[int, int] = {code: int(text, 16) for code, text in _column(3).items()}
"""Code -> virtual-key code. KEY_KPENTER has none of its own: Windows tells it from Enter by a flag."""
WINDOWS_CODES: dict[int, int] = {number: code for code, number in WINDOWS_KEYS.items()} | {
    0x10: CODES["KEY_LEFTSHIFT"], 0x11: CODES["KEY_LEFTCTRL"], 0x12: CODES["KEY_LEFTALT"],
}  # fmt: skip
"""Virtual-key code -> code; those that do not tell left from right mean the left key."""
PAD_BUTTONS = {
    CODES["BTN_SOUTH"]: "south", CODES["BTN_EAST"]: "east", CODES["BTN_NORTH"]: "north", CODES["BTN_WEST"]: "west",
    CODES["BTN_TL"]: "left_bumper", CODES["BTN_TR"]: "right_bumper", CODES["BTN_SELECT"]: "select",
    CODES["BTN_START"]: "start", CODES["BTN_THUMBL"]: "left_stick", CODES["BTN_THUMBR"]: "right_stick",
    CODES["BTN_DPAD_UP"]: "dpad_up", CODES["BTN_DPAD_DOWN"]: "dpad_down", CODES["BTN_DPAD_LEFT"]: "dpad_left",
    CODES["BTN_DPAD_RIGHT"]: "dpad_right",
}  # fmt: skip
"""The buttons of a gamepad as open-p2p names them."""
PAD_CODES = {name: code for code, name in PAD_BUTTONS.items()}
"""In its events a bumper is called `left_trigger`; there a stick's press has the name that it has here."""
