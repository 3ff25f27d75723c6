"""Moves the library into another folder, goes on with a move that was cut off, or gives it up."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from annotator.ui.desktop import shown_path
from annotator.ui.errand import Errand
from annotator.ui.library.bars import byte_words
from annotator.ui.pace import Pace
from db.upkeep.moving import finish_move, give_up, move_library, unfinished_move
from db.upkeep.pointer import NAME as POINTER

FOLDER = "playtape-library"
"""What the library's folder is called within a chosen one that is not empty."""


class MovePanel(QWidget):
    """One move at a time, in a thread."""

    told = pyqtSignal(str)
    begun = pyqtSignal()
    """What is open of the library should be closed."""
    moved = pyqtSignal(Path)
    """The library is in this folder now: whoever has it open should open that one."""

    def __init__(self, root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._errand: Errand | None = None
        self._target: Path | None = None
        self._pace = Pace()
        self.start = QPushButton("Move…")
        self.start.setToolTip("Choose a folder for the library, on this disk or another (Space)")
        self.resume = QPushButton("Go on")
        self.resume.setToolTip("Go on with the move that was cut off (Space)")
        self.drop = QPushButton("Give it up")
        self.drop.setToolTip("Remove what was brought to the new folder; the library stays here (Space)")
        self.bar, self.cancel = QProgressBar(), QPushButton("Cancel")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the move")
        self.cancel.setToolTip("Stop and remove what was brought; the library stays here (Space)")
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setForegroundRole(self.state.palette().ColorRole.PlaceholderText)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.start, self.resume, self.drop):
            button.setAccessibleName(button.toolTip().partition(" (")[0])
            row.addWidget(button)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self.state)
        self.start.clicked.connect(self._choose)
        self.resume.clicked.connect(lambda: self._target and self.move_to(self._target))
        self.drop.clicked.connect(self._give_up)
        self.cancel.clicked.connect(lambda: self._errand and self._errand.cancel())
        self.look()

    def look(self) -> None:
        """Says whether a move was cut off."""
        is_busy = self._errand is not None
        if not is_busy:
            self._target = unfinished_move(self._root)
        is_cut_off = self._target is not None and not is_busy
        self.start.setVisible(not is_busy and not is_cut_off)
        self.resume.setVisible(is_cut_off)
        self.drop.setVisible(is_cut_off)
        self.bar.setVisible(is_busy)
        self.cancel.setVisible(is_busy)
        if is_cut_off:
            self.state.setText(f"A move to {shown_path(self._target)} was cut off. The library is still here, whole.")
        self.state.setVisible(bool(self.state.text()))

    def move_to(self, folder: Path) -> None:
        """Moves the library to a folder, into one of its own there where it is not empty."""
        if self._errand is not None:
            return
        target = folder
        is_new = unfinished_move(self._root) != folder and folder.is_dir()
        if is_new and any(path.name != POINTER for path in folder.iterdir()):
            target = folder / FOLDER
        self._target, self._pace = target, Pace()
        self.begun.emit()
        self._run(lambda store, errand: move_library(store, target, errand.tell, errand.is_cancelled), self._on_moved)

    def tidy(self) -> None:
        """Removes what a move left in the folder where this library was before."""
        if self._errand is None:
            self._run(lambda store, _: finish_move(store.root), self._on_tidied)
            self._hide_progress()

    def close_threads(self) -> None:
        """Cancels a move, and waits until nothing is left of it."""
        if self._errand is not None:
            self._errand.close()

    def _run(self, work, on_ended) -> None:
        self._errand = errand = Errand(self._root, work, self)
        errand.progressed.connect(self._on_progress)
        errand.ended.connect(on_ended)
        errand.failed.connect(self._on_failed)
        errand.finished.connect(self._on_finished)
        self.look()
        errand.start()

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Where to move the library")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.move_to(Path(path)))
        dialog.open()

    def _give_up(self) -> None:
        self._run(lambda store, _: give_up(store.root), lambda _: self._say("The move was given up."))
        self._hide_progress()

    def _hide_progress(self) -> None:
        """Nothing is to be seen of a short errand."""
        for widget in (self.bar, self.cancel):
            widget.hide()

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setMaximum(1000)
        self.bar.setValue(round(1000 * done / max(total, 1)))
        left = self._pace.words(done, total)
        self._say(f"{byte_words(done)} of {byte_words(total)} moved" + f", {left}" * bool(left))

    def _on_moved(self, is_moved: bool) -> None:
        if is_moved and self._target is not None:
            self.moved.emit(self._target.resolve())
        else:
            self._say("The move was cancelled; the library is where it was.")

    def _on_tidied(self, stayed: list[str]) -> None:
        if stayed:
            self._say(f"{len(stayed)} recording(s) go on in the folder where the library was before; they will follow.")

    def _on_failed(self, text: str) -> None:
        self._say(text)
        self.told.emit(text)

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None
        self.look()

    def _say(self, text: str) -> None:
        self.state.setText(text)
        self.state.setVisible(True)
