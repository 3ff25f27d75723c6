"""The keys of the library's vocabulary and of its own flags, as shortcuts of the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QWidget

from annotator.model.library.vocabulary import Word, usable, words_of
from annotator.ui.annotate.holding import Holding
from db.errors import PlaytapeError
from db.settings import read_settings, settings_stamp


class WordKeys(QObject):
    """Owned by the window. `refresh` takes over what somebody has changed; a key that means something else gets no effect."""

    changed = pyqtSignal()
    failed = pyqtSignal(str)
    """The settings cannot be read; the words stay as they were."""

    def __init__(self, window: QWidget, holding: Holding, root: Path) -> None:
        super().__init__(window)
        self._window, self._holding, self._root = window, holding, root
        self._seen: tuple[tuple[int, int], frozenset[str]] | None = None
        self.words: list[Word] = []
        """As they are in force: without the keys that mean something else."""
        self.actions: list[QAction] = []
        """One for each of `words`."""

    @property
    def taken(self) -> dict[str, str]:
        """Every key of the window that no word has, in portable text, and what it does."""
        return keys_of([action for action in self._window.actions() if action not in self.actions])

    def refresh(self) -> None:
        """Reads the library's settings where they, or the window's other keys, have changed."""
        stamp, taken = settings_stamp(self._root), self.taken
        seen = (stamp, frozenset(taken))
        if seen == self._seen:
            return
        self._seen = seen
        try:
            words = usable(words_of(read_settings(self._root)), taken)
        except PlaytapeError as error:
            self.failed.emit(str(error))
            return
        if words != self.words:
            self._show(words)

    def _show(self, words: list[Word]) -> None:
        for action in self.actions:
            self._window.removeAction(action)
            action.deleteLater()
        self.words, self.actions = words, [self._make_action(word) for word in words]
        self.changed.emit()

    def _make_action(self, word: Word) -> QAction:
        action = QAction(word.text, self._window)
        action.setShortcut(QKeySequence(word.key))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(False)
        action.triggered.connect(lambda: self._holding.press(word.kind, word.text))
        self._window.addAction(action)
        return action


def keys_of(actions: Sequence[QAction]) -> dict[str, str]:
    """The keys of some actions in portable text, each with its action's text."""
    return {
        key.toString(QKeySequence.SequenceFormat.PortableText): action.text()
        for action in actions
        for key in action.shortcuts()
    }
