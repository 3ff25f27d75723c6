"""Reads the library's phrases in a thread, so that they can be offered while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from annotator.model.library.phrases import PhraseBook
from annotator.ui.errand import Errand
from db.clock import now_ns
from db.labelling.labels import Flag, LabelKind
from db.library.statistics import phrases
from db.settings import read_settings
from db.store import Store

if TYPE_CHECKING:
    from annotator.ui.annotate.editing import Editing

FRESH_NS = 20_000_000_000
"""Other people's phrases are read again after so long, when somebody types."""


class Phrases(QObject):
    """Part of an Editing, and the owner of its errand; `close` ends that."""

    read = pyqtSignal()
    """There is another book."""

    def __init__(self, editing: Editing, store: Store) -> None:
        super().__init__(editing)
        self._editing, self._root = editing, store.root
        self._game = editing.recording.meta.game
        self._book, self._flags = PhraseBook(), [flag.value for flag in Flag]
        self._errand: Errand | None = None
        self._read_ns: int | None = None

    def refresh(self) -> None:
        """Reads them where that is due; what is known is offered meanwhile."""
        if self._errand is not None or (self._read_ns is not None and now_ns() - self._read_ns < FRESH_NS):
            return
        game = self._game
        self._errand = Errand(self._root, lambda store, errand: read_book(store, game), self)
        self._errand.ended.connect(self._on_read)
        self._errand.failed.connect(lambda _: self._end_errand())  # typing goes on without them
        self._errand.start()

    def matches(self, kind: LabelKind, typed: str) -> list[str]:
        """What is offered for a label of this kind: for instructions the library's, for others this session's own."""
        here = list(dict.fromkeys(span.value for span in self._editing.document.spans(kind) if span.value))
        if kind is not LabelKind.INSTRUCTION:
            words = [(word, 1) for word in self._flags] if kind is LabelKind.FLAG else []
            return PhraseBook(words, [(text, 1) for text in here]).matches(typed)
        known = self._book.texts
        return self._book.matches(typed, [text for text in here if text not in known])

    def close(self) -> None:
        self._end_errand()

    def _on_read(self, found: tuple[PhraseBook, list[str]]) -> None:
        (self._book, self._flags), self._read_ns = found, now_ns()
        self._end_errand()
        self.read.emit()

    def _end_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.close()
            errand.deleteLater()


def read_book(store: Store, game: str) -> tuple[PhraseBook, list[str]]:
    """The phrases of a library as they are offered in a session of this game, the vocabulary's too; and its flags."""
    settings = read_settings(store.root)
    vocabulary = [(entry.text, 0) for entry in settings.vocabulary]
    book = PhraseBook(phrases(store, game), [*phrases(store), *vocabulary])
    return book, [*(flag.value for flag in Flag), *(entry.word for entry in settings.flags)]
