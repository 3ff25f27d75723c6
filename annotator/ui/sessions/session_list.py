"""The library's list of sessions with its filters, kept up to date by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PyQt6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QRect,
    QTimer,
    pyqtSignal,
)
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QAbstractItemView, QVBoxLayout, QWidget

from annotator.ui.desktop import settle
from annotator.ui.library.filter_bar import FilterBar
from annotator.ui.sessions.searcher import Found, Searcher
from annotator.ui.sessions.session_model import SUMMARY_ROLE, SessionModel, len_text
from annotator.ui.sessions.session_view import SessionView
from annotator.ui.sessions.thumbnails import Thumbnails
from db.library.catalogue import SessionSummary
from db.library.facets import Marks
from db.library.index import index_stamp
from db.store import Store

__all__ = ["SUMMARY_ROLE", "SessionList", "SessionModel", "len_text"]

POLL_MS = 1000
SEEN_MS = 40
AROUND = 60
"""Rows above and below the view whose lines are fetched with it."""
LARGE = 1000
"""Sessions from which on a list is worth keeping from the garbage collector."""
FEW_FACETS = ("review", "game", "assignee")
"""What fits above a narrow list."""


class SessionList(QWidget):
    """Filters and list. Searches again when the index has changed, which it looks for while it is there."""

    opened = pyqtSignal(str)
    """The session that the person went to."""
    failed = pyqtSignal(str)
    counted = pyqtSignal(int, bool)
    """(sessions in the list, whether a filter is on), after each look."""
    searched = pyqtSignal(object)
    """The Found that the list shows now."""

    def __init__(
        self,
        store: Store,
        parent: QWidget | None = None,
        *,
        bar: FilterBar | None = None,
        facets: Iterable[str] = FEW_FACETS,
        person: str = "",
        many: bool = False,
    ) -> None:
        """bar: the filters where they stand elsewhere. many: whether several sessions can be selected at once."""
        super().__init__(parent)
        self._root = store.root
        self.model = SessionModel(self)
        self.thumbnails = Thumbnails(store, self)
        self.thumbnails.made.connect(self.model.set_picture)
        self.thumbnails.strip_made.connect(self._on_strip)
        self.searcher = Searcher(store.root, self)
        self.searcher.found.connect(self._on_found)
        self.searcher.read.connect(self._on_read)
        self.searcher.failed.connect(self.failed)
        self.bar = bar or FilterBar(facets, person)
        self.filter = self.bar.field
        self.bar.counts_wanted.connect(self._count_choices)
        self.searcher.counted.connect(self.bar.show_counts)
        self.is_trash = False
        self._has_settled = False
        self._awaited = ""
        self._scrubbed = ("", 0.0)
        self._kept: tuple[str, list[str]] = ("", [])
        self.view = SessionView()
        self.view.setToolTip("The sessions (Up and Down go through them, Enter opens one)")
        self.view.setModel(self.model)
        if many:
            self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        if bar is None:
            layout.addWidget(self.bar)
        layout.addWidget(self.view, 1)
        self._seen = QTimer(self)
        self._seen.setSingleShot(True)
        self._seen.setInterval(SEEN_MS)
        self._seen.timeout.connect(self._want_rows)
        self._poll = QTimer(self)
        self._poll.timeout.connect(self._look)
        self._stamp: tuple[int, ...] = ()
        self.filter.left.connect(lambda: self.view.setFocus())
        self.bar.changed.connect(self.refresh)
        self.view.activated.connect(self._on_index)
        self.view.clicked.connect(self._on_index)
        self.view.seen.connect(lambda: self._seen.start())
        self.view.scrubbed.connect(self._on_scrubbed)
        self.model.modelAboutToBeReset.connect(self._keep_place)
        self.model.modelReset.connect(self._take_place)
        self.refresh()
        self._poll.start(POLL_MS)

    @property
    def current(self) -> str:
        """The id of the current session, "" for none."""
        index = self.view.currentIndex()
        return self.model.ids[index.row()] if index.isValid() else ""

    @property
    def selected(self) -> list[str]:
        """The ids of the selected sessions, in the list's order; also of those that were never in view."""
        ranges = sorted((part.top(), part.bottom()) for part in self.view.selectionModel().selection())
        return [session_id for top, bottom in ranges for session_id in self.model.ids[top : bottom + 1]]

    @property
    def selected_count(self) -> int:
        return sum(part.height() for part in self.view.selectionModel().selection())

    def refresh(self) -> None:
        """Looks at the index now; the list follows when the answer is there."""
        self._stamp = index_stamp(self._root)
        first, last = self._in_view()
        held = [*([self.current] if self.current else []), *self.model.ids[max(first, 0) : last]]
        self.searcher.ask(self.bar.query(trashed=self.is_trash), held)

    def show_trash(self, is_trash: bool) -> None:
        """Shows what is in the trash, or what is not."""
        if self.is_trash != is_trash:
            self.is_trash = is_trash
            self.refresh()

    def show_current(self, session_id: str) -> None:
        """Marks a session as the current one, without opening it; one that is not there yet, when it comes."""
        row = self.model.row_of(session_id)
        self._awaited = session_id if row < 0 else ""
        if row >= 0:
            self.view.selectionModel().setCurrentIndex(
                self.model.index(row), QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
            self.view.scrollTo(self.model.index(row))

    def neighbour(self, session_id: str, step: int) -> str:
        """The session `step` rows further down, "" past the ends."""
        row = self.model.row_of(session_id) + step
        return self.model.ids[row] if 0 <= row < len(self.model.ids) else ""

    def next_to_label(self, session_id: str) -> str:
        """The next session below, then from the top, that waits for labels or for fixing; "" where there is none.

        The list's order is the queue's. Those that somebody else has open just now are left to them.
        """
        row = self.model.row_of(session_id)
        order = self.model.ids[row + 1 :] + self.model.ids[: max(row, 0)]
        return next((i for i in order if i in self.model.waiting and not self.model.opener(i)), "")

    def mark_open(self, openers: Mapping[str, str]) -> None:
        """Which sessions other people have open just now: session id -> who."""
        self.model.mark_open(openers)

    def close_threads(self) -> None:
        """Stops looking and joins the threads."""
        for timer in (self._poll, self._seen):
            timer.stop()
        self.bar.stop()
        self.searcher.close()
        self.thumbnails.close()

    def _look(self) -> None:
        if index_stamp(self._root) != self._stamp:
            self.refresh()

    def _on_found(self, found: Found) -> None:
        if found.query != self.bar.query(trashed=self.is_trash):
            return  # another question was asked meanwhile
        self.bar.know(found.facets)
        self.bar.show_news(0 if self.is_trash else found.news)
        self.model.refresh(found.listing, found.lines, found.marks)
        if not self._has_settled and len(found.listing.ids) >= LARGE:
            self._has_settled = True
            settle()
        if self._awaited:
            self.show_current(self._awaited)
        self._seen.start()
        self.counted.emit(len(found.listing.ids), found.query.is_filtered)
        self.searched.emit(found)

    def _in_view(self) -> tuple[int, int]:
        """The rows [first, last) that are in view, (-1, 0) for none."""
        area = self.view.viewport().rect()
        first = self.view.indexAt(area.topLeft() + QRect(0, 0, 8, 8).bottomRight()).row()
        last = min(first + area.height() // self.view.row_px + 2, len(self.model.ids))
        return (first, last) if first >= 0 else (-1, 0)

    def _want_rows(self) -> None:
        """Asks for the lines in view and around it, and for the pictures of those in view.

        The uppermost picture is asked for last, since the newest wish comes first.
        """
        first, last = self._in_view()
        if first < 0:
            return
        if self.model.missing(first, last):
            self.searcher.fetch(self.model.missing(first - AROUND, last + AROUND))
        for session_id in reversed(self.model.ids[first:last]):
            summary = self.model.line(session_id)
            if summary is not None and self.model.picture(summary) is None:
                self.thumbnails.want(summary)

    def _on_read(self, lines: dict[str, SessionSummary], marks: dict[str, Marks]) -> None:
        self.model.learn(lines, marks)
        self._seen.start()

    def _count_choices(self, facet: str) -> None:
        """Asks how many sessions each choice of a facet would find beside the other filters."""
        wanted = self.bar.query(trashed=self.is_trash, without=facet).wanted
        if each := self.bar.fields_of(facet):
            self.searcher.count_each(wanted, facet, each)
        else:
            self.searcher.count(wanted, facet)

    def _on_scrubbed(self, index: QModelIndex, share: float) -> None:
        """Shows the picture at this share of the session; asks for the pictures where they are not here yet."""
        session_id = self.model.ids[index.row()] if index.isValid() else ""
        self._scrubbed = (session_id, share)
        summary = self.model.line(session_id)
        if summary is None:
            self.model.show_strip("", [], 0)
        elif self.model.strip[0] == session_id and (pictures := self.model.strip[1]):
            self.model.show_strip(session_id, pictures, int(share * len(pictures)))
        else:
            self.thumbnails.want_strip(summary)

    def _on_strip(self, session_id: str, pictures: list[QImage]) -> None:
        if self._scrubbed[0] == session_id:
            self.model.show_strip(session_id, pictures, int(self._scrubbed[1] * len(pictures)))

    def _keep_place(self) -> None:
        self._kept = (self.current, self.selected)

    def _take_place(self) -> None:
        """Selects again, in the new list, what was selected in the old one."""
        current, selected = self._kept
        choice = QItemSelection()
        for first, last in _stretches(sorted(row for row in map(self.model.row_of, selected) if row >= 0)):
            choice.append(QItemSelectionRange(self.model.index(first), self.model.index(last)))
        selection = self.view.selectionModel()
        selection.select(choice, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if (row := self.model.row_of(current)) >= 0:
            selection.setCurrentIndex(self.model.index(row), QItemSelectionModel.SelectionFlag.NoUpdate)
            self.view.scrollTo(self.model.index(row))

    def _on_index(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.ids[index.row()])


def _stretches(rows: list[int]) -> list[tuple[int, int]]:
    """(first, last) of each run of rows that follow each other."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs
