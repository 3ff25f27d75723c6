"""The mouse in the key lanes of the timeline: a click selects a press, a drag moves it or one of its ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from annotator.model.timeline.axis import Axis
from annotator.ui.annotate.editing import Editing
from annotator.ui.timeline.gesture import DRAG_PX, Grip
from annotator.ui.timeline.press_gesture import Press, PressDrag, PressHit, press_hit


@dataclass
class _Held:
    drag: PressDrag
    press_x: float
    ends_ns: tuple[int, int] | None = None
    """Where letting go would leave the press; None before the mouse has really moved."""


class KeyLaneHand:
    """Pixels count from the left end of the lanes. One per shown Editing."""

    def __init__(self, editing: Editing) -> None:
        self._editing = editing
        self._held: _Held | None = None

    @property
    def is_holding(self) -> bool:
        return self._held is not None

    def find(self, code: int, axis: Axis, x: float) -> PressHit | None:
        """The press at a pixel of the key's lane."""
        return press_hit(self._editing.inputs, code, axis, x, self._editing.presses.selected)

    def grasp(self, code: int, axis: Axis, x: float) -> bool:
        """Selects what is under the mouse and takes hold of it; on empty ground only the lane, and returns False."""
        found = self.find(code, axis, x)
        if found is None:
            self._editing.presses.choose_lane(code)
            return False
        # Held before it is selected: the view must not move under the mouse to show where the press begins.
        self._held = _Held(PressDrag(self._editing.inputs, found.press, found.grip, axis.position(x)), x)
        self._editing.presses.select(found.press)
        return True

    def drag(self, axis: Axis, x: float, targets: Iterable[int]) -> None:
        held = self._held
        if held is not None and (held.ends_ns is not None or abs(x - held.press_x) >= DRAG_PX):
            held.ends_ns = held.drag.ends(axis, x, targets)

    def release(self) -> None:
        held, self._held = self._held, None
        if held is not None and held.ends_ns is not None:
            self._editing.presses.set_ends(held.drag.grip, held.ends_ns)

    def let_go(self) -> None:
        """Leaves everything as it was."""
        self._held = None

    def add(self, code: int, axis: Axis, x: float) -> None:
        """A press where there is none: over the marks or the selected span where the mouse is in them, else in its frame."""
        if self.find(code, axis, x) is not None:
            return
        frame, stretch = axis.frame(x), self._editing.stretch
        inside = stretch is not None and stretch[0] <= frame < stretch[1]
        self._editing.presses.add(code, *(stretch if stretch and inside else (frame, frame + 1)))

    def shown(self) -> Press | None:
        """The selected press, where a drag would leave it."""
        selected, held = self._editing.presses.selected, self._held
        if held is None or held.ends_ns is None or selected is None:
            return selected
        return replace(selected, down_ns=held.ends_ns[0], up_ns=held.ends_ns[1])


def is_end(found: PressHit) -> bool:
    """Whether the mouse is on an end of the press, not on its body."""
    return found.grip is not Grip.BODY
