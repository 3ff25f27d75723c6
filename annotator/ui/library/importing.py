"""Brings sessions and annotations in that come from another machine, and says what merged and what is in conflict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, QSettings, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QWidget

from annotator.ui.errand import Errand
from db.errors import PlaytapeError
from db.formats.interchange import SUFFIX, ImportReport, import_session
from db.store import Store

_KEY = "library/import from"


class Importing(QObject):
    """Asks for files and imports them in a thread, one after the other; a bad one stops none of the others."""

    told = pyqtSignal(str, str, object)
    """(sentence, word on its button, what the button does)"""
    conflict_wanted = pyqtSignal(str)
    """Somebody should open this session and show its conflicts."""
    imported = pyqtSignal()

    def __init__(self, root: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self._root, self._parent = root, parent
        self._errand: Errand | None = None

    def ask(self) -> None:
        """Lets the person choose files."""
        if self._errand is not None:
            self.told.emit("An import is going on already; wait until it is done.", "", None)
            return
        settings = QSettings("Playtape", "Playtape")
        dialog = QFileDialog(self._parent, "Import sessions and annotations", str(settings.value(_KEY, "")))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([f"Playtape sessions (*{SUFFIX})", "All files (*)"])
        dialog.filesSelected.connect(lambda names: settings.setValue(_KEY, str(Path(names[0]).parent)))
        dialog.filesSelected.connect(lambda names: self.bring_in([Path(name) for name in names]))
        dialog.open()

    def bring_in(self, paths: Sequence[Path]) -> None:
        """Imports these files."""
        wanted = list(paths)
        self._errand = errand = Errand(self._root, lambda store, errand: _import_all(store, wanted, errand), self)
        errand.ended.connect(self._on_ended)
        errand.failed.connect(lambda text: self.told.emit(text, "", None))
        errand.finished.connect(self._on_finished)
        self.told.emit(f"Importing {len(wanted)} file{'s' * (len(wanted) != 1)} …", "", None)
        errand.start()

    def close(self) -> None:
        if self._errand is not None:
            self._errand.close()

    def _on_ended(self, outcome: tuple[list[ImportReport], list[str]]) -> None:
        reports, refused = outcome
        first = next((report.session_id for report in reports if report.conflicts), "")
        show = (lambda: self.conflict_wanted.emit(first)) if first else None
        self.told.emit(report_text(reports, refused), "Show the conflicts" if first else "", show)
        self.imported.emit()

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None


def _import_all(store: Store, paths: list[Path], errand: Errand) -> tuple[list[ImportReport], list[str]]:
    """The reports, and the sentences about files that could not be imported."""
    reports: list[ImportReport] = []
    refused: list[str] = []
    for path in paths:
        if errand.is_cancelled():
            break
        try:
            reports.append(import_session(store, path))
        except PlaytapeError as error:
            refused.append(str(error))
    return reports, refused


def report_text(reports: Sequence[ImportReport], refused: Sequence[str]) -> str:
    """What an import did, in a few sentences."""
    fresh = [report for report in reports if report.created]
    merged = [report for report in reports if not report.created]
    edits = sum(report.edits_added for report in merged)
    conflicts = sum(report.conflicts for report in reports)
    parts = []
    if fresh:
        parts.append(f"{_count(len(fresh), 'new session')} imported.")
    if merged and edits:
        parts.append(f"{_count(edits, 'edit')} merged into {_count(len(merged), 'session')} that were here already.")
    elif merged:
        parts.append(f"Nothing new in {_count(len(merged), 'session')} that were here already.")
    if conflicts:
        verb = "was" if conflicts == 1 else "were"
        parts.append(
            f"{_count(conflicts, 'label')} {verb} changed on both sides: the newer version counts until it is settled."
        )
    if refused:
        parts.append(f"{_count(len(refused), 'file')} could not be imported: {refused[0]}")
    return " ".join(parts).replace("1 session that were", "1 session that was")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
