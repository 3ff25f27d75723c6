"""Writes open-p2p's messages (`db.formats.openp2p.messages`)."""

from __future__ import annotations

from db.formats.openp2p.messages import PAD_FIELDS, Action, Event, Frame, Metadata, Pair, Text
from db.formats.protobuf import put_bytes, put_double, put_float, put_int, put_text

_NUMBERS = {"button": 1, "key": 2, "wheel": 4, "delta": 5, "pad": 7}


def frame_bytes(frame: Frame) -> bytes:
    parts = [put_bytes(1, _action_bytes(frame.user)), put_bytes(6, _action_bytes(frame.system))]
    parts += [put_bytes(7, _text_bytes(said)) for said in frame.texts]
    parts.append(put_int(8, frame.time_ns))
    parts += [put_bytes(9, _event_bytes(event)) for event in frame.events]
    return put_bytes(3, b"".join(parts))


def metadata_bytes(said: Metadata) -> bytes:
    window = (
        put_int(1, said.window_px[0]) + put_int(2, said.window_px[1]) + put_double(3, 1.0) + put_text(5, said.title)
    )
    screens = [
        put_int(1, width) + put_int(2, height) + put_double(3, scale) + put_int(4, dpi)
        for width, height, scale, dpi in said.screens
    ]
    device = put_text(1, said.os) + put_text(2, said.layout) + put_bytes(3, window)
    device += b"".join(put_bytes(4, screen) for screen in screens)
    env = put_text(1, said.env) + put_text(2, said.env_subtype)
    parts = [put_text(1, said.id), put_int(2, said.timestamp_s), put_text(3, said.user), put_float(5, said.rate_hz)]
    parts += [put_bytes(6, env), put_text(7, said.group), put_bytes(10, device)]
    return put_bytes(2, b"".join(parts))


def _action_bytes(action: Action) -> bytes:
    mouse = put_bytes(3, _pair_bytes(action.delta)) + put_bytes(4, _pair_bytes(action.scroll))
    mouse += b"".join(put_text(9, button) for button in action.buttons)
    parts = [put_bytes(2, b"".join(put_text(1, key) for key in action.keys))] if action.keys else []
    parts += [put_int(3, int(action.known)), put_bytes(4, mouse)]
    if action.pad:
        buttons = b"".join(put_int(PAD_FIELDS.index(name) + 1, 1) for name in action.pad if name in PAD_FIELDS)
        sticks = [
            put_bytes(place, put_int(3, int(f"{side}_stick" in action.pad)))
            for place, side in ((2, "left"), (3, "right"))
        ]
        parts.append(put_bytes(5, put_bytes(1, buttons) + b"".join(sticks)))
    return b"".join(parts)


def _text_bytes(said: Text) -> bytes:
    annotator = put_text(1, said.provider) + put_text(2, said.version)
    return put_text(1, said.instruction) + put_bytes(2, annotator) + put_float(3, said.duration_s)


def _event_bytes(event: Event) -> bytes:
    named = event.kind in ("key", "button", "pad")
    what = put_text(1, event.name) + put_int(2, int(event.pressed)) if named else _pair_bytes((event.x, event.y))
    return put_bytes(_NUMBERS[event.kind], what) + put_int(6, event.time_ns) + put_int(10, int(event.simulated))


def _pair_bytes(pair: Pair) -> bytes:
    return put_int(1, int(pair[0])) + put_int(2, int(pair[1]))
