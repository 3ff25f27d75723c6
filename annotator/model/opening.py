"""Everything that is read of a session before it can be shown. Qt-free and slow for a long one: for a thread of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from annotator.model.document import Document
from annotator.model.edits.comparison import Begun, begin
from annotator.model.edits.history import History
from annotator.model.library.seat import Role, Seat
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.label_lanes import LabelLanes
from db.clock import Int64
from db.library.catalogue import SessionSummary
from db.recording.reader import Recording
from db.store import Store


@dataclass(frozen=True)
class Opened:
    """A session as it was read, with its lanes built."""

    summary: SessionSummary
    recording: Recording
    document: Document
    inputs: Inputs
    labels: LabelLanes
    seat: Seat = field(default_factory=Seat)
    begun: Begun | None = None
    """Where two readings are compared: how they were before."""
    history: History | None = None
    """What the author can undo, as the log tells; None where nobody has read that yet."""

    @property
    def keyframes(self) -> Int64:
        """The frames that can be decoded alone, ascending; the first one always."""
        return np.union1d(np.flatnonzero(self.recording.frames["keyframe"]), [0]).astype(np.int64)

    def strip_folder(self, cache_dir: Path) -> Path:
        """Where pictures of these frames are kept; it goes with everything else that was made of the session."""
        meta = self.recording.meta
        return cache_dir / "strips" / f"{meta.id}-{meta.revision}"


def read_session(store: Store, session_id: str, author: str, seat: Seat | None = None) -> Opened:
    """seat: as what the author sits at it. Raises the errors of `Store.recording` and of reading it.

    The document goes on with `store` until it is told to `use` another, so one that was read in a thread can be handed on.
    """
    seat = seat or Seat()
    recording = store.recording(session_id)
    document = Document(seat.log(store), session_id, author, recording.clock)
    inputs = Inputs(recording.facts, document)
    inputs.prepare()
    labels = LabelLanes(document)
    labels.prepare()
    begun = begin(store.edits(session_id), len(recording.clock)) if seat.role is Role.COMPARE else None
    return Opened(store.summary(session_id), recording, document, inputs, labels, seat, begun, History(document))
