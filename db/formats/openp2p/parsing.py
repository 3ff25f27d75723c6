"""Reads open-p2p's messages (`db.formats.openp2p.messages`) from bytes that may be anything; all functions raise Damaged."""

from __future__ import annotations

import math

from db.formats.openp2p.messages import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_EVENTS,
    MOST_NAMES,
    MOST_PX,
    MOST_TEXTS,
    PAD_FIELDS,
    Action,
    Event,
    Frame,
    Kind,
    Metadata,
    Pair,
    Text,
)
from db.formats.protobuf import Damaged, Value, fields, numbers, raw, real, signed, text, unsigned

_EVENTS: dict[int, Kind] = {1: "button", 2: "key", 3: "move", 4: "wheel", 5: "delta", 7: "pad", 8: "axis", 9: "axis"}


def parse_frame(message: bytes) -> Frame:
    frame = Frame()
    for number, value in fields(message):
        if number == 1:
            frame.user = _parse_action(raw(value))
        elif number == 6:
            frame.system = _parse_action(raw(value))
        elif number == 7:
            _limit(frame.texts, MOST_TEXTS, "instructions")
            frame.texts.append(_parse_text(raw(value)))
        elif number == 8:
            frame.time_ns = unsigned(value)
        elif number == 9:
            _limit(frame.events, MOST_EVENTS, "events")
            event = _parse_event(raw(value))
            if event is not None:
                frame.events.append(event)
    return frame


def parse_metadata(message: bytes) -> Metadata:
    said = Metadata()
    for number, value in fields(message):
        if number == 1:
            said.id = text(value, 200)
        elif number == 2:
            said.timestamp_s = signed(value)
        elif number == 3:
            said.user = text(value, 200)
        elif number == 5:
            said.rate_hz = real(value)
        elif number == 6:
            names = {key: text(part, 200) for key, part in fields(raw(value)) if key in (1, 2)}
            said.env, said.env_subtype = names.get(1, ""), names.get(2, "")
        elif number == 7:
            said.group = text(value, 100)
        elif number == 10:
            _parse_device(raw(value), said)
    return said


def _parse_device(message: bytes, said: Metadata) -> None:
    for number, value in fields(message):
        if number == 1:
            said.os = text(value, 200)
        elif number == 2:
            said.layout = text(value, 100)
        elif number == 3:
            window = dict(fields(raw(value)))
            said.title = text(window.get(5, b""), 500)
            said.window_px = (_size(window.get(1, 0)), _size(window.get(2, 0)))
        elif number == 4 and len(said.screens) < 16:
            screen = dict(fields(raw(value)))
            scale = real(screen[3]) if 3 in screen else 0.0
            said.screens.append(
                (
                    _size(screen.get(1, 0)),
                    _size(screen.get(2, 0)),
                    scale if math.isfinite(scale) else 0.0,
                    _size(screen.get(4, 0)),
                )
            )


def _size(value: Value) -> int:
    return min(max(signed(value), 0), MOST_PX)


def _parse_action(message: bytes) -> Action:
    action = Action()
    for number, value in fields(message):
        if number == 1:
            _parse_old_mouse(raw(value), action)
        elif number == 2:
            action.keys = [text(part, LONGEST_NAME) for key, part in fields(raw(value)) if key == 1]
        elif number == 3:
            action.known = bool(unsigned(value))
        elif number == 4:
            _parse_mouse(raw(value), action)
        elif number == 5:
            _parse_pad(raw(value), action)
    if len(action.keys) > MOST_NAMES or len(action.buttons) > MOST_NAMES:
        raise Damaged(f"over {MOST_NAMES} keys at once", 0)
    return action


def _parse_mouse(message: bytes, action: Action) -> None:
    for number, value in fields(message):
        if number == 1:
            action.has_place = True
        elif number == 3:
            action.delta = _pair(value)
        elif number == 4:
            action.scroll = _pair(value)
        elif number == 9:
            action.buttons.append(text(value, LONGEST_NAME))


def _parse_old_mouse(message: bytes, action: Action) -> None:
    """As recordings had it that were made before: motion as fractions, buttons as numbers."""
    x = y = 0.0
    for number, value in fields(message):
        if number == 3:
            x = real(value)
        elif number == 4:
            y = real(value)
        elif number == 5:
            action.buttons += [str(button) for button in numbers(value)]
    if not (math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) <= MOST_PX):
        raise Damaged(f"a mouse motion of ({x}, {y})", 0)
    action.delta = (x, y)


def _parse_pad(message: bytes, action: Action) -> None:
    for number, value in fields(message):
        if number == 1:
            pressed = [key for key, part in fields(raw(value)) if unsigned(part)]
            action.pad += [PAD_FIELDS[key - 1] for key in pressed if 0 < key <= len(PAD_FIELDS)]
        elif number in (2, 3):
            stick = dict(fields(raw(value)))
            if unsigned(stick.get(3, 0)):
                action.pad.append("left_stick" if number == 2 else "right_stick")
            action.has_axes |= 1 in stick or 2 in stick
        elif number in (4, 5):
            action.has_axes = True


def _parse_text(message: bytes) -> Text:
    said = Text("")
    for number, value in fields(message):
        if number == 1:
            said.instruction = text(value, LONGEST_TEXT)
        elif number == 2:
            names = {key: text(part, 200) for key, part in fields(raw(value)) if key in (1, 2)}
            said.provider, said.version = names.get(1, ""), names.get(2, "")
        elif number == 3:
            said.duration_s = real(value)
        elif number == 4:
            said.has_embedding = True
    return said


def _parse_event(message: bytes) -> Event | None:
    """None where it is of no kind that is known."""
    time_ns, simulated, event = 0, False, None
    for number, value in fields(message):
        if number == 6:
            time_ns = unsigned(value)
        elif number == 10:
            simulated = bool(unsigned(value))
        elif number in _EVENTS:
            kind, event = _EVENTS[number], None
            if kind in ("key", "button", "pad"):
                said = dict(fields(raw(value)))
                event = Event(kind, 0, text(said.get(1, b""), LONGEST_NAME), bool(unsigned(said.get(2, 0))))
            else:
                x, y = (0, 0) if kind == "axis" else _pair(value)
                event = Event(kind, 0, x=x, y=y)
    if event is not None:
        event.time_ns, event.simulated = time_ns, simulated
    return event


def _pair(value: Value) -> Pair:
    said = {number: signed(part) for number, part in fields(raw(value)) if number in (1, 2)}
    x, y = said.get(1, 0), said.get(2, 0)
    if max(abs(x), abs(y)) > MOST_PX:
        raise Damaged(f"a motion of ({x}, {y})", 0)
    return x, y


def _limit(found: list[Text] | list[Event], most: int, what: str) -> None:
    if len(found) >= most:
        raise Damaged(f"over {most} {what} at one frame", 0)
