"""What the mouse has hold of on the timeline, and the command that letting go would give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from math import floor

from annotator.model.document import Document, Span
from annotator.model.edits.commands import Command, CreateSpan, MoveSpan, ResizeSpan
from annotator.model.timeline.axis import Axis
from db.errors import PlaytapeError
from db.labelling.labels import LabelKind

EDGE_PX, SNAP_PX, DRAG_PX = 6, 6, 4


class Grip(Enum):
    BODY = auto()
    START = auto()
    STOP = auto()


@dataclass(frozen=True)
class Hit:
    """The span under the mouse and the part of it."""

    span: Span
    grip: Grip


def hit(spans: Iterable[Span], axis: Axis, x: float, selected: str = "") -> Hit | None:
    """The span at pixel `x` of a row. Edges reach EDGE_PX to both sides, less in narrow spans so that a body is left.

    Between two spans that touch, the selected one's edge wins, else the one on whose side the mouse is.
    """
    found: list[tuple[bool, float, Hit]] = []
    for span in spans:
        left, right = axis.x(span.start), max(axis.x(span.stop), axis.x(span.start) + 3)
        if not left - EDGE_PX <= x <= right + EDGE_PX:
            continue
        inside = min(EDGE_PX, (right - left) / 3)
        outside = max(left - x, x - right, 0.0)
        grip = Grip.START if x < left + inside else Grip.STOP if x > right - inside else Grip.BODY
        is_selected_edge = span.entity_id == selected and grip is not Grip.BODY
        found.append((not is_selected_edge, outside, Hit(span, grip)))
    return min(found, key=lambda entry: entry[:2])[2] if found else None


@dataclass
class Drag:
    """One drag, from press to release: creates a span where it began on empty ground, else moves or resizes one."""

    document: Document
    kind: LabelKind
    value: str
    press: float
    """The position (frames) where the mouse went down."""
    span: Span | None
    grip: Grip

    def command(self, axis: Axis, x: float, targets: Iterable[int], *, snaps: bool = True) -> Command:
        """What letting go at pixel `x` does; edges snap to `targets` (frame boundaries) within SNAP_PX."""
        if self.span is None:
            return self._creation(axis, x, targets if snaps else ())
        shift = axis.position(x) - self.press
        if self.grip is Grip.BODY:
            start = round(self.span.start + shift)
            return MoveSpan(self.span.entity_id, self._snap_body(axis, start, targets) if snaps else start)
        edge = self.span.start if self.grip is Grip.START else self.span.stop
        moved = snap(axis, edge + shift, targets if snaps else ())
        if self.grip is Grip.START:
            return ResizeSpan(self.span.entity_id, min(moved, self.span.stop - 1), self.span.stop)
        return ResizeSpan(self.span.entity_id, self.span.start, max(moved, self.span.start + 1))

    def preview(self, command: Command) -> tuple[int, int] | None:
        """Where the span would come to stand, neighbours considered; None where it would be refused."""
        try:
            deltas = command.plan(self.document)
        except PlaytapeError:
            return None
        if not deltas:
            return (self.span.start, self.span.stop) if self.span else None
        after = deltas[0].after
        assert after.start is not None
        assert after.stop is not None
        return after.start, after.stop

    def _creation(self, axis: Axis, x: float, targets: Iterable[int]) -> CreateSpan:
        held = list(targets)
        here, there = snap(axis, self.press, held), snap(axis, axis.position(x), held)
        start, stop = min(here, there), max(here, there)
        if start == stop:
            start = min(max(floor(self.press), 0), self.document.frame_count - 1)
            stop = start + 1
        return CreateSpan(self.kind, start, stop, self.value, anchor=floor(self.press))

    def _snap_body(self, axis: Axis, start: int, targets: Iterable[int]) -> int:
        assert self.span is not None
        length = len(self.span)
        held = list(targets)
        for edge, offset in ((start, 0), (start + length, length)):
            snapped = snap(axis, edge, held)
            if snapped != edge:
                return snapped - offset
        return start


def snap(axis: Axis, position: float, targets: Iterable[int]) -> int:
    """The frame boundary nearest to a position, or the nearest target within SNAP_PX of it."""
    near = min(targets, key=lambda target: abs(target - position), default=None)
    if near is not None and abs(near - position) * axis.px_per_frame <= SNAP_PX:
        return near
    return round(position)
