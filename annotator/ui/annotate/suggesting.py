"""Suggestions: rules look through the session in a thread of their own, and a person confirms or rejects what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, pyqtSignal

from annotator.model.document import Span
from annotator.model.edits.commands import Command, ConfirmSpan
from annotator.model.edits.suggesting import ConfirmAll, RejectAll, RejectSpan, Suggest, suggestions
from annotator.model.proposals import Proposal, measure, propose
from annotator.ui.errand import Errand
from annotator.ui.keys.bindings import with_keys
from db.labelling.labels import LabelKind, spans
from db.media.video import VideoReader
from db.recording.corrections import corrections_of
from db.store import Store

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing

MEASURED_PX = 64
"""The width at which pictures are compared."""

HOW = "{confirm:C} confirms, {reject_suggestion:X} rejects, {confirm_all:Ctrl+Shift+C} confirms all."
"""What to do with suggestions; for `with_keys`."""


class Suggesting(QObject):
    """Part of an Editing, and the owner of its errand; `close` ends that."""

    progressed = pyqtSignal(object, object)
    """(frames looked at, in all)"""
    ended = pyqtSignal(str)
    """A sentence: what was found."""
    source_changed = pyqtSignal()

    def __init__(self, editing: Editing, root: Path) -> None:
        super().__init__(editing)
        self.source = ""
        """Whose suggestions are gone through, confirmed and rejected; "" for all."""
        self._editing, self._root = editing, root
        self._errand: Errand | None = None

    @property
    def is_looking(self) -> bool:
        return self._errand is not None

    def propose(self) -> None:
        """Begins to look for idle, menu and loading stretches and for trims; does nothing while that is going on."""
        if self._errand is not None:
            return
        session_id = self._editing.session_id
        self._errand = Errand(self._root, lambda store, errand: look_through(store, session_id, errand), self)
        self._errand.progressed.connect(self.progressed)
        self._errand.ended.connect(self._on_ended)
        self._errand.failed.connect(self._on_failed)
        self._errand.start()

    def close(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.close()

    # What the person says to them

    def choose_source(self, source: str) -> None:
        """Works with the suggestions of one source from now on, of all with ""."""
        if source != self.source:
            self.source = source
            self.source_changed.emit()

    def choose_next_source(self) -> None:
        """From all to the first source, from there to the next, and round."""
        sources = ["", *sorted({span.source for span in suggestions(self._editing.document)})]
        at = sources.index(self.source) if self.source in sources else 0
        self.choose_source(sources[(at + 1) % len(sources)])

    def show_next(self) -> None:
        """Goes to the next suggestion, after the last one to the first."""
        self._go_on(self._editing.selected_span)

    def confirm(self) -> None:
        """Confirms the selected suggestion and goes to the next; with none selected, only goes there."""
        self._settle(ConfirmSpan)

    def reject(self) -> None:
        """Rejects the selected suggestion and goes to the next; with none selected, only goes there."""
        self._settle(RejectSpan)

    def confirm_all(self) -> None:
        self._settle_all(ConfirmAll(self.source), "confirmed")

    def reject_all(self) -> None:
        self._settle_all(RejectAll(self.source), "rejected")

    def _settle(self, command: type[ConfirmSpan] | type[RejectSpan]) -> None:
        span = self._editing.selected_span
        if span is None or not span.suggested:
            self.show_next()
        elif self._editing.do(command(span.entity_id)) and self._waiting():
            self._go_on(span)

    def _settle_all(self, command: Command, done: str) -> None:
        count = len(self._editing.do(command))
        if count:
            self.ended.emit(f"{_counted(count)} {done}; {with_keys('{undo:Ctrl+Z}')} takes that back.")
        elif not self._waiting():
            self._editing.refused.emit("There is no suggestion in this session.")
        else:
            self._editing.refused.emit("The suggestions that are left lie on frames that are taken.")

    def _go_on(self, span: Span | None) -> None:
        waiting = self._waiting()
        if not waiting:
            self._editing.refused.emit("There is no suggestion in this session.")
            return
        after = [s for s in waiting if span is not None and s > span]
        self._editing.go_to((after or waiting)[0])

    def _waiting(self) -> list[Span]:
        """Those of the chosen source; once it has none left, those of all."""
        found = suggestions(self._editing.document, self.source)
        if self.source and not found:
            self.choose_source("")
            found = suggestions(self._editing.document)
        return found

    # The errand

    def _on_ended(self, proposals: list[Proposal] | None) -> None:
        if self._errand is None or proposals is None:
            return
        self._end_errand()
        fresh = self._editing.do(Suggest(proposals))
        if fresh:
            self.ended.emit(f"{_counted(len(fresh))} found: {with_keys(HOW)}")
        else:
            self.ended.emit("Nothing new was found.")

    def _on_failed(self, text: str) -> None:
        if self._errand is not None:
            self._end_errand()
            self._editing.refused.emit(text)

    def _end_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.close()
            errand.deleteLater()


def look_through(store: Store, session_id: str, errand: Errand) -> list[Proposal] | None:
    """What the rules propose for a session, its corrections of actions considered; None where it was cancelled."""
    recording = store.recording(session_id)
    said = corrections_of(spans(store.edits(session_id), LabelKind.ACTION))
    reader = recording.video()
    try:
        pictures = measure(_small_pictures(reader, errand))
    finally:
        reader.close()
    if errand.is_cancelled():
        return None
    pictures = pictures.with_duplicates(recording.frames["duplicate"].astype(np.bool_))
    return propose(recording.resolve(corrections=said), pictures, recording.clock)


def _small_pictures(reader: VideoReader, errand: Errand) -> Iterator[NDArray[np.uint8]]:
    """Every frame in grey (h, MEASURED_PX), until the errand is cancelled."""
    total = len(reader)
    for index, frame in reader.decode(range(total)):
        if errand.is_cancelled():
            return
        height = max(round(MEASURED_PX * frame.height / frame.width), 1)
        yield frame.reformat(width=MEASURED_PX, height=height, format="gray").to_ndarray()
        errand.tell(index + 1, total)


def _counted(count: int) -> str:
    return f"{count} suggestion{'s' * (count != 1)}"
