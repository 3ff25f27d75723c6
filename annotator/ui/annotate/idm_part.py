"""Asks a trained IDM which inputs it suggests for the session shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QCheckBox, QWidget

from annotator.ui.annotate.suggesting import HOW
from annotator.ui.annotate.trainer_part import ModelDialog, TrainerPart
from annotator.ui.keys.bindings import with_keys

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.annotate.editing import Editing


class IdmPart(TrainerPart):
    """Its suggestions stay, also when it is stopped."""

    stopped_words = "Stopped. What was suggested by then stays; asking again goes on from there."

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window, window.suggestion_bar.labelling)

    def ask(self) -> None:
        """Asks which IDM, then starts it on the session shown."""
        if self._window.editing is None or self.is_busy or not (models := self.models()):
            return
        dialog = IdmDialog(models, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.start(dialog.model.currentText(), doubts=dialog.doubts.isChecked()))
        dialog.open()

    def start(self, model_id: str, *, doubts: bool = False) -> None:
        """doubts: also propose where it disagrees with what was recorded."""
        options = ["--model", model_id, "--person", self._window.author]
        self._start("labelling", "label", [*options, *(["--disagreements", "0.95"] if doubts else [])])

    def words(self, phase: str) -> str:
        return "The IDM looks at the pictures"

    def take_in(self, editing: Editing) -> None:
        editing.document.refresh()

    def outcome(self, last: dict[str, Any]) -> str:
        count = int(last.get("suggestions", 0))
        if not count:
            return "The IDM has nothing to add: inputs are known everywhere, or it has said it before."
        return f"{count} suggestion{'s' * (count != 1)} from the IDM: {with_keys(HOW)}"


class IdmDialog(ModelDialog):
    """Which IDM, and whether it may doubt what was recorded."""

    def __init__(self, models: list[str], parent: QWidget | None = None) -> None:
        lead = (
            "A model trained on your accepted sessions sees in the pictures which keys were pressed. It fills in where "
            "inputs were never recorded; what it says waits for you to confirm it. Everything stays on this machine."
        )
        super().__init__(models, "Suggest inputs with an IDM", lead, "Suggest", parent)
        self.doubts = QCheckBox("Also where it is sure that the recording is wrong")
        self.doubts.setToolTip("Proposes another press where the pictures and the recorded keys disagree for a while")
        self.form.addRow("", self.doubts)
        self.setTabOrder(self.model, self.doubts)  # before the buttons, which are older
