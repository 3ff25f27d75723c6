"""The document of one session: its frames, the spans, notes and review state in force, and how they are committed.

Qt-free. Views subscribe; nothing in here knows them.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from db.clock import FrameClock
from db.errors import Conflict, NotFound, PlaytapeError
from db.labelling.edits import Tail
from db.labelling.labels import Edit, LabelKind, Review, StepMark


class EditLog(Protocol):
    """Where edits live. `db.store.Store` is one; tests use one in memory."""

    def edits_after(self, session_id: str, place: int = 0) -> Tail:
        """What came into a session's log after a place of it, 0 for all."""

    def commit(self, edits: list[Edit]) -> object:
        """Appends all of them in one transaction, or raises Conflict and appends none."""


@dataclass(frozen=True)
class Content:
    """What one version of an entity says, apart from who said it and when."""

    kind: LabelKind
    value: str = ""
    start: int | None = None
    stop: int | None = None
    source: str = "person"
    suggested: bool = False
    deleted: bool = False

    @classmethod
    def of(cls, edit: Edit) -> Content:
        return cls(edit.kind, edit.value, edit.start, edit.stop, edit.source, edit.suggested, edit.deleted)


@dataclass(frozen=True)
class Delta:
    """One entity's change: from `before` (None where it did not exist) to `after`."""

    entity_id: str
    before: Content | None
    after: Content
    also: tuple[str, ...] = ()
    """Versions that compete with the one in force and are settled by this change."""


@dataclass(frozen=True, order=True)
class Span:
    """A span in force: frames `[start, stop)`, ordered by start, stop and id."""

    start: int
    stop: int
    entity_id: str
    kind: LabelKind
    value: str
    author: str
    source: str
    suggested: bool

    def __len__(self) -> int:
        return self.stop - self.start

    def __contains__(self, frame: object) -> bool:
        return isinstance(frame, int) and self.start <= frame < self.stop


Listener = Callable[[frozenset[str]], None]
"""Called after a change with the ids of the entities that changed."""


class Document:
    """One session under annotation.

    Everything shown comes from the edit log; everything changed is one committed transaction of `log`.
    """

    def __init__(self, log: EditLog, session_id: str, author: str, clock: FrameClock) -> None:
        self.session_id, self.author, self.clock = session_id, author, clock
        self._log = log
        self._listeners: list[Listener] = []
        self.generation = 0
        """Another number once versions were destroyed for good, so that what was remembered of them is void."""
        self._clear()
        self._read_on()

    def _clear(self) -> None:
        self._read_to = 0
        self._versions: dict[str, list[Edit]] = {}
        self._heads: dict[str, Edit] = {}
        self._disputed: dict[str, list[Edit]] = {}
        self._seen: dict[str, int] = {}  # edit -> how many were known before it
        self._spans: list[Span] = []  # ascending
        self._asked: dict[tuple[LabelKind | None, bool | None], list[Span]] = {}
        self._review_heads: list[Edit] | None = None
        self.own_steps: list[Edit] = []
        """The edits of steps that this document's author did, here and elsewhere, in the order in which they came."""

    @property
    def frame_count(self) -> int:
        return len(self.clock)

    @property
    def edit_count(self) -> int:
        return len(self._seen)

    @property
    def review(self) -> Review:
        head = self.review_head
        return Review(head.value) if head else Review.UNLABELLED

    @property
    def review_head(self) -> Edit | None:
        """The version of the review state in force, as `db.labelling.labels.review_of` picks it."""
        if self._review_heads is None:
            self._review_heads = [edit for edit in self._heads.values() if edit.kind is LabelKind.REVIEW]
        states = [edit for edit in self._review_heads if not edit.deleted and not edit.suggested]
        return max(states, key=lambda edit: edit.id, default=None)

    def spans(self, kind: LabelKind | None = None, *, suggested: bool | None = None) -> list[Span]:
        """The spans in force, ordered by start, stop and id."""
        asked = kind, suggested
        if asked not in self._asked:  # many ask the same after an edit, of thousands
            self._asked[asked] = [s for s in self._spans if kind in (None, s.kind) and suggested in (None, s.suggested)]
        return list(self._asked[asked])

    def span(self, entity_id: str) -> Span:
        """Raises NotFound where the span is gone, for instance deleted by somebody else."""
        edit = self._heads.get(entity_id)
        if edit is None or edit.deleted or not edit.kind.is_span:
            raise NotFound("This span is no longer there; select another one.")
        return _span(edit)

    def instruction_at(self, frame: int) -> str:
        """The instruction in force at a frame: the span (no suggestion) covering it that started last, else ""."""
        covering = [s for s in self.spans(LabelKind.INSTRUCTION, suggested=False) if frame in s]
        return covering[-1].value if covering else ""

    def note(self, entity_id: str) -> str:
        """The note on a span, or on the session (its id); "" where nobody wrote one."""
        edit = self._heads.get(note_id(entity_id))
        return edit.value if edit and not edit.deleted else ""

    @property
    def assignee(self) -> str:
        """Who is to label or review the session, "" for nobody."""
        edit = self._heads.get(assignee_id(self.session_id))
        return edit.value if edit and not edit.deleted else ""

    @property
    def tags(self) -> list[str]:
        """The session's tags, in the order of the alphabet."""
        return sorted({e.value for e in self._heads.values() if e.kind is LabelKind.TAG and not e.deleted})

    def contents(self, kind: LabelKind) -> dict[str, Content]:
        """The current version of every entity of a kind, those that were deleted included."""
        return {entity: Content.of(edit) for entity, edit in self._heads.items() if edit.kind is kind}

    def was_suggested(self, entity_id: str) -> bool:
        """Whether any version of the entity was a suggestion."""
        return any(edit.suggested for edit in self._versions.get(entity_id, ()))

    def authors(self, entity_id: str) -> set[str]:
        """Everybody who made a version of the entity that was no suggestion."""
        return {edit.author for edit in self._versions.get(entity_id, ()) if not edit.suggested}

    def head(self, entity_id: str) -> Edit | None:
        """The current version of an entity, deletions included."""
        return self._heads.get(entity_id)

    def version(self, entity_id: str, edit_id: str) -> Edit | None:
        """One version of an entity, None where it is not known."""
        return next((edit for edit in self._versions.get(entity_id, ()) if edit.id == edit_id), None)

    @property
    def disputed(self) -> dict[str, list[Edit]]:
        """Entities with versions that compete, each with those versions, oldest first: the last one is in force."""
        return self._disputed

    def arrival(self, entity_id: str) -> int:
        """How many edits this document knew before it knew the entity's current version."""
        return self.arrival_of(self._heads[entity_id].id)

    def arrival_of(self, edit_id: str) -> int:
        """How many edits this document knew before this one."""
        return self._seen[edit_id]

    def content(self, entity_id: str) -> Content | None:
        head = self._heads.get(entity_id)
        return Content.of(head) if head else None

    def content_at(self, entity_id: str, known: int) -> Content | None:
        """What the entity said when this document knew so many edits; None where it was not there yet."""
        then = [edit for edit in self._versions.get(entity_id, ()) if self._seen[edit.id] < known]
        tips = _tips(then)
        return Content.of(tips[-1]) if tips else None

    def use(self, log: EditLog) -> None:
        """Reads and commits through another way to the same edits from now on, such as another thread's."""
        self._log = log

    def commit(self, deltas: Iterable[Delta], mark: StepMark | None = None) -> list[Edit]:
        """Commits these changes as one transaction, as part of a step, and returns the new versions.

        Raises Conflict where somebody else has replaced one of them since; nothing is changed then but that the
        document shows their version.
        """
        edits = [self._edit(delta, mark) for delta in deltas]
        if not edits:
            return []
        try:
            self._log.commit(edits)
        except Conflict:
            with suppress(PlaytapeError):
                self.refresh()
            raise
        try:
            changed = self._read_on()
        except PlaytapeError:  # they are committed; what others did comes with the next look
            changed = self._absorb(edits)
        self._tell(changed)
        return edits

    def refresh(self) -> frozenset[str]:
        """Takes in what others have committed; returns the entities that changed. Cheap where that is little."""
        changed = self._read_on()
        self._tell(changed)
        return changed

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns the function that ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _edit(self, delta: Delta, mark: StepMark | None) -> Edit:
        head = self._heads.get(delta.entity_id)
        after = delta.after
        return Edit(
            session_id=self.session_id,
            entity_id=delta.entity_id,
            kind=after.kind,
            start=after.start,
            stop=after.stop,
            value=after.value,
            author=self.author,
            source=after.source,
            suggested=after.suggested,
            deleted=after.deleted,
            parent=head.id if head else None,
            also=delta.also,
            step=mark.id if mark else None,
            step_name=mark.name[:200] if mark else "",
            reverts=mark.reverts if mark else None,
        )

    def _read_on(self) -> frozenset[str]:
        tail = self._log.edits_after(self.session_id, self._read_to)
        changed = self._absorb(tail.edits)
        self._read_to = tail.place
        if tail.total == len(self._seen):
            return changed
        before = frozenset(self._heads)
        self._clear()
        self.generation += 1
        whole = self._log.edits_after(self.session_id)
        self._read_to = whole.place
        return before | self._absorb(whole.edits)

    def _absorb(self, edits: Iterable[Edit]) -> frozenset[str]:
        fresh = [edit for edit in edits if edit.id not in self._seen]
        changed = frozenset(edit.entity_id for edit in fresh)
        for edit in fresh:
            self._seen[edit.id] = len(self._seen)
            self._versions.setdefault(edit.entity_id, []).append(edit)
            if edit.step is not None and edit.author == self.author:
                self.own_steps.append(edit)
        gone = [self._heads.pop(entity_id) for entity_id in changed if entity_id in self._heads]
        for entity_id in changed:
            tips = _tips(self._versions[entity_id])
            if tips:
                self._heads[entity_id] = tips[-1]
            self._disputed.pop(entity_id, None)
            if len(tips) > 1:
                self._disputed[entity_id] = tips
        if changed:
            self._asked, self._review_heads = {}, None
        self._place(gone, [self._heads[entity_id] for entity_id in changed if entity_id in self._heads])
        return changed

    def _place(self, gone: list[Edit], come: list[Edit]) -> None:
        """Keeps the spans in order: one by one where few changed, since a session has thousands."""
        fresh = [_span(edit) for edit in come if _is_shown(edit)]
        if len(gone) + len(fresh) > _FEW:
            left = {edit.entity_id for edit in gone}
            self._spans = [span for span in self._spans if span.entity_id not in left] + fresh
            self._spans.sort(key=attrgetter("start", "stop", "entity_id"))
            return
        for edit in gone:
            if _is_shown(edit):
                del self._spans[bisect_left(self._spans, _span(edit))]
        for span in fresh:
            insort(self._spans, span)

    def _tell(self, changed: frozenset[str]) -> None:
        if changed:
            for listener in list(self._listeners):
                listener(changed)


def assignee_id(session_id: str) -> str:
    """The entity that says whom the session is assigned to."""
    return str(uuid.uuid5(uuid.UUID(session_id), "assignee"))


def tag_id(session_id: str, word: str) -> str:
    """The entity of one tag of the session: tagging it alike on two machines is one tag."""
    return str(uuid.uuid5(uuid.UUID(session_id), f"tag {word}"))


_FEW = 50
"""So many changed spans are put into their places singly."""


def note_id(entity_id: str) -> str:
    """The entity that holds the note on another one: the same on every machine, so two people write one note."""
    return str(uuid.uuid5(uuid.UUID(entity_id), "note"))


def _tips(versions: list[Edit]) -> list[Edit]:
    """The versions that none supersedes, as `db.labelling.labels.heads` and `conflicts` see them; none where they form a ring."""
    if len(versions) == 1:
        return versions
    superseded = {earlier for edit in versions for earlier in edit.supersedes}
    return sorted((edit for edit in versions if edit.id not in superseded), key=lambda edit: edit.id)


def _is_shown(edit: Edit) -> bool:
    return edit.kind.is_span and not edit.deleted


def _span(edit: Edit) -> Span:
    assert edit.start is not None
    assert edit.stop is not None
    return Span(edit.start, edit.stop, edit.entity_id, edit.kind, edit.value, edit.author, edit.source, edit.suggested)
