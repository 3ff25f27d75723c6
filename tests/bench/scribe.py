"""A process that edits a session by script, on a real library, and says what was committed once it was.

``python -m bench.scribe LIBRARY SESSION PERSON SEED`` prints a line of JSON for each thing done: its edits' ids and whether
it was refused. It ends at the end of its input; a line there makes it stop editing, read on and print what it shows.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from annotator.model.document import Document
from annotator.model.edits.commands import (
    ChangeReview,
    Command,
    CreateSpan,
    DeleteSpan,
    EditValue,
    MoveSpan,
    ResizeSpan,
    SplitSpan,
    WriteNote,
)
from annotator.model.edits.disputes import Choice, Settle, collided
from annotator.model.edits.history import Collision, History
from annotator.model.edits.session_commands import AddTag, RemoveTag
from db.errors import BadArgument, Conflict, NotFound, StoreLocked
from db.labelling.labels import LabelKind, Review
from db.store import Store

WORDS = ("find the door", "shoot", "go left", "wait", "open it")
REVIEWS = (Review.LABELLED, Review.IN_REVIEW, Review.ACCEPTED, Review.FIXING)


class Scribe:
    """Does things at random, as one person. `start` starts one as a process."""

    def __init__(self, store: Store, session_id: str, person: str, seed: int) -> None:
        self.document = Document(store, session_id, person, store.recording(session_id).clock)
        self.history, self.dice = History(self.document), random.Random(seed)

    def act(self) -> dict[str, Any]:
        """Does one thing and says what came of it: the steps' edits as they were committed, or why nothing was."""
        before = len(self.document.own_steps)
        told = "done"
        try:
            self._act()
        except Collision as collision:
            told = "collided"
            self._settle(collision)
        except Conflict:
            told = "skipped"
        except (BadArgument, NotFound):
            told = "refused"
        except StoreLocked:
            told = "locked"
        return {"told": told, "edits": [edit.id for edit in self.document.own_steps[before:]]}

    def shown(self) -> list[object]:
        """What the document shows, for a comparison."""
        document = self.document
        document.refresh()
        spans = [[s.entity_id, s.start, s.stop, s.kind, s.value, s.author] for s in document.spans()]
        return [*spans, document.review, document.note(document.session_id), document.tags, len(document.disputed)]

    def _act(self) -> None:
        draw = self.dice.random()
        if draw < 0.15:
            self.history.undo()
        elif draw < 0.22:
            self.history.redo()
        else:
            if draw < 0.6:
                self.document.refresh()  # else it works on what it saw last, as a person does for a moment
            self.history.do(self._command())

    def _command(self) -> Command:
        dice, document = self.dice, self.document
        spans, frames = document.spans(), document.frame_count
        start, word = dice.randrange(frames), dice.choice(WORDS)
        if not spans or dice.random() < 0.25:
            kind = dice.choice((LabelKind.INSTRUCTION, LabelKind.FLAG))
            return CreateSpan(kind, start, start + dice.randint(1, 20), word)
        span = dice.choice(spans)
        return dice.choice(
            [
                MoveSpan(span.entity_id, start),
                ResizeSpan(span.entity_id, start, start + dice.randint(1, 30), merge_key=f"nudge {span.entity_id}"),
                EditValue(span.entity_id, word),
                DeleteSpan(span.entity_id),
                SplitSpan(span.entity_id, (span.start + span.stop) // 2),
                WriteNote(dice.choice((document.session_id, span.entity_id)), word),
                AddTag(word),
                RemoveTag(word),
                ChangeReview(dice.choice(REVIEWS)),
            ]
        )

    def _settle(self, collision: Collision) -> None:
        dispute = collided(self.document, collision.deltas)
        try:
            self.history.do(Settle(dispute, self.dice.choice((Choice.THEIRS, Choice.MINE))))
        except (Conflict, BadArgument, NotFound, StoreLocked):
            return  # somebody was quicker once more, or its frames are taken: theirs stays


def start(library: Path, session_id: str, person: str, seed: int) -> subprocess.Popen[str]:
    """A scribe as a process of its own, with its lines on stdout."""
    command = [sys.executable, "-P", "-m", "bench.scribe", str(library), session_id, person, str(seed)]
    tests = Path(__file__).parents[1]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def main() -> int:
    library, session_id, person, seed = sys.argv[1:]
    asked = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), asked.set()), daemon=True).start()
    with Store.open(library, create=False) as store:
        scribe = Scribe(store, session_id, person, int(seed))
        print(json.dumps({"told": "ready", "edits": []}), flush=True)
        while not asked.is_set():
            print(json.dumps(scribe.act()), flush=True)
        print(json.dumps({"told": "stopped", "edits": []}), flush=True)
        sys.stdin.readline()
        print(json.dumps({"told": "shown", "edits": [], "shown": scribe.shown()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
