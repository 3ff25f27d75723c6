"""The key lane that is worked in, the press selected there, and what the hands can do with recorded inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from annotator.model.edits.key_commands import AddPress, MovePress, RemovePress
from annotator.model.edits.motion_commands import ClearScroll, RestoreScroll, ScaleMotion
from annotator.model.timeline.axis import positions
from annotator.model.timeline.holds import index_at
from annotator.ui.keys.bindings import with_keys
from annotator.ui.timeline.gesture import Grip
from annotator.ui.timeline.press_gesture import Press, instant, moved

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing


class Presses(QObject):
    """Part of an Editing; every change is a command of it. A selected press and a selected span exclude each other."""

    changed = pyqtSignal()
    """Another lane, or another press is selected."""

    def __init__(self, editing: Editing) -> None:
        super().__init__(editing)
        self._editing, self._inputs = editing, editing.inputs
        self.code: int | None = None
        """The key whose lane is worked in."""
        self.selected: Press | None = None

    # Selecting

    def select(self, press: Press) -> None:
        self._editing.select("")
        self._show(press.code, press)

    def choose_lane(self, code: int) -> None:
        """Works in the key's lane from now on, with no press selected."""
        self._show(code, None)

    def choose_next_lane(self, step: int) -> None:
        """The lane below (1) or above (-1) the present one, in the order in which they are shown."""
        codes = self._inputs.codes
        if not codes:
            self._editing.refused.emit("No key was recorded or corrected in this session.")
            return
        first = 0 if step > 0 else len(codes) - 1
        at = codes.index(self.code) + step if self.code in codes else first
        self._show(codes[min(max(at, 0), len(codes) - 1)], None)

    def select_here(self) -> None:
        """The press under the playhead: in the lane that is worked in, else of the first key that is down."""
        frame = self._editing.frame
        own = [] if self.code is None else [self.code]
        for code in [*own, *self._inputs.active(frame)]:
            hold = self._inputs.hold_in(code, frame)
            if hold is not None:
                self.select(Press(code, *hold))
                return
        self._editing.refused.emit("No key is down at the playhead; press . to go to the next key press.")

    def forget(self) -> None:
        """Selects no press; the lane stays."""
        if self.selected is not None:
            self._show(self.code, None)

    def follow(self) -> None:
        """After a change of the document: the selected press as it is now, none where it is gone."""
        press = self.selected
        if press is None:
            return
        holds = self._inputs.holds(press.code)
        first = int(np.searchsorted(holds[:, 1], press.down_ns, "right"))
        found = first < len(holds) and holds[first, 0] < press.up_ns
        now = Press(press.code, int(holds[first, 0]), int(holds[first, 1])) if found else None
        if now != press:
            self._show(press.code, now)

    # Keys

    def add_here(self) -> None:
        """A press in the lane that is worked in: over the marks, else the selected span, else the displayed frame."""
        if self.code is None:
            self._editing.refused.emit(
                with_keys("Choose the key first: click its lane, or press {next_lane:Ctrl+Down}.")
            )
            return
        frame = self._editing.frame
        self.add(self.code, *(self._editing.stretch or (frame, frame + 1)))

    def add(self, code: int, start: int, stop: int) -> None:
        """A press over the frames [start, stop), which is selected then."""
        command = AddPress.over(self._inputs, code, start, stop)
        if self._editing.do(command):
            self._pick(code, command.down_ns)

    def remove(self) -> None:
        press = self.selected
        if press is not None and self._editing.do(RemovePress(self._inputs, press.code, press.down_ns)):
            self._show(press.code, None)

    def set_ends(self, grip: Grip, ends_ns: tuple[int, int], merge_key: str = "") -> None:
        """The selected press over [down_ns, up_ns), as `press_gesture.moved` gives it."""
        press = self.selected
        if press is None:
            return
        down_ns = None if grip is Grip.STOP else ends_ns[0]
        up_ns = None if grip is Grip.START else ends_ns[1]
        if self._editing.do(MovePress(self._inputs, press.code, press.down_ns, down_ns, up_ns, merge_key=merge_key)):
            self._pick(press.code, ends_ns[0])

    def set_here(self, grip: Grip) -> None:
        """The selected press starts with the displayed frame, or ends after it."""
        press, edges = self.selected, self._inputs.clock.edges_ns
        if press is not None:
            at_ns = int(edges[self._editing.frame + (grip is Grip.STOP)])
            self.set_ends(grip, moved(self._inputs, press, grip, at_ns))

    def nudge(self, grip: Grip, frames: int) -> None:
        """An end, or all of the selected press, by so many frames; a run of them is one step of undo."""
        press, edges = self.selected, self._inputs.clock.edges_ns
        if press is None:
            return
        at = positions(np.array([press.up_ns if grip is Grip.STOP else press.down_ns], np.int64), edges)
        ends_ns = moved(self._inputs, press, grip, instant(float(at[0]) + frames, edges))
        self.set_ends(grip, ends_ns, merge_key=f"{grip.name} of key {press.code}")

    # The mouse's motion

    def scale_motion(self, factor: float) -> None:
        """The motion recorded over the marks, or the selected span, times `factor`; 0 clears it, 1 gives it back."""
        stretch = self._wanted_stretch()
        if stretch:
            self._editing.do(ScaleMotion(*stretch, right=factor, down=factor))

    def clear_scroll(self) -> None:
        stretch = self._wanted_stretch()
        if stretch:
            self._editing.do(ClearScroll(*stretch))

    def restore_scroll(self) -> None:
        stretch = self._wanted_stretch()
        if stretch:
            self._editing.do(RestoreScroll(*stretch))

    def _wanted_stretch(self) -> tuple[int, int] | None:
        stretch = self._editing.stretch
        if stretch is None:
            self._editing.refused.emit("Set marks with I and O around the mouse motion first, or select a span.")
        return stretch

    def _pick(self, code: int, at_ns: int) -> None:
        """Selects the press that is down at an instant."""
        holds = self._inputs.holds(code)
        at = index_at(holds, at_ns)
        if at is not None:
            self.select(Press(code, int(holds[at, 0]), int(holds[at, 1])))

    def _show(self, code: int | None, press: Press | None) -> None:
        if (code, press) != (self.code, self.selected):
            self.code, self.selected = code, press
            self.changed.emit()
