"""The messages of open-p2p's `annotation.proto`, as far as they say what was done: what they hold and their field numbers.

The facts are those of the descriptors that elefant-ai/open-p2p publishes (elefant/data/proto/video_annotation_pb2.py):

VideoAnnotation    metadata 2, frame_annotations 3 (repeated), version 6, voice_events 9
FrameAnnotation    user_action 1, system_action 6, frame_text_annotation 7 (repeated), frame_time 8 (ns from the start),
                   input_events 9 (repeated)
LowLevelAction     mouse_deprecated 1, keyboard 2 {keys 1}, is_known 3, mouse 4, game_pad 5 {buttons 1, sticks 2 and 3, triggers 4 and 5}
MouseAction        mouse_absolute_px 1, mouse_delta_px 3, scroll_delta_px 4, buttons_down 9 (repeated)
InputEvent         mouse_event 1, keyboard_event 2 {name 1, pressed 2}, mouse_move_event 3, wheel_event 4, mouse_delta_event 5 {x 1, y 2},
                   time 6 (ns), game_pad_button_event 7, game_pad_axis_event 8, game_pad_trigger_event 9, simulated 10
FrameTextAnnotation  instruction 1, frame_text_annotator 2 {provider 1, version 2}, duration 3 (s), text_embedding_dict 4
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

LONGEST_NAME, LONGEST_TEXT = 60, 20_000
MOST_NAMES, MOST_EVENTS, MOST_TEXTS = 256, 100_000, 64
MOST_PX = 1_000_000
PAD_FIELDS = (
    "south", "north", "east", "west", "dpad_up", "dpad_down", "dpad_left", "dpad_right", "start", "select",
    "left_bumper", "right_bumper",
)  # fmt: skip
"""Of GamePadButtons, numbered from 1."""

Kind = Literal["key", "button", "pad", "delta", "wheel", "move", "axis"]
Pair = tuple[float, float]


@dataclass(slots=True)
class Event:
    """One input, as it came."""

    kind: Kind
    time_ns: int
    name: str = ""
    """Of a key or button."""
    pressed: bool = False
    x: float = 0
    y: float = 0
    simulated: bool = False


@dataclass(slots=True)
class Action:
    """What one of the two who may act holds at a frame, and how far they moved since the frame before."""

    known: bool = False
    keys: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)
    """Of the mouse, as numbers in text: 0 left, 1 right, 2 middle."""
    pad: list[str] = field(default_factory=list)
    delta: Pair = (0, 0)
    scroll: Pair = (0, 0)
    has_place: bool = False
    """Whether the pointer's place is told."""
    has_axes: bool = False


@dataclass(slots=True)
class Text:
    """An instruction that begins at a frame."""

    instruction: str
    version: str = ""
    provider: str = ""
    duration_s: float = 0
    has_embedding: bool = False


@dataclass(slots=True)
class Frame:
    """One annotation."""

    time_ns: int = 0
    user: Action = field(default_factory=Action)
    system: Action = field(default_factory=Action)
    texts: list[Text] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass
class Metadata:
    """What is said of the whole recording."""

    id: str = ""
    timestamp_s: int = 0
    user: str = ""
    rate_hz: float = 0
    env: str = ""
    env_subtype: str = ""
    group: str = ""
    os: str = ""
    layout: str = ""
    title: str = ""
    window_px: tuple[int, int] = (0, 0)
    screens: list[tuple[int, int, float, int]] = field(default_factory=list)
    """Width, height, scale and dpi of each."""
