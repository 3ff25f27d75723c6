"""One session being edited: document, undo, player, marks and selection, and what the hands can do with them.

The views (timeline, table, picture) show this and call it; every change goes through `do`.
"""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

from annotator.model.document import Delta, Document, Span, note_id
from annotator.model.edits.commands import (
    ChangeReview,
    Command,
    CreateSpan,
    DeleteSpan,
    EditValue,
    MoveSpan,
    ResizeSpan,
    SplitSpan,
    WriteNote,
    clean,
    stored_note,
)
from annotator.model.edits.edge_commands import CopyText, Edge, MergeNext, SetEdge, SnapEdge, StretchEdges
from annotator.model.edits.history import Collision, History
from annotator.model.edits.marks import Marks
from annotator.model.edits.reopening import TRAINED_ON
from annotator.model.edits.trimming import IN_THE_WAY, SHORTENED, gives_way
from annotator.model.opening import Opened, read_session
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.label_lanes import LabelLanes
from annotator.model.timeline.navigation import next_span, next_stop, previous_span, previous_stop
from annotator.ui.annotate.comments import Comments
from annotator.ui.annotate.comparing import Comparing
from annotator.ui.annotate.conflicts import Conflicts
from annotator.ui.annotate.doubting import Doubting
from annotator.ui.annotate.marking import Marking
from annotator.ui.annotate.phrases import Phrases
from annotator.ui.annotate.presses import Presses
from annotator.ui.annotate.suggesting import Suggesting
from annotator.ui.timeline.gesture import Grip
from annotator.ui.watch.key_pictures import KeyPictures
from annotator.ui.watch.player import Player
from annotator.ui.watch.proxying import Proxying
from db.clock import Int64
from db.errors import BadFile, DiskFull, NotFound, PlaytapeError, StoreLocked, StoreReadOnly
from db.labelling.labels import Flag, LabelKind, Review
from db.recording.reader import Recording
from db.settings import read_settings
from db.store import Store

FLAGS = tuple(flag.value for flag in Flag)


class Editing(QObject):
    """Owns the player of its session; `close` ends it. One per opened session."""

    changed = pyqtSignal(frozenset)
    """Ids of the entities that changed, whoever changed them."""
    saved = pyqtSignal(str)
    """After each commit: what was done."""
    refused = pyqtSignal(str)
    """A sentence for the person: nothing was changed."""
    selected = pyqtSignal(str)
    """The id of the selected span, "" for none."""
    marks_changed = pyqtSignal()
    """The marks, or what a held key is marking."""
    told = pyqtSignal(str)
    """A quiet word on what became of an edit."""
    reopened = pyqtSignal()
    """The session was accepted, and what this person just did sent it back to be reviewed."""
    text_wanted = pyqtSignal(str)
    """Somebody should let the person type the text of this span."""
    comment_wanted = pyqtSignal(int, int)
    """Somebody should let the person type a comment on the frames [start, stop)."""

    def __init__(
        self, store: Store, session_id: str, author: str, parent: QObject | None = None, opened: Opened | None = None
    ) -> None:
        """opened: the session where it has been read already. Raises the errors of `read_session`."""
        super().__init__(parent)
        opened = opened or read_session(store, session_id, author)
        self.recording: Recording = opened.recording
        self.session_id, self._root = session_id, store.root
        self.document: Document = opened.document
        self.seat, self.begun = opened.seat, opened.begun
        self.document.use(self.seat.log(store))
        self.history = opened.history or History(self.document)
        self.inputs: Inputs = opened.inputs
        self.labels: LabelLanes = opened.labels
        self.proxying = Proxying(self._root, self.recording, self)
        self.player = Player(self.recording.clock, self.recording.video, draft=self.proxying.proxy, parent=self)
        self.player.displayed.connect(self.proxying.look_at)
        self.player.displayed.connect(self._on_first_picture)
        self.player.failed.connect(self.refused)
        self.keyframes: Int64 = opened.keyframes
        self.pictures = KeyPictures(
            self.recording.video,
            self.recording.meta.size_px,
            opened.strip_folder(store.cache_dir),
            self,
            draft=self.proxying.proxy,
        )
        self.selection = ""
        self._is_stopped = False
        self.is_stuck = False
        """Whether the last command failed since nothing can be stored now; what was typed is kept then."""
        self.phrases = Phrases(self, store)
        self.marking = Marking(self)
        self.presses = Presses(self)
        self.suggesting = Suggesting(self, self._root)
        self.comparing, self.comments = Comparing(self), Comments(self)
        self.conflicts = Conflicts(self, store)
        self.doubting = Doubting(self, self._root, store.cache_dir)
        self._unsubscribe = self.document.subscribe(self._on_changed)

    @property
    def marks(self) -> Marks:
        return self.marking.marks

    @property
    def frame(self) -> int:
        """The displayed frame, to which every label binds."""
        return max(self.player.index, 0)

    @property
    def selected_span(self) -> Span | None:
        return self.find(self.selection)

    @property
    def stretch(self) -> tuple[int, int] | None:
        """The frames [start, stop) to work on: between the marks, else the selected span's; None without either."""
        span = self.selected_span
        return self.marks.stretch or ((span.start, span.stop) if span else None)

    def find(self, entity_id: str) -> Span | None:
        """The span with this id, None where there is none any more."""
        try:
            return self.document.span(entity_id) if entity_id else None
        except NotFound:
            return None

    @property
    def is_ended(self) -> bool:
        """Whether `close` would not have to wait."""
        return self.player.is_ended and self.proxying.is_ended and not self.pictures.isRunning()

    def stop(self) -> None:
        """Begins to close: nothing is shown or told any more."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._unsubscribe()
        self.pictures.stop()
        self.player.stop()
        self.proxying.halt()
        self.conflicts.close()
        self.suggesting.close()
        self.doubting.close()
        self.phrases.close()

    def close(self) -> None:
        """Ends what works for it, and waits for that; nothing after the first time."""
        self.stop()
        self.player.close()
        self.proxying.close()
        self.pictures.close()

    # Changing

    def do(self, command: Command, seen: dict[str, str] | None = None) -> tuple[Delta, ...]:
        """Commits a command; what the user's world refuses is told by `refused`, and () returned.

        seen: as for `History.do`. What somebody else was quicker to change is kept in `conflicts`.
        """
        was = self.document.review
        try:
            deltas = self.history.do(command, seen)
        except Collision as collision:
            self.is_stuck = False
            self.conflicts.take(collision)
            return ()
        except PlaytapeError as error:
            self.is_stuck = isinstance(error, DiskFull | StoreReadOnly | StoreLocked | BadFile)
            self.refused.emit(str(error))
            return ()
        self.is_stuck = False
        gave_way = gives_way(command, deltas, self.document.frame_count)
        if deltas:
            self.saved.emit(f"{command.name}, {SHORTENED}" if gave_way else command.name)
            self._tell_reopened(was, deltas)
        elif gave_way:
            self.told.emit(IN_THE_WAY)
        return deltas

    def create(self, kind: LabelKind, start: int, stop: int, value: str = "", anchor: int | None = None) -> str:
        """A new, selected span; returns its id, "" where it was refused."""
        return self.perform(CreateSpan(kind, start, stop, value, anchor))

    def perform(self, command: Command) -> str:
        """As `do`, and selects a span that the command created or changed; returns its id or ""."""
        deltas = self.do(command)
        if not deltas:
            return ""
        self.select(deltas[0].entity_id)
        return deltas[0].entity_id

    def undo(self) -> None:
        self._travel(forward=False)

    def redo(self) -> None:
        self._travel(forward=True)

    def _travel(self, *, forward: bool) -> None:
        was = self.document.review
        try:
            step = self.history.redo() if forward else self.history.undo()
        except PlaytapeError as error:
            self.refused.emit(str(error))
            return
        if step is not None:
            self.saved.emit(f"{'redid' if forward else 'took back'}: {step.name}")
            self._reselect(step.deltas)
            self._tell_reopened(was, step.deltas)

    def _tell_reopened(self, was: Review, deltas: tuple[Delta, ...]) -> None:
        is_back = was is Review.ACCEPTED and self.document.review is Review.LABELLED
        if is_back and any(delta.after.kind in TRAINED_ON for delta in deltas):
            self.reopened.emit()

    def set_review(self, review: Review) -> bool:
        """Returns whether the session is in that state now; the library's rule on accepting is kept."""
        try:
            rule = read_settings(self._root).no_self_accept
        except PlaytapeError as error:
            self.refused.emit(str(error))
            return False
        self.do(ChangeReview(review, no_self_accept=rule))
        return self.document.review is review

    def write_note(self, target_id: str, text: str) -> bool:
        """Returns whether the note says that now."""
        self.do(WriteNote(target_id, text), self.conflicts.end_typing(note_id(target_id)))
        return self.document.note(target_id) == stored_note(text)

    def set_value(self, entity_id: str, value: str) -> bool:
        """Returns whether the span says that now."""
        self.do(EditValue(entity_id, value), self.conflicts.end_typing(entity_id))
        span = self.find(entity_id)
        return span is not None and span.value == clean(value)

    # The selected span, or the selected press

    def select(self, entity_id: str) -> None:
        if entity_id:
            self.presses.forget()
        if entity_id != self.selection:
            self.selection = entity_id
            self.selected.emit(entity_id)

    def select_next(self) -> None:
        self.go_to(next_span(self.document.spans(), self.frame, self.selection))

    def select_previous(self) -> None:
        self.go_to(previous_span(self.document.spans(), self.frame, self.selection))

    def delete(self) -> None:
        """Removes the selected press, else the selected span; a suggestion is rejected with that."""
        if self.presses.selected:
            self.presses.remove()
            return
        span = self._wanted("delete")
        if span and self.do(DeleteSpan(span.entity_id)):
            self.select("")

    def split(self) -> None:
        span = self._wanted("split")
        if span:
            self.do(SplitSpan(span.entity_id, self.frame))

    def merge(self) -> None:
        span = self._wanted("merge")
        if span:
            self.do(MergeNext(span.entity_id))

    def copy_text(self) -> None:
        """The selected span says what the one before it says."""
        span = self._wanted("fill")
        if span:
            self.do(CopyText(span.entity_id))

    def nudge(self, grip: Grip, frames: int) -> None:
        """An end, or all of the selected press or span, by so many frames; a run of them is one step of undo."""
        if self.presses.selected:
            self.presses.nudge(grip, frames)
            return
        span = self._wanted("move" if grip is Grip.BODY else "change")
        if span is None:
            return
        key = f"{grip.name} of {span.entity_id}"
        if grip is Grip.BODY:
            self.do(MoveSpan(span.entity_id, span.start + frames, key))
        elif grip is Grip.START:
            self.do(ResizeSpan(span.entity_id, min(span.start + frames, span.stop - 1), span.stop, key))
        else:
            self.do(ResizeSpan(span.entity_id, span.start, max(span.stop + frames, span.start + 1), key))

    def set_edge(self, edge: Edge) -> None:
        """The selected press or span starts with the displayed frame, or ends with it, which it includes."""
        if self.presses.selected:
            self.presses.set_here(Grip.START if edge == "start" else Grip.STOP)
            return
        span = self._wanted("change")
        if span:
            self.do(SetEdge(span.entity_id, edge, self.frame))

    def snap_edge(self, edge: Edge) -> None:
        """The edge of the selected span to the nearest key press or release, or neighbour."""
        span = self._wanted("snap")
        if span:
            self.do(SnapEdge(span.entity_id, edge, self.inputs.snap_edges()))

    def stretch_edge(self, edge: Edge) -> None:
        """The edge that the selected span shares with its neighbour to the playhead, for both."""
        span = self._wanted("stretch")
        if span:
            self.do(StretchEdges(span.entity_id, edge, self.frame + (edge == "stop")))

    def escape(self) -> None:
        """Forgets what a held key is marking; else the marks; where there are none, the selected press or span."""
        if self.marking.cancel_hold() or self.marking.forget_marks():
            return
        if self.presses.selected:
            self.presses.forget()
        else:
            self.select("")

    # Going places

    def go_to_press(self, direction: int) -> None:
        """To the next or the previous frame in which a key or button was pressed."""
        stops = self.inputs.press_frames
        found = next_stop(stops, self.frame) if direction > 0 else previous_stop(stops, self.frame)
        if found is None:
            self.refused.emit(f"No key was pressed {'after' if direction > 0 else 'before'} this frame.")
        else:
            self.player.pause()
            self.player.seek(found)

    def go_to(self, span: Span | None) -> None:
        """Selects a span and shows its first frame."""
        if span is None:
            self.refused.emit("There is no further span that way.")
            return
        self.select(span.entity_id)
        self.player.pause()
        self.player.seek(span.start)

    def _wanted(self, doing: str) -> Span | None:
        span = self.selected_span
        if span is None:
            self.refused.emit(f"Select the span to {doing} first: click it, or press Tab.")
        return span

    def _reselect(self, deltas: tuple[Delta, ...]) -> None:
        for delta in deltas:
            span = self.find(delta.entity_id)
            if span and span.kind is not LabelKind.ACTION:  # there the press stays selected
                self.select(delta.entity_id)
                return

    def _on_first_picture(self) -> None:
        """The process beside starts when there is something to see: it would hold that up."""
        self.player.displayed.disconnect(self._on_first_picture)
        self.proxying.start()

    def _on_changed(self, entities: frozenset[str]) -> None:
        if self.selection in entities and self.selected_span is None:
            self.select("")
        self.presses.follow()
        self.doubting.follow()
        self.changed.emit(entities)
