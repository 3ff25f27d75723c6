"""Where keys lie on a keyboard, and a compact picture of those that a session uses. Qt-free; lengths in key widths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from db.recording.keys import CODES, is_pointer_button, label

_ROWS: tuple[tuple[tuple[float, str], ...], ...] = (
    ((0, "ESC"), (2, "F1 F2 F3 F4"), (6.5, "F5 F6 F7 F8"), (11, "F9 F10 F11 F12"), (15.25, "SYSRQ SCROLLLOCK PAUSE")),
    (
        (0, "GRAVE 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE"),
        (15.25, "INSERT HOME PAGEUP"),
        (18.5, "NUMLOCK KPSLASH KPASTERISK KPMINUS"),
    ),
    (
        (0, "TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE BACKSLASH"),
        (15.25, "DELETE END PAGEDOWN"),
        (18.5, "KP7 KP8 KP9 KPPLUS"),
    ),
    ((0, "CAPSLOCK A S D F G H J K L SEMICOLON APOSTROPHE ENTER"), (18.5, "KP4 KP5 KP6")),
    (
        (0, "LEFTSHIFT Z X C V B N M COMMA DOT SLASH RIGHTSHIFT"),
        (16.25, "UP"),
        (18.5, "KP1 KP2 KP3 KPENTER"),
    ),
    (
        (0, "LEFTCTRL LEFTMETA LEFTALT SPACE RIGHTALT RIGHTMETA COMPOSE RIGHTCTRL"),
        (15.25, "LEFT DOWN RIGHT"),
        (18.5, "KP0 KPDOT"),
    ),
)
"""A keyboard of 104 keys from the top: groups of neighbours and where each group begins."""
_WIDTHS = {
    "BACKSPACE": 2.0, "TAB": 1.5, "BACKSLASH": 1.5, "CAPSLOCK": 1.75, "ENTER": 2.25, "LEFTSHIFT": 2.25,
    "RIGHTSHIFT": 2.75, "LEFTCTRL": 1.25, "LEFTMETA": 1.25, "LEFTALT": 1.25, "SPACE": 6.25, "RIGHTALT": 1.25,
    "RIGHTMETA": 1.25, "COMPOSE": 1.25, "RIGHTCTRL": 1.25, "KP0": 2.0,
}  # fmt: skip
_SPACE, _LEAST_SPACE = CODES["KEY_SPACE"], 2.5
MOST_GAP, KEPT_GAP = 0.6, 0.4
"""Room without a used key that is wider than the one shrinks to the other."""
MOST_WIDTH = 12.0
"""Where what lies on no keyboard goes on in a next row."""


@dataclass(frozen=True)
class Cap:
    """A key, one high: its left edge, its row from the top, and its width."""

    code: int
    x: float
    row: int
    width: float = 1.0

    @property
    def right(self) -> float:
        return self.x + self.width


def lay_out(codes: Iterable[int]) -> tuple[Cap, ...]:
    """The keys among `codes` as they lie on a keyboard, without the rows and the columns that none of them is in.

    What lies on none, such as a gamepad's buttons, stands in rows above. Mouse buttons are left out.
    """
    wanted = {code for code in codes if not is_pointer_button(code)}
    caps = _closed_up(_fitted_space([cap for cap in _KEYBOARD if cap.code in wanted]))
    others = _others(sorted(wanted.difference(cap.code for cap in caps)))
    above = max((cap.row for cap in others), default=-1) + 1
    rows = sorted({cap.row for cap in caps})
    return (*others, *(replace(cap, row=above + rows.index(cap.row)) for cap in caps))


def extent(caps: Sequence[Cap]) -> tuple[float, int]:
    """(width, rows) that they take."""
    return max((cap.right for cap in caps), default=0.0), max((cap.row for cap in caps), default=-1) + 1


def _keyboard() -> tuple[Cap, ...]:
    caps = []
    for row, groups in enumerate(_ROWS):
        for left, names in groups:
            x = left
            for name in names.split():
                caps.append(Cap(CODES[f"KEY_{name}"], x, row, _WIDTHS.get(name, 1.0)))
                x = caps[-1].right
    return tuple(caps)


_KEYBOARD = _keyboard()


def _fitted_space(caps: list[Cap]) -> list[Cap]:
    """The space bar only as wide as what stands over it."""
    letters = [cap.right for cap in caps if cap.code != _SPACE and cap.x < 13]
    return [
        replace(cap, width=min(max(max(letters, default=0.0) - cap.x, _LEAST_SPACE), cap.width))
        if cap.code == _SPACE
        else cap
        for cap in caps
    ]


def _closed_up(caps: list[Cap]) -> list[Cap]:
    """Moved left over the room that no key is in."""
    moved: list[Cap] = []
    reach = shift = 0.0
    for cap in sorted(caps, key=lambda cap: (cap.x, cap.row)):
        gap = cap.x - reach
        if not moved:
            shift = cap.x
        elif gap > MOST_GAP:
            shift += gap - KEPT_GAP
        reach = max(reach, cap.right)
        moved.append(replace(cap, x=cap.x - shift))
    return moved


def _others(codes: Sequence[int]) -> list[Cap]:
    caps: list[Cap] = []
    x, row = 0.0, 0
    for code in codes:
        width = max(1.0, 0.4 * len(label(code)) + 0.5)
        if x and x + width > MOST_WIDTH:
            x, row = 0.0, row + 1
        caps.append(Cap(code, x, row, width))
        x += width
    return caps
