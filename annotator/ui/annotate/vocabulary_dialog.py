"""Edits the words of a library that have one key each: instructions that are used often, and flags of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from annotator.model.edits.commands import clean
from annotator.model.library.vocabulary import Word, check, free_key, with_words, words_of
from annotator.ui.errand import Errand
from annotator.ui.theme import Theme, tint
from db.errors import Conflict, PlaytapeError
from db.labelling.labels import LabelKind
from db.settings import LibrarySettings, change_settings, read_settings
from db.store import Store

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow

KINDS = {LabelKind.INSTRUCTION: "Instruction", LabelKind.FLAG: "Flag"}
LEAD = (
    "These words are everybody's in this library. A key labels what the marks enclose, else the selected span, else from "
    "here on; held while it plays, it labels what is shown meanwhile. Labels that were made stay as they are."
)


class VocabularyDialog(QDialog):
    """A list, and fields for the chosen entry. Nothing is stored before Save."""

    def __init__(
        self, root: Path, person: str, stored: LibrarySettings, taken: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        """taken: the keys that mean something else in the window, in portable text, and what."""
        super().__init__(parent)
        self._root, self._person, self._taken = root, person, dict(taken)
        self._opened = words_of(stored)
        self.words = list(self._opened)
        self._errand: Errand | None = None
        self.setWindowTitle("Vocabulary and flags")
        self.setMinimumSize(560, 480)
        lead = QLabel(LEAD)
        lead.setWordWrap(True)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Key", "Text", "Makes"])
        self.table.setAccessibleName("Words")
        self.table.setToolTip("The entry that the fields below change")
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for column in (0, 2):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.text = QLineEdit()
        self.text.setMaxLength(2000)
        self.key = QKeySequenceEdit()
        self.key.setMaximumSequenceLength(1)
        self.no_key = QPushButton("No key")
        self.no_key.setAutoDefault(False)
        self.no_key.setToolTip("The entry stays, without a key of its own")
        self.no_key.setAccessibleName("No key")
        self.no_key.clicked.connect(self.key.clear)
        self.kind = QComboBox()
        for kind, name in KINDS.items():
            self.kind.addItem(name, kind)
        for field, name, tip in (
            (self.text, "Text", "What the label says"),
            (self.key, "Key", "Press the key here"),
            (self.kind, "Makes", "Whether the key makes an instruction or a flag"),
        ):
            field.setAccessibleName(name)
            field.setToolTip(tip)
            if field is not self.key:  # which frames a field of its own
                field.setMinimumHeight(28)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setMinimumHeight(2 * self.fontMetrics().height())
        self._arrange(lead)
        self.table.currentCellChanged.connect(lambda *_: self._load())
        self.text.textEdited.connect(lambda text: self._change(text=text))
        self.kind.activated.connect(lambda _: self._change(kind=self.kind.currentData()))
        self.key.keySequenceChanged.connect(lambda keys: self._change(key=_portable(keys)))
        self._fill(0)

    def _arrange(self, lead: QLabel) -> None:
        side = QVBoxLayout()
        side.setSpacing(4)
        self.add, self.remove = QPushButton("&Add"), QPushButton("&Remove")
        self.up, self.down = QPushButton("Up"), QPushButton("Down")
        for button, call, tip, key in (
            (self.add, self.add_word, "A new entry with a key that is free", "Alt+A"),
            (self.remove, self.remove_word, "Takes the chosen entry from the list; labels stay", "Alt+R"),
            (self.up, lambda: self.move_word(-1), "The chosen entry one place up", "Alt+Up"),
            (self.down, lambda: self.move_word(1), "The chosen entry one place down", "Alt+Down"),
        ):
            button.setToolTip(f"{tip} ({key})")
            button.setAccessibleName(button.text().replace("&", ""))
            button.setShortcut(QKeySequence(key))
            button.setAutoDefault(False)
            button.clicked.connect(call)
            side.addWidget(button)
        side.addStretch()
        upper = QHBoxLayout()
        upper.setSpacing(8)
        upper.addWidget(self.table, 1)
        upper.addLayout(side)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setVerticalSpacing(8)
        keys = QHBoxLayout()
        keys.setSpacing(8)
        keys.addWidget(self.key, 1)
        keys.addWidget(self.no_key)
        label = QLabel("&Key")
        label.setBuddy(self.key)
        form.addRow("&Text", self.text)
        form.addRow(label, keys)
        form.addRow("&Makes", self.kind)
        buttons = QDialogButtonBox()
        self.cancel = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.save = buttons.addButton("Save", QDialogButtonBox.ButtonRole.AcceptRole)
        for button, tip in ((self.cancel, "Leave the words as they were (Esc)"), (self.save, "Store them (Enter)")):
            button.setToolTip(tip)
            button.setAccessibleName(button.text())
        self.save.setProperty("primary", True)
        self.cancel.setAutoDefault(False)
        buttons.accepted.connect(self.store)
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(12)
        outer.addWidget(lead)
        outer.addLayout(upper, 1)
        outer.addLayout(form)
        outer.addWidget(self.problem)
        outer.addWidget(buttons)
        self.save.setDefault(True)  # which the dialog keeps only from here on

    # What one can do

    def add_word(self) -> None:
        used = {word.key for word in self.words} | set(self._taken)
        at = self.table.currentRow() + 1
        self.words.insert(at, Word(self.kind.currentData() or LabelKind.INSTRUCTION, "", free_key(used)))
        self._fill(at)
        self.text.setFocus()

    def remove_word(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self.words):
            del self.words[row]
            self._fill(min(row, len(self.words) - 1))

    def move_word(self, step: int) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self.words) and 0 <= row + step < len(self.words):
            self.words.insert(row + step, self.words.pop(row))
            self._fill(row + step)

    def store(self) -> None:
        """Stores the words in the library, and closes where that went well."""
        if self._errand is not None or self._find_problem():
            return
        words, opened = list(self.words), self._opened

        def change(now: LibrarySettings) -> LibrarySettings:
            if words_of(now) != opened:
                raise Conflict("Somebody else has changed these words meanwhile; close this and open it again.")
            return with_words(now, words)

        def work(store: Store, errand: Errand) -> object:
            return change_settings(store.root, self._person, change)

        self._errand = Errand(self._root, work, self)
        self._errand.ended.connect(lambda _: self.accept())
        self._errand.failed.connect(self._on_failed)
        self.save.setEnabled(False)
        self._errand.start()

    def done(self, result: int) -> None:
        self._end_errand()
        super().done(result)

    # Inside

    def _on_failed(self, text: str) -> None:
        self._end_errand()
        self.save.setEnabled(True)
        self._say(text)

    def _end_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.close()

    def _find_problem(self) -> str:
        """The first thing that is wrong, "" where nothing is."""
        for word in self.words:
            if word.key in self._taken:
                return f"{_shown(word.key)} means “{self._taken[word.key]}” already; give “{word.text}” another key."
        try:
            check([replace(word, text=clean(word.text)) for word in self.words])
        except PlaytapeError as error:
            return str(error)
        return ""

    def _judge(self) -> None:
        problem = self._find_problem()
        self._say(problem)
        self.save.setEnabled(not problem)

    def _say(self, text: str) -> None:
        tint(self.problem, "warn")
        self.problem.setText(text)

    def _fill(self, current: int) -> None:
        self.table.blockSignals(True)
        self.table.setRowCount(len(self.words))
        for row in range(len(self.words)):
            self._show_row(row)
        self.table.blockSignals(False)
        self.table.setCurrentCell(current, 1)
        self._load()
        self._judge()

    def _show_row(self, row: int) -> None:
        word = self.words[row]
        for column, text in enumerate((_shown(word.key), word.text, KINDS[word.kind])):
            item = QTableWidgetItem(text)
            if word.key in self._taken and column == 0:
                item.setForeground(QColor(Theme.of(self.palette()).bad))
            self.table.setItem(row, column, item)

    def _load(self) -> None:
        """The fields show the chosen entry."""
        row = self.table.currentRow()
        word = self.words[row] if 0 <= row < len(self.words) else None
        for field in (self.text, self.key, self.no_key, self.kind, self.remove, self.up, self.down):
            field.setEnabled(word is not None)
        self.key.blockSignals(True)
        self.text.setText(word.text if word else "")
        self.key.setKeySequence(QKeySequence(word.key if word else ""))
        self.kind.setCurrentIndex(list(KINDS).index(word.kind) if word else 0)
        self.key.blockSignals(False)

    def _change(self, **fields: object) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self.words):
            self.words[row] = replace(self.words[row], **fields)  # type: ignore[arg-type]
            self._show_row(row)
            self._judge()


def edit_words(window: AnnotateWindow) -> None:
    """Opens the dialog over the window, which takes over what is stored."""
    try:
        stored = read_settings(window.store.root)
    except PlaytapeError as error:
        window.info.tell(str(error))
        return
    dialog = VocabularyDialog(window.store.root, window.author, stored, window.words.taken, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(window.words.refresh)
    dialog.open()


def _portable(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.PortableText)


def _shown(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
