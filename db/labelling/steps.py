"""Steps as the log tells of them: what one person did, by name, with what has been taken back since left out."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.labelling.labels import Edit
from db.library.labelindex import EDIT_COLUMNS
from db.library.tables import EditRow

if TYPE_CHECKING:
    from db.store import Store


def steps_of(store: Store, author: str, names: Collection[str]) -> list[list[Edit]]:
    """The edits of each of a person's steps with one of these names, in the order in which they were done.

    What was taken back, be it in one session only, is not among them. Reads all of that person's edits: for a thread. Raises what every
    method of Store may.
    """
    mine = select(*EDIT_COLUMNS).where(EditRow.author == author, EditRow.step.is_not(None))
    wanted = mine.where(EditRow.step_name.in_(sorted(names))).order_by(EditRow.place)
    steps: dict[str, list[Edit]] = {}
    taken_back: set[tuple[str, str]] = set()
    with store.reading() as connection:
        for row in connection.execute(wanted):
            edit = Edit.model_validate(dict(row._mapping))
            if edit.reverts is not None:
                taken_back.add((edit.session_id, edit.reverts))
            else:
                steps.setdefault(str(edit.step), []).append(edit)
    left = [[edit for edit in edits if (edit.session_id, step) not in taken_back] for step, edits in steps.items()]
    return [edits for edits in left if edits]
