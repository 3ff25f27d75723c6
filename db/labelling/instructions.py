"""What a player was told while a session was recorded: `instructions.jsonl` in its folder, until the session is entered.

Only then is it settled which frames there are, so only then do the instants become spans. They are written down at once
all the same, so that a play that is cut off keeps what it was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.clock import FrameClock
from db.errors import from_os_error
from db.labelling.edits import append_to_mirror
from db.labelling.labels import Edit, LabelKind, new_id

NAME = "instructions.jsonl"
SOURCE = "play"
"""Of the spans: the instruction is what the player was really told, whoever played."""
MAX_LENGTH = 2000


class Told(BaseModel):
    """An instruction that is in force from the frame at `t_ns` on; an empty text ends the one before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    t_ns: int
    text: Annotated[str, Field(max_length=MAX_LENGTH)]
    id: Annotated[str, Field(min_length=36, max_length=36)] = Field(default_factory=new_id)
    """Of the edit that it becomes, so that it becomes the same one however often a session is entered."""
    entity_id: Annotated[str, Field(min_length=36, max_length=36)] = Field(default_factory=new_id)
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


def note_told(folder: Path, t_ns: int, text: str) -> None:
    """Writes down what is told from the frame at `t_ns` on. Raises DiskFull, StoreReadOnly."""
    path = folder / NAME
    try:
        with path.open("ab") as file:
            file.write(Told(t_ns=t_ns, text=text).model_dump_json().encode() + b"\n")
    except OSError as error:
        raise from_os_error(error, path) from None


def read_told(folder: Path) -> list[Told]:
    """What was written down, in the order of time; lines that a crash tore are left out."""
    path = folder / NAME
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        raise from_os_error(error, path) from None
    found = []
    for line in lines:
        try:
            found.append(Told.model_validate_json(line))
        except ValidationError:
            continue
    return sorted(found, key=lambda told: told.t_ns)


def to_spans(told: Sequence[Told], session_id: str, author: str, clock: FrameClock) -> list[Edit]:
    """Instruction spans, each from the first frame at or after its instant to where the next begins, or the end."""
    starts = [int(np.searchsorted(clock.t_ns, one.t_ns)) for one in told]
    stops = [*starts[1:], len(clock)]
    return [
        Edit(
            id=one.id, session_id=session_id, entity_id=one.entity_id, kind=LabelKind.INSTRUCTION, start=start,
            stop=stop, value=one.text, author=author, source=SOURCE, at=one.at,
        )
        for one, start, stop in zip(told, starts, stops, strict=False)
        if one.text and start < stop
    ]  # fmt: skip


def settle_told(folder: Path, session_id: str, author: str, clock: FrameClock) -> None:
    """Puts what was told into the folder's annotations, and forgets the instants. Raises DiskFull, StoreReadOnly."""
    path = folder / NAME
    if not path.exists():
        return
    if edits := to_spans(read_told(folder), session_id, author, clock):
        append_to_mirror(folder, edits)
    try:
        path.unlink()
    except OSError as error:
        raise from_os_error(error, path) from None
