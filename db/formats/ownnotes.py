"""What Playtape's own notes beside an export say of a session; they are read as any stranger's file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.formats.identity import group_of

_LONGEST_WORD, _LONGEST_S = 200, 10**7


def word(said: Mapping[str, Any], name: str) -> str:
    """A short text, "" where there is none."""
    value = said.get(name)
    return value[:_LONGEST_WORD] if isinstance(value, str) else ""


def circumstances(said: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an `Account`: the sitting, when it began, how long it lasted, the window's title, the keyboard's layout."""
    more: dict[str, Any] = {name: word(said, name) for name in ("title", "layout") if word(said, name)}
    more["group_id"] = group_of(said.get("group"))
    seconds = said.get("seconds")
    if isinstance(seconds, float) and math.isfinite(seconds) and 0 < seconds < _LONGEST_S:
        more["lasts_ns"] = round(seconds * 1e9)
    try:
        began_s = datetime.fromisoformat(word(said, "started_at")).timestamp()
        more["wall_ns"] = int(min(max(began_s, 0), 2**32) * 1e9)
    except (ValueError, OverflowError):
        more["wall_ns"] = None
    return more
