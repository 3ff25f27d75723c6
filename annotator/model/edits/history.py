"""Undo and redo of one session by one person. Undoing is a new edit that supersedes one's own version, never a deletion.

The stacks are read from the log and nowhere else: every edit names the step that it is part of, and an undo or a redo the
step that it takes back. So what was done yesterday can be undone today, as far back as the log goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from annotator.model.document import Content, Delta, Document
from annotator.model.edits.commands import Command
from annotator.model.edits.overlap import rival_spans
from annotator.model.edits.reopening import has_changed, reopening
from db.errors import Conflict
from db.labelling.labels import Edit, LabelKind, Review, StepMark, new_id


class Collision(Conflict):
    """Somebody else changed what a command was about to change. What it wanted is in here, and not lost."""

    def __init__(self, sentence: str, deltas: tuple[Delta, ...]) -> None:
        super().__init__(sentence)
        self.deltas = deltas


@dataclass(frozen=True)
class Step:
    """One thing done: what it was and what it changed."""

    name: str
    deltas: tuple[Delta, ...]


@dataclass
class _Entry:
    """A step in a stack, as the edits of it tell."""

    id: str
    name: str
    since: int
    """How many edits the document knew before it; `Document.arrival` of what came later is above."""
    edits: list[Edit]
    undone_by: str = ""

    @property
    def ends(self) -> dict[str, tuple[Edit, Edit]]:
        """Of each entity, the first and the last version that the step made: a run of nudges makes many."""
        first: dict[str, Edit] = {}
        for edit in self.edits:
            first.setdefault(edit.entity_id, edit)
        return {edit.entity_id: (first[edit.entity_id], edit) for edit in self.edits}

    @property
    def settles(self) -> bool:
        return any(edit.also for edit in self.edits)


class History:
    """The undo and redo stacks of a document, without a limit; the only way in which views change it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._run = ("", "")  # merge key and step of the run of commands that goes on
        self._forget()
        self._catch_up()

    @property
    def undo_name(self) -> str:
        """What undo would take back, "" where there is nothing."""
        self._catch_up()
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        self._catch_up()
        return self._undone[-1].name if self._undone else ""

    @property
    def done_names(self) -> list[str]:
        """What can be undone, the latest first."""
        self._catch_up()
        return [entry.name for entry in reversed(self._done)]

    def do(self, command: Command, seen: Mapping[str, str] | None = None) -> tuple[Delta, ...]:
        """Commits a command and returns what it changed (empty where it changed nothing).

        A change of an accepted session's labels sends it back to be reviewed, which is the last of what is returned.
        seen: by entity, the version that the person had before them when they began, for what takes them a while, such
        as typing. Raises what `Command.plan` and `Document.commit` raise, Collision among it; then nothing has changed.
        """
        if seen:
            self._document.refresh()
        deltas = tuple(command.plan(self._document))
        if not deltas:
            return ()
        if any(self._is_stale(delta, seen or {}) for delta in deltas):
            raise Collision("Somebody else changed this while you were at it.", deltas)
        self._catch_up()
        merge_key, step_id = self._run
        goes_on = bool(command.merge_key) and command.merge_key == merge_key and self._is_last(step_id)
        mark = StepMark(step_id if goes_on else new_id(), command.name)
        reopened = reopening(self._document, deltas)
        known = self._heads(deltas)
        try:
            self._document.commit((*deltas, *reopened), mark)
        except Conflict as error:
            if not reopened or self._heads(deltas) != known:
                raise Collision(str(error), deltas) from None
            return self.do(command)  # somebody else was quicker to send it back, or to say more of the review; no more
        self._catch_up()
        self._run = command.merge_key, mark.id
        return (*deltas, *reopened)

    def undo(self) -> Step | None:
        """Takes the last step back and returns it; None where there is none.

        Raises Conflict where somebody else has changed one of its entities since, where a span has been put in its place,
        or where it settled a conflict; the step is then skipped, so that earlier ones can still be taken back.
        """
        self._document.refresh()
        self._catch_up()
        if not self._done:
            return None
        entry = self._done[-1]
        deltas = self._deltas(entry)
        step = Step(entry.name, deltas)
        self._replay(self._done, entry, tuple(_reverse(delta) for delta in reversed(deltas)), entry.id)
        return step

    def redo(self) -> Step | None:
        """Does the last undone step again. Raises Conflict as `undo` does."""
        self._document.refresh()
        self._catch_up()
        if not self._undone:
            return None
        entry = self._undone[-1]
        step = Step(entry.name, self._deltas(entry))
        self._replay(self._undone, entry, step.deltas, entry.undone_by)
        return step

    def _replay(self, stack: list[_Entry], entry: _Entry, deltas: tuple[Delta, ...], reverts: str) -> None:
        """Commits these deltas for the top step of a stack; a conflict takes it off, any other failure leaves it there."""
        self._run = "", ""
        try:
            deltas = self._reviewed(entry, deltas)
            self._check(entry, deltas)
            reopened = reopening(self._document, deltas)
            self._document.commit((*deltas, *reopened), StepMark(new_id(), entry.name, reverts))
        except Conflict:
            stack.remove(entry)
            raise
        self._catch_up()

    def _reviewed(self, entry: _Entry, deltas: tuple[Delta, ...]) -> tuple[Delta, ...]:
        """Without a change of the review state where that has moved on, or would accept what nobody has looked at."""
        labels = tuple(delta for delta in deltas if delta.after.kind is not LabelKind.REVIEW)
        back = [delta for delta in deltas if delta.after.kind is LabelKind.REVIEW]
        moved = frozenset(delta.entity_id for delta in labels)
        accepts = any(delta.after.value == Review.ACCEPTED and not delta.after.deleted for delta in back)
        if accepts and has_changed(self._document, entry.since, moved):
            if not labels:
                raise Conflict(f"{_skipped(entry)}: labels were changed since; review it again instead.")
            return labels
        return labels if labels and not all(self._is_own(delta) for delta in back) else deltas

    def _heads(self, deltas: tuple[Delta, ...]) -> list[str | None]:
        heads = (self._document.head(delta.entity_id) for delta in deltas)
        return [head.id if head is not None else None for head in heads]

    def _check(self, entry: _Entry, deltas: tuple[Delta, ...]) -> None:
        name = _skipped(entry)
        if entry.settles:
            raise Conflict(f"{name}: a conflict that was settled stays settled; change the label instead.")
        foreign = [delta for delta in deltas if not self._is_own(delta)]
        if foreign or not deltas:
            head = self._document.head(foreign[0].entity_id) if foreign else None
            who = head.author if head is not None and head.author != self._document.author else "Somebody else"
            raise Conflict(f"{name}: {who} has changed this since, and their version was kept.")
        moved = {delta.entity_id for delta in deltas}
        if any(self._is_taken(delta, entry.since, moved) for delta in deltas):
            raise Conflict(f"{name}: another span has been put there since, and it was kept.")

    # Reading the log

    def _forget(self) -> None:
        self._generation = self._document.generation
        self._read = 0
        self._done: list[_Entry] = []
        self._undone: list[_Entry] = []

    def _catch_up(self) -> None:
        """Takes in the steps that came since, whoever did them: this window or another one of the same person."""
        if self._generation != self._document.generation:
            self._forget()
        fresh = self._document.own_steps[self._read :]
        self._read += len(fresh)
        for (step_id, _), edits in groupby(fresh, key=lambda edit: (edit.step, edit.reverts)):
            self._take(str(step_id), list(edits))

    def _take(self, step_id: str, edits: list[Edit]) -> None:
        reverts = edits[0].reverts
        if reverts is None:
            if self._is_last(step_id):
                self._done[-1].edits += edits
            else:
                since = self._document.arrival_of(edits[0].id)
                self._done.append(_Entry(step_id, edits[0].step_name, since, edits))
            self._undone.clear()
        elif (at := _find(reverts, [entry.id for entry in self._done])) is not None:
            entry = self._done[at]
            del self._done[at:]  # those above had been skipped
            entry.undone_by = step_id
            self._undone.append(entry)
        elif (at := _find(reverts, [entry.undone_by for entry in self._undone])) is not None:
            entry = self._undone[at]
            del self._undone[at:]
            self._done.append(entry)

    def _is_last(self, step_id: str) -> bool:
        return bool(self._done) and self._done[-1].id == step_id

    def _deltas(self, entry: _Entry) -> tuple[Delta, ...]:
        found = []
        for entity_id, (first, last) in entry.ends.items():
            before = self._document.version(entity_id, first.parent) if first.parent else None
            found.append(Delta(entity_id, Content.of(before) if before else None, Content.of(last)))
        return tuple(found)

    # What may be taken back

    def _is_stale(self, delta: Delta, seen: Mapping[str, str]) -> bool:
        """Whether somebody else has changed, since it was seen, what this would change."""
        head = self._document.head(delta.entity_id)
        if delta.entity_id not in seen or head is None or head.id == seen[delta.entity_id]:
            return False
        if head.author == self._document.author:
            return False
        old = self._document.version(delta.entity_id, seen[delta.entity_id])
        before, now = Content.of(old) if old else None, Content.of(head)
        if before is None or delta.before is None:
            return True
        told = ("value", "start", "stop", "deleted")
        changed = [name for name in told if getattr(delta.after, name) != getattr(delta.before, name)]
        return any(getattr(before, name) != getattr(now, name) for name in changed)

    def _is_own(self, delta: Delta) -> bool:
        """Whether the entity still is as this person left it."""
        head = self._document.head(delta.entity_id)
        if head is None or head.author != self._document.author:
            return False
        return head.deleted if delta.before is None else Content.of(head) == delta.before

    def _is_taken(self, delta: Delta, since: int, moved: set[str]) -> bool:
        """Whether a span that came or moved since now stands where this one would come to stand again."""
        after = delta.after
        if after.deleted or after.suggested or after.start is None or after.stop is None or _stays(delta):
            return False
        return any(
            span.start < after.stop and after.start < span.stop
            for span in rival_spans(self._document, after.kind, after.value)
            if span.entity_id not in moved and self._document.arrival(span.entity_id) >= since
        )


def _skipped(entry: _Entry) -> str:
    return f"\u201c{entry.name[:1].upper()}{entry.name[1:]}\u201d was skipped"


def _find(wanted: str, ids: list[str]) -> int | None:
    return next((at for at in reversed(range(len(ids))) if ids[at] == wanted), None)


def _stays(delta: Delta) -> bool:
    """Whether the span stands where it stood, among the same rivals."""
    before, after = delta.before, delta.after
    if before is None or before.deleted or (before.start, before.stop) != (after.start, after.stop):
        return False
    return after.kind is not LabelKind.FLAG or before.value == after.value


def _reverse(delta: Delta) -> Delta:
    return Delta(delta.entity_id, delta.after, delta.before or replace(delta.after, deleted=True))
