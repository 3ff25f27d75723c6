"""Power cuts at random instants of a real recording: what the disk may hold then, recovered, and how much is lost.

The recorder's file calls are traced once; `disk` then makes of them, for each instant, a library in which everything that
was not synced by then is old, torn, zero or garbage, and names that were not synced are missing.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.headless import Recorder, moving_display
from db.errors import PlaytapeError
from db.recording.session import read_meta
from db.recording.verification import verify
from db.store import Store
from disk import Call, Disk, can_trace, read_trace, replay, traced

_STARTED = b'"started"'


@dataclass
class Losses:
    lost_s: list[float] = field(default_factory=list)
    ends_ms: list[float] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)
    empty: int = 0


def measure(cuts: int = 300, seconds: float = 12.0) -> dict[str, Any]:
    """Cuts the power `cuts` times: a tenth of them while it starts, a third while it finalises, the others in between."""
    if not can_trace():
        return {"not measured": "strace is not installed, or may not trace here"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calls, moments = _record(folder, seconds)
        return _cut_all(folder, calls, moments, cuts)


def _record(folder: Path, seconds: float) -> tuple[list[Call], dict[str, int]]:
    """The calls about the library's files, and how many had been made at the start and at the stop."""
    root = folder / "root"
    root.mkdir()
    with moving_display() as server:
        recorder = Recorder(server, root / "library", around=traced([], folder / "log"))
        try:
            recorder.read("started")
            time.sleep(seconds)
            # strace has one child, the recorder; it passes no signal on by itself
            children = Path(f"/proc/{recorder.process.pid}/task/{recorder.process.pid}/children").read_text()
            stopped_ns = time.time_ns()
            subprocess.run(["kill", f"-{signal.SIGTERM.value}", *children.split()], check=True)
            recorder.read("finished")
        finally:
            recorder.close()
    calls: list[Call] = []
    moments: dict[str, int] = {}
    for call in read_trace(folder / "log"):
        if call.path.startswith(str(root)):
            calls.append(call)
        elif call.name == "write" and _STARTED in call.data:
            moments["start"] = len(calls)
    moments["stop"] = next(at for at, call in enumerate(calls) if call.wall_ns >= stopped_ns)
    return calls, moments


def _cut_all(folder: Path, calls: list[Call], moments: dict[str, int], cuts: int) -> dict[str, Any]:
    dice = random.Random(7)
    begin, stop = moments["start"], moments["stop"]
    stops = [dice.randrange(1, begin) for _ in range(cuts // 10)] + [
        dice.randrange(stop, len(calls)) for _ in range(cuts // 3)
    ]
    # Between start and stop an instant is drawn by the clock, since power fails then and not at calls.
    for _ in range(cuts - len(stops)):
        at_ns = dice.randrange(calls[begin].wall_ns, calls[stop].wall_ns)
        stops.append(next(at for at in range(begin, len(calls)) if calls[at].wall_ns > at_ns) - 1)
    losses, disk, left = Losses(), Disk(folder / "root"), Counter(stops)
    for at, call in enumerate(replay(disk, calls), 1):
        for _ in range(left[at]):
            disk.cut(folder / "cut", dice)
            last_ns = min(calls[at].wall_ns if at < len(calls) else call.wall_ns, calls[stop].wall_ns)
            _recover(folder / "cut" / "library", last_ns, calls[begin].wall_ns, losses)
            shutil.rmtree(folder / "cut")
    mid = sorted(losses.lost_s)
    return {
        "cuts": sum(left.values()),
        "while starting, while recording, while finalising": [
            sum(n for at, n in left.items() if low <= at < high)
            for low, high in ((0, begin), (begin, stop), (stop, len(calls) + 1))
        ],
        "seconds lost, median": round(mid[len(mid) // 2], 3),
        "seconds lost, most": round(mid[-1], 3),
        "libraries with nothing to keep": losses.empty,
        "sessions unreadable": sum(losses.unreadable.values()),
        "why": ", ".join(losses.unreadable) or "-",
        "calls about the library's files": len(calls),
    }


def _recover(library: Path, last_ns: int, begin_ns: int, losses: Losses) -> None:
    """What the next launch finds. last_ns: the wall time of the cut, or of the stop if that came first."""
    try:
        with Store.open(library) as store:
            reports = store.recover()
            for report in reports:
                if report.error and report.folder.exists():
                    losses.unreadable[report.error] += 1
            found = store.search()
            if not found:
                losses.empty += 1
                if last_ns > begin_ns:
                    losses.lost_s.append((last_ns - begin_ns) / 1e9)
            for summary in found:
                folder = store.session_folder(summary.id)
                losses.unreadable.update(verify(folder)[:1])
                anchor = read_meta(folder).anchor
                stored_ns = anchor.wall_ns + int(store.recording(summary.id).clock.t_ns[-1]) - anchor.mono_ns
                losses.lost_s.append(max(0, last_ns - stored_ns) / 1e9)
    except PlaytapeError as error:
        losses.unreadable[str(error)] += 1
