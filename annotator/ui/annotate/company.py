"""Who else works on the session that is open: what they do shows within a second, with a quiet word on it."""

from __future__ import annotations

from PyQt6.QtCore import QElapsedTimer, QObject, QTimer, pyqtSignal

from annotator.model.library.news import News
from annotator.ui.annotate.editing import Editing
from db.errors import PlaytapeError
from db.library.index import index_stamp
from db.store import Store
from db.upkeep.presence import BEAT_S, Presence, Present, open_elsewhere

LOOK_MS = 500
"""How often it is asked whether anybody wrote to the library: two looks at the file system."""
_PRESENT_MS = 2000


class Company(QObject):
    """Watches the library while a session is open, and lets others know that it is."""

    told = pyqtSignal(str)
    """What somebody else just did, such as "bob moved “walk on”"."""
    failed = pyqtSignal(str)
    present_changed = pyqtSignal(object)
    """list[Present]: who else has this session open."""
    openers_changed = pyqtSignal(object)
    """dict[str, str]: who else has which session open."""

    def __init__(self, store: Store, person: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root, self._cache_dir, self._person = store.root, store.cache_dir, person
        self._presence = Presence(store.cache_dir, person)
        self._editing: Editing | None = None
        self._news: News | None = None
        self._stamp: tuple[int, ...] = ()
        self._present: list[Present] = []
        self._openers: dict[str, str] = {}
        self._beaten, self._looked = QElapsedTimer(), QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def show_editing(self, editing: Editing | None) -> None:
        """Keeps company with this session from now on, with none where it is None."""
        self._editing = editing
        self._stamp = ()
        if editing is None:
            self._timer.stop()
            self._presence.leave()
            self._tell_present([])
            return
        self._news = News(editing.document)
        editing.changed.connect(self._on_changed)
        self._enter(editing.session_id)
        self._timer.start(LOOK_MS)
        QTimer.singleShot(0, self.look)  # it was read just now

    def look(self) -> None:
        """Takes in what others have committed, where anybody wrote at all, and who is there."""
        editing = self._editing
        if editing is None:
            return
        stamp = index_stamp(self._root)
        if stamp != self._stamp:
            try:
                editing.document.refresh()
                self._stamp = stamp
            except PlaytapeError as error:
                self.failed.emit(str(error))
        if self._looked.elapsed() >= _PRESENT_MS:
            self._look_who()

    def _enter(self, session_id: str) -> None:
        try:
            self._presence.enter(session_id)
        except PlaytapeError:
            return  # a library that cannot be written to now says so when somebody edits
        finally:
            self._beaten.start()
            self._looked.start()
            self._look_who()

    def _look_who(self) -> None:
        self._looked.restart()
        if self._beaten.elapsed() >= BEAT_S * 1000:
            self._beaten.restart()
            try:
                self._presence.beat()
            except PlaytapeError:
                return
        self._tell_present(self._presence.others())
        openers = open_elsewhere(self._cache_dir, self._person)
        if openers != self._openers:
            self._openers = openers
            self.openers_changed.emit(openers)

    def _tell_present(self, present: list[Present]) -> None:
        if present != self._present:
            self._present = present
            self.present_changed.emit(present)

    def _on_changed(self, entities: frozenset[str]) -> None:
        if self._news is not None and (sentence := self._news.tell(entities)):
            self.told.emit(sentence)
