"""The messages of OWAMcap, as `owa-msgs` 0.6 defines them: topics, schemas, and JSON of one object each."""

from __future__ import annotations

import json
import math
from typing import Any

from db.errors import BadFile
from db.formats.owamcap.mcapreader import McapReader, Message
from db.formats.owamcap.mcapwriter import McapWriter
from db.recording.keys import BTN_EXTRA, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE

PROFILE = "owa"
SCREEN, KEYBOARD, MOUSE, RAW, WINDOW = "screen", "keyboard", "mouse", "mouse/raw", "window"
KEYBOARD_STATE, MOUSE_STATE = "keyboard/state", "mouse/state"
_MOST = 8 << 20
_NEAR_NS = 10_000_000_000

BUTTON_FLAGS = {BTN_LEFT: 0x001, BTN_RIGHT: 0x004, BTN_MIDDLE: 0x010, BTN_SIDE: 0x040, BTN_EXTRA: 0x100}
"""Windows' RI_MOUSE flags of a button that goes down; the one of its going up is twice that."""
WHEEL, HWHEEL, NOTCH = 0x400, 0x800, 120
BUTTON_NAMES = {"left": BTN_LEFT, "right": BTN_RIGHT, "middle": BTN_MIDDLE, "x1": BTN_SIDE, "x2": BTN_EXTRA}
ABSOLUTE = 0x01
MOUSE_KEYS = {1: BTN_LEFT, 2: BTN_RIGHT, 4: BTN_MIDDLE, 5: BTN_SIDE, 6: BTN_EXTRA}
"""The virtual-key codes of buttons, in a state of the keyboard."""
SIDELESS = frozenset({0x10, 0x11, 0x12})
"""Shift, Control and Alt, whichever it is."""

_INTEGER: dict[str, Any] = {"type": "integer"}
_MAYBE: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
_PAIR = {"anyOf": [{"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2}, {"type": "null"}]}


def _shape(called: str, required: str, /, **properties: Any) -> bytes:
    said = {"title": called, "type": "object", "properties": properties, "required": required.split()}
    return json.dumps(said).encode()


_MEDIA = {
    "type": "object", "properties": {"uri": {"type": "string"}, "pts_ns": _MAYBE}, "required": ["uri"],
}  # fmt: skip
SCHEMAS: dict[str, tuple[str, bytes]] = {
    SCREEN: (
        "desktop/ScreenCaptured",
        _shape("ScreenCaptured", "", utc_ns=_MAYBE, source_shape=_PAIR, shape=_PAIR, media_ref=_MEDIA),
    ),
    KEYBOARD: (
        "desktop/KeyboardEvent",
        _shape(
            "KeyboardEvent", "event_type vk", event_type={"enum": ["press", "release"]}, vk=_INTEGER, timestamp=_MAYBE
        ),
    ),
    KEYBOARD_STATE: (
        "desktop/KeyboardState",
        _shape("KeyboardState", "buttons", buttons={"type": "array", "items": _INTEGER}, timestamp=_MAYBE),
    ),
    RAW: (
        "desktop/RawMouseEvent",
        _shape(
            "RawMouseEvent", "last_x last_y", last_x=_INTEGER, last_y=_INTEGER, us_flags=_INTEGER,
            button_flags=_INTEGER, button_data=_INTEGER, device_handle=_MAYBE, timestamp=_MAYBE,
        ),
    ),
    WINDOW: (
        "desktop/WindowInfo",
        _shape(
            "WindowInfo", "title rect hWnd", title={"type": "string"}, rect={"type": "array", "items": _INTEGER},
            hWnd=_INTEGER,
        ),
    ),
}  # fmt: skip
"""Topic -> the name and the JSON schema of its messages."""


def write(writer: McapWriter, topic: str, t_ns: int, **said: Any) -> None:
    """Raises OSError."""
    schema, shape = SCHEMAS[topic]
    writer.write(topic, schema, shape, t_ns, json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())


class Said:
    """What one message says, read with suspicion."""

    def __init__(self, reader: McapReader, message: Message) -> None:
        """Raises BadFile with the place where it is no JSON object."""
        self._reader, self._message = reader, message
        if len(message.content) > _MOST:
            raise self.bad(f"has {len(message.content):,} bytes")
        try:
            said = json.loads(message.content)
        except (ValueError, RecursionError):
            raise self.bad("is not JSON") from None
        if not isinstance(said, dict):
            raise self.bad("is not an object")
        self._said: dict[str, Any] = said

    def bad(self, why: str) -> BadFile:
        return self._reader.bad(self._message.place, f"a message of {self._message.topic[:80]!r} {why}")

    @property
    def moment_ns(self) -> int:
        """When it happened: its own stamp, or when it was logged where that is not near."""
        for name in ("timestamp", "utc_ns"):
            own = self._said.get(name)
            if isinstance(own, int) and abs(own - self._message.t_ns) < _NEAR_NS:
                return own
        return self._message.t_ns

    def get(self, name: str) -> Any:
        return self._said.get(name)

    def text(self, name: str) -> str:
        value = self._said.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str, most: int, default: int | None = None) -> int:
        """A whole number with at most this absolute value; a fraction is cut off. Raises BadFile."""
        value = self._said.get(name, default)
        if value is None:
            value = default
        if isinstance(value, float) and math.isfinite(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > most:
            raise self.bad(f"says {name} {str(value)[:40]!r}, which cannot be")
        return value

    def numbers(self, name: str, most: int, count: int) -> list[int]:
        """A list of at most `count` whole numbers. Raises BadFile."""
        values = self._said.get(name)
        if not isinstance(values, list) or len(values) > count:
            raise self.bad(f"has no list of at most {count} numbers as {name}")
        if not all(isinstance(value, int) and abs(value) <= most for value in values):
            raise self.bad(f"has other things than numbers as {name}")
        return values
