"""A library is moved by a process that is killed at random instants: is it ever not whole, not writable, or lost?"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from db.errors import PlaytapeError
from db.labelling.labels import Edit, LabelKind
from db.store import Store
from db.upkeep.moving import finish_move, move_library
from recordings import Take, record

KILLS, SESSIONS, MODEL_BYTES = 100, 4, 20_000_000
_MOVER = """
import os, sys
from pathlib import Path
from db.upkeep.moving import move_library
from db.store import Store
if sys.argv[3] == "copy":
    def refuse(*names): raise OSError(18, "other disk")
    os.link = refuse
with Store.open(Path(sys.argv[1]), create=False) as store:
    print("begun", flush=True)
    move_library(store, Path(sys.argv[2]))
print("done", flush=True)
"""


def measure(kills: int = KILLS) -> dict[str, Any]:
    """Counts of kills and of what went wrong after them, for moves within a disk (links) and to another (copies)."""
    dice = random.Random(3)
    counts = {"kills": 0, "kills before the switch": 0, "moves": 0, "sessions lost": 0, "edits lost": 0, "not whole": 0}
    took_s: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "0"
        ids, notes = _fill(root), 0
        while counts["kills"] < kills:
            way = ("link", "copy")[counts["moves"] % 2]
            target = Path(folder) / str(counts["moves"] + 1)
            while counts["kills"] < kills and not _kill(root, target, way, dice.uniform(0, 0.35)):
                counts["kills"] += 1
                notes += 1
                here = _look(root, ids, notes, counts)
                counts["kills before the switch"] += here != target
                if here == target:
                    break
            before_s = time.perf_counter()
            with Store.open(root, create=False) as store:
                if store.root != target:
                    move_library(store, target)
            finish_move(target)
            took_s.append(time.perf_counter() - before_s)
            counts["moves"] += 1
            notes += 1
            assert _look(root, ids, notes, counts) == target
    return counts | {
        "whole move after the last kill, s (median, worst)": [
            round(statistics.median(took_s), 2),
            round(max(took_s), 2),
        ]
    }


def _fill(root: Path) -> set[str]:
    with Store.open(root) as store:
        (store.models_dir / "policy").mkdir()
        (store.models_dir / "policy" / "weights").write_bytes(random.Random(1).randbytes(MODEL_BYTES))
        return {record(store, Take(count=60, game=f"game {number}")) for number in range(SESSIONS)}


def _kill(root: Path, target: Path, way: str, after_s: float) -> bool:
    """Moves in a process that is killed so long after it began; whether it was done before."""
    arguments = [sys.executable, "-c", _MOVER, str(root), str(target), way]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as mover:
        assert mover.stdout is not None
        mover.stdout.readline()
        time.sleep(after_s)
        mover.kill()
        return mover.stdout.readline().strip() == b"done"


def _look(root: Path, ids: set[str], notes: int, counts: dict[str, int]) -> Path:
    """Opens the library from the folder where it once was, checks all of it, and writes one more note into it."""
    with Store.open(root, create=False) as store:
        counts["sessions lost"] += len(ids - {line.id for line in store.search()})
        for session_id in ids:
            try:
                counts["not whole"] += bool(store.verify(session_id))
            except PlaytapeError:
                counts["not whole"] += 1
        counts["not whole"] += (store.models_dir / "policy" / "weights").stat().st_size != MODEL_BYTES
        some = min(ids)
        kept = sum(edit.kind is LabelKind.NOTE for edit in store.edits(some))
        counts["edits lost"] += abs(notes - 1 - kept)
        store.commit([Edit(session_id=some, kind=LabelKind.NOTE, value=f"note {notes}", author="ann")])
        return store.root
