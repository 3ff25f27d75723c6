"""Bringing recordings in: which files or folders, of what format, and how it is going."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from PyQt6.QtCore import QSettings, Qt, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import (
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.transfers import Carried
from annotator.ui.desktop import shown_path
from annotator.ui.errand import Errand
from annotator.ui.library.transfer_dialog import Begin, TransferDialog
from annotator.ui.text_size import grown
from db.formats.format import Asked
from db.formats.recognition import Clue, recognise
from db.formats.registry import FORMATS
from db.formats.transfer import bring_in
from db.library.facets import Facets
from db.store import Store

_KEY = "library/import from"
_ROWS = 3


class _Paths(QListWidget):
    """Del takes the chosen ones out."""

    less = pyqtSignal()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.count() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, "Drop files or folders here")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.currentRow() >= 0:
            self.takeItem(self.currentRow())
            self.less.emit()
        else:
            super().keyPressEvent(event)


class ImportDialog(TransferDialog):
    """Files and folders can also be dropped on it."""

    conflict_wanted = pyqtSignal(str)
    """Somebody should open this session and show its conflicts."""

    def __init__(self, root: Path, facets: Facets, parent: QWidget | None = None) -> None:
        """facets: what the library knows of games and players."""
        super().__init__(root, "in", "Import", "Import", parent)
        self._looking: Errand | None = None
        self._conflict = ""
        self.setAcceptDrops(True)
        self.paths = _Paths()
        self.paths.setAccessibleName("What is imported")
        self.paths.setToolTip("The files and folders that are imported (Del takes one out)")
        self.paths.setStyleSheet("QListView::item { padding: 2px 4px; }")
        self.paths.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.files, self.folder = QPushButton("Files…"), QPushButton("Folder…")
        self.files.setShortcut("Ctrl+O")
        self.files.setToolTip("Add files (Ctrl+O)")
        self.folder.setShortcut("Ctrl+Shift+O")
        self.folder.setToolTip("Add a folder with all that is in it (Ctrl+Shift+O)")
        self.game, self.player = QLineEdit(), QLineEdit()
        for field, name, known in ((self.game, "Game", facets.games), (self.player, "Player", facets.players)):
            field.setAccessibleName(name)
            field.setMinimumHeight(28)
            completer = QCompleter(known, field)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            field.setCompleter(completer)
        self.game.setToolTip("The game that is played; where the files say it too, this counts")
        self.player.setToolTip("Who played; where the files say it too, this counts")
        self.player.setPlaceholderText("as the files say it")
        self.conflicts = QPushButton("Show the conflicts")
        self.conflicts.setToolTip("Open the first session with a label that was changed on both sides (Space)")
        self.go.setToolTip("Import; what is here already is left as it is (Enter)")
        for button in (self.files, self.folder, self.conflicts):
            button.setAutoDefault(False)
        self._arrange()
        self.files.clicked.connect(lambda: self._ask(is_folder=False))
        self.folder.clicked.connect(lambda: self._ask(is_folder=True))
        self.paths.less.connect(self._look)
        self.form.changed.connect(lambda: self.form.say(""))
        self.game.textChanged.connect(lambda _: self.judge())
        self.conflicts.clicked.connect(lambda: self.conflict_wanted.emit(self._conflict))
        self.carried.connect(self._on_carried)
        self._on_looked([])
        self.files.setFocus()

    @property
    def chosen(self) -> list[Path]:
        items = [self.paths.item(row) for row in range(self.paths.count())]
        return [Path(item.data(Qt.ItemDataRole.UserRole)) for item in items if item is not None]

    def add(self, paths: Sequence[Path]) -> None:
        """More to import; the format is told by their names, where they tell."""
        for path in paths:
            if path not in self.chosen:
                item = QListWidgetItem(shown_path(path))
                item.setData(Qt.ItemDataRole.UserRole, str(path))
                self.paths.addItem(item)
        self._look()

    def is_ready(self) -> bool:
        kind = self.form.chosen
        if kind is None or self._looking is not None:
            return False
        return self.paths.count() > 0 and bool(self.game.text().strip() or not kind.needs_game)

    def judge(self) -> None:
        kind = self.form.chosen
        is_needed = kind is not None and kind.needs_game
        self.game.setPlaceholderText("needed: these files do not say it" if is_needed else "as the files say it")
        super().judge()

    def prepare(self, *, dry_run: bool) -> Begin:
        kind, paths = self.form.chosen, self.chosen
        assert kind is not None
        asked = Asked(self.game.text().strip(), self.player.text().strip(), dry_run, self.form.options())
        self._conflict = ""
        self.conflicts.hide()
        return lambda store, tell: bring_in(store, kind, paths, asked, tell)

    def name_of(self, store: Store, what: str) -> str:
        return f"{Path(what).name} in {shown_path(Path(what).parent)}"

    def close_threads(self) -> None:
        super().close_threads()
        if self._looking is not None:
            self._looking.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self.is_busy and local_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.add(local_paths(event))
        event.acceptProposedAction()

    def _arrange(self) -> None:
        self.paths.setFixedHeight(grown(_ROWS * 24 + 8))
        buttons = QVBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.files)
        buttons.addWidget(self.folder)
        buttons.addStretch()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.paths, 1)
        row.addLayout(buttons)
        self.form.above("From", row)
        self.form.below("Game", self.game)
        self.form.below("Player", self.player)
        self.report.add_button(self.conflicts)
        self.arrange()
        for before, after in pairwise((self.files, self.folder, self.paths, self.form.format)):
            QWidget.setTabOrder(before, after)

    def _ask(self, *, is_folder: bool) -> None:
        settings = QSettings("Playtape", "Playtape")
        dialog = QFileDialog(self, "What to import", str(settings.value(_KEY, "")))
        if is_folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
            dialog.setNameFilters(_filters())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: settings.setValue(_KEY, str(Path(names[0]).parent)))
        dialog.filesSelected.connect(lambda names: self.add([Path(name) for name in names]))
        dialog.open()

    def _look(self) -> None:
        """Recognises what is chosen, in a thread: it may be a large folder on a slow disk."""
        if self._looking is not None:
            return  # it looks again where more was chosen meanwhile
        paths = self.chosen
        self._looking = Errand(self.root, lambda store, _: [recognise(path) for path in paths], self)
        self._looking.ended.connect(lambda clues: self._on_looked(clues) if paths == self.chosen else None)
        self._looking.finished.connect(lambda: self._on_recognised(paths))
        self._looking.start()
        self.judge()

    def _on_recognised(self, paths: list[Path]) -> None:
        if self._looking is not None:
            self._looking.deleteLater()
        self._looking = None
        if paths != self.chosen:
            self._look()
        self.judge()

    def _on_looked(self, clues: Sequence[Clue | None]) -> None:
        """Chooses the format that all of it is of."""
        names = sorted({clue.kind.name for clue in clues if clue is not None})
        for row, clue in enumerate(clues):
            item = self.paths.item(row)
            if clue is not None and item is not None:
                item.setData(Qt.ItemDataRole.UserRole, str(clue.path))
                item.setText(shown_path(clue.path))
        if len(names) == 1:
            self.form.choose(names[0])
            by = next(clue.by for clue in clues if clue is not None)
            self.form.say(f"Recognised by {by}. Choose another format if it is none of these.")
        elif names:
            self.form.choose("")
            self.form.say(f"There is {' and '.join(names)} among these; import them one format after the other.")
        elif clues:
            self.form.say("Nothing in there tells the format; choose it.")
        else:
            self.form.choose("")
            self.form.say("It is recognised where the files tell it.")

    def _on_carried(self, carried: Carried) -> None:
        self._conflict = next(iter(carried.conflicts), "")
        self.conflicts.setVisible(bool(self._conflict))


def local_paths(event: QDropEvent) -> list[Path]:
    """The files and folders that are dragged."""
    data = event.mimeData()
    urls = data.urls() if data is not None else []
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]


def _filters() -> list[str]:
    """What the file dialog shows: all that can be read, then each format's own."""
    kinds = [kind for kind in FORMATS.values() if kind.reads]
    names = {kind.name: tuple(_patterns((*kind.endings, *kind.marks))) for kind in kinds}
    in_all = " ".join(dict.fromkeys(pattern for patterns in names.values() for pattern in patterns))
    own = [f"{name} ({' '.join(patterns)})" for name, patterns in names.items() if patterns]
    return [f"All that can be imported ({in_all})", *own, "All files (*)"]


def _patterns(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"*{name}" if name.startswith(".") else Path(name).name
