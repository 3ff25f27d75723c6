"""The vision model in the window of one session: asks it about the session shown, and lands what it says as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt

from annotator.model.edits.narratives import DropNarrative, SuggestAll, TakeNarrative, narratives
from annotator.ui.annotate.vision_asker import Told, VisionAsker
from annotator.ui.annotate.vision_choice import read_setup, write_setup
from annotator.ui.annotate.vision_setup_dialog import VisionSetupDialog
from db.labelling.labels import LabelKind

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.annotate.editing import Editing


class VisionPart(QObject):
    """Part of an AnnotateWindow, which closes it. Another session ends what is asked; the answers are kept."""

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self._window = window
        self._asked_of: Editing | None = None
        self.asker = VisionAsker(window.store.root, window.author, window)
        bar = window.suggestion_bar.asking
        self.asker.began.connect(bar.begin)
        self.asker.progressed.connect(bar.show_progress)
        self.asker.ended.connect(self._on_ended)
        self.asker.failed.connect(self._on_failed)
        self.asker.declined.connect(lambda: self._on_ended(None))

    def ask(self) -> None:
        """Asks about the session shown; where no model is set up, asks for that first."""
        editing, setup = self._window.editing, read_setup()
        if editing is None or self.asker.is_busy:
            return
        if setup.kind == "off":
            self.set_up(then_ask=True)
            return
        self._asked_of = editing
        self.asker.ask(setup, [editing.session_id], enters=False)

    def set_up(self, *, then_ask: bool = False) -> None:
        """Opens the set-up; what is saved there holds for this person on this machine."""
        dialog = VisionSetupDialog(self._window.store.root, read_setup(), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def save() -> None:
            setup = dialog.setup()
            write_setup(setup)
            if then_ask and setup.kind != "off":
                self.ask()

        dialog.accepted.connect(save)
        dialog.open()

    def show_editing(self, editing: Editing | None) -> None:
        """Another session is shown, or none."""
        if self._asked_of is not None and editing is not self._asked_of:
            self.stop()

    def stop(self) -> None:
        self.asker.stop()

    def close(self) -> None:
        self.asker.close()

    # Its narrative

    def take_narrative(self) -> None:
        """Puts the model's narrative into the session's note."""
        self._settle(TakeNarrative)

    def drop_narrative(self) -> None:
        self._settle(DropNarrative)

    def _settle(self, command: type[TakeNarrative] | type[DropNarrative]) -> None:
        editing = self._window.editing
        if editing is None:
            return
        waiting = narratives(editing.document)
        if waiting:
            self._window.panel.save()  # what is being typed into the note comes first
            editing.do(command(waiting[0].entity_id))
        else:
            editing.refused.emit("No model has told anything about this session that waits.")

    # What came of it

    def _on_ended(self, told: Told | None) -> None:
        self._window.suggestion_bar.asking.finish()
        editing, self._asked_of = self._asked_of, None
        if told is None or editing is None or editing is not self._window.editing:
            return
        if told.was_stopped:
            self._window.info.tell("Stopped. What was answered so far is kept; asking again goes on from there.")
            return
        outcome = told.outcomes[editing.session_id]
        fresh = editing.do(SuggestAll(outcome.proposals, outcome.narrative, told.setup.source))
        count = sum(delta.after.kind is LabelKind.INSTRUCTION for delta in fresh)
        refused = len(outcome.refused)
        text = (
            f"{count} instruction{'s' * (count != 1)} suggested: C confirms, X rejects."
            if fresh
            else "Nothing new was said."
        )
        if refused:
            text += f" {refused} of its answers {'was' if refused == 1 else 'were'} refused. {outcome.refused[0]}"
        self._window.info.tell(text)

    def _on_failed(self, text: str) -> None:
        self._asked_of = None
        self._window.suggestion_bar.asking.finish()
        self._window.info.tell(text)
