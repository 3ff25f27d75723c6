"""The timeline under the hand: zoom, pan, scrub, and label spans made, moved, resized and written in place.

Wheel zooms around the cursor, Shift+wheel or a horizontal wheel pans, the middle button drags the view. A drag on empty
ground of a label row creates a span, a drag of a span moves it, of its edge resizes it; so it is with the presses of a
key's lane, where a double click adds one. Shift while dragging turns snapping off. Every change is a command of `Editing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QWidget

from annotator.model.document import Span
from annotator.model.edits.commands import Command, CreateSpan
from annotator.model.timeline.axis import Axis
from annotator.model.timeline.heat import Heat, HeatLane
from annotator.ui.annotate.editing import FLAGS, Editing
from annotator.ui.timeline.gesture import DRAG_PX, EDGE_PX, Drag, Grip, Hit, hit
from annotator.ui.timeline.key_lane_hand import KeyLaneHand, is_end
from annotator.ui.timeline.press_gesture import Press, PressHit
from annotator.ui.timeline.rows import KEY_PX, Row, RowKind, header_px, ruler_px
from annotator.ui.timeline.span_editor import Offer, SpanEditor
from annotator.ui.timeline.span_painter import LEAST_PX, span_rect
from annotator.ui.timeline.timeline_view import TimelineView
from annotator.ui.timeline.tips import heat_tip, press_tip, span_tip
from db.labelling.labels import LabelKind, new_id

ZOOM_STEP = 1.25
_WRITTEN = (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.COMMENT)
"""Spans whose text a person types."""


@dataclass
class Held:
    """A label row's drag under way."""

    drag: Drag
    row: Row
    press_x: float
    command: Command | None = None
    """What letting go would do; None before the mouse has really moved."""


class Timeline(TimelineView):
    """A TimelineView that can be worked on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = SpanEditor(self.viewport())
        self.editor.committed.connect(self._on_text)
        self.verticalScrollBar().valueChanged.connect(self._place_editor)
        self._held: Held | None = None
        self._hand: KeyLaneHand | None = None
        self._comment: tuple[str, int, int] | None = None
        """The id and the frames of a comment that is being typed and is not there yet."""
        self._told_about: Span | Press | tuple[Heat, HeatLane, int] | None = None
        self._scrubs = False
        self._pan_from: QPointF | None = None

    def show_editing(self, editing: Editing | None) -> None:
        self.editor.finish()
        self.editor.drop()
        self._held = None
        self._hand = KeyLaneHand(editing) if editing else None
        super().show_editing(editing)
        if editing is not None:
            editing.text_wanted.connect(self.edit_text)
            editing.comment_wanted.connect(self.ask_comment)

    def set_axis(self, axis: Axis) -> None:
        super().set_axis(axis)
        self._place_editor()

    def edit_text(self, entity_id: str, typed: str | None = None) -> None:
        """Opens the text field on a span; typed: what stands in it, where that is not what the span says."""
        span = self.editing.find(entity_id) if self.editing else None
        if span is None or span.kind not in _WRITTEN:
            return
        self.editor.finish()
        self.set_axis(self.axis.showing(span.start, min(span.stop, span.start + self.axis.span * 0.8)))
        self.editor.open(entity_id, span.value, self._span_area(span), self._offer(span.kind))
        self.editing.conflicts.begin_typing(entity_id)
        if typed is not None:
            self.editor.put_back(typed)

    def ask_comment(self, start: int, stop: int, typed: str | None = None) -> None:
        """Opens the text field for a comment on the frames [start, stop), which is made once it has words."""
        self.editor.finish()
        self.set_axis(self.axis.showing(start, min(stop, start + self.axis.span * 0.8)))
        self._comment = new_id(), start, stop
        area, offer = self._comment_area(start, stop), self._offer(LabelKind.COMMENT)
        self.editor.open(self._comment[0], "", area, offer, "What is to be said about these frames")
        if typed is not None:
            self.editor.put_back(typed)

    @property
    def comment_asked(self) -> tuple[int, int] | None:
        """The frames [start, stop) of the comment that is being typed."""
        return self._comment[1:] if self._comment and self._comment[0] == self.editor.entity_id else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_editor()

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.editing is None:
            return
        self.editor.finish()
        x, y = event.position().x() - header_px(), event.position().y()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = event.position()
            return
        if event.button() != Qt.MouseButton.LeftButton or x < 0:
            return
        row, lane = self._label_row(y), self._key_row(y)
        if lane is not None and lane.key is not None and self._hand and self._hand.grasp(lane.key.code, self.axis, x):
            return
        found = self._hit(row, x) if row else None
        if row is None or (found is None and row.makes is None):  # only models suggest
            self._scrubs = True
            self._scrub(x)
            return
        kind = row.makes or row.suggests or LabelKind.INSTRUCTION
        value = found.span.value if found else (row.word or FLAGS[0]) if kind is LabelKind.FLAG else ""
        drag = Drag(
            self.editing.document,
            kind,
            value,
            self.axis.position(x),
            found.span if found else None,
            found.grip if found else Grip.BODY,
        )
        self._held = Held(drag, row, x)
        if found:
            self.editing.select(found.span.entity_id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.editing is None:
            return
        x = event.position().x() - header_px()
        if self._pan_from is not None:
            self.set_axis(self.axis.panned((self._pan_from.x() - event.position().x()) / self.axis.px_per_frame))
            self._pan_from = event.position()
        elif self._scrubs:
            self._scrub(x)
        elif self._hand is not None and self._hand.is_holding:
            snaps = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._hand.drag(self.axis, x, self._snap_targets(None) if snaps else ())
            self.viewport().update()
        elif self._held is not None:
            self._drag_to(x, event)
        else:
            self._hover(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        held, self._held = self._held, None
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = None
        self._scrubs = False
        if self._hand is not None:
            self._hand.release()
        if held is None or self.editing is None:
            return
        if isinstance(held.command, CreateSpan) and held.command.kind is LabelKind.COMMENT:
            self.ask_comment(held.command.start, held.command.stop)
        elif held.command is not None:
            fresh = self.editing.perform(held.command)
            if fresh and isinstance(held.command, CreateSpan):
                self.edit_text(fresh)
        elif held.drag.span is None:
            self.editing.select("")
            self._scrub(event.position().x() - header_px())
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        x, y = event.position().x() - header_px(), event.position().y()
        row, lane = self._label_row(y), self._key_row(y)
        found = self._hit(row, x) if row else None
        if found:
            self.edit_text(found.span.entity_id)
        elif lane is not None and lane.key is not None and self._hand and x >= 0:
            self._hand.add(lane.key.code, self.axis, x)
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.editing is None:
            return
        x, delta = event.position().x() - header_px(), event.angleDelta()
        sideways = delta.x() or (delta.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self.set_axis(self.axis.panned(-sideways / 120 * self.axis.span * 0.1))
        elif x < 0 or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() - round(delta.y() / 120 * KEY_PX * 2))
        else:
            self.set_axis(self.axis.zoomed(ZOOM_STEP ** (delta.y() / 120), x))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered = ""
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and (self._held is not None or (self._hand and self._hand.is_holding)):
            self._held = None
            if self._hand:
                self._hand.let_go()
            self.viewport().update()
            return
        event.ignore()

    # Inside

    def _preview(self, row: Row) -> tuple[Span | None, int, int, str] | None:
        held = self._held
        if held is None or held.command is None or row != held.row:
            return None
        stretch = held.drag.preview(held.command)
        return (held.drag.span, *stretch, held.drag.value) if stretch else None

    def _is_busy(self) -> bool:
        is_held = self._held is not None or (self._hand is not None and self._hand.is_holding)
        return is_held or self._scrubs or self.editor.is_open

    def _press_shown(self) -> Press | None:
        return self._hand.shown() if self._hand else None

    def _key_row(self, y: float) -> Row | None:
        """The key's row at a place of the viewport."""
        return self.rows.key_at(y - self._signals_top) if y >= self._labels_end else None

    def _label_row(self, y: float) -> Row | None:
        """The label row at a place of the viewport."""
        return self.rows.label_at(y + self._shift) if y >= ruler_px() else None

    def _place_editor(self) -> None:
        """Keeps an open text field on its span, wherever the view has gone."""
        if self.editor.is_open and self.editing is not None:
            span = self.editing.find(self.editor.entity_id)
            if span is not None:
                self.editor.place(self._span_area(span))
            elif self._comment and self._comment[0] == self.editor.entity_id:
                self.editor.place(self._comment_area(*self._comment[1:]))

    def _span_area(self, span: Span) -> QRectF:
        assert self.editing is not None
        row = next(row for row in self.rows.labels if span in row.lane)
        return span_rect(self.axis, row, span.start, span.stop).translated(header_px(), -self._shift)

    def _comment_area(self, start: int, stop: int) -> QRectF:
        """Over the row of comments, or where it will be."""
        rows = self.rows.labels
        row = next((row for row in rows if row.kind is RowKind.COMMENT), rows[-1])
        return span_rect(self.axis, row, start, stop).translated(header_px(), -self._shift)

    def _drag_to(self, x: float, event: QMouseEvent) -> None:
        held = self._held
        assert held is not None
        if held.command is None and abs(x - held.press_x) < DRAG_PX:
            return
        snaps = not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        held.command = held.drag.command(self.axis, x, self._snap_targets(held.drag.span), snaps=snaps)
        self.viewport().update()

    def _snap_targets(self, dragged: Span | None) -> list[int]:
        """Both sides of the playhead, the marks, and the edges of the other spans."""
        assert self.editing is not None
        frame, marks = self._playhead(), self.editing.marks
        targets = [frame, frame + 1, *(edge for edge in (marks.start, marks.stop) if edge is not None)]
        for span in self.editing.document.spans():
            if dragged is None or span.entity_id != dragged.entity_id:
                targets += [span.start, span.stop]
        return targets

    def _hover(self, event: QMouseEvent) -> None:
        x, y = event.position().x() - header_px(), event.position().y()
        row, lane = self._label_row(y), self._key_row(y)
        found = self._hit(row, x) if row and x >= 0 else None
        press = self._hand.find(lane.key.code, self.axis, x) if lane and lane.key and self._hand and x >= 0 else None
        shape = Qt.CursorShape.ArrowCursor
        if press:
            shape = Qt.CursorShape.SizeHorCursor if is_end(press) else Qt.CursorShape.OpenHandCursor
        elif found:
            shape = Qt.CursorShape.OpenHandCursor if found.grip is Grip.BODY else Qt.CursorShape.SizeHorCursor
        elif row and x >= 0 and row.makes:
            shape = Qt.CursorShape.CrossCursor
        self.viewport().setCursor(shape)
        hovered = found.span.entity_id if found else ""
        if hovered != self.hovered:
            self.hovered = hovered
            self.viewport().update()
        heat = self.editing.doubting.heat if row is not None and row.heat is not None and x >= 0 else None
        self._tell(found, press, (heat, heat.lane, heat.lane.at(self.axis.frame(x))) if heat else None)

    def _tell(self, found: Hit | None, press: PressHit | None, heat: tuple[Heat, HeatLane, int] | None) -> None:
        """The tool tip of what is under the mouse, made when that is another thing than before."""
        assert self.editing is not None
        about = found.span if found else press.press if press else heat
        if about == self._told_about:
            return
        self._told_about = about
        if isinstance(about, Span):
            self.viewport().setToolTip(span_tip(self.editing.document, about))
        elif isinstance(about, tuple):
            self.viewport().setToolTip(heat_tip(self.editing.document, about[0], about[2]))
        else:
            self.viewport().setToolTip(press_tip(self.editing.inputs, about) if about else "")

    def _hit(self, row: Row, x: float) -> Hit | None:
        assert self.editing is not None
        near = row.lane.visible(self.axis.position(x - EDGE_PX - LEAST_PX), self.axis.position(x + EDGE_PX))
        return hit(row.lane.spans[near], self.axis, x, self.editing.selection)

    def _scrub(self, x: float) -> None:
        assert self.editing is not None
        self.editing.player.pause()
        self.editing.player.seek(self.axis.frame(x))

    def _offer(self, kind: LabelKind) -> Offer:
        """What is offered while one types a label of this kind."""
        assert self.editing is not None
        self.editing.phrases.refresh()
        return partial(self.editing.phrases.matches, kind)

    def _on_changed(self, entities: frozenset[str]) -> None:
        super()._on_changed(entities)
        self._place_editor()

    def _on_text(self, entity_id: str, text: str) -> None:
        """Stores what was typed; where nothing can be stored now, it stays in the field."""
        editing, comment = self.editing, self._comment
        if editing is None:
            return
        if comment is None or comment[0] != entity_id:
            is_stored = editing.set_value(entity_id, text)
        else:
            is_stored = not text.strip() or editing.marking.add_comment(*comment[1:], text)
        if not is_stored and editing.is_stuck:
            self.editor.reopen(entity_id, text)
            return
        self._comment = None
        self.setFocus()
        if self.editor.was_entered:
            editing.marking.play_on()
