"""kill -9 in the middle of editing loses nothing that was committed, and leaves nothing half done."""

from __future__ import annotations

import subprocess
import sys

import pytest

from annotator.model.document import Document
from db.labelling.labels import LabelKind

EDITS = """
import sys
from annotator.model.edits.commands import CreateSpan, EditValue, MoveSpan, SplitSpan
from annotator.model.document import Document
from annotator.model.edits.history import History
from db.labelling.labels import LabelKind
from db.store import Store

with Store.open(sys.argv[1], create=False) as store:
    document = Document(store, sys.argv[2], "ann", store.recording(sys.argv[2]).clock)
    history = History(document)
    for number in range(1000):
        (delta,) = history.do(CreateSpan(LabelKind.INSTRUCTION, 0, 10, f"text {number}"))
        history.do(SplitSpan(delta.entity_id, 5))
        spans = [(s.start, s.stop, s.value) for s in document.spans()]
        print(repr(spans), flush=True)
        history.undo()
        history.undo()
        print(repr([]), flush=True)
"""


@pytest.mark.parametrize("after", [1, 4, 9])
def test_killed_while_editing(store, make_session, after) -> None:
    session_id = make_session(store, count=30)
    command = [sys.executable, "-c", EDITS, str(store.root), session_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(after)]
        process.kill()
        lines += process.stdout.readlines()
    said = [eval(line) for line in lines if line.endswith("\n")]
    number = len(said) // 2
    document = Document(store, session_id, "ann", store.recording(session_id).clock)
    now = [(s.start, s.stop, s.value) for s in document.spans(LabelKind.INSTRUCTION)]
    whole, halves = [(0, 10, f"text {number}")], [(0, 5, f"text {number}"), (5, 10, f"text {number}")]
    if len(said) % 2:  # it was taking the last text back, step by step
        last = f"text {number}"
        assert now in ([(0, 5, last), (5, 10, last)], [(0, 10, last)], [])
    else:  # it was making the next one
        assert now in ([], whole, halves)
    assert all((e.author, e.session_id) == ("ann", session_id) for e in store.edits(session_id))
