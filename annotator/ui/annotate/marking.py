"""What makes labels of one session: in and out marks, flags, instructions, and keys that mark while they are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from annotator.model.document import Span
from annotator.model.edits.commands import CreateSpan, ResizeSpan
from annotator.model.edits.marks import Marks
from annotator.model.edits.session_commands import AddComment
from annotator.model.timeline.navigation import second_away
from annotator.ui.annotate.spilled_text import SpilledText
from db.labelling.labels import LabelKind

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing

NEW_SPAN_S = 2.0


@dataclass(frozen=True)
class Held:
    """What a key marks that is held: a span of this kind and value from `frame` on, which was displayed when it went down."""

    kind: LabelKind
    value: str
    frame: int


@dataclass(frozen=True)
class Growing:
    """A label over the frames [start, stop) that is not stored so far, but shown."""

    kind: LabelKind
    value: str
    start: int
    stop: int


class Marking(QObject):
    """Part of an Editing, whose `marks_changed` tells of its changes; every label is a command of it."""

    def __init__(self, editing: Editing) -> None:
        super().__init__(editing)
        self._editing = editing
        self.marks = Marks()
        self.held: Held | None = None
        self._paused: tuple[int, float] | None = None  # the frame and the speed at which a text was asked for
        self._spilled = SpilledText(self)
        self._running_flags: dict[str, str] = {}  # word -> the span that the flag's key began

    # Marks

    def mark_in(self) -> None:
        self._set_marks(self.marks.with_in(self._editing.frame))

    def mark_out(self) -> None:
        self._set_marks(self.marks.with_out(self._editing.frame))

    def forget_marks(self) -> bool:
        """Returns whether there were any."""
        had_any = self.marks != Marks()
        if had_any:
            self._set_marks(Marks())
        return had_any

    # New labels

    def write(self) -> None:
        """Enter: a new instruction over the marks where both are set, else the text of the selected span."""
        editing = self._editing
        if self.marks.stretch:
            self.add_instruction()
        elif editing.selected_span:
            editing.text_wanted.emit(editing.selection)
        else:
            editing.refused.emit("Select a span to edit its text, or set marks with I and O for a new instruction.")

    def add_instruction(self) -> None:
        """A new instruction over the marks, else over the next two seconds; its text is asked for."""
        stretch = self.marks.stretch or self._from(self._editing.frame)
        self._ask_text(self._editing.create(LabelKind.INSTRUCTION, *stretch, anchor=stretch[0]))

    def say(self, text: str, frame: int | None = None) -> None:
        """An instruction with this text over the marks, else the selected span says it, else the two seconds from here.

        While it plays, only a selected span under the playhead is meant. frame: what was displayed when the key went down.
        """
        editing, frame = self._editing, self._editing.frame if frame is None else frame
        span = editing.selected_span
        is_meant = span is not None and span.kind is LabelKind.INSTRUCTION
        if (
            span is not None
            and is_meant
            and self.marks.stretch is None
            and (not editing.player.is_playing or frame in span)
        ):
            editing.set_value(span.entity_id, text)
            return
        stretch = self.marks.stretch or self._from(frame)
        if editing.create(LabelKind.INSTRUCTION, *stretch, text, anchor=stretch[0]):
            self.forget_marks()

    def leave_out(self) -> None:
        """A trim over the marks, else over the selected span: training and export leave these frames out."""
        stretch = self._editing.stretch
        if stretch is None:
            self._editing.refused.emit("Set marks with I and O around what to leave out first, or select a span.")
        elif self._editing.create(LabelKind.TRIM, *stretch):
            self.forget_marks()

    def comment(self) -> None:
        """Asks for a comment on the marks, else on the selected span, else on the displayed frame."""
        frame = self._editing.frame
        self._editing.comment_wanted.emit(*(self._editing.stretch or (frame, frame + 1)))

    def add_comment(self, start: int, stop: int, text: str) -> bool:
        """Returns whether it is stored."""
        fresh = self._editing.perform(AddComment(start, stop, text))
        if fresh:
            self.forget_marks()
        return bool(fresh)

    # Flags

    def flag(self, word: str, frame: int | None = None) -> None:
        """A flag over the marks; without marks it starts at the displayed frame, and the same key ends it there.

        frame: what was displayed when the key went down, where that is not the present one.
        """
        editing, frame = self._editing, self._editing.frame if frame is None else frame
        if self.marks.stretch:
            if editing.create(LabelKind.FLAG, *self.marks.stretch, word):
                self.forget_marks()
            return
        running = self._running(word)
        if running is None:
            fresh = editing.create(LabelKind.FLAG, frame, frame + 1, word)
            if fresh:
                self._running_flags[word] = fresh
            return
        del self._running_flags[word]
        start, stop = sorted((running.start, frame))
        editing.perform(ResizeSpan(running.entity_id, start, max(stop + 1, running.stop)))

    def _running(self, word: str) -> Span | None:
        span = self._editing.find(self._running_flags.get(word, ""))
        if span is None:
            self._running_flags.pop(word, None)
        return span

    # Keys that are held

    def begin_hold(self, kind: LabelKind, value: str = "") -> None:
        """From the displayed frame on, until `end_hold`; nothing is stored before that."""
        self.held = Held(kind, value, self._editing.frame)
        self._editing.marks_changed.emit()

    def end_hold(self, frame: int | None = None) -> None:
        """A span over the frames from the one displayed at the beginning to `frame`, both included.

        frame: what was displayed when the key came up; by default what is displayed now.
        An instruction without words pauses until they are entered. A flag that its key had begun before goes on to here.
        """
        held, editing = self.held, self._editing
        if held is None:
            return
        frame = editing.frame if frame is None else frame
        if held.frame == frame and not held.value and not editing.player.is_playing:
            self.tap()
            return
        self.held = None
        start, stop = sorted((held.frame, frame))
        running = self._running(held.value) if held.kind is LabelKind.FLAG else None
        if running is not None:
            self.flag(held.value, frame)
        else:
            fresh = editing.perform(CreateSpan(held.kind, start, stop + 1, held.value, anchor=held.frame))
            if fresh and held.kind is LabelKind.INSTRUCTION and not held.value:
                speed = editing.player.speed
                editing.player.pause()
                self._paused = (editing.player.target, speed) if speed else None
                self._ask_text(fresh)
        editing.marks_changed.emit()

    def play_on(self) -> None:
        """A text was entered: where asking for it had stopped the player, it goes on from there."""
        paused, self._paused = self._paused, None
        if paused is not None and self._editing.player.target == paused[0] and not self._editing.player.is_playing:
            self._editing.player.play(paused[1])

    def tap(self) -> None:
        """The key was let go at once: what it does when it is only pressed, at the frame it was pressed on."""
        held, self.held = self.held, None
        if held is None:
            return
        if held.kind is LabelKind.FLAG:
            self.flag(held.value, held.frame)
        elif held.value:
            self.say(held.value, held.frame)
        else:
            self._editing.refused.emit("Hold the key while it plays; the instruction covers what is shown meanwhile.")
        self._editing.marks_changed.emit()

    def cancel_hold(self) -> bool:
        """Forgets what is being held; returns whether anything was."""
        had_any, self.held = self.held is not None, None
        if had_any:
            self._editing.marks_changed.emit()
        return had_any

    def growing(self) -> list[Growing]:
        """Labels that end at the displayed frame as yet: flags that their key has begun, and what is being held."""
        frame = self._editing.frame
        running = [span for word in list(self._running_flags) if (span := self._running(word))]
        shown = [Growing(s.kind, s.value, s.start, frame + 1) for s in running if frame >= s.stop]
        if self.held is not None:
            start, stop = sorted((self.held.frame, frame))
            shown.append(Growing(self.held.kind, self.held.value, start, stop + 1))
        return shown

    # Inside

    def _from(self, frame: int) -> tuple[int, int]:
        return frame, second_away(self._editing.document.clock, frame, NEW_SPAN_S) + 1

    def _ask_text(self, entity_id: str) -> None:
        if entity_id:
            self.forget_marks()
            self._editing.text_wanted.emit(entity_id)
        else:
            self._spilled.swallow()

    def _set_marks(self, marks: Marks) -> None:
        self.marks = marks
        self._editing.marks_changed.emit()
