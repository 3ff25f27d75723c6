"""What one annotation tells of the interval before it: names become codes, inputs get their place in the session's time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from db.formats.hands import Change, Hands, moved
from db.formats.keynames import MOUSE_CODES, OPEN_P2P, PAD_CODES
from db.formats.openp2p.messages import Action, Event
from db.formats.report import Report
from db.recording.events import EventKind, InputEvent
from db.recording.keys import CODES

_BUTTONS = {str(number): code for number, code in MOUSE_CODES.items()} | {
    "Left": MOUSE_CODES[0], "Right": MOUSE_CODES[1], "Middle": MOUSE_CODES[2],
}  # fmt: skip
_PAD_EVENTS = PAD_CODES | {"left_trigger": PAD_CODES["left_bumper"], "right_trigger": PAD_CODES["right_bumper"]}
_KEYS = ("key", "button", "pad")
_MOVES = ((EventKind.MOTION, "delta"), (EventKind.SCROLL, "wheel"))


def code_of(kind: str, name: str) -> int | None:
    """The code of a key, a mouse button or a gamepad's button by its name in a state or an event."""
    if kind == "button":
        return _BUTTONS.get(name, CODES.get(name))
    if kind == "pad":
        return _PAD_EVENTS.get(name, CODES.get(name))
    return OPEN_P2P.code(name) or CODES.get(name)


def play(
    hands: Hands, action: Action, events: Sequence[Event], times_ns: Sequence[int], span_ns: tuple[int, int], actor: int
) -> list[InputEvent]:
    """The events of the interval `span_ns`, in order. times_ns: when each of `events`, which are in order, came."""
    start_ns, stop_ns = span_ns
    wanted = set(_codes(action, hands.report))
    changes = list(_changes(events, times_ns, hands.report))
    found = hands.play(wanted, changes, start_ns, stop_ns, actor=actor)
    for kind, word in _MOVES:
        x, y = action.delta if kind is EventKind.MOTION else action.scroll
        for event, t_ns in zip(events, times_ns, strict=True):
            if event.kind == word:
                x, y = x - event.x, y - event.y
                found += moved(kind, t_ns, event.x, event.y, actor, event.simulated)
        found += moved(kind, (start_ns + stop_ns) // 2, x, y, actor)  # what the sum has beside them
    return sorted(found, key=lambda event: event.t_ns)


def _codes(action: Action, report: Report) -> Iterator[int]:
    for kind, names in zip(_KEYS, (action.keys, action.buttons, action.pad), strict=True):
        for name in names:
            code = code_of(kind, name)
            if code is None:
                report.drop(f"{kind} {name!r}, which is not known, in states")
            else:
                yield code


def _changes(events: Sequence[Event], times_ns: Sequence[int], report: Report) -> Iterator[Change]:
    for event, t_ns in zip(events, times_ns, strict=True):
        if event.kind in _KEYS:
            code = code_of(event.kind, event.name)
            if code is None:
                report.drop(f"{event.kind} {event.name!r}, which is not known, in events")
            else:
                yield Change(t_ns, code, event.pressed, event.simulated)
