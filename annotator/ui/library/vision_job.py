"""The vision model in the library's window: asks it about all selected sessions, as one job that can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt

from annotator.ui.annotate.asking_bar import AskingBar
from annotator.ui.annotate.vision_asker import Told, VisionAsker
from annotator.ui.annotate.vision_choice import read_setup, write_setup
from annotator.ui.annotate.vision_setup_dialog import VisionSetupDialog
from annotator.ui.keys.table import ActionSpec

if TYPE_CHECKING:
    from annotator.ui.library.library_window import LibraryWindow

VISION_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "suggest",
        "Suggest instructions",
        ("Ctrl+I",),
        "Label",
        tip="Ask a vision model for instructions for the selected sessions",
    ),
    ActionSpec("stop_asking", "Stop asking", ("Ctrl+.",), "Label", tip="Stop asking the vision model"),
    ActionSpec("set_up_vision", "Set up the vision model", (), "Label", tip="Choose a vision model, or turn it off"),
)


class VisionJob(QObject):
    """Part of a LibraryWindow, which shows its `bar` and closes it."""

    def __init__(self, window: LibraryWindow) -> None:
        super().__init__(window)
        self._window = window
        self.bar = AskingBar(window.actions_by_name["stop_asking"])
        self.asker = VisionAsker(window.store.root, window.person, window)
        self.asker.began.connect(self._on_began)
        self.asker.progressed.connect(self.bar.show_progress)
        self.asker.ended.connect(self._on_ended)
        self.asker.failed.connect(self._on_failed)
        self.asker.declined.connect(self._finish)
        window.actions_by_name["stop_asking"].setEnabled(False)

    def ask(self) -> None:
        """Asks about the selected sessions; where no model is set up, asks for that first."""
        selected, setup = self._window.sessions.selected, read_setup()
        if self._window.sessions.is_trash or not selected:
            self._window.info.tell("Select the sessions to suggest instructions for first.")
        elif setup.kind == "off":
            self.set_up(then=self.ask)
        else:
            self.asker.ask(setup, selected, enters=True)

    def set_up(self, then: Callable[[], object] | None = None) -> None:
        """Opens the set-up; what is saved there holds for this person on this machine."""
        dialog = VisionSetupDialog(self._window.store.root, read_setup(), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def save() -> None:
            setup = dialog.setup()
            write_setup(setup)
            if then is not None and setup.kind != "off":
                then()

        dialog.accepted.connect(save)
        dialog.open()

    def stop(self) -> None:
        self.asker.stop()

    def close(self) -> None:
        self.asker.close()

    def _on_began(self, what: str) -> None:
        self.bar.begin(what)
        self._window.actions_by_name["stop_asking"].setEnabled(True)

    def _finish(self) -> None:
        self.bar.finish()
        self._window.actions_by_name["stop_asking"].setEnabled(False)
        self._window.sessions.refresh()

    def _on_ended(self, told: Told | None) -> None:
        self._finish()
        if told is None:
            self._window.info.tell("Stopped. What was suggested by then stays; asking again goes on from there.")
            return
        count, done = told.suggested, len(told.outcomes)
        text = (
            f"{count} suggestion{'s' * (count != 1)} for {done} session{'s' * (done != 1)}; open one to confirm them."
        )
        if told.refused:
            number = len(told.refused)
            text += f" {number} session{'s' * (number != 1)} failed: {next(iter(told.refused.values()))}"
        self._window.info.tell(text)

    def _on_failed(self, text: str) -> None:
        self._finish()
        self._window.info.tell(text)


def vision_handlers(job: Callable[[], VisionJob]) -> dict[str, Callable[[], object]]:
    """What each of VISION_ACTIONS does; `job` gives the window's, which is made after its actions."""
    return {
        "suggest": lambda: job().ask(),
        "stop_asking": lambda: job().stop(),
        "set_up_vision": lambda: job().set_up(),
    }
