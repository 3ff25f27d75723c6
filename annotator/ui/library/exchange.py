"""What the library's window has for recordings of other tools and for other machines: import, export, files dropped on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QDropEvent

from annotator.ui.keys.table import ActionSpec
from annotator.ui.library.export_dialog import ExportDialog
from annotator.ui.library.import_dialog import ImportDialog, local_paths
from annotator.ui.library.transfer_dialog import TransferDialog
from annotator.ui.sessions.searcher import Found
from db.library.facets import Facets

if TYPE_CHECKING:
    from annotator.ui.library.library_window import LibraryWindow

EXCHANGE_ACTIONS = (
    ActionSpec(
        "import", "Import…", ("Ctrl+O",), "Sessions",
        tip="Bring in sessions and labels from another machine, and recordings of other tools",
    ),
    ActionSpec(
        "export", "Export sessions…", ("Ctrl+Shift+E",), "Sessions",
        tip="Write the selected sessions, or all in the list, in a format of another tool or for another machine",
    ),
)  # fmt: skip

_ENDS = "What goes on here ends with the library's window; what is finished stays. Close the window again to do that."


def exchange_handlers(exchange: Callable[[], Exchange]) -> dict[str, Callable[[], object]]:
    """What the actions do. exchange: asked when one is done."""
    return {"import": lambda: exchange().ask_to_import(), "export": lambda: exchange().ask_to_export()}


class Exchange(QObject):
    """Part of a LibraryWindow. One import and one export at a time; they go on while the window is used."""

    def __init__(self, window: LibraryWindow) -> None:
        super().__init__(window)
        self._window = window
        self._facets = Facets()
        self.importing: ImportDialog | None = None
        self.exporting: ExportDialog | None = None
        window.sessions.searched.connect(self._on_searched)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def ask_to_import(self, paths: Sequence[Path] = ()) -> None:
        """Lets the person choose; paths: what is chosen already."""
        if self.importing is None:
            self.importing = ImportDialog(self._window.store.root, self._facets, self._window)
            self.importing.carried.connect(lambda _: self._window.sessions.refresh())
            self.importing.conflict_wanted.connect(self._window.show_conflicts)
            self.importing.finished.connect(self._forget_import)
        _bring_up(self.importing)
        if paths and not self.importing.is_busy:
            self.importing.add(paths)

    def ask_to_export(self) -> None:
        sessions = self._window.sessions
        if self.exporting is None and (sessions.is_trash or not sessions.model.ids):
            self._window.info.tell("There is no session in the list that could be exported.")
            return
        if self.exporting is None:
            selected = sessions.selected if self._window.page == "sessions" else []
            self.exporting = ExportDialog(self._window.store.root, selected, list(sessions.model.ids), self._window)
            self.exporting.finished.connect(self._forget_export)
        _bring_up(self.exporting)

    def asks_to_stay(self) -> bool:
        """Whether the window should stay: something goes on, and the person was not told yet that it ends with the window."""
        info = self._window.info
        busy = [dialog for dialog in (self.importing, self.exporting) if dialog is not None and dialog.is_busy]
        if not busy or (info.isVisible() and info.text == _ENDS):
            return False
        info.tell(_ENDS)
        for dialog in busy:
            dialog.say_also(_ENDS)  # which may lie over the window's own words
        return True

    def close_threads(self) -> None:
        for dialog in (self.importing, self.exporting):
            if dialog is not None:
                dialog.close_threads()
                dialog.close()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Files and folders that are dropped on the window are to be imported."""
        if isinstance(event, QDropEvent) and event.type() in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            paths = local_paths(event)
            if paths:
                event.acceptProposedAction()
                if event.type() == QEvent.Type.Drop:
                    self.ask_to_import(paths)
                return True
        return False

    def _on_searched(self, found: Found) -> None:
        self._facets = found.facets

    def _forget_import(self) -> None:
        self.importing = None

    def _forget_export(self) -> None:
        self.exporting = None


def _bring_up(dialog: TransferDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
