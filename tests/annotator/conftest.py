"""Synthetic sessions with the frame number burnt into every picture as a barcode, made through the real writers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest

from db.labelling.labels import Edit
from db.media.video import VideoWriter
from db.recording.events import EventKind, InputEvent
from db.recording.session import WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store

BITS, BLOCK_PX = 12, 8
SIZE_PX = (BITS * BLOCK_PX, 64)
W, A, LMB = 17, 30, 0x110

SessionMaker = Callable[..., str]


def barcode(index: int) -> np.ndarray:
    """(H, W, 4) uint8 BGRA: a grey picture whose upper half shows the index in black and white blocks, high bit first."""
    picture = np.full((SIZE_PX[1], SIZE_PX[0], 4), 128, np.uint8)
    bits = [(index >> bit) & 1 for bit in reversed(range(BITS))]
    picture[: SIZE_PX[1] // 2] = np.repeat(np.array(bits, np.uint8) * 255, BLOCK_PX)[None, :, None]
    return picture


@pytest.fixture
def read_barcode() -> Callable[..., int]:
    """read_barcode(QImage) -> the index burnt into it."""
    return _read_barcode


def _read_barcode(image) -> int:
    y = image.height() // 4
    value = 0
    for bit in range(BITS):
        colour = image.pixelColor(bit * BLOCK_PX + BLOCK_PX // 2, y)
        value = value * 2 + (colour.lightness() > 127)
    return value


def frame_times(count: int, variable: bool) -> list[int]:
    """Stamps in ns at 30 Hz, or with steps between 5 ms and 400 ms."""
    if not variable:
        return [10**9 + i * 33_333_333 for i in range(count)]
    steps_ms = np.random.default_rng(5).choice([5, 17, 33, 50, 120, 400], count, p=[0.1, 0.2, 0.4, 0.15, 0.1, 0.05])
    return (10**9 + np.cumsum(steps_ms.astype(np.int64)) * 1_000_000).tolist()


@pytest.fixture
def qtbot(qtbot):
    """pytest-qt's, which keeps the windows it is to close: a test may drop its own, and their threads are running."""
    kept, add = [], qtbot.addWidget

    def keep_and_add(widget, **more) -> None:
        kept.append(widget)
        add(widget, **more)

    qtbot.addWidget = keep_and_add
    return qtbot


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own settings are read or written."""
    from PyQt6.QtCore import QSettings

    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is there when the call that opens it returns, however slow the machine is just now."""
    from annotator.ui.annotate.opening import Opener

    monkeypatch.setattr(Opener, "patience_ms", 20_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def make_session() -> SessionMaker:
    """make_session(store, count=90, variable=False, game="Maze", events=None, labels=None, ...) -> session id.

    Each starts a millisecond after the one that was made before it: their stamps are alike, and clocks are not that exact.
    """
    later = itertools.count()

    def make(
        store: Store,
        count: int = 90,
        variable: bool = False,
        game: str = "Maze",
        player: str = "ann",
        segment_s: float = 600.0,
        events: list[InputEvent] | None = None,
        labels: list[tuple[str, int, int, str]] | None = None,
        picture: Callable[[int], np.ndarray] = barcode,
    ) -> str:
        spec = CaptureSpec(rate_hz=30, crf=10, segment_s=segment_s)
        meta = new_meta(game=game, player=player, capture=spec, window=WindowSpec(title=game, size_px=SIZE_PX))
        wall_ns = meta.anchor.wall_ns + next(later) * 10**6
        meta = meta.model_copy(update={"anchor": meta.anchor.model_copy(update={"wall_ns": wall_ns})})
        folder = store.create_session(meta)
        times = frame_times(count, variable)
        stop_ns = times[-1] + 33_333_333
        writer = SessionWriter.create(folder, meta)
        video = VideoWriter(folder, meta.size_px, spec)
        writer.write_frames([video.write(picture(i), t_ns - 1_000_000, t_ns) for i, t_ns in enumerate(times)])
        video.close()
        writer.write_events(default_events(times) if events is None else events)
        writer.finish(t_stop_ns=stop_ns, end_reason="stopped", segments=video.segments)
        store.enter(meta.id)
        if labels:
            store.commit(
                [
                    Edit(session_id=meta.id, kind=kind, start=start, stop=stop, value=value, author="ann")
                    for kind, start, stop, value in labels
                ]
            )
        return meta.id

    return make


def default_events(times: list[int]) -> list[InputEvent]:
    """W held over every second stretch of ten frames, a tap of A and a click every twenty, mouse motion throughout."""
    events: list[InputEvent] = []
    for i, t_ns in enumerate(times):
        if i % 10 == 5:
            events.append(InputEvent(t_ns + 1000, EventKind.KEY, W, int(i % 20 == 5)))
        if i % 20 == 12:
            events.append(InputEvent(t_ns + 2000, EventKind.KEY, A, 1))
            events.append(InputEvent(t_ns + 3000, EventKind.KEY, A, 0))
            events.append(InputEvent(t_ns + 4000, EventKind.KEY, LMB, 1))
            events.append(InputEvent(t_ns + 5000, EventKind.KEY, LMB, 0))
        events.append(InputEvent(t_ns + 500, EventKind.MOTION, x=float(i % 7 - 3), y=float(i % 5 - 2)))
    return events
