"""Places in a session as a person types them: `1:23.4`, `83`, `f 1234`, `+5`, `-2.5`, `+10f`."""

from __future__ import annotations

import re

from db.clock import FrameClock
from db.errors import BadArgument

HOW = "1:23.4, f 1234, +5, -2.5 or +10f"
_FRAME = re.compile(r"(?:f|#|frame)\s*(\d+)", re.IGNORECASE)
_FRAMES_AWAY = re.compile(r"([+-])\s*(?:f\s*(\d+)|(\d+)\s*f)", re.IGNORECASE)
_TIME = re.compile(r"([+-]?)\s*(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?|[.,]\d+)\s*s?", re.IGNORECASE)
_MOST = 10**9


def find_place(text: str, clock: FrameClock, here: int) -> int:
    """The frame that a person means. A time is counted from the first frame; with a sign, from the frame `here`.

    What lies before the start or after the end with a sign is the first or the last frame. Raises BadArgument, which says why,
    for what is no place, or one outside of the session.
    """
    text, last = text.strip(), len(clock) - 1
    if found := _FRAME.fullmatch(text):
        return _within(int(found[1]), last)
    if found := _FRAMES_AWAY.fullmatch(text):
        away = min(int(found[2] or found[3]), _MOST)
        return min(max(here + (-away if found[1] == "-" else away), 0), last)
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadArgument(f"{text!r} is no time and no frame; type {HOW}.")
    sign, hours, minutes, rest = found.groups()
    seconds = float(rest.replace(",", "."))
    if minutes is not None and (seconds >= 60 or (hours is not None and int(minutes) >= 60)):
        raise BadArgument(f"{text} is no time: seconds and minutes end at 59.")
    seconds = min(seconds + 60 * int(minutes or 0) + 3600 * int(hours or 0), float(_MOST))
    if sign:
        at_ns = int(clock.t_ns[here]) + round((-seconds if sign == "-" else seconds) * 1e9)
        return clock.index_at(at_ns)
    at_ns = int(clock.t_ns[0]) + round(seconds * 1e9)
    if at_ns > clock.t_stop_ns:
        frame = f" Type f {text} for the frame." if text.isdecimal() and int(text) <= last else ""
        raise BadArgument(f"{text} is after the end, which is at {_text(clock.duration_ns)}.{frame}")
    return clock.index_at(at_ns)


def _within(frame: int, last: int) -> int:
    if frame > last:
        raise BadArgument(f"There is no frame {frame}; the last one is {last}.")
    return frame


def _text(duration_ns: int) -> str:
    minutes, seconds = divmod(duration_ns / 1e9, 60)
    return f"{int(minutes)}:{seconds:04.1f}"
