"""Unfinished text: kept every second while one types, and put back when the session is opened after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Condition

from PyQt6.QtCore import QObject, QThread, QTimer, pyqtSignal

from annotator.model.edits.commands import clean, stored_note
from annotator.model.edits.disputes import kept
from annotator.ui.annotate.editing import Editing
from annotator.ui.annotate.note_field import NoteField
from annotator.ui.keys.bindings import with_keys
from annotator.ui.timeline.timeline import Timeline
from db.errors import PlaytapeError
from db.labelling.drafts import Draft, DraftFile
from db.labelling.labels import LabelKind

EVERY_MS = 1000
RESTORED = "Your unfinished text was restored; Enter stores it, Esc gives it up."
NOTE_RESTORED = "Your unfinished note stands in its field again; it is stored when you leave the field."
WAITING = "A change that you left for later waits to be settled ({conflicts:Ctrl+J})."


class Drafts(QObject):
    """Owned by the window: watches its text fields for the session that is shown. `close` lets go."""

    told = pyqtSignal(str)

    def __init__(self, root: Path, person: str, timeline: Timeline, note: NoteField, parent: QObject) -> None:
        super().__init__(parent)
        self._root, self._person = root, person
        self._timeline, self._note = timeline, note
        self._editing: Editing | None = None
        self._keeper: DraftKeeper | None = None
        self._kept: tuple[Draft, ...] = ()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.keep)
        timeline.editor.closed.connect(lambda: QTimer.singleShot(0, self.keep))

    def show_editing(self, editing: Editing | None) -> None:
        """Another session, or none; what could not be stored of the one before is kept for when it is opened again."""
        self.close()
        self._editing = editing
        if editing is not None:
            self._keeper = DraftKeeper(DraftFile(self._root, self._person, editing.session_id), self)
            self._keeper.found.connect(self._put_back)
            self._keeper.failed.connect(self.told)
            self._keeper.start()
            self._timer.start(EVERY_MS)

    def keep(self) -> None:
        """Hands over what stands in the fields now, where that has changed."""
        if self._keeper is None:
            return
        drafts = self._unfinished()
        if [(d.place, d.text) for d in drafts] != [(d.place, d.text) for d in self._kept]:
            self._kept = drafts
            self._keeper.keep(drafts)

    def close(self) -> None:
        """What stands in the fields now is the last that is kept."""
        self._timer.stop()
        self.keep()
        keeper, self._keeper, self._kept = self._keeper, None, ()
        if keeper is not None:
            keeper.found.disconnect(self._put_back)
            keeper.close()
            keeper.deleteLater()

    def _unfinished(self) -> tuple[Draft, ...]:
        editor, asked, drafts = self._timeline.editor, self._timeline.comment_asked, []
        if editor.unfinished is not None and asked is not None:
            drafts.append(Draft(field="comment", start=asked[0], stop=asked[1], text=editor.unfinished))
        elif editor.unfinished is not None:
            drafts.append(Draft(field="span", target_id=editor.entity_id, text=editor.unfinished))
        if (text := self._note.unfinished) is not None:
            drafts.append(Draft(field="note", target_id=self._note.target_id, text=text))
        if self._editing is not None:
            drafts += [Draft(field="change", text=kept(dispute)) for dispute in self._editing.conflicts.refused]
        return tuple(drafts)

    def _put_back(self, session_id: str, drafts: Sequence[Draft]) -> None:
        """The note first: the timeline's field, which takes the focus, would be left by it."""
        editing = self._editing
        if editing is None or editing.session_id != session_id:
            return
        self._kept = tuple(drafts)
        changes, texts = (
            [draft for draft in drafts if (draft.field == "change") is is_change] for is_change in (True, False)
        )
        if self._put_back_changes(editing, changes):
            self.told.emit(with_keys(WAITING))
        lost = [draft for draft in texts if self._is_gone(editing, draft)]
        left = [draft for draft in texts if draft not in lost and not _is_stored(editing, draft)]
        for draft in sorted(left, key=lambda draft: (draft.field != "note", draft.at)):
            if draft.field == "note":
                editing.select("" if draft.target_id == editing.session_id else draft.target_id)
                self._note.put_back(draft.text)
            elif draft.field == "comment" and draft.start is not None and draft.stop is not None:
                self._timeline.ask_comment(draft.start, draft.stop, draft.text)
            else:
                self._timeline.edit_text(draft.target_id, draft.text)
        if lost:
            self.told.emit(f"The label that this text was for is gone: {' / '.join(draft.text for draft in lost)}")
        elif left:
            self.told.emit(NOTE_RESTORED if all(draft.field == "note" for draft in left) else RESTORED)

    def _put_back_changes(self, editing: Editing, drafts: Sequence[Draft]) -> bool:
        """Whether any of them still is to be settled."""
        waiting = False
        for draft in drafts:
            try:
                waiting = editing.conflicts.put_back(draft.text) or waiting
            except PlaytapeError as error:
                self.told.emit(str(error))
        return waiting

    def _is_gone(self, editing: Editing, draft: Draft) -> bool:
        if draft.field == "comment":
            return draft.stop is None or draft.stop > editing.document.frame_count
        return draft.target_id != editing.session_id and editing.find(draft.target_id) is None


class DraftKeeper(QThread):
    """Writes drafts in a thread of its own; where they come faster than the disk, only the newest. `close` joins it."""

    found = pyqtSignal(str, object)
    """(session id, the drafts that windows left which are gone)"""
    failed = pyqtSignal(str)
    """Nothing can be kept now; said once."""

    def __init__(self, file: DraftFile, parent: QObject) -> None:
        super().__init__(parent)
        self._file = file
        self._changed = Condition()
        self._waiting: tuple[Draft, ...] | None = None
        self._closing = False

    def keep(self, drafts: tuple[Draft, ...]) -> None:
        with self._changed:
            self._waiting = drafts
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        kept: Sequence[Draft] = ()
        has_failed = False
        try:
            kept = self._file.take_over()
        except PlaytapeError as error:
            self.failed.emit(str(error))
        if kept:
            self.found.emit(self._file.session_id, kept)
        while (drafts := self._take()) is not None:
            kept = drafts
            try:
                self._file.write(drafts)
                has_failed = False
            except PlaytapeError as error:
                if not has_failed:
                    self.failed.emit(f"{error} What you are typing is not kept meanwhile.")
                has_failed = True
        self._file.close(keep=bool(kept))

    def _take(self) -> tuple[Draft, ...] | None:
        """The newest drafts, once there are other ones; None at the end."""
        with self._changed:
            while self._waiting is None and not self._closing:
                self._changed.wait()
            drafts, self._waiting = self._waiting, None
            return drafts


def _is_stored(editing: Editing, draft: Draft) -> bool:
    """Whether the text was committed after all, just before the end."""
    if draft.field == "note":
        return editing.document.note(draft.target_id) == stored_note(draft.text)
    text = clean(draft.text)
    if draft.field == "span":
        span = editing.find(draft.target_id)
        return span is not None and span.value == text
    comments = editing.document.spans(LabelKind.COMMENT)
    return any((span.start, span.stop, span.value) == (draft.start, draft.stop, text) for span in comments)
