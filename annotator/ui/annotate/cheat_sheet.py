"""The cheat sheet of the annotate window: its keys, and what the mouse does on the timeline."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from annotator.ui.annotate.actions import TABLE
from annotator.ui.keys.key_sheet import KeySheet

MOUSE = (
    ("Wheel", "Zoom around the cursor"),
    ("Shift + wheel", "Pan"),
    ("Drag on a label row", "New span"),
    ("Drag a span or its edge", "Move, resize; Shift: no snapping"),
    ("Double click", "Edit the text"),
    ("Click a key's lane", "Select a press"),
    ("Drag a press or its end", "Move it; Shift: no snapping"),
    ("Double click a lane", "Add a press"),
)


class CheatSheet(KeySheet):
    """Lists the keys by menu, and what the mouse does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(TABLE, parent, beside={"Mouse on the timeline": MOUSE})
