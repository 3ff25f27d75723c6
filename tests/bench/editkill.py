"""kill -9 at random instants of editing: every edit that was said to be committed is there, and nothing is half done."""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotator.model.document import Document
from annotator.model.edits.history import History
from bench.scribe import start
from db.errors import Conflict, PlaytapeError
from db.labelling.edits import read_mirror
from db.labelling.labels import Edit, conflicts, heads
from db.library.index import NAME
from db.store import Store
from recordings import Take, record

KILLED_WITHIN_S = 0.6


@dataclass
class Tally:
    said: set[str] = field(default_factory=set)
    """The edits that were told of as committed."""
    lost: int = 0
    halves: int = 0
    damage: Counter[str] = field(default_factory=Counter)
    undone: int = 0
    lagging: int = 0


def measure(kills: int = 100, seed: int = 4) -> dict[str, Any]:
    """A process edits one session and is killed, again and again, in one library: within 0.6 s of its first commit, one in
    five within as long of the moment when it begins.
    """
    dice, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        with Store.open(library) as store:
            session_id = record(store, Take(count=120))
        for number in range(kills):
            with start(library, session_id, "ann", dice.randrange(2**31)) as process:
                assert process.stdout is not None
                lines = [process.stdout.readline()]
                while number % 5 and not json.loads(lines[-1])["edits"]:
                    lines.append(process.stdout.readline())
                time.sleep(dice.uniform(0, KILLED_WITHIN_S))
                process.kill()
                lines += process.stdout.readlines()
            for line in lines:
                if line.endswith("\n"):  # a torn one was never told
                    tally.said.update(json.loads(line)["edits"])
            _look(library, session_id, tally, number)
        with Store.open(library) as store:
            problems = store.verify(session_id)
            edits = len(store.edits(session_id))
    return {
        "kills": kills,
        "edits committed and told": len(tally.said),
        "edits in the log": edits,
        "committed edits lost": tally.lost,
        "steps found in part": tally.halves,
        "libraries damaged": sum(tally.damage.values()),
        "what was damaged": ", ".join(sorted(tally.damage)) or "-",
        "mirrors that lagged and were repaired": tally.lagging,
        "sessions that do not verify": len(problems),
        "undone and redone after a kill": tally.undone,
    }


def _look(library: Path, session_id: str, tally: Tally, number: int) -> None:
    """What the next launch finds."""
    try:
        with Store.open(library, create=False) as store:
            before = _mirrored(store, session_id)
            store.recover()
            log = store.edits(session_id)
            tally.lagging += not {edit.id for edit in log} <= before
            tally.lost += len(tally.said - {edit.id for edit in log})
            tally.halves += _halves(log)
            if _mirrored(store, session_id) != {edit.id for edit in log}:
                tally.damage["a mirror"] += 1
            if conflicts(log) or len(heads(log)) != len({edit.entity_id for edit in log}):
                tally.damage["the log"] += 1
            tally.undone += _travel(store, session_id)
    except PlaytapeError as error:
        tally.damage[str(error)] += 1
    index = sqlite3.connect(library / NAME)
    said = [row[0] for row in index.execute("PRAGMA integrity_check")]
    index.close()
    if said != ["ok"]:
        tally.damage[f"the index after kill {number}"] += 1


def _mirrored(store: Store, session_id: str) -> set[str]:
    return {edit.id for edit in read_mirror(store.session_folder(session_id))}


def _halves(log: list[Edit]) -> int:
    """A split is two edits, in the log both or none."""
    splits = Counter(edit.step for edit in log if edit.step_name == "split the span" and edit.reverts is None)
    return sum(count != 2 for count in splits.values())


def _travel(store: Store, session_id: str) -> bool:
    """Takes the last step back and does it again; whether what was shown is shown again."""
    document = Document(store, session_id, "ann", store.recording(session_id).clock)
    history, before = History(document), document.spans()
    try:
        if history.undo() is None:
            return not history.done_names
        history.redo()
    except Conflict:
        return True
    return [(s.entity_id, s.start, s.stop, s.value) for s in before] == [
        (s.entity_id, s.start, s.stop, s.value) for s in document.spans()
    ]
