"""Asks a trained IDM what it expects in the session shown, so that a lane shows where the recording says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt

from annotator.ui.annotate.trainer_part import ModelDialog, TrainerPart
from annotator.ui.keys.bindings import with_keys

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.annotate.editing import Editing

LEAD = (
    "A model trained on your accepted sessions sees in the pictures which keys were pressed. A lane of the timeline shows "
    "how far the recording disagrees with it, and follows your corrections. Nothing is changed, and everything stays on "
    "this machine."
)


class HeatPart(TrainerPart):
    """What it has said is kept, also when it is stopped."""

    stopped_words = "Stopped. What the IDM has looked at by then is shown; asking again goes on from there."

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window, window.suggestion_bar.expecting)

    def ask(self) -> None:
        """Asks which IDM, then starts it on the session shown."""
        if self._window.editing is None or self.is_busy or not (models := self.models()):
            return
        dialog = ModelDialog(models, "Show where an IDM disagrees", LEAD, "Show", self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.start(dialog.model.currentText()))
        dialog.open()

    def start(self, model_id: str) -> None:
        self._start("expecting", "expect", ["--model", model_id])

    def words(self, phase: str) -> str:
        return "Pictures are read for the IDM" if phase == "reading pictures" else "The IDM looks at the pictures"

    def take_in(self, editing: Editing) -> None:
        editing.doubting.load()

    def outcome(self, last: dict[str, Any]) -> str:
        how = "{next_doubt:Alt+.} goes to the next place, and the mouse over the lane tells what it is."
        return f"The lane Disagreement shows where the recording says something else: {with_keys(how)}"
