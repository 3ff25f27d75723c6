"""How long a contributor waits: from the start to the first stored frame, and from the stop to the verdict."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.headless import RATE_HZ, SIZE_PX, Recorder, moving_display
from db.clock import now_ns
from db.media.video import VideoWriter
from db.recording.events import EventKind, InputEvent
from db.recording.keys import CODES
from db.recording.session import SessionMeta, WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store
from games.xserver import XServer
from recorder.backends import Choice, open_sources
from recorder.order import Order
from recorder.take import Take

EVENTS_HZ = 100
"""Of a mouse that is moved all the time; with 100 a second an hour has 360,000."""
_KEYS = [CODES[f"KEY_{name}"] for name in ("W", "A", "S", "D", "SPACE", "E")]


def measure(runs: int = 7, minutes: tuple[float, ...] = (5.0, 60.0)) -> dict[str, Any]:
    """The start as a process and within one, live stops, and the stops of sessions that were written at full speed."""
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, moving_display() as server:
        library = Path(folder) / "library"
        Store.open(library).close()
        starts = [_start_process(server, library) for _ in range(runs)]
        presses = [_press_record(server, library) for _ in range(runs)]
        rows["process start to first frame, ms, median / most"] = _spread([first for first, _ in starts])
        rows["Record to first frame, ms, median / most"] = _spread([first for first, _ in presses])
        rows["stop to verdict after 2 s, ms, median / most"] = _spread([stop for _, stop in [*starts, *presses]])
    for length in minutes:
        with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "library") as store:
            rows |= _long_stop(store, length)
    return rows


def _spread(values_ms: list[float]) -> list[int]:
    return [round(float(np.median(values_ms))), round(max(values_ms))]


def _start_process(server: XServer, library: Path) -> tuple[float, float]:
    """Milliseconds from starting the program to its first stored frame, and from the signal to the verdict."""
    began_ns = now_ns()
    recorder = Recorder(server, library)
    try:
        session = recorder.read("started")["session"]
        time.sleep(2)
        recorder.process.terminate()
        asked_ns = now_ns()
        recorder.read("finished")
        verdict_ns = now_ns()
    finally:
        recorder.close()
    return _first_frame_ms(library, session, began_ns), (verdict_ns - asked_ns) / 1e6


def _press_record(server: XServer, library: Path) -> tuple[float, float]:
    """The same within a program that is running: from the press of Record, and from that of Stop."""
    choice = Choice(region_px=(0, 0, *SIZE_PX))
    with Store.open(library) as store, _display(server.display):
        order = Order(game="bench", player="bench", capture=CaptureSpec(rate_hz=RATE_HZ), duration_s=2.0, anyway=True)
        began_ns = now_ns()
        result = Take(store, order, *open_sources(choice)).run()
        verdict_ns = now_ns()
    return _first_frame_ms(library, result.summary.id, began_ns), (verdict_ns - result.stop_ns) / 1e6


@contextmanager
def _display(name: str) -> Iterator[None]:
    """Makes a display the one of this process for a while."""
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = before


def _first_frame_ms(library: Path, session: str, began_ns: int) -> float:
    with Store.open(library) as store:
        return (int(store.recording(session).clock.t_ns[0]) - began_ns) / 1e6


def _long_stop(store: Store, minutes: float) -> dict[str, Any]:
    """Writes as many frames and events as so many minutes have, then times what a stop does, step by step."""
    meta = new_meta(
        game="bench", player="bench", capture=CaptureSpec(rate_hz=RATE_HZ), window=WindowSpec(size_px=SIZE_PX)
    )
    writer, video, stop_ns = _write_session(store, meta, minutes)
    steps: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = work()
        steps[name] = (time.perf_counter() - began) * 1000
        return result

    timed("video", video.close)
    timed("facts", lambda: writer.finish(t_stop_ns=stop_ns, end_reason="stopped", segments=video.segments))
    summary = timed("check and judge", lambda: store.enter(meta.id))
    name = f"{minutes:g} minutes"
    return {
        f"{name}: frames, events, segments": [summary.frames, writer.event_count, len(video.segments)],
        f"{name}: stop to verdict, ms": round(sum(steps.values())),
        f"{name}: of that": {step: round(took) for step, took in steps.items()},
    }


def _write_session(store: Store, meta: SessionMeta, minutes: float) -> tuple[SessionWriter, VideoWriter, int]:
    """A session as long as that in its own time, which is not the clock's: written as fast as it goes."""
    folder = store.create_session(meta)
    writer, video = SessionWriter.create(folder, meta), VideoWriter(folder, meta.size_px, meta.capture)
    dice = np.random.default_rng(0)
    texture = dice.integers(0, 255, (SIZE_PX[1], SIZE_PX[0] + 400, 4), dtype=np.uint8)
    start_ns, period_ns = now_ns(), round(1e9 / RATE_HZ)
    count = round(minutes * 60 * RATE_HZ)
    rows = []
    for index in range(count):
        t_ns = start_ns + index * period_ns
        shift = index // 30 % 400  # a new picture once a second: what is looked at is the end, not the encoder
        picture = np.ascontiguousarray(texture[:, shift : shift + SIZE_PX[0]])
        rows.append(video.write(picture, t_ns - 5_000_000, t_ns, duplicate=index % 30 != 0))
        writer.write_events(_events(index, t_ns, period_ns))
        if index % 300 == 299:
            waiting = video.frame_count - video.sync()
            writer.write_frames(rows[: len(rows) - waiting])
            writer.commit()
            rows = rows[len(rows) - waiting :]
    writer.write_frames(rows)
    return writer, video, start_ns + count * period_ns


def _events(index: int, t_ns: int, period_ns: int) -> list[InputEvent]:
    per_frame = EVENTS_HZ // RATE_HZ + (index % 3 == 0)
    step_ns = period_ns // (per_frame + 1)
    events = [
        InputEvent(t_ns + i * step_ns, EventKind.MOTION, x=1.0, y=-1.0, x2=1.5, y2=-1.5) for i in range(per_frame)
    ]
    if index % 15 == 0:
        code = _KEYS[index // 30 % len(_KEYS)]
        events.append(InputEvent(t_ns + per_frame * step_ns, EventKind.KEY, code=code, value=int(index % 30 == 0)))
    return events
