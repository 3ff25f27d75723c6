"""How long one waits for a frame at 1080p: the next, the one before, and any other, with the proxy and without it.

The reference is one frame of the same video decoded by plain PyAV and converted for the screen, in the same call.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import av
import numpy as np
from PyQt6.QtCore import QEventLoop
from PyQt6.QtWidgets import QApplication

from annotator.model.video.proxy import Proxy
from annotator.model.video.proxy_writer import make
from annotator.model.video.shuttle import SPEEDS
from annotator.ui.watch.decoder import to_picture
from annotator.ui.watch.player import Player
from db.media.colour import ScreenConverter
from db.media.video import VideoWriter
from db.recording.session import WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store

SIZE_PX = (1920, 1080)
CACHED = 75
"""Steps that stay within what the cache holds."""


def measure(count: int = 900, rate_hz: int = 60) -> dict[str, Any]:
    """15 seconds at 60 Hz as the recorder writes them (a keyframe a second)."""
    app = QApplication.instance() or QApplication([])
    assert app is not None
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name)) as store:
        session_id = record(store, count, rate_hz)
        recording = store.recording(session_id)
        frame_ms = _plain_ms(recording.folder / "video-000.mkv")
        lines: dict[str, Any] = {"plain PyAV, ms a frame (reference)": round(frame_ms, 2)}
        player = Player(recording.clock, recording.video)
        lines |= {f"video: {key}": value for key, value in waits(player, frame_ms).items()}
        player.close()
        proxy = Proxy(store.cache_dir, recording)
        began = time.perf_counter()
        assert make(proxy, recording, store.root, 2**40)
        lines["proxy made, frames a second"] = round(count / (time.perf_counter() - began))
        lines["proxy, share of the video's bytes"] = round(_bytes(proxy.folder) / _bytes(recording.folder), 2)
        player = Player(recording.clock, recording.video, draft=proxy)
        lines |= {f"with proxy: {key}": value for key, value in waits(player, frame_ms).items()}
        player.close()
    return lines


def waits(player: Player, frame_ms: float, times: int = 150, seed: int = 0) -> dict[str, Any]:
    """From asking until the picture is there, [p50, p95] in ms and [p50, p95] in frames of the reference; and, for each
    speed of playing, how many pictures are seen in a second."""
    pick, count = random.Random(seed), len(player.clock)
    _seek(player, 0, is_true=True)
    lines = {
        "next frame, not decoded yet": _told((_step(player, 1) for _ in range(CACHED)), frame_ms),
        "previous frame, cached": _told((_step(player, -1) for _ in range(CACHED)), frame_ms),
        "next frame, cached": _told((_step(player, 1) for _ in range(CACHED)), frame_ms),
        "random seek": _told((_seek(player, pick.randrange(count)) for _ in range(times)), frame_ms),
        "random seek, the true picture": _told(
            (_seek(player, pick.randrange(count), is_true=True) for _ in range(times // 3)), frame_ms
        ),
    }
    backward = _told((_back_from(player, pick.randrange(40, count)) for _ in range(times // 3)), frame_ms)
    lines["previous frame after a random seek"] = backward
    for speed in (1.0, -1.0, 4.0, -4.0, SPEEDS[-1], -SPEEDS[-1]):
        lines[f"pictures a second at {speed:g}x"] = round(_pictures_a_second(player, speed), 1)
    return lines


def record(store: Store, count: int, rate_hz: int) -> str:
    """A moving picture with some noise, encoded as the recorder does; returns the session's id."""
    spec = CaptureSpec(rate_hz=rate_hz)
    meta = new_meta(game="Watching", player="ann", capture=spec, window=WindowSpec(title="Watching", size_px=SIZE_PX))
    folder = store.create_session(meta)
    width, height = SIZE_PX
    coarse = np.random.default_rng(0).integers(0, 255, (height // 8, width // 4, 3), dtype=np.uint8)
    ground = np.full((height, width * 2, 4), 255, np.uint8)
    ground[..., :3] = coarse.repeat(8, axis=0).repeat(8, axis=1)
    times = [10**9 + i * 10**9 // rate_hz for i in range(count)]
    writer, video = SessionWriter.create(folder, meta), VideoWriter(folder, SIZE_PX, spec)
    views = (ground[:, 6 * (i % 300) : 6 * (i % 300) + width] for i in range(count))
    writer.write_frames([video.write(view, t - 1000, t) for view, t in zip(views, times, strict=True)])
    video.close()
    writer.finish(t_stop_ns=times[-1] + 10**9 // rate_hz, end_reason="stopped", segments=video.segments)
    store.enter(meta.id)
    return meta.id


def _plain_ms(path: Path, count: int = 180) -> float:
    with av.open(str(path)) as container:
        converter = ScreenConverter()
        began = time.perf_counter()
        for number, frame in enumerate(container.decode(video=0)):
            to_picture(frame, converter)
            if number + 1 == count:
                break
        return (time.perf_counter() - began) / count * 1000


def _step(player: Player, frames: int) -> float:
    return _wait(player, lambda: player.step(frames), is_true=True)


def _seek(player: Player, frame: int, is_true: bool = False) -> float:
    return _wait(player, lambda: player.seek(frame), is_true)


def _back_from(player: Player, frame: int) -> float:
    _seek(player, frame)
    return _wait(player, lambda: player.step(-1))


def _wait(player: Player, ask: Any, is_true: bool = False) -> float:
    """Seconds until the frame asked for is displayed."""
    loop = QEventLoop()
    player.displayed.connect(loop.quit)
    began = time.perf_counter()
    ask()
    while not player.is_settled or (is_true and not player.is_true):
        loop.exec()
    taken_s = time.perf_counter() - began
    player.displayed.disconnect(loop.quit)
    return taken_s


def _pictures_a_second(player: Player, speed: float, most_s: float = 3.0) -> float:
    last = len(player.clock) - 1
    _seek(player, 0 if speed > 0 else last, is_true=True)
    seen: list[float] = []
    loop = QEventLoop()
    player.displayed.connect(lambda _: seen.append(time.perf_counter()))
    player.displayed.connect(loop.quit)
    player.speed_changed.connect(loop.quit)
    began = time.perf_counter()
    player.play(speed)
    while player.is_playing and time.perf_counter() - began < most_s:
        loop.exec()
    taken_s = time.perf_counter() - began
    player.pause()
    player.displayed.disconnect()
    player.speed_changed.disconnect()
    return len(seen) / taken_s


def _told(waits_s: Iterable[float], frame_ms: float) -> list[float]:
    ms = np.array(list(waits_s)) * 1000
    p50, p95 = np.percentile(ms, [50, 95])
    return [round(float(v), 1) for v in (p50, p95, p50 / frame_ms, p95 / frame_ms)]


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.mkv"))
