"""Writing the labels of many sessions into one file for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from annotator.ui.errand import Errand
from db.labelling.annotations import FILE_FORMATS, FileFormat, Report, export_annotations
from db.store import Store

_SAYS: dict[FileFormat, str] = {
    "csv": "CSV, for spreadsheets",
    "json": "JSON, for programs",
}


class LabelExportDialog(QDialog):
    """Which sessions, which format, where to; then the progress, and what came of it."""

    def __init__(self, root: Path, selected: Sequence[str], parent: QWidget | None = None) -> None:
        """selected: the ids of the sessions that are selected in the list; none: only all can be exported."""
        super().__init__(parent)
        self._root, self._selected = root, list(selected)
        self._errand: Errand | None = None
        self.setWindowTitle("Export labels")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        count = f"{len(selected)} selected session{'s' * (len(selected) != 1)}"
        self.only_selected, self.all = QRadioButton(f"The {count}"), QRadioButton("All sessions of the library")
        self.only_selected.setEnabled(bool(selected))
        (self.only_selected if len(selected) > 1 else self.all).setChecked(True)
        self.formats = {name: QRadioButton(_SAYS[name]) for name in FILE_FORMATS}
        self.formats["csv"].setChecked(True)
        self.suggestions = QCheckBox("Also suggestions that nobody has confirmed")
        self.path = QLineEdit()
        self.path.setPlaceholderText("The file to write")
        self.path.setAccessibleName("The file to write")
        self.path.setToolTip("Where the labels go; a file that is there is replaced when the new one is whole")
        self.choose = QPushButton("Choose…")
        self.choose.setToolTip("Choose the file")
        self.state, self.bar = QLabel(), QProgressBar()
        self.state.setWordWrap(True)
        self.state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the export")
        self.go, self.stop = QPushButton("Export"), QPushButton("Close")
        self.go.setProperty("primary", True)
        self.go.setDefault(True)
        self.go.setToolTip("Write the file (Enter)")
        self.stop.setToolTip("Close, or cancel what is being written (Esc)")
        self._arrange()
        self.choose.clicked.connect(self._choose)
        self.path.textChanged.connect(lambda _: self._judge())
        self.go.clicked.connect(self.export)
        self.stop.clicked.connect(self.reject)
        for button in self.formats.values():
            button.toggled.connect(self._on_format)
        self._judge()

    @property
    def file_format(self) -> FileFormat:
        return "json" if self.formats["json"].isChecked() else "csv"

    def export(self) -> None:
        """Writes the file in a thread."""
        if self._errand is not None or not self.path.text().strip():
            return
        path, file_format = Path(self.path.text().strip()).expanduser(), self.file_format
        chosen = self._selected if self.only_selected.isChecked() else None
        suggestions = self.suggestions.isChecked()

        def work(store: Store, errand: Errand) -> Report:
            ids = chosen if chosen is not None else [line.id for line in store.search()]
            return export_annotations(
                store, ids, path, file_format,
                suggestions=suggestions, progress=errand.tell, cancelled=errand.is_cancelled,
            )  # fmt: skip

        self._errand = Errand(self._root, work, self)
        self._errand.progressed.connect(self._on_progress)
        self._errand.ended.connect(self._on_ended)
        self._errand.failed.connect(self.state.setText)
        self._errand.finished.connect(self._on_finished)
        self.state.setText("Writing …")
        self._judge()
        self._errand.start()

    def done(self, result: int) -> None:
        """The first Escape cancels what is being written, the next one closes."""
        if self._errand is not None and self._errand.isRunning() and not self._errand.is_cancelled():
            self._errand.cancel()
            return
        if self._errand is not None:
            self._errand.close()
        super().done(result)

    def _arrange(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(8)
        what, how = QButtonGroup(self), QButtonGroup(self)
        outer.addWidget(_bold("Labels in force, of"))
        for button in (self.only_selected, self.all):
            what.addButton(button)
            outer.addWidget(button)
        outer.addSpacing(8)
        outer.addWidget(_bold("As"))
        for button in self.formats.values():
            how.addButton(button)
            outer.addWidget(button)
        outer.addSpacing(8)
        outer.addWidget(self.suggestions)
        for button in (self.only_selected, self.all, *self.formats.values(), self.suggestions):
            button.setToolTip(button.text())
            button.setAccessibleName(button.text())
        outer.addSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.path, 1)
        row.addWidget(self.choose)
        outer.addLayout(row)
        outer.addWidget(self.bar)
        outer.addWidget(self.state)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch()
        foot.addWidget(self.stop)
        foot.addWidget(self.go)
        outer.addLayout(foot)

    def _judge(self) -> None:
        is_busy = self._errand is not None
        self.go.setEnabled(not is_busy and bool(self.path.text().strip()))
        self.stop.setText("Cancel" if is_busy else "Close")
        self.bar.setVisible(is_busy)

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Export labels", self.path.text(), ";;".join(_filter(f) for f in FILE_FORMATS))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(self.file_format)
        dialog.selectNameFilter(_filter(self.file_format))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_chosen)
        dialog.open()

    def _on_chosen(self, path: str) -> None:
        suffix = Path(path).suffix.lower().removeprefix(".")
        if suffix in self.formats:
            self.formats["json" if suffix == "json" else "csv"].setChecked(True)
        self.path.setText(path)

    def _on_format(self) -> None:
        path = Path(self.path.text())
        if path.suffix.lower().removeprefix(".") in FILE_FORMATS:
            self.path.setText(str(path.with_suffix(f".{self.file_format}")))

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setMaximum(max(total, 1))
        self.bar.setValue(done)

    def _on_ended(self, report: Report) -> None:
        self.state.setText("\n".join([report.text, *report.problems[1:6]]))

    def _on_finished(self) -> None:
        if self._errand is not None:
            self._errand.deleteLater()
        self._errand = None
        self._judge()


def _filter(file_format: FileFormat) -> str:
    return f"{file_format.upper()} (*.{file_format})"


def _bold(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
