"""A real session of an hour at 1080p in seconds: a few groups of pictures are encoded, and their packets written again
and again with new times; events and labels go through the real writers."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.labelling.labels import Edit, Flag, LabelKind
from db.media.resize import Picture
from db.media.video import MUXER, VideoWriter
from db.recording.corrections import KeyCorrection, MotionCorrection
from db.recording.events import InputEvent
from db.recording.keys import BTN_LEFT, BTN_RIGHT, CODES
from db.recording.session import FrameRow, Segment, WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store
from recordings import FRAME_NS, START_NS, frame_times, key, move

GOP_FRAMES, GOPS = 30, 12
"""How many frames a group of pictures has, and how many different groups there are."""
KEYS = tuple(
    CODES[f"KEY_{name}"] for name in ["W", "A", "S", "D", "SPACE", "LEFTSHIFT", "E", "Q", "R", "1", "2", "TAB"]
)
BUTTONS = (BTN_LEFT, BTN_RIGHT)
_WORDS = ["open the door", "go up the ladder", "fight whoever comes", "collect the medkit", "wait for the lift"]


@dataclass(frozen=True)
class Length:
    """How large the session is."""

    frames: int = 108_000
    events: int = 50_000
    spans: int = 2_000
    size_px: tuple[int, int] = (1920, 1080)


def record_long(store: Store, length: Length | None = None, seed: int = 3) -> str:
    """Records such a session into a library and returns its id."""
    length = length or Length()
    spec = CaptureSpec(rate_hz=30, crf=28)
    window = WindowSpec(title="bench", size_px=length.size_px)
    meta = new_meta(game="Long Bench", player="ann", capture=spec, window=window)
    folder = store.create_session(meta)
    writer = SessionWriter.create(folder, meta)
    times = frame_times(length.frames)
    rows, segments = _write_video(folder, meta.size_px, spec, times)
    writer.write_frames(rows)
    dice = random.Random(seed)
    stop_ns = times[-1] + FRAME_NS
    writer.write_events(_events(dice, length.events, stop_ns))
    writer.finish(t_stop_ns=stop_ns, end_reason="stopped", segments=segments)
    store.enter(meta.id)
    store.commit(list(_labels(dice, meta.id, length)))
    return meta.id


def _write_video(
    folder: Path, size_px: tuple[int, int], spec: CaptureSpec, times_ns: list[int]
) -> tuple[list[FrameRow], list[Segment]]:
    """Segments of ten minutes; every group of pictures in them is one of a few."""
    rows: list[FrameRow] = []
    segments: list[Segment] = []
    per_segment = round(spec.segment_s * 1e9 / FRAME_NS) // GOP_FRAMES * GOP_FRAMES
    with tempfile.TemporaryDirectory() as scratch:
        path = _encode(Path(scratch), size_px, spec)
        for number, first in enumerate(range(0, len(times_ns), per_segment)):
            part = times_ns[first : first + per_segment]
            name = f"video-{number:03}.mkv"
            rows += [
                (number, pts, t_ns - 1_000_000, t_ns, is_key, False)
                for t_ns, (pts, is_key) in zip(part, _repeat(path, folder / name, part), strict=True)
            ]
            segments.append(Segment(name=name, first_frame=first))
    return rows, segments


def _encode(folder: Path, size_px: tuple[int, int], spec: CaptureSpec) -> Path:
    """GOPS groups of pictures, each a scene of its own."""
    video = VideoWriter(folder, size_px, spec)
    for number, t_ns in enumerate(frame_times(GOPS * GOP_FRAMES)):
        video.write(scene(number // GOP_FRAMES, number % GOP_FRAMES, size_px), t_ns - 1000, t_ns)
    video.close()
    return folder / video.segments[0].name


def _repeat(source: Path, target: Path, times_ns: list[int]) -> list[tuple[int, bool]]:
    """Writes a packet for each time, taken from `source` in turn; returns (PTS in ms, whether it is a keyframe)."""
    written = []
    with av.open(str(source)) as held, av.open(str(target), "w", format="matroska", options=MUXER) as container:
        stream = held.streams.video[0]
        copy = container.add_stream_from_template(stream)
        packets = [(bytes(p), p.is_keyframe) for p in held.demux(stream) if p.pts is not None and p.size]
        for t_ns, (data, is_key) in zip(times_ns, cycle(packets), strict=False):
            packet: Any = av.Packet(data)
            packet.stream, packet.is_keyframe = copy, is_key
            packet.time_base = stream.time_base
            packet.pts = packet.dts = pts = round((t_ns - times_ns[0]) / 1e6)
            container.mux(packet)
            written.append((pts, is_key))
    return written


def scene(number: int, frame: int, size_px: tuple[int, int]) -> Picture:
    """(H, W, 4) uint8 BGRA: a ground with a grain, a horizon and a few things that move over it."""
    width, height = size_px
    dice = np.random.default_rng(number)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ground = np.stack([x / width * 90 + 30, y / height * 120 + 40, np.full_like(x, 40 + number * 15 % 160)], axis=-1)
    grain = np.kron(dice.normal(0, 9, (height // 8 + 1, width // 8 + 1)), np.ones((8, 8)))[:height, :width]
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = np.clip(ground + grain[..., None] + (y > height * 0.6)[..., None] * 40, 0, 255).astype(np.uint8)
    for i in range(6):
        left = int(dice.integers(0, width - 200) + frame * (i + 1) * 2) % (width - 200)
        top = int(dice.integers(0, height - 160))
        picture[top : top + 120, left : left + 160, :3] = dice.integers(0, 255, 3)
    return picture


def _events(dice: random.Random, count: int, stop_ns: int) -> list[InputEvent]:
    """Two fifths of them presses and releases, the others mouse motion."""
    events: list[InputEvent] = []
    codes, held = (*KEYS, *BUTTONS), count // 5
    room_ns = (stop_ns - START_NS - 10**9) // (held // len(codes))
    for lane, code in enumerate(codes):
        for number in range(held // len(codes)):
            down_ns = START_NS + 10**8 + number * room_ns + dice.randrange(room_ns // 3) + lane
            length_ns = dice.randrange(10_000_000, room_ns // 2)
            events += [key(down_ns, code, 1), key(down_ns + length_ns, code, 0)]
    step_ns = (stop_ns - START_NS) // (count - len(events))
    events += [
        move(START_NS + i * step_ns + 7, dice.gauss(0, 12), dice.gauss(0, 6)) for i in range(count - len(events))
    ]
    return sorted((event for event in events if event.t_ns < stop_ns), key=lambda event: event.t_ns)


def _labels(dice: random.Random, session_id: str, length: Length) -> Iterator[Edit]:
    """Three in five instructions, the others flags, trims, comments, suggestions and corrections of actions."""
    count = length.spans

    def edit(kind: LabelKind, start: int, stop: int, value: str, *, suggested: bool = False) -> Edit:
        source = "rule idle" if suggested else "person"
        span = {"start": start, "stop": min(stop, length.frames)}
        return Edit(
            session_id=session_id, kind=kind, value=value, author="ann", source=source, suggested=suggested, **span
        )

    def starts(some: int) -> Iterator[tuple[int, int]]:
        step = length.frames // max(some, 1)
        for i in range(some):
            yield i * step + dice.randrange(step // 4 + 1), max(step // 2, 2)

    flags = [flag.value for flag in Flag if flag is not Flag.PRIVATE]
    for i, (start, most) in enumerate(starts(count * 3 // 5)):
        yield edit(LabelKind.INSTRUCTION, start, start + most, f"{_WORDS[i % len(_WORDS)]} {i}")
    for i, (start, most) in enumerate(starts(count // 5)):
        yield edit(LabelKind.FLAG, start, start + most, flags[i % len(flags)])
    for start, most in starts(count * 2 // 25):
        yield edit(LabelKind.TRIM, start, start + most, "")
    for i, (start, most) in enumerate(starts(count // 25)):
        yield edit(LabelKind.COMMENT, start, start + most * 3, f"is this right? ({i})")
    for start, most in starts(count // 25):
        yield edit(LabelKind.FLAG, start, start + most, Flag.IDLE.value, suggested=True)
    for i, (start, most) in enumerate(starts(count // 25)):
        correction = MotionCorrection(scale=(0.5, 0.5)) if i % 4 == 0 else KeyCorrection(code=KEYS[i % 4], holds_ns=())
        yield edit(LabelKind.ACTION, start, start + min(most, 60), correction.model_dump_json())
