"""Giving sessions out: which of them, in what format, where to, and how it is going."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QRadioButton, QVBoxLayout, QWidget

from annotator.ui.library.transfer_dialog import Begin, TransferDialog
from db.errors import PlaytapeError
from db.formats.format import Asked
from db.formats.transfer import oldest_first, write_out
from db.store import Store

_KEY = "library/export to"
_FORMAT_KEY = "library/export as"
_IS_ONE = (
    "The folder becomes one dataset of exactly these sessions; others that were exported to it before are removed."
)


class ExportDialog(TransferDialog):
    """What was chosen in the list stays what it was when this opened."""

    def __init__(
        self, root: Path, selected: Sequence[str], shown: Sequence[str], parent: QWidget | None = None
    ) -> None:
        """selected, shown: the ids of the sessions that are selected in the list, and of all that it shows."""
        super().__init__(root, "out", "Export sessions", "Export", parent)
        self._selected, self._shown = list(selected), list(shown)
        self.only_selected = QRadioButton(
            "The selected session" if len(selected) == 1 else f"The selected {_sessions(len(selected))}"
        )
        self.all = QRadioButton(f"All that the list shows: {_sessions(len(shown))}")
        self.only_selected.setToolTip("Export what is selected in the list (Space)")
        self.all.setToolTip("Export all that the filters leave (Space)")
        self.only_selected.setEnabled(bool(selected))
        (self.only_selected if selected else self.all).setChecked(True)
        self.out = QLineEdit()
        self.out.setAccessibleName("Folder")
        self.out.setToolTip("The folder that is written to; it is made where there is none")
        self.out.setPlaceholderText("The folder to write to")
        self.choose = QPushButton("Choose…")
        self.choose.setShortcut("Ctrl+O")
        self.choose.setToolTip("Choose the folder (Ctrl+O)")
        self.choose.setAutoDefault(False)
        self.go.setToolTip("Export; what is there already, unchanged, is not written again (Enter)")
        self._arrange()
        settings = QSettings("Playtape", "Playtape")
        self.form.choose(str(settings.value(_FORMAT_KEY, "playtape")))
        self.out.setText(str(settings.value(_KEY, "")))
        self.choose.clicked.connect(self._ask)
        self.out.textChanged.connect(lambda _: self.judge())
        self.judge()

    def is_ready(self) -> bool:
        kind = self.form.chosen
        return kind is not None and bool(self.out.text().strip() and (self._shown or self._selected))

    def name_of(self, store: Store, what: str) -> str:
        try:
            summary = store.summary(what)
        except PlaytapeError:
            return what
        return f"{summary.game}, {summary.player}, {summary.started_at.astimezone():%d %b %Y, %H:%M}"

    def judge(self) -> None:
        kind = self.form.chosen
        self.form.say(_IS_ONE if kind is not None and kind.is_one else "")
        super().judge()

    def prepare(self, *, dry_run: bool) -> Begin:
        kind, out = self.form.chosen, Path(self.out.text().strip()).expanduser()
        assert kind is not None
        settings = QSettings("Playtape", "Playtape")
        settings.setValue(_KEY, self.out.text().strip())
        settings.setValue(_FORMAT_KEY, kind.name)
        ids = self._selected if self.only_selected.isChecked() else self._shown
        asked = Asked(dry_run=dry_run, options=self.form.options())
        return lambda store, tell: write_out(store, kind, oldest_first(store, ids), out, asked, tell)

    def _arrange(self) -> None:
        which = QVBoxLayout()
        which.setSpacing(8)
        which.addWidget(self.only_selected)
        which.addWidget(self.all)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.out, 1)
        row.addWidget(self.choose)
        self.form.above("Which", which)
        self.form.below("Folder", row)
        self.arrange()
        for before, after in pairwise((self.only_selected, self.all, self.form.format)):
            QWidget.setTabOrder(before, after)

    def _ask(self) -> None:
        dialog = QFileDialog(self, "Where to write the sessions", self.out.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.out.setText)
        dialog.open()


def _sessions(count: int) -> str:
    return f"{count:,} session{'s' * (count != 1)}"
