"""One thing done to many sessions at once, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from annotator.model.document import assignee_id, tag_id
from db.errors import Conflict, PlaytapeError
from db.labelling.labels import Edit, LabelKind, Review, StepMark, heads, new_id
from db.labelling.steps import steps_of
from db.store import Store
from db.upkeep.trash import all_restored, restored_why, trashed_why

Progress = Callable[[int, int], None]
"""Hears (sessions done, sessions in all)."""
Cancelled = Callable[[], bool]


class Deed(StrEnum):
    """What can be done to many sessions. The value is the word for it when it is done."""

    ACCEPT = "accepted"
    REJECT = "rejected"
    REOPEN = "set back"
    ASSIGN = "assigned"
    RELEASE = "assigned to nobody"
    TAG = "tagged"
    UNTAG = "without the tag now"
    TRASH = "put into the trash"
    RESTORE = "restored"


@dataclass
class Outcome:
    """What came of it. A session is in `done` or in `refused` (with the sentence why), or nothing was to be done."""

    deed: Deed
    done: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    """Those that were made."""
    step: str = ""
    """The step that they are all part of, in the log and in the marks of the trash."""

    @property
    def text(self) -> str:
        """One or two sentences for people."""
        parts = []
        if self.done or not self.refused:
            parts.append(f"{_count(len(self.done))} {self.deed.value}.")
        if self.refused:
            reasons = sorted(set(self.refused.values()))
            which = "" if len(reasons) == 1 else " and for other reasons"
            parts.append(f"{_count(len(self.refused))} not {self.deed.value}: {reasons[0]}{which}")
        return " ".join(parts)


def do(
    store: Store,
    deed: Deed,
    session_ids: Sequence[str],
    author: str,
    value: str = "",
    progress: Progress = lambda done, total: None,
    cancelled: Cancelled = lambda: False,
) -> Outcome:
    """Does it to each session in turn; one that refuses stops none of the others.

    value: the person for ASSIGN ("" for nobody), the word for TAG and UNTAG. REOPEN goes back from accepted, rejected, in
    review and fixing to labelled, and from labelled to unlabelled.
    """
    mark = StepMark(new_id(), _name(deed))
    outcome = Outcome(deed, step=mark.id)
    for number, session_id in enumerate(session_ids):
        if cancelled():
            break
        try:
            edits = _do_one(store, deed, session_id, author, value, mark)
        except PlaytapeError as error:
            outcome.refused[session_id] = str(error)
        else:
            if edits is not None:
                outcome.done.append(session_id)
                outcome.edits += edits
        progress(number + 1, len(session_ids))
    return outcome


def undo(
    store: Store,
    outcome: Outcome,
    author: str,
    progress: Progress = lambda done, total: None,
    cancelled: Cancelled = lambda: False,
) -> Outcome:
    """Takes it back for the sessions it was done to. What somebody has changed since is left as it is and refused."""
    if outcome.deed in (Deed.TRASH, Deed.RESTORE):
        return _move_back(store, outcome, progress, cancelled)
    mark = StepMark(new_id(), _name(outcome.deed), outcome.step or None)
    undone = Outcome(outcome.deed, step=mark.id)
    for number, edit in enumerate(outcome.edits):
        if cancelled():
            break
        try:
            log = {known.id: known for known in store.edits(edit.session_id)}
            store.commit([_inverse(edit, log.get(edit.parent or ""), author).marked(mark)])
        except PlaytapeError as error:
            undone.refused[edit.session_id] = str(error)
        else:
            undone.done.append(edit.session_id)
        progress(number + 1, len(outcome.edits))
    return undone


def done_before(store: Store, author: str) -> list[Outcome]:
    """What this person did to many sessions, here or in an earlier run, and has not taken back; the latest last.

    From the log, and from the marks of the trash. For a thread: it reads all of that person's edits.
    """
    deeds = {_name(deed): deed for deed in Deed}
    found: dict[str, Outcome] = {}
    for edits in steps_of(store, author, deeds):
        sessions = list(dict.fromkeys(edit.session_id for edit in edits))
        step = str(edits[0].step)
        found[step] = Outcome(deeds[edits[0].step_name], sessions, edits=edits, step=step)
    trashed = [line.id for line in store.search(trashed=True, withdrawn=True)]
    for deed, moved in ((Deed.TRASH, trashed), (Deed.RESTORE, all_restored(store.sessions_dir))):
        for session_id in sorted(moved):
            person, step, before = _why(store, deed, session_id)
            if step and person == author:
                found.setdefault(step, Outcome(deed, step=step)).done.append(session_id)
                person, step, _ = _parted(before)  # what stands in the trash again once this is taken back
                if step and person == author:
                    found.setdefault(step, Outcome(Deed.TRASH, step=step)).done.append(session_id)
    return [found[step] for step in sorted(found)]  # a step's id tells when it was begun


def _why(store: Store, deed: Deed, session_id: str) -> tuple[str, str, str]:
    """Who moved a session into the trash or out of it, in which step, and the mark that it had before."""
    folder = store.session_folder(session_id)
    why = trashed_why(folder) if deed is Deed.TRASH else restored_why(folder)
    return _parted(why)


def _parted(why: str) -> tuple[str, str, str]:
    person, step, before = (*why.split("\n", 2), "", "", "")[:3]
    return person, step, before


def _move_back(store: Store, outcome: Outcome, progress: Progress, cancelled: Cancelled) -> Outcome:
    """Takes back what was done with the trash, where nobody has moved the session since."""
    undone = Outcome({Deed.TRASH: Deed.RESTORE, Deed.RESTORE: Deed.TRASH}[outcome.deed])
    for number, session_id in enumerate(outcome.done):
        if cancelled():
            break
        try:
            _, step, before = _why(store, outcome.deed, session_id)
            if step != outcome.step:
                raise Conflict("It has been moved into the trash or out of it since.")
            if outcome.deed is Deed.TRASH:
                store.restore(session_id)
            else:
                store.trash(session_id, before)
        except PlaytapeError as error:
            undone.refused[session_id] = str(error)
        else:
            undone.done.append(session_id)
        progress(number + 1, len(outcome.done))
    return undone


def _do_one(store: Store, deed: Deed, session_id: str, author: str, value: str, mark: StepMark) -> list[Edit] | None:
    """The edits that were made; None where it was so already."""
    if deed is Deed.TRASH:
        store.trash(session_id, f"{author}\n{mark.id}")
        return []
    if deed is Deed.RESTORE:
        store.restore(session_id, f"{author}\n{mark.id}\n{trashed_why(store.session_folder(session_id))}")
        return []
    if deed in (Deed.ACCEPT, Deed.REJECT, Deed.REOPEN):
        before = store.summary(session_id).review
        review = {Deed.ACCEPT: Review.ACCEPTED, Deed.REJECT: Review.REJECTED}.get(deed) or _before(before)
        return None if before is review else [store.set_review(session_id, review, author, mark=mark)]
    kind = LabelKind.ASSIGNEE if deed in (Deed.ASSIGN, Deed.RELEASE) else LabelKind.TAG
    known = [edit for edit in heads(store.edits(session_id)) if edit.kind is kind]
    current = [edit for edit in known if not edit.deleted]
    if deed is Deed.UNTAG:
        edits = [edit.revised(author, deleted=True) for edit in current if edit.value == value]
    elif deed is Deed.TAG:
        is_there = any(edit.value == value for edit in current)
        edits = [] if is_there else _say(known, tag_id(session_id, value), session_id, kind, value, author)
    elif deed is Deed.RELEASE or not value:
        edits = [edit.revised(author, deleted=True) for edit in current]
    else:  # one person at most looks after a session
        entity_id = assignee_id(session_id)
        edits = _say(known, entity_id, session_id, kind, value, author)
        edits += [edit.revised(author, deleted=True) for edit in current if edit.entity_id != entity_id]
    if not edits:
        return None
    edits = [edit.marked(mark) for edit in edits]
    store.commit(edits)
    return edits


def _name(deed: Deed) -> str:
    """What the step is called, also in the undo menu of each session."""
    return f"{deed.value} in the library"


def _before(review: Review) -> Review:
    """The state that a session is set back to."""
    return Review.UNLABELLED if review in (Review.UNLABELLED, Review.LABELLED) else Review.LABELLED


def _say(known: list[Edit], entity_id: str, session_id: str, kind: LabelKind, value: str, author: str) -> list[Edit]:
    """Lets the entity say a value, whether it is new, said something else, or was taken away."""
    head = next((edit for edit in known if edit.entity_id == entity_id), None)
    if head is None:
        return [Edit(session_id=session_id, entity_id=entity_id, kind=kind, value=value, author=author)]
    return [] if head.value == value and not head.deleted else [head.revised(author, value=value, deleted=False)]


def _inverse(edit: Edit, before: Edit | None, author: str) -> Edit:
    if before is None:
        return edit.revised(author, deleted=True)
    return edit.revised(author, value=before.value, deleted=before.deleted)


def _count(number: int) -> str:
    return f"{number} session{'s' * (number != 1)}"
