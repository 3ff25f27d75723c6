"""Whatever is done, undone and redone: the log replays to the document, and undo and redo restore exactly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from annotator.model.document import Document, Span
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
from annotator.model.edits.disputes import Choice, Dispute, Settle, disputes
from annotator.model.edits.edge_commands import CopyText, MergeNext, SetEdge, SnapEdge, StretchEdges
from annotator.model.edits.history import History
from annotator.model.edits.memory_log import MemoryLog
from annotator.model.edits.session_commands import AddComment, AddTag, Assign, RemoveTag
from db.clock import FrameClock
from db.errors import BadArgument, Conflict
from db.labelling.labels import LabelKind, Review, heads, new_id, review_of

FRAMES = 60
frames = st.integers(-5, FRAMES + 5)
kinds = st.sampled_from([LabelKind.INSTRUCTION, LabelKind.FLAG])
edges = st.sampled_from(["start", "stop"])
words = st.sampled_from(["idle", "menu", "go on"])


def state(document: Document) -> tuple[object, ...]:
    spans = document.spans()
    rows = [(s.entity_id, s.kind, s.start, s.stop, s.value, s.source, s.suggested) for s in spans]
    notes = [document.note(s.entity_id) for s in spans]
    return rows, document.review, notes, document.assignee, document.tags


class Annotating(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.session_id, self.log = new_id(), MemoryLog()
        clock = FrameClock(np.arange(FRAMES, dtype=np.int64) * 1000, FRAMES * 1000)
        self.document = Document(self.log, self.session_id, "ann", clock)
        self.other = Document(self.log, self.session_id, "bob", clock)
        self.history, self.others = History(self.document), History(self.other)
        self.past = [state(self.document)]
        self.at = self.people = 0

    def do(self, command: Command) -> None:
        before = state(self.document)
        try:
            changed = self.history.do(command)
        except BadArgument:
            assert state(self.document) == before
            return
        if changed:
            self.past = [*self.past[: self.at + 1], state(self.document)]
            self.at += 1

    def pick(self, data: st.DataObject) -> Span:
        return data.draw(st.sampled_from(self.document.spans()))

    @rule(kind=kinds, start=frames, length=st.integers(1, 30), value=words, anchor=st.none() | frames)
    def create(self, kind, start, length, value, anchor) -> None:
        self.do(CreateSpan(kind, start, start + length, value, anchor))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), start=frames)
    def move(self, data, start) -> None:
        self.do(MoveSpan(self.pick(data).entity_id, start))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), start=frames, stop=frames)
    def resize(self, data, start, stop) -> None:
        self.do(ResizeSpan(self.pick(data).entity_id, start, stop))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), value=words)
    def edit(self, data, value) -> None:
        self.do(EditValue(self.pick(data).entity_id, value))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), at=frames)
    def split(self, data, at) -> None:
        self.do(SplitSpan(self.pick(data).entity_id, at))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data())
    def delete(self, data) -> None:
        self.do(DeleteSpan(self.pick(data).entity_id))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), text=st.sampled_from(["", "look", "here"]))
    def note(self, data, text) -> None:
        self.do(WriteNote(self.pick(data).entity_id, text))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), edge=edges, frame=frames)
    def set_edge(self, data, edge, frame) -> None:
        self.do(SetEdge(self.pick(data).entity_id, edge, frame))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), edge=edges, stops=st.lists(st.integers(0, FRAMES), max_size=4), within=st.none() | frames)
    def snap(self, data, edge, stops, within) -> None:
        self.do(SnapEdge(self.pick(data).entity_id, edge, np.unique(np.array(stops, np.int64)), within))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), edge=edges, at=frames)
    def stretch(self, data, edge, at) -> None:
        self.do(StretchEdges(self.pick(data).entity_id, edge, at))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data())
    def merge(self, data) -> None:
        self.do(MergeNext(self.pick(data).entity_id))

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data())
    def copy_text(self, data) -> None:
        self.do(CopyText(self.pick(data).entity_id))

    @rule(start=frames, length=st.integers(1, 30), text=words)
    def comment(self, start, length, text) -> None:
        self.do(AddComment(start, start + length, text))

    @rule(person=st.sampled_from(["", "bob", "eve"]))
    def assign(self, person) -> None:
        self.do(Assign(person))

    @rule(word=words, adds=st.booleans())
    def tag(self, word, adds) -> None:
        self.do(AddTag(word) if adds else RemoveTag(word))

    @rule(review=st.sampled_from(list(Review)))
    def review(self, review) -> None:
        self.do(ChangeReview(review))

    @rule()
    def undo(self) -> None:
        if self.history.undo():
            self.at -= 1
        assert state(self.document) == self.past[self.at]

    @rule()
    def redo(self) -> None:
        if self.history.redo():
            self.at += 1
        assert state(self.document) == self.past[self.at]

    @rule()
    def restart(self) -> None:
        """What can be undone and redone, and what it is called, is what it was before."""
        names = self.history.done_names, self.history.undo_name, self.history.redo_name
        self.open_as(self.document.author)
        assert (self.history.done_names, self.history.undo_name, self.history.redo_name) == names
        assert state(self.document) == self.past[self.at]
        assert len(names[0]) == self.at

    @precondition(lambda self: self.document.spans())
    @rule(data=st.data(), start=frames)
    def somebody_else_moves(self, data, start) -> None:
        """Nothing of ours on that span can be undone over them; what else was done still can."""
        entity_id = self.pick(data).entity_id
        self.other.refresh()
        self.others.do(MoveSpan(entity_id, start))
        theirs = self.other.span(entity_id)
        is_theirs = self.other.head(entity_id).author == "bob"
        for _ in range(len(self.past)):
            try:
                if not self.history.undo():
                    break
            except Conflict:
                assert is_theirs
        self.document.refresh()
        if is_theirs:
            assert self.document.span(entity_id) == theirs
        self.somebody_new()

    @precondition(lambda self: any(len(v) > 1 for v in self.document._versions.values()))
    @rule(data=st.data(), value=words, choice=st.sampled_from(Choice))
    def a_version_from_elsewhere_is_settled(self, data, value, choice) -> None:
        changed = sorted(entity for entity, versions in self.document._versions.items() if len(versions) > 1)
        first = self.document._versions[data.draw(st.sampled_from(changed))][0]
        fields = {"value": first.value if first.kind in (LabelKind.REVIEW, LabelKind.FLAG) else value}
        self.log.merge([first.revised("eve", **fields)])
        self.document.refresh()
        (dispute,) = disputes(self.document)
        said = {dispute.mine.value, dispute.theirs.value}
        wishes = [choice] if choice in dispute.choices else []
        if not any(self.settles(dispute, wish) for wish in [*wishes, Choice.MINE, Choice.THEIRS]):
            self.history.do(DeleteSpan(dispute.entity_id))  # neither has room any more
            (dispute,) = disputes(self.document)
            assert self.settles(dispute, Choice.MINE)
        assert not self.document.disputed
        assert said <= {edit.value for edit in self.log.edits(self.session_id)}, "what lost stays in the log"
        before = state(self.document)
        with pytest.raises(Conflict, match="stays settled"):
            self.history.undo()
        assert state(self.document) == before
        self.somebody_new()

    def settles(self, dispute: Dispute, choice: Choice) -> bool:
        try:
            return bool(self.history.do(Settle(dispute, choice)))
        except BadArgument:
            return False

    def somebody_new(self) -> None:
        """Who has done nothing yet goes on, since what can be undone is each person's own."""
        self.people += 1
        self.open_as(f"ann {self.people}")
        self.past, self.at = [state(self.document)], 0

    def open_as(self, author: str) -> None:
        self.document = Document(self.log, self.session_id, author, self.document.clock)
        self.history = History(self.document)

    @invariant()
    def the_log_replays_to_the_document(self) -> None:
        if not hasattr(self, "log"):
            return
        log = self.log.edits(self.session_id)
        assert heads(log) == sorted(self.document._heads.values(), key=lambda e: e.entity_id)
        assert review_of(log) is self.document.review
        assert state(Document(self.log, self.session_id, "eve", self.document.clock)) == state(self.document)

    @invariant()
    def nothing_overlaps_that_must_not(self) -> None:
        if not hasattr(self, "log"):
            return
        spans = self.document.spans()
        for track in ([s for s in spans if s.kind is LabelKind.INSTRUCTION], *self.flags(spans)):
            assert all(0 <= s.start < s.stop <= FRAMES for s in track)
            assert all(a.stop <= b.start for a, b in pairwise(track))

    @staticmethod
    def flags(spans: list[Span]) -> list[list[Span]]:
        flags = [s for s in spans if s.kind is LabelKind.FLAG]
        return [[s for s in flags if s.value == word] for word in {s.value for s in flags}]


TestAnnotating = Annotating.TestCase
TestAnnotating.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
