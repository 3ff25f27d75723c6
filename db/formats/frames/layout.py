"""The names of what such a folder holds, and of the columns of its table."""

from __future__ import annotations

FORMAT_ID = "playtape-frames-1"
PRESSES = ".presses"
FIXED = ("frame", "t_s", "known", "used", "actor", "instruction", "flags", "dx", "dy", "scroll_x", "scroll_y")
