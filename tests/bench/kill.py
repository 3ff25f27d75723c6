"""kill -9 at random instants of a recording: what recovery brings back, and how much is lost."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.headless import Recorder, moving_display
from db.clock import now_ns
from db.errors import PlaytapeError
from db.recording.verification import verify
from db.store import Store
from games.xserver import XServer

_FINALISING_S = 0.3


@dataclass
class Outcome:
    lost_s: list[float] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)
    when: Counter[str] = field(default_factory=Counter)


def measure(kills: int = 100) -> dict[str, Any]:
    """Starts the recorder `kills` times on a changing screen and kills it: one in five within 1.5 s of its start, one in
    five within 0.3 s of a polite stop, the others after 0 to 4 s of recording. Each time the library is opened again.
    """
    dice, outcome = random.Random(3), Outcome()
    with tempfile.TemporaryDirectory() as folder, moving_display() as server:
        library = Path(folder) / "library"
        Store.open(library).close()
        for number in range(kills):
            _kill_one(server, library, number % 5, dice, outcome)
        with Store.open(library) as store:
            for summary in store.search():
                outcome.unreadable.update(verify(store.session_folder(summary.id))[:1])
            kept, orphans = len(store.search()), len(store.orphans())
    lost_s = sorted(outcome.lost_s)
    return {
        "kills": kills,
        **{f"killed {when}": count for when, count in outcome.when.items()},
        "sessions in the library, whole": kept,
        "sessions unreadable": sum(outcome.unreadable.values()) + orphans,
        "why": ", ".join(outcome.unreadable) or "-",
        "seconds lost, median": round(lost_s[len(lost_s) // 2], 3),
        "seconds lost, most": round(lost_s[-1], 3),
    }


def _kill_one(server: XServer, library: Path, kind: int, dice: random.Random, outcome: Outcome) -> None:
    recorder = Recorder(server, library)
    session, begun_ns, asked_ns = "", now_ns(), 0
    if kind == 0:
        outcome.when["while it starts"] += 1
        time.sleep(dice.uniform(0, 1.5))
    else:
        session, begun_ns = str(recorder.read("started")["session"]), now_ns()
        time.sleep(dice.uniform(0, 4))
        if kind == 1:
            recorder.process.terminate()
            asked_ns = now_ns()
            time.sleep(dice.uniform(0, _FINALISING_S))
    recorder.process.kill()
    killed_ns = now_ns()
    if session:
        outcome.when["while it finalises" if kind == 1 else "while it records"] += 1
    recorder.close()
    _recover(library, session, begun_ns, asked_ns or killed_ns, outcome)


def _recover(library: Path, session: str, begun_ns: int, end_ns: int, outcome: Outcome) -> None:
    """What the next launch finds; the seconds between the last frame that it keeps and `end_ns`."""
    try:
        with Store.open(library) as store:
            for report in store.recover():
                if report.error and report.folder.exists():
                    outcome.unreadable[report.error] += 1
            if not session:
                return
            if session not in [summary.id for summary in store.search()]:
                outcome.lost_s.append((end_ns - begun_ns) / 1e9)
                return
            last_ns = int(store.recording(session).clock.t_ns[-1])
            outcome.lost_s.append(max(0, end_ns - last_ns) / 1e9)
    except PlaytapeError as error:
        outcome.unreadable[str(error)] += 1
