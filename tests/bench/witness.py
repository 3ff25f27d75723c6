"""The game engine's own account, tic by tic, against what was recorded: missing, invented, late."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from db.store import Store
from demo.recording import Script, against_ledger, bear_witness, record
from games.witness import percentile_ms
from games.xserver import XServer


def measure(changes: int = 1000) -> dict[str, Any]:
    """Plays at least `changes` random presses and releases, and mouse motion beside them, under the recorder."""
    with tempfile.TemporaryDirectory() as folder, XServer(window_manager=True) as server:
        library = Path(folder) / "library"
        script = Script("range", "exercise", seconds=240, seed=7, count=changes)
        recorder = [
            "recorder",
            "--headless",
            "--fps",
            "30",
            "--game",
            "range",
            "--player",
            "bench",
            "--actor",
            "script",
        ]
        take = record(server, script, Path(folder) / "log", [*recorder, "--library", str(library), "--json"])
        with Store.open(library, create=False) as store:
            recording = store.recording(take.session_id)
            ledger = against_ledger(recording, take.log)
            account = bear_witness(recording, take.log)
            meta = recording.meta
    return {
        **ledger,
        "missing in the recording": len(account.missing),
        "invented by the recording": len(account.invented),
        "engine's summed motion, px": [round(value, 3) for value in account.turned_px],
        "press or release to first tic that shows it, ms": _percentiles(account.offsets_ns),
        "motion to first tic that shows it, ms": _percentiles(account.motion_offsets_ns),
        "tics that nobody read": account.unread_tics,
        "dropped frames, events": [meta.dropped_frames, meta.dropped_events],
    }


def _percentiles(offsets_ns: Sequence[int]) -> str:
    return f"median {percentile_ms(offsets_ns, 50):.1f}, p99 {percentile_ms(offsets_ns, 99):.1f}"
