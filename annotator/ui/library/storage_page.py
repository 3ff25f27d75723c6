"""What the library takes of the disk, its cache, and copies of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from annotator.ui.desktop import shown_path
from annotator.ui.errand import Errand
from annotator.ui.library.bars import Bar, Bars, byte_words
from annotator.ui.library.move_panel import MovePanel
from annotator.ui.pace import Pace
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.two_step import TwoStepButton
from db.errors import PlaytapeError
from db.settings import change_settings, read_settings
from db.upkeep.backup import back_up
from db.upkeep.diskuse import DiskUse, clear_cache, disk_use, free_bytes, keep_quota

GIB = 2**30
_COLOURS = {"sessions": "accent", "cache": "warn", "datasets": "key", "runs": "button", "models": "good"}


class StoragePage(QWidget):
    """Sums up when `look` is called. One thing is done at a time, in a thread."""

    told = pyqtSignal(str)

    def __init__(self, root: Path, person: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root, self._person = root, person
        self._errands: list[Errand] = []
        self._pace = Pace()
        self.bars = Bars("Disk use by kind")
        self.facts = _dim(QLabel())
        self.quota = QDoubleSpinBox()
        self.quota.setRange(0, 100_000)
        self.quota.setDecimals(1)
        self.quota.setSuffix(" GiB")
        self.quota.setMinimumHeight(28)
        self.quota.setAccessibleName("Most that the cache may take")
        self.quota.setToolTip("What was used longest ago is removed when the cache is larger than this")
        self.clear = TwoStepButton("Clear cache", "Clear it now?", "Removes pictures and proxies; they are made again")
        self.start = QPushButton("Back up…")
        self.start.setToolTip("Copy the whole library into a new folder, while you go on working")
        self.bar, self.cancel = QProgressBar(), QPushButton("Cancel")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the backup")
        self.cancel.setToolTip("Stop the backup and remove what was copied")
        self.state = _dim(QLabel())
        self.move_panel = MovePanel(root)
        self.move_panel.told.connect(self.told)
        self._arrange()
        try:
            self.quota.setValue(read_settings(root).cache_quota_bytes / GIB)
        except PlaytapeError as error:
            self.facts.setText(str(error))
        self.quota.editingFinished.connect(self.set_quota)
        self.clear.confirmed.connect(lambda: self._run(lambda *_: clear_cache(root), self._on_freed))
        self.start.clicked.connect(self._choose)
        self.cancel.clicked.connect(self._on_cancelled)
        self._set_busy(False)

    def _arrange(self) -> None:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(_bold("Disk use"))
        layout.addWidget(self.facts)
        layout.addWidget(self.bars)
        layout.addWidget(_bold("Cache"))
        layout.addWidget(_dim(QLabel("Small pictures and proxies of videos. All of it can be made again.")))
        row = QHBoxLayout()
        row.setSpacing(8)
        label = QLabel("Keep it under")
        label.setBuddy(self.quota)
        row.addWidget(label)
        row.addWidget(self.quota)
        row.addWidget(self.clear)
        row.addStretch()
        layout.addLayout(row)
        layout.addSpacing(12)
        layout.addWidget(_bold("Backup"))
        layout.addWidget(
            _dim(QLabel("A whole copy of the library, but for the cache and what is being recorded just now."))
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.start)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        row.addStretch()
        layout.addLayout(row)
        layout.addWidget(self.state)
        layout.addSpacing(12)
        layout.addWidget(_bold("Move the library"))
        layout.addWidget(
            _dim(
                QLabel(
                    "To another folder or disk. The library here is used until the new one is whole; then Playtape opens "
                    "again with it, and whoever opens the old folder is led there."
                )
            )
        )
        layout.addWidget(self.move_panel)
        layout.addStretch()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(ScrollColumn(column))

    def look(self) -> None:
        """Sums up anew."""
        self.move_panel.look()
        if not self._errands:
            self._run(lambda store, _: (disk_use(store.root), free_bytes(store.root)), self._show)

    def keep_quota(self) -> None:
        """Removes from the cache what is too much."""
        try:
            quota_bytes = read_settings(self._root).cache_quota_bytes
        except PlaytapeError:
            return  # the page says it where the settings are damaged
        self._run(lambda store, _: keep_quota(store.root, quota_bytes), lambda _: None)

    def set_quota(self) -> None:
        quota_bytes = round(self.quota.value() * GIB)
        try:
            if read_settings(self._root).cache_quota_bytes == quota_bytes:
                return
            fresh = {"cache_quota_bytes": quota_bytes}
            change_settings(self._root, self._person, lambda settings: settings.model_copy(update=fresh))
        except PlaytapeError as error:
            self.told.emit(str(error))
            return
        self._run(lambda store, _: keep_quota(store.root, quota_bytes), self._on_freed)

    def back_up_to(self, folder: Path) -> None:
        """Copies the library into a new folder within this one."""
        target = folder / f"playtape-backup-{datetime.now():%Y%m%d-%H%M%S}"
        errand = self._run(
            lambda store, errand: (back_up(store, target, errand.tell, errand.is_cancelled), target), self._on_backed_up
        )
        errand.progressed.connect(self._on_progress)
        errand.finished.connect(lambda: self._set_busy(False))
        self._pace = Pace()
        self._set_busy(True)

    def close_threads(self) -> None:
        """Cancels a backup that is being made, and waits until nothing is left of it."""
        self.move_panel.close_threads()
        for errand in list(self._errands):
            errand.close()

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Where to put the copy")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.back_up_to(Path(path)))
        dialog.open()

    def _run(self, work, on_ended: Callable[..., object]) -> Errand:
        errand = Errand(self._root, work, self)
        self._errands.append(errand)
        errand.ended.connect(on_ended)
        errand.failed.connect(self._on_failed)
        errand.finished.connect(lambda: self._forget(errand))
        errand.start()
        return errand

    def _forget(self, errand: Errand) -> None:
        self._errands.remove(errand)
        errand.deleteLater()

    def _on_failed(self, text: str) -> None:
        self.told.emit(text)

    def _on_cancelled(self) -> None:
        for errand in self._errands:
            errand.cancel()

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setMaximum(1000)
        self.bar.setValue(round(1000 * done / max(total, 1)))
        left = self._pace.words(done, total)
        self.state.setText(f"{byte_words(done)} of {byte_words(total)} copied and read back" + f", {left}" * bool(left))

    def _on_backed_up(self, outcome: tuple[bool, Path]) -> None:
        is_whole, target = outcome
        self.state.setText(
            f"Copied to {shown_path(target)}, and read back whole." if is_whole else "The backup was cancelled."
        )

    def _on_freed(self, freed: int) -> None:
        self.told.emit(f"{byte_words(freed)} freed.")
        self._run(lambda store, _: (disk_use(store.root), free_bytes(store.root)), self._show)

    def _set_busy(self, is_busy: bool) -> None:
        self.start.setEnabled(not is_busy)
        self.bar.setVisible(is_busy)
        self.cancel.setVisible(is_busy)

    def _show(self, sums: tuple[list[DiskUse], int]) -> None:
        uses, free = sums
        total = sum(use.bytes for use in uses)
        self.facts.setText(f"{byte_words(total)} in {shown_path(self._root)}, {byte_words(free)} free on its disk")
        bars = [_bar(use, total) for use in uses if use.kind != "other" or use.bytes]
        shares = tuple((use.bytes / max(total, 1), _COLOURS.get(use.kind, "dim")) for use in uses)
        self.bars.show_bars([Bar("All of it", byte_words(total), shares), *bars])


def _bar(use: DiskUse, total: int) -> Bar:
    name = "Index and settings" if use.kind == "other" else use.kind.capitalize()
    figure = f"{byte_words(use.bytes)} · {use.files} file{'s' * (use.files != 1)}"
    return Bar(name, figure, ((use.bytes / max(total, 1), _COLOURS.get(use.kind, "dim")),))


def _bold(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def _dim(label: QLabel) -> QLabel:
    label.setForegroundRole(label.palette().ColorRole.PlaceholderText)
    label.setWordWrap(True)
    return label
