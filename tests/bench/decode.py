"""Random access to frames, as a ratio to decoding the same video from start to end with plain PyAV."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.media.video import VideoReader, VideoWriter
from db.recording.session import FRAME_DTYPE
from db.specs import CaptureSpec


def measure(count: int = 600, size_px: tuple[int, int] = (1280, 720)) -> dict[str, Any]:
    """Writes a moving picture, then reads it in order, in random order, and by whole groups of pictures."""
    dice = np.random.default_rng(0)
    width, height = size_px
    texture = dice.integers(0, 255, (height, width * 2, 4), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = VideoWriter(folder, size_px, CaptureSpec())
        rows = [
            writer.write(texture[:, 4 * (i % 200) : 4 * (i % 200) + width], 0, 10**9 + i * 33_333_333)
            for i in range(count)
        ]
        writer.close()
        reader = VideoReader(folder, writer.segments, np.array(rows, FRAME_DTYPE))
        plain_s = _time(
            lambda: [f.to_ndarray(format="rgb24") for f in av.open(str(folder / "video-000.mkv")).decode(video=0)]
        )
        ordered_s = _time(lambda: [picture for _, picture in reader.read(range(count))])
        wanted = dice.integers(0, count, 60).tolist()
        random_ms = [1000 * _time(lambda i=i: reader.frame(i)) for i in wanted]
        reader.close()
    frame_ms = plain_s / count * 1000
    return {
        "plain PyAV, ms a frame (reference)": round(frame_ms, 2),
        "in order, ratio": round(ordered_s / plain_s, 2),
        "random frame, p50 / p95 in plain frames": [
            round(float(np.percentile(random_ms, q)) / frame_ms, 1) for q in (50, 95)
        ],
        "random frame, ms, p50 / p95": [round(float(np.percentile(random_ms, q)), 1) for q in (50, 95)],
    }


def _time(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
