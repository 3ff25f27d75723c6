"""What the mouse has hold of in a key's lane: a press, by its body or by one of its ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

import numpy as np

from annotator.model.edits.key_commands import LEAST_HOLD_NS
from annotator.model.timeline.axis import Axis, positions
from annotator.model.timeline.inputs import Inputs
from annotator.ui.timeline.gesture import EDGE_PX, SNAP_PX, Grip
from db.clock import Int64


@dataclass(frozen=True)
class Press:
    """One hold [down_ns, up_ns) of a key, as corrected."""

    code: int
    down_ns: int
    up_ns: int


@dataclass(frozen=True)
class PressHit:
    """The press under the mouse and the part of it."""

    press: Press
    grip: Grip


def instant(position: float, edges_ns: Int64) -> int:
    """The time at a position along the frames, clamped to the session: what `axis.positions` makes a position of."""
    last = len(edges_ns) - 2
    frame = min(max(floor(position), 0), last)
    share = min(max(position - frame, 0.0), 1.0)
    return int(edges_ns[frame]) + round(share * int(edges_ns[frame + 1] - edges_ns[frame]))


def press_hit(inputs: Inputs, code: int, axis: Axis, x: float, selected: Press | None = None) -> PressHit | None:
    """The press at pixel `x` of the key's lane; ends reach as far as those of spans do (`gesture.hit`).

    Of several that are equally near the selected one is taken, so that its ends can be reached between neighbours.
    """
    holds, edges = inputs.holds(code), inputs.clock.edges_ns
    first = int(np.searchsorted(holds[:, 1], instant(axis.position(x - EDGE_PX), edges), "left"))
    last = int(np.searchsorted(holds[:, 0], instant(axis.position(x + EDGE_PX), edges), "right"))
    near = holds[first:last]
    if not len(near):
        return None
    ends_px = (positions(near.reshape(-1), edges).reshape(-1, 2) - axis.left) * axis.px_per_frame
    lefts, rights = ends_px[:, 0], np.maximum(ends_px[:, 1], ends_px[:, 0] + 3)
    outside = np.maximum(np.maximum(lefts - x, x - rights), 0.0)
    is_selected = np.zeros(len(near), np.bool_)
    if selected is not None and selected.code == code:
        is_selected = (near == (selected.down_ns, selected.up_ns)).all(axis=1)
    at = int(np.lexsort((~is_selected, outside))[0])
    if outside[at] > EDGE_PX:
        return None
    left, right = float(lefts[at]), float(rights[at])
    inside = min(EDGE_PX, (right - left) / 3)
    grip = Grip.START if x < left + inside else Grip.STOP if x > right - inside else Grip.BODY
    return PressHit(Press(code, int(near[at, 0]), int(near[at, 1])), grip)


def room(inputs: Inputs, press: Press) -> tuple[int, int]:
    """[low_ns, high_ns): how far the press may reach, up to its neighbours and to where inputs are not known."""
    holds = inputs.holds(press.code)
    low_ns, high_ns = inputs.known_around(press.down_ns) or (press.down_ns, press.up_ns)
    before, after = holds[holds[:, 1] <= press.down_ns], holds[holds[:, 0] >= press.up_ns]
    if len(before):
        low_ns = max(low_ns, int(before[-1, 1]) + 1)
    if len(after):
        high_ns = min(high_ns, int(after[0, 0]) - 1)
    return low_ns, high_ns


def moved(inputs: Inputs, press: Press, grip: Grip, at_ns: int) -> tuple[int, int]:
    """The press with the end (the body: the start) at `at_ns`, or as near as there is room: [down_ns, up_ns)."""
    low_ns, high_ns = room(inputs, press)
    length_ns = press.up_ns - press.down_ns
    least_ns = min(LEAST_HOLD_NS, length_ns)
    if grip is Grip.BODY:
        down_ns = min(max(at_ns, low_ns), high_ns - length_ns)
        return down_ns, down_ns + length_ns
    if grip is Grip.START:
        return min(max(at_ns, low_ns), press.up_ns - least_ns), press.up_ns
    return press.down_ns, max(min(at_ns, high_ns), press.down_ns + least_ns)


@dataclass(frozen=True)
class PressDrag:
    """One drag of a press, from where the mouse went down (a position along the frames)."""

    inputs: Inputs
    press: Press
    grip: Grip
    origin: float

    def ends(self, axis: Axis, x: float, targets: Iterable[int]) -> tuple[int, int]:
        """[down_ns, up_ns) if let go at pixel `x`; what is dragged snaps to `targets` (frame boundaries) nearby."""
        edges = self.inputs.clock.edges_ns
        ends_ns = np.array([self.press.down_ns, self.press.up_ns], np.int64)
        down, up = positions(ends_ns, edges).tolist()
        shift = axis.position(x) - self.origin
        wanted = _near(axis, (up if self.grip is Grip.STOP else down) + shift, targets)
        return moved(self.inputs, self.press, self.grip, instant(wanted, edges))


def _near(axis: Axis, position: float, targets: Iterable[int]) -> float:
    """The target within SNAP_PX, else the position: presses begin and end between frames too."""
    target = min(targets, key=lambda target: abs(target - position), default=None)
    if target is not None and abs(target - position) * axis.px_per_frame <= SNAP_PX:
        return target
    return position
