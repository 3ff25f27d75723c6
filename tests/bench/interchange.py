"""Import from other tools: speed beside copying the same video without decoding it, and memory over inputs of one and ten hours."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.formats.format import Asked
from db.formats.openp2p import FORMAT
from db.formats.openp2p.encoding import frame_bytes, metadata_bytes
from db.formats.openp2p.messages import Action, Event, Frame, Metadata
from db.formats.steadyvideo import write_steady
from db.formats.transfer import bring_in
from db.store import Store

RATE_HZ = 20
_STEP_NS = 10**9 // RATE_HZ
_PEAK = """
import json, resource, sys
from pathlib import Path
import numpy as np
from db.formats.format import Asked
from db.formats.openp2p.reading import read_account
from db.formats.report import Report
file = Path(sys.argv[1])
account = read_account(file, file, "x", Asked("g"), Report("x", "imported"))
edges = 10**9 + np.append(account.offsets_ns, account.offsets_ns[-1] + 50_000_000)
events = sum(len(part) for part in account.events(edges))
print(json.dumps([events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def measure(seconds: float = 120, hours: tuple[float, ...] = (1, 10)) -> dict[str, Any]:
    """seconds: of the video whose import is timed. hours: of the annotations whose reading is weighed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {"speed": _speed(folder, round(seconds * RATE_HZ)), "memory": [_weigh(folder, span) for span in hours]}


def _speed(folder: Path, count: int) -> dict[str, Any]:
    source = folder / "in"
    source.mkdir()
    _write_annotations(source / "annotation.proto", count)
    write_steady(source / "192x192.mp4", map(_picture, range(count)), (192, 192), RATE_HZ, gop=RATE_HZ)
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
        "hours of video a minute": round(count / RATE_HZ / 3600 / (import_s / 60), 2),
        "ratio to remuxing": round(import_s / copy_s, 1),
    }


def _weigh(folder: Path, hours: float) -> dict[str, Any]:
    """A process of its own reads the annotations of so many hours, event by event."""
    file = folder / "annotation.proto"
    _write_annotations(file, round(hours * 3600 * RATE_HZ))
    command = [sys.executable, "-P", "-c", _PEAK, str(file)]
    events, peak_mb = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {"hours": hours, "file_mb": round(file.stat().st_size / 1e6), "events": events, "peak_mb": round(peak_mb)}


def _write_annotations(file: Path, count: int) -> None:
    with file.open("wb") as out:
        out.write(metadata_bytes(Metadata(id="x", user="u", rate_hz=RATE_HZ, env="g")))
        for j in range(count):
            t_ns = j * _STEP_NS
            down = j // 10 % 2 == 1
            events = [Event("delta", max(t_ns - 30_000_000 + k * 1_000_000, 0), x=k, y=-k) for k in range(5)]
            if j and (j % 10) == 0:
                events.append(Event("key", t_ns - 1_000_000, "w", down))
            out.write(frame_bytes(Frame(t_ns, Action(True, ["w"] * down, delta=(10, -10)), events=events)))


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
