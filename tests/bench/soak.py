"""A long recording: does the recorder's memory grow, and do threads or open files; does a new segment cost a frame?"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.headless import Recorder, moving_display
from db.recording.verification import verify
from db.store import Store

SETTLE_S = 180.0
"""Memory that a program takes on its first minutes is not a leak."""
_EVERY_S = 5.0


@dataclass
class Samples:
    at_s: list[float] = field(default_factory=list)
    rss_kib: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def take(self, process_id: int, at_s: float) -> None:
        """Reads /proc of a living process."""
        place = Path(f"/proc/{process_id}")
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        self.at_s.append(at_s)
        self.rss_kib.append(int(status["VmRSS"].split()[0]))
        self.threads.append(int(status["Threads"]))
        self.files.append(len(list((place / "fd").iterdir())))

    def every(self, period_s: float) -> list[float]:
        """MiB at each multiple of `period_s`: steps (at a new segment) and a slope are told apart by eye."""
        wanted = np.arange(0, self.at_s[-1], period_s)
        return [round(self.rss_kib[int(np.searchsorted(self.at_s, at_s))] / 1024, 1) for at_s in wanted]

    def slope(self, from_s: float) -> tuple[float, float]:
        """KiB a minute by least squares over the samples from `from_s` on, and the standard error of that."""
        at = np.array(self.at_s)
        later = at >= from_s
        minutes, rss = at[later] / 60, np.array(self.rss_kib, float)[later]
        if len(rss) < 3:
            return float("nan"), float("nan")
        (slope, offset), rest = np.polyfit(minutes, rss, 1), len(rss) - 2
        spread = float(np.sum((rss - slope * minutes - offset) ** 2)) / rest
        return float(slope), float(np.sqrt(spread / np.sum((minutes - minutes.mean()) ** 2)))


def measure(minutes: float = 30.0) -> dict[str, Any]:
    """Records 640x480 at 30 fps beside moving squares and a moving pointer, and looks at the recorder every 5 s."""
    samples = Samples()
    settle_s = min(SETTLE_S, minutes * 20)
    with tempfile.TemporaryDirectory() as folder, moving_display() as server:
        library = Path(folder) / "library"
        recorder = Recorder(server, library)
        try:
            session = recorder.read("started")["session"]
            began_s = time.monotonic()
            while (at_s := time.monotonic() - began_s) < minutes * 60:
                samples.take(recorder.process.pid, at_s)
                time.sleep(_EVERY_S)
            recorder.process.terminate()
            recorder.read("finished")
        finally:
            recorder.close()
        with Store.open(library) as store:
            recording = store.recording(session)
            problems = verify(recording.folder, decode=False)
            changes_ms = _segment_changes_ms(recording.frames)
            meta, frames, events = recording.meta, len(recording.clock), len(recording.events)
    slope, error = samples.slope(settle_s)
    settled = next(i for i, at_s in enumerate(samples.at_s) if at_s >= settle_s)
    return {
        "minutes": round(samples.at_s[-1] / 60, 1),
        "frames, events": [frames, events],
        "dropped frames, events": [meta.dropped_frames, meta.dropped_events],
        f"memory slope after {settle_s:.0f} s, KiB a minute": f"{slope:.1f} +- {error:.1f}",
        "memory at the start, then, at the end, MiB": [
            round(samples.rss_kib[at] / 1024, 1) for at in (0, settled, len(samples.rss_kib) - 1)
        ],
        "memory every other minute, MiB": samples.every(120),
        "threads, least and most": [min(samples.threads), max(samples.threads)],
        "open files, least and most": [min(samples.files), max(samples.files)],
        "segments": len(meta.segments),
        "frame interval at a new segment, ms": changes_ms or "none in this time",
        "packets == rows == clock": "yes" if not problems else problems[0],
    }


def _segment_changes_ms(frames: np.ndarray[Any, np.dtype[np.void]]) -> list[float]:
    """The time from the last frame of each segment to the first of the next."""
    first = np.flatnonzero(np.diff(frames["segment"].astype(int))) + 1
    return [round(float(frames["t_ns"][at] - frames["t_ns"][at - 1]) / 1e6, 1) for at in first]
