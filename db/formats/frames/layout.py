"""The names of what such a folder holds, and of the columns of its table."""

from __future__ import annotations

FORMAT_ID = "playtape-frames-1"
PRESSES = ".presses"
COLUMNS = {
    "frame": "its number, from 0",
    "t_s": "seconds after the first frame; a row says what was done from its t_s to that of the next row, "
    "which can be seen in the next frame at the earliest",
    "known": "1: inputs were watched for all of this frame; 0: nobody knows what was pressed",
    "used": "0: a person left it out",
    "actor": "who acted: person, script or model, joined by +; empty: nobody",
    "instruction": "the one in force",
    "flags": "joined by |",
    "dx": "the mouse's motion to the right, in device counts",
    "dy": "the mouse's motion down, in device counts",
    "scroll_x": "notches to the right",
    "scroll_y": "notches up",
}
FIXED = tuple(COLUMNS)
KEY_COLUMNS = {
    "KEY_*, BTN_*": "of each key and button by its evdev name: 1 while it is down at the end of the row's interval",
    f"KEY_*{PRESSES}, BTN_*{PRESSES}": "how often it went down in the row's interval; tapped within one, it reads 0 and 1",
}
