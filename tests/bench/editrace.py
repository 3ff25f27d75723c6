"""Two processes edit one session at once: no edit that was accepted is lost, and both come to show the same."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from annotator.model.document import Document
from bench.scribe import start
from db.labelling.edits import read_mirror
from db.labelling.labels import conflicts
from db.store import Store
from recordings import Take, record

PEOPLE = ("ann", "bob")


class Journal(threading.Thread):
    """Reads what one scribe says, and keeps it: the edits that were accepted, and what came of each thing it tried."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__()
        self.process = process
        self.edits: list[str] = []
        self.told: Counter[str] = Counter()
        self.begun, self.stopped = threading.Event(), threading.Event()
        self.shown: list[object] | None = None

    def run(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            facts = json.loads(line)
            self.edits += facts["edits"]
            if self.edits:
                self.begun.set()
            self.told[facts["told"]] += 1
            self.shown = facts.get("shown", self.shown)
            if facts["told"] == "stopped":
                self.stopped.set()
        self.begun.set()
        self.stopped.set()

    def say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def measure(seconds: float = 30.0, seed: int = 5) -> dict[str, Any]:
    """Both create, move, resize, rewrite, split, delete, undo and redo at random for so long, without a pause."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        with Store.open(library) as store:
            session_id = record(store, Take(count=120))
            journals = [Journal(start(library, session_id, person, dice.randrange(2**31))) for person in PEOPLE]
            for journal in journals:
                journal.start()
            for journal in journals:  # the time counts from when both have committed something
                journal.begun.wait()
            time.sleep(seconds)
            for journal in journals:
                journal.say()
            for journal in journals:
                journal.stopped.wait()
            for journal in journals:
                journal.say()
            for journal in journals:
                journal.join()
                journal.process.communicate()
            return _compare(store, session_id, journals)


def _compare(store: Store, session_id: str, journals: list[Journal]) -> dict[str, Any]:
    log = store.edits_after(session_id).edits
    places = {edit.id: place for place, edit in enumerate(log)}
    accepted = {edit for journal in journals for edit in journal.edits}
    successors = Counter(earlier for edit in log for earlier in edit.supersedes)
    document = Document(store, session_id, "eve", store.recording(session_id).clock)
    fresh = sorted([s.entity_id, s.start, s.stop] for s in document.spans())
    shown = [
        sorted(row[:3] for row in journal.shown or [] if isinstance(row, list) and len(row) == 6)
        for journal in journals
    ]
    told = sum((journal.told for journal in journals), Counter())
    return {
        "edits accepted": {person: len(journal.edits) for person, journal in zip(PEOPLE, journals, strict=True)},
        "accepted edits lost": len(accepted - set(places)),
        "edits that nobody journalled": len(set(places) - accepted),
        "superseded twice": sum(count > 1 for count in successors.values()),
        "superseded by an earlier one": sum(
            places[earlier] >= places[edit.id] for edit in log for earlier in edit.supersedes
        ),
        "labels with competing versions": len(conflicts(log)),
        "collisions, each shown to its person": told["collided"],
        "undo or redo skipped": told["skipped"],
        "both show the same": journals[0].shown is not None and journals[0].shown == journals[1].shown,
        "and what the log says": all(rows == fresh for rows in shown),
        "the mirror says it too": {e.id for e in read_mirror(store.session_folder(session_id))} == set(places),
    }
