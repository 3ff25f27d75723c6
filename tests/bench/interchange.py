"""Import from other tools: speed beside copying the same video without decoding it, and memory over inputs of up to ten hours."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench.longinput import FORMATS, RATE_HZ, weigh, write_openp2p
from db.formats.format import Asked
from db.formats.openp2p import FORMAT
from db.formats.steadyvideo import write_steady
from db.formats.transfer import bring_in
from db.store import Store

_WHOLE = "owamcap"
_GOPS = {"a video as ours, copied": RATE_HZ, "another one, encoded anew": 250}
"""Frames from one keyframe to the next: 250 is what x264 does by itself."""


def measure(seconds: float = 120, hours: tuple[float, ...] = (0.2, 2, 10)) -> dict[str, Any]:
    """seconds: of the video whose import is timed. hours: of the recordings whose reading is weighed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = round(seconds * RATE_HZ)
        speed = {f"speed, {kind}": _speed(folder / kind, count, gop) for kind, gop in _GOPS.items()}
        memory = {f"memory, {kind}": [weigh(folder, kind, span) for span in hours] for kind in FORMATS}
        whole = {f"memory, {_WHOLE}, with its session": [weigh(folder, _WHOLE, span, "import") for span in hours]}
        return speed | memory | whole


def _speed(folder: Path, count: int, gop: int) -> dict[str, Any]:
    source = folder / "in"
    source.mkdir(parents=True)
    write_openp2p(source / "annotation.proto", count)
    write_steady(source / "192x192.mp4", map(_picture, range(count)), (192, 192), RATE_HZ, gop=gop)
    began_s = time.perf_counter()
    _remux(source / "192x192.mp4", folder / "copy.mkv")
    copy_s = time.perf_counter() - began_s
    with Store.open(folder / "library") as store:
        began_s = time.perf_counter()
        (report,) = bring_in(store, FORMAT, [source], Asked())
        import_s = time.perf_counter() - began_s
    assert report.outcome == "imported", report.error
    return {
        "frames": count,
        "video": report.facts["video"],
        "hours of video a minute": round(count / RATE_HZ / 3600 / (import_s / 60), 2),
        "ratio to remuxing": round(import_s / copy_s, 1),
    }


def _picture(i: int) -> av.VideoFrame:
    ramp = (np.arange(192)[None, :] * 3 + np.arange(192)[:, None] * 2 + i * 5) % 250
    return av.VideoFrame.from_ndarray(np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8), format="rgb24")


def _remux(source: Path, target: Path) -> None:
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
