"""Whether an edit gave way to what was there: for a quiet word to the person, since a label came out shorter than meant."""

from __future__ import annotations

from collections.abc import Sequence

from annotator.model.document import Delta
from annotator.model.edits.commands import Command, ConfirmSpan, CreateSpan, EditValue, MoveSpan, ResizeSpan
from annotator.model.edits.edge_commands import SetEdge

SHORTENED = "shortened at its neighbour"
IN_THE_WAY = "Its neighbour, or the end of the session, is in the way."
RULES = (
    "Instructions never overlap each other, nor do stretches that are left out; a flag does not overlap one of its own "
    "word. What comes second is shortened at its neighbour. Comments and suggestions may overlap anything."
)
"""The rules of `annotator.model.edits.overlap`, for the person."""


def gives_way(command: Command, deltas: Sequence[Delta], frame_count: int) -> bool:
    """Whether a command's span ends nearer than was asked for, because of a neighbour; deltas: what it did.

    A command that did nothing gave way where it is one that moves or resizes.
    """
    if not deltas:
        return isinstance(command, MoveSpan | ResizeSpan)
    delta = deltas[0]
    start, stop = delta.after.start, delta.after.stop
    if start is None or stop is None:
        return False
    match command:
        case CreateSpan() | ResizeSpan():
            return stop - start < min(command.stop, frame_count) - max(command.start, 0)
        case MoveSpan():
            return start != min(max(command.start, 0), frame_count - (stop - start))
        case SetEdge(edge="start"):
            return start != command.frame
        case SetEdge():
            return stop != min(command.frame + 1, frame_count)
        case ConfirmSpan() | EditValue():
            before = delta.before
            return before is not None and (before.start, before.stop) != (start, stop)
    return False
