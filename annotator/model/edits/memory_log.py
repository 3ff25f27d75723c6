"""An edit log in memory, with the store's rules: the fake beside `db.store.Store` for tests and experiments."""

from __future__ import annotations

from collections.abc import Iterable

from db.errors import Conflict
from db.labelling.edits import Tail
from db.labelling.labels import Edit


class MemoryLog:
    """Appends in whole transactions; an edit that supersedes what has been superseded is a Conflict."""

    def __init__(self) -> None:
        self._edits: list[Edit] = []
        self.transactions = 0

    def edits(self, session_id: str) -> list[Edit]:
        return [edit for edit in self._edits if edit.session_id == session_id]

    def edits_after(self, session_id: str, place: int = 0) -> Tail:
        mine = [(at, edit) for at, edit in enumerate(self._edits, 1) if edit.session_id == session_id]
        fresh = [(at, edit) for at, edit in mine if at > place]
        return Tail([edit for _, edit in fresh], fresh[-1][0] if fresh else place, len(mine))

    def commit(self, edits: list[Edit]) -> None:
        superseded = {earlier for edit in self._edits for earlier in edit.supersedes}
        entities = {edit.entity_id for edit in self._edits}
        for edit in edits:
            if superseded.intersection(edit.supersedes) if edit.supersedes else (edit.entity_id in entities):
                raise Conflict("Somebody else has changed this since; look at their version and try again.")
        self._edits.extend(edits)
        self.transactions += 1

    def merge(self, edits: Iterable[Edit]) -> None:
        """Adds edits made elsewhere, by id, keeping competing versions side by side."""
        known = {edit.id for edit in self._edits}
        self._edits.extend(sorted((e for e in edits if e.id not in known), key=lambda edit: edit.id))
