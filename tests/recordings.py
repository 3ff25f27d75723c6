"""Small real sessions for tests: frames that carry their own number, through the real writers into real files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from db.media.resize import Picture
from db.media.video import VideoWriter
from db.recording.actions import InputFacts
from db.recording.events import Actor, ActorKind, EventKind, Gap, InputEvent, Origin, to_array
from db.recording.keys import BTN_LEFT, CODES
from db.recording.session import SessionMeta, WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store

SIZE_PX = (64, 48)
KEY_W, KEY_A, KEY_S, KEY_D = (CODES[f"KEY_{name}"] for name in "WASD")
START_NS = 1_000_000_000
FRAME_NS = 33_333_333
_BITS = 16
_CELL_PX = 8


def barcode(number: int, size_px: tuple[int, int] = SIZE_PX) -> Picture:
    """A (H, W, 4) BGRA picture that carries `number` (below 2**16) as black and white cells over a moving ground."""
    width, height = size_px
    picture = np.full((height, width, 4), 255, np.uint8)
    ramp = (np.arange(width)[None, :] * 3 + np.arange(height)[:, None] * 2 + number * 5) % 200
    picture[..., :3] = ramp[..., None].astype(np.uint8) + np.array([0, 25, 50], np.uint8)
    for bit in range(_BITS):
        row, column = divmod(bit, _BITS // 2)
        cell = np.s_[row * _CELL_PX : (row + 1) * _CELL_PX, column * _CELL_PX : (column + 1) * _CELL_PX]
        picture[cell] = 255 if number >> bit & 1 else 0
    return picture


def read_barcode(picture: Picture) -> int:
    """The number in a picture of `barcode`, any number of channels."""
    number = 0
    for bit in range(_BITS):
        row, column = divmod(bit, _BITS // 2)
        y, x = row * _CELL_PX + _CELL_PX // 2, column * _CELL_PX + _CELL_PX // 2
        number |= int(picture[y, x, :3].mean() > 128) << bit
    return number


def frame_times(count: int, step_ns: int = FRAME_NS, start_ns: int = START_NS) -> list[int]:
    return [start_ns + i * step_ns for i in range(count)]


def key(t_ns: int, code: int, value: int, **more: Any) -> InputEvent:
    """A key or button that goes down (1) or up (0)."""
    return InputEvent(t_ns, EventKind.KEY, code=code, value=value, **more)


def move(t_ns: int, dx: float, dy: float, **more: Any) -> InputEvent:
    return InputEvent(t_ns, EventKind.MOTION, x=dx, y=dy, x2=dx, y2=dy, **more)


def facts_of(
    events: Sequence[InputEvent] = (),
    gaps: Sequence[Gap] = (),
    actors: Sequence[Actor] = (Actor(kind=ActorKind.PERSON),),
    start_ns: int = 0,
    stop_ns: int = 10**15,
) -> InputFacts:
    return InputFacts(to_array(list(events)), list(gaps), list(actors), start_ns, stop_ns)


def lively_events(times: Sequence[int], stop_ns: int) -> list[InputEvent]:
    """Play that every rule of the verdict accepts: W held in stretches, a tap of the left button, some motion."""
    events = []
    for start in range(times[0], stop_ns - 10, 600_000_000):
        events += [key(start + 5, KEY_W, 1), key(min(start + 250_000_000, stop_ns - 3), KEY_W, 0)]
        events += [key(start + 100, BTN_LEFT, 1), key(start + 200, BTN_LEFT, 0)]
        events += [move(start + 50 + i * 1_000_000, 3.0, -1.0) for i in range(10)]
    return sorted(events, key=lambda event: event.t_ns)


@dataclass
class Take:
    """What a small session holds; everything has a default that makes a good recording."""

    count: int = 30
    times_ns: Sequence[int] | None = None
    events: Sequence[InputEvent] | None = None
    gaps: Sequence[Gap] = ()
    game: str = "testgame"
    player: str = "ann"
    group_id: str | None = None
    actors: tuple[Actor, ...] | None = None
    capture: CaptureSpec = field(default_factory=lambda: CaptureSpec(crf=10))
    size_px: tuple[int, int] = SIZE_PX
    picture: Callable[[int], Picture] | None = None

    def meta(self) -> SessionMeta:
        return new_meta(
            game=self.game,
            player=self.player,
            capture=self.capture,
            window=WindowSpec(title=self.game, size_px=self.size_px),
            actors=self.actors,
            group_id=self.group_id,
        )

    def write(self, folder: Path, meta: SessionMeta | None = None) -> SessionMeta:
        """Records the take into `folder` and finishes it."""
        times = list(self.times_ns) if self.times_ns is not None else frame_times(self.count)
        stop_ns = times[-1] + FRAME_NS
        meta = meta or self.meta()
        writer = SessionWriter.create(folder, meta)
        video = VideoWriter(folder, meta.size_px, meta.capture)
        draw = self.picture or (lambda number: barcode(number, meta.size_px))
        rows = [video.write(draw(i), t - 1000, t) for i, t in enumerate(times)]
        video.close()
        writer.write_frames(rows)
        writer.write_events(self.events if self.events is not None else lively_events(times, stop_ns))
        for gap in self.gaps:
            writer.write_gap(gap)
        return writer.finish(t_stop_ns=stop_ns, end_reason="stopped", segments=video.segments)


def record(store: Store, take: Take | None = None, *, enter: bool = True) -> str:
    """Records a take into a library and returns the session's id."""
    take = take or Take()
    meta = take.meta()
    take.write(store.create_session(meta), meta)
    if enter:
        store.enter(meta.id)
    return meta.id


def found_down(t_ns: int, code: int) -> InputEvent:
    """A snapshot: a key that was already down when watching began."""
    return key(t_ns, code, 1, origin=Origin.SNAPSHOT)
