"""The conflicts of one session being edited: those in its log, and changes that could not be committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from annotator.model.edits.disputes import Choice, Dispute, Settle, brought_back, collided, disputes
from annotator.model.edits.history import Collision
from annotator.model.library.seat import Role
from db.errors import PlaytapeError
from db.labelling.labels import Edit
from db.store import Store

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing


class Conflicts(QObject):
    """Part of an Editing. A change that was refused since somebody was quicker waits here and is not thrown away."""

    changed = pyqtSignal()
    """Another number of conflicts, or others."""
    collided = pyqtSignal()
    """A change of this person was refused just now; it is the first of `all`."""

    def __init__(self, editing: Editing, store: Store) -> None:
        super().__init__(editing)
        self._editing, self._store = editing, store
        self._refused: list[Dispute] = []
        self._seen: dict[str, str] = {}
        self._shown = self.all
        editing.changed.connect(lambda _: self._look())

    @property
    def all(self) -> list[Dispute]:
        """Those of this person's own changes first."""
        return [*self._refused, *disputes(self._editing.document)]

    def begin_typing(self, entity_id: str) -> None:
        """Somebody begins to write what this entity says: what it says now is what they know of it."""
        head = self._editing.document.head(entity_id)
        self._seen[entity_id] = head.id if head is not None else ""

    def end_typing(self, entity_id: str) -> dict[str, str] | None:
        """What they knew of it, for `History.do`."""
        seen = self._seen.pop(entity_id, None)
        return None if seen is None else {entity_id: seen}

    def take(self, collision: Collision) -> None:
        """A change was refused. Whatever is settled later, what it wanted is kept until then."""
        dispute = collided(self._editing.document, collision.deltas)
        self._refused.insert(0, dispute)
        self._look()
        self.collided.emit()

    def settle(self, dispute: Dispute, choice: Choice) -> bool:
        """Returns whether it is settled now; where what was chosen has no room, says so and leaves it."""
        if dispute in self._refused and choice is Choice.THEIRS:
            self._refused.remove(dispute)
            self._look()
            return True
        if dispute in self._refused:
            self._refused.remove(dispute)  # a second collision about it brings it back as it is then
            before = len(self._refused)
            if not self._editing.do(Settle(dispute, choice)) and len(self._refused) == before:
                self._refused.insert(0, dispute)
            self._look()
            return dispute not in self._refused
        return bool(self._editing.do(Settle(dispute, choice)))

    @property
    def refused(self) -> tuple[Dispute, ...]:
        """Changes that were refused and are in no log, newest first."""
        return tuple(self._refused)

    def put_back(self, text: str) -> bool:
        """Takes in a change that was refused before the window was closed; whether it still is to be settled."""
        dispute = brought_back(self._editing.document, text)
        if dispute is not None:
            self._refused.append(dispute)
            self._look()
        return dispute is not None

    def close(self) -> None:
        """What is not settled goes into the log as a version that competes, so that it outlives the window.

        What cannot go there stays in `refused`: a change of several labels makes sense only as a whole.
        """
        refused, self._refused = self._refused, []
        document = self._editing.document
        if self._editing.seat.role is not Role.LABEL:
            return  # a reading is one person's own; nobody else is quicker there
        for dispute in reversed(refused):
            head = document.head(dispute.entity_id)
            mine = dispute.mine
            if len(dispute.wanted) > 1 or head is None:
                self._refused.insert(0, dispute)
                continue
            edit = Edit(
                session_id=document.session_id,
                entity_id=dispute.entity_id,
                kind=mine.kind,
                start=mine.start,
                stop=mine.stop,
                value=mine.value,
                author=document.author,
                source=mine.source,
                suggested=mine.suggested,
                deleted=mine.deleted,
                parent=head.parent,
            )
            try:
                self._store.merge(document.session_id, [edit])
            except PlaytapeError as error:
                self._refused.insert(0, dispute)
                self._editing.refused.emit(str(error))

    def _look(self) -> None:
        now = self.all
        if now != self._shown:
            self._shown = now
            self.changed.emit()
