"""Searches the library in a thread of its own, so that the windows never wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition

from PyQt6.QtCore import QObject, QThread, pyqtSignal

from annotator.ui.sessions.query import Query
from db.errors import PlaytapeError
from db.library.catalogue import SessionSummary, Wanted
from db.library.facets import Facets, Marks, read_facets, read_marks
from db.library.index import index_stamp
from db.library.listing import Listing, all_ids, count_choices, count_sessions, list_sessions, read_lines
from db.library.statistics import GameProgress, progress
from db.store import Store

MOST_READ = 200
"""Lines that are read at once."""
MOST_WAITING = 8


@dataclass(frozen=True)
class Found:
    """The answer to a query, and what the whole library is like at the same time."""

    query: Query
    listing: Listing
    lines: dict[str, SessionSummary]
    """Of the first that were found, and of those that the window showed."""
    marks: dict[str, Marks]
    """Of the same sessions, where they have any."""
    facets: Facets
    games: list[GameProgress]
    news: int
    """Sessions that came since the window was opened and were in no list yet."""


class Searcher(QThread):
    """`ask` puts a question; of several that wait only the newest is answered. `close` joins the thread."""

    found = pyqtSignal(object)
    """A Found."""
    read = pyqtSignal(object, object)
    """(lines, marks) of sessions, both by id."""
    counted = pyqtSignal(str, object)
    """(facet, how many sessions each of its values would find)."""
    failed = pyqtSignal(str)

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._changed = Condition()
        self._asked: tuple[Query, list[str]] | None = None
        self._waiting: deque[Callable[[Store], None]] = deque(maxlen=MOST_WAITING)
        self._is_closing = False
        self._stamp: tuple[int, ...] = ()
        self._facets, self._games = Facets(), list[GameProgress]()
        self._all: set[str] | None = None
        self._news: set[str] = set()

    def ask(self, query: Query, held: Iterable[str] = ()) -> None:
        """held: sessions whose lines are wanted too, wherever they are in the list. Any thread may ask."""
        with self._changed:
            self._asked = (query, list(held)[:MOST_READ])
            self._changed.notify()
        if not self.isRunning():
            self.start()

    def fetch(self, ids: Iterable[str]) -> None:
        """Asks for the lines of these sessions; of many wishes the oldest are given up."""
        some = list(ids)[:MOST_READ]
        self._wish(lambda store: self.read.emit(read_lines(store, some), read_marks(store, some)))

    def count(self, wanted: Wanted, facet: str) -> None:
        """Asks how many sessions each value of a facet would find."""
        self._wish(lambda store: self.counted.emit(facet, count_choices(store, wanted, facet)))

    def count_each(self, wanted: Wanted, facet: str, choices: dict[str, dict[str, object]]) -> None:
        """The same for choices that are fields of Wanted: by the choice's value."""
        self._wish(
            lambda store: self.counted.emit(
                facet,
                {value: count_sessions(store, replace(wanted, **fields)) for value, fields in choices.items()},
            )
        )

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        try:
            with Store.open(self._root, create=False) as store:
                while (work := self._take()) is not None:
                    self._do(store, work)
        except PlaytapeError as error:
            self.failed.emit(str(error))

    def _wish(self, work: Callable[[Store], None]) -> None:
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()
        if not self.isRunning():
            self.start()

    def _take(self) -> Callable[[Store], None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or self._asked is not None or self._waiting)
            if self._is_closing:
                return None
            if self._asked is None:
                return self._waiting.popleft()
            (query, held), self._asked = self._asked, None
            return lambda store: self._answer(store, query, held)

    def _do(self, store: Store, work: Callable[[Store], None]) -> None:
        try:
            work(store)
        except PlaytapeError as error:
            self.failed.emit(str(error))

    def _answer(self, store: Store, query: Query, held: list[str]) -> None:
        stamp = index_stamp(self._root)
        listing = list_sessions(store, query.wanted, query.order, descending=query.is_descending)
        wanted = list(dict.fromkeys([*held, *listing.ids[:MOST_READ]]))[:MOST_READ]
        lines, marks = read_lines(store, wanted), read_marks(store, wanted)
        if stamp != self._stamp:
            self._facets, self._games = read_facets(store), progress(store)
            self._notice(all_ids(store))
            self._stamp = stamp
        self._news.difference_update(listing.ids)
        self.found.emit(Found(query, listing, lines, marks, self._facets, self._games, len(self._news)))

    def _notice(self, everything: set[str]) -> None:
        if self._all is not None:
            self._news |= everything - self._all
        self._news &= everything
        self._all = everything
