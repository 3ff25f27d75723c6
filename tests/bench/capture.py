"""Recording beside a real game: drops, frame intervals, and processor time against the game's own."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from db.recording.verification import verify
from db.store import Store
from demo.recording import Script, record
from games.xserver import XServer


def measure(seconds: float = 60.0) -> dict[str, Any]:
    """Records 640x480 at 30 fps while a script plays."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder, XServer(window_manager=True) as server:
        library = Path(folder) / "library"
        recorder = [
            "recorder",
            "--headless",
            "--fps",
            "30",
            "--game",
            "arena",
            "--player",
            "bench",
            "--actor",
            "script",
        ]
        script = Script("arena", "demonstrator", seconds=seconds, seed=5)
        take = record(server, script, Path(folder) / "log", [*recorder, "--library", str(library), "--json"])
        with Store.open(library, create=False) as store:
            recording = store.recording(take.session_id)
            problems = verify(recording.folder)
            intervals_ms = np.diff(recording.clock.t_ns) / 1e6
            grab_ms = (recording.frames["t_ns"] - recording.frames["t_before_ns"]) / 1e6
            meta, count = recording.meta, len(recording.clock)
            megabytes = sum(p.stat().st_size for p in recording.folder.glob("video-*")) / 1e6
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "frames": count,
        "dropped frames, events": [meta.dropped_frames, meta.dropped_events],
        "packets == rows == clock == decoded": "yes" if not problems else problems[0],
        "frame interval, ms, p50 / p99 / most": [
            round(float(np.percentile(intervals_ms, q)), 2) for q in (50, 99, 100)
        ],
        "grab, ms, p50 / p99": [round(float(np.percentile(grab_ms, q)), 2) for q in (50, 99)],
        "video, MB a minute": round(megabytes / seconds * 60, 1),
        "cores used by X, game, player and recorder": round(
            (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / seconds, 2
        ),
    }
