"""What it costs to keep up with a long log: two thousand spans with a history of fifty thousand edits."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotator.model.document import Document
from annotator.model.edits.commands import EditValue, MoveSpan
from annotator.model.edits.history import History
from db.labelling.labels import Edit, LabelKind, StepMark, new_id
from db.store import Store
from recordings import Take, record

SPANS, EDITS, FRAMES = 2_000, 50_000, 30


def measure(spans: int = SPANS, edits: int = EDITS, rounds: int = 30) -> dict[str, Any]:
    """Milliseconds, median and worst; the reference is one reading of the whole log, as `Store.edits` does it."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "library") as store:
        session_id = record(store, Take(count=FRAMES))
        _fill(store, session_id, spans, edits)
        clock = store.recording(session_id).clock
        opened = Document(store, session_id, "ann", clock)
        history, entity = History(opened), opened.spans()[0].entity_id
        with Store.open(store.root, create=False) as other:
            theirs = Document(other, session_id, "bob", clock)
            bobs, turn = History(theirs), iter(range(10**6))

            def hear() -> None:
                bobs.do(EditValue(theirs.spans()[-1].entity_id, f"text {next(turn)}"))

            def edit() -> None:
                opened.refresh()
                history.do(MoveSpan(entity, 0 if opened.span(entity).start else 1))

            rows = {
                "reference: read the whole log": _times(lambda: store.edits(session_id), min(rounds, 5)),
                "open the document": _times(lambda: Document(store, session_id, "ann", clock), min(rounds, 5)),
                "read undo from it": _times(lambda: History(opened), rounds),
                "look, nothing new": _times(opened.refresh, rounds),
                "look, one edit of somebody else": _times(opened.refresh, rounds, before=hear),
                "commit an edit": _times(edit, rounds),
                "undo": _times(history.undo, rounds, before=edit),
            }
    return {"spans, edits": [spans, edits], **rows}


def _times(call: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> str:
    times_ms = []
    for _ in range(rounds):
        before()
        begun = time.perf_counter()
        call()
        times_ms.append((time.perf_counter() - begun) * 1000)
    return f"{statistics.median(times_ms):.1f} ms, worst {max(times_ms):.1f} ms"


def _fill(store: Store, session_id: str, spans: int, edits: int) -> None:
    """Comments, since those may overlap: each gets its versions in turn, every edit a step of its own."""
    tips = [
        Edit(session_id=session_id, kind=LabelKind.COMMENT, start=i % 25, stop=i % 25 + 3, value="x", author="ann")
        for i in range(spans)
    ]
    log = [edit.marked(StepMark(new_id(), "add")) for edit in tips]
    while len(log) < edits:
        at = len(log) % spans
        tips[at] = tips[at].revised("ann", value=f"version {len(log)}").marked(StepMark(new_id(), "edit the text"))
        log.append(tips[at])
    store.merge(session_id, log)
