"""What can be done with the chosen sessions, asked for a second time in the same place instead of in a dialog."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from PyQt6.QtCore import QSettings, QStandardPaths, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from recorder.ui.live.gauges import clock_text
from recorder.ui.theme import Theme, dim

_FOLDER_KEY = "recorder/send_folder"


class Deed(Enum):
    """What is asked for a second time: the word on the button that does it."""

    SEND = "Write the file"
    WITHDRAW = "Yes, withdraw"
    DELETE = "Yes, delete"


class SessionActions(QStackedWidget):
    """Buttons; a question with its answers; the progress of what takes time. `confirmed` tells what was answered yes."""

    opened = pyqtSignal()
    asked = pyqtSignal(object)
    """A Deed whose button was pressed; the owner answers with `ask` or does nothing."""
    confirmed = pyqtSignal(object, str)
    """A Deed, and the folder to write to ('' where nothing is written)."""
    cancelled = pyqtSignal()
    """The person wants to end what is in progress."""

    def __init__(self) -> None:
        super().__init__()
        self._deed = Deed.SEND
        self._began_s = 0.0
        self._what = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._build_choice()
        self._build_question()
        self._build_progress()

    def offer(self, text: str, *, open_: bool, send: bool, withdraw: bool, delete: bool) -> None:
        """Says what is selected, and enables what can be done with it."""
        self._selected.setText(text)
        for button, enabled in (
            (self.open, open_), (self.send, send), (self.withdraw, withdraw), (self.delete, delete),
        ):  # fmt: skip
            button.setEnabled(enabled)

    def ask(self, deed: Deed, text: str, *, folder: bool = False) -> None:
        """Shows a question in place of the buttons, with a folder to choose where one is needed."""
        self._deed = deed
        self._question.setText(text)
        self._where.setVisible(folder)
        self.yes.setText(deed.value)
        colour = Theme.of(self.palette()).bad
        self.yes.setStyleSheet("" if deed is Deed.SEND else f"color: {colour}; font-weight: 600;")
        self.setCurrentIndex(1)
        (self.yes if deed is Deed.SEND else self.no).setFocus()

    def show_progress(self, what: str) -> None:
        """Something takes time now; `advance` tells how far it is."""
        self._what, self._began_s = what, time.monotonic()
        self._cancel.setEnabled(True)
        self.setCurrentIndex(2)
        self.advance(0.0)

    def advance(self, share: float) -> None:
        """share: what is done, in [0, 1]."""
        self._bar.setValue(round(share * 1000))
        spent_s = time.monotonic() - self._began_s
        text = self._what
        if share > 0.02 and spent_s > 0.5:
            left_s = spent_s / share * (1 - share)
            ends = datetime.now() + timedelta(seconds=left_s)
            text += f"  ·  {clock_text(left_s + 0.5)} left, done at {ends:%H:%M:%S}"
        self._doing.setText(text)

    def back(self) -> None:
        """To the buttons."""
        self.setCurrentIndex(0)

    @property
    def asking(self) -> bool:
        return self.currentIndex() == 1

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() == Qt.Key.Key_Escape and self.asking:
            self.back()
            return
        super().keyPressEvent(event)

    def _build_choice(self) -> None:
        self._selected = dim(wrap=False)
        self.open, self.send = QPushButton("Open in the annotator"), QPushButton("Send…")
        self.withdraw, self.delete = QPushButton("Withdraw…"), QPushButton("Delete…")
        self.open.setToolTip("Enter")
        self.delete.setToolTip("Del")
        self.send.setToolTip("Writes the session with its labels as one file, to be handed on.")
        self.withdraw.setToolTip(
            "Takes the session back: it is used and sent no more, and others are told by a notice."
        )
        self.open.clicked.connect(self.opened)
        for button, deed in ((self.send, Deed.SEND), (self.withdraw, Deed.WITHDRAW), (self.delete, Deed.DELETE)):
            button.clicked.connect(lambda _, deed=deed: self.asked.emit(deed))
        self.addWidget(_row(self._selected, None, self.delete, self.withdraw, self.send, self.open))

    def _build_question(self) -> None:
        self._question = QLabel()
        self._question.setWordWrap(True)
        self.folder = QLineEdit(_last_folder())
        self.folder.setAccessibleName("Folder to write to")
        choose = QPushButton("Choose…")
        choose.clicked.connect(self._choose)
        self._where = QWidget()
        keeps = self._where.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)  # so that nothing above moves from one question to the next
        self._where.setSizePolicy(keeps)
        row = QHBoxLayout(self._where)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(dim("into", wrap=False))
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        self.yes, self.no = QPushButton(), QPushButton("No")
        self.yes.clicked.connect(self._confirm)
        self.no.clicked.connect(self.back)
        texts = QWidget()
        column = QVBoxLayout(texts)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._question)
        column.addWidget(self._where)
        self.addWidget(_row(texts, self.no, self.yes, stretch=texts))

    def _build_progress(self) -> None:
        self._doing, self._bar = QLabel(), QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self._cancel_it)
        texts = QWidget()
        column = QVBoxLayout(texts)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._doing)
        column.addWidget(self._bar)
        self.addWidget(_row(texts, self._cancel, stretch=texts))

    def _confirm(self) -> None:
        folder = self.folder.text().strip() if self._where.isVisibleTo(self) else ""
        if folder:
            QSettings("Playtape", "Playtape").setValue(_FOLDER_KEY, folder)
        self.confirmed.emit(self._deed, folder)

    def _cancel_it(self) -> None:
        self._cancel.setEnabled(False)
        self._doing.setText("Ending…")
        self.cancelled.emit()

    def _choose(self) -> None:
        """A dialog of its own that blocks nothing."""
        dialog = QFileDialog(self, "Where to write", self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.setModal(False)
        dialog.show()


def _last_folder() -> str:
    """Where the person wrote to the last time, else their documents, else their home: the first that is there."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    known = str(QSettings("Playtape", "Playtape").value(_FOLDER_KEY, ""))
    there = (folder for folder in (known, documents) if folder and Path(folder).is_dir())
    return next(there, str(Path.home()))


def _row(*widgets: QWidget | None, stretch: QWidget | None = None) -> QWidget:
    """Widgets side by side; None is the free space."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(10)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget, int(widget is stretch))
    return whole
