"""The sessions that were found, as rows: all of them by id, and the lines of those that come into view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QWidget

from annotator.ui.sessions.row_changes import change_rows
from annotator.ui.timeline.lane_painter import time_text
from db.library.catalogue import SessionSummary
from db.library.facets import Marks
from db.library.listing import Listing

SUMMARY_ROLE = Qt.ItemDataRole.UserRole
MARKS_ROLE = Qt.ItemDataRole.UserRole + 1
STRIP_ROLE = Qt.ItemDataRole.UserRole + 2
"""(pictures of the session from its start to its end, which of them the mouse is over), None elsewhere."""
MOST_STEPS = 100
"""More rows than these that come and go at once are shown as a new list; the views keep their selection all the same."""
MOST_PICTURES = 400
MOST_LINES = 2000


class SessionModel(QAbstractListModel):
    """The sessions of a search in its order; `refresh` changes only the rows that changed, `learn` fills them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ids: list[str] = []
        self.waiting: frozenset[str] = frozenset()
        """Those that wait to be labelled."""
        self.pictures: OrderedDict[str, tuple[int, QImage]] = OrderedDict()
        """Session id -> (revision, picture) of those seen last."""
        self.strip: tuple[str, list[QImage], int] = ("", [], 0)
        """(session id, pictures, the one that is shown) of the session that the mouse is over."""
        self._lines: OrderedDict[str, SessionSummary] = OrderedDict()
        self._marks: dict[str, Marks] = {}
        self._openers: dict[str, str] = {}
        self._rows: dict[str, int] = {}

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.ids)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        summary = self.line(self.ids[index.row()]) if index.isValid() and index.row() < len(self.ids) else None
        if summary is None:
            return None
        if role == SUMMARY_ROLE:
            return summary
        if role == MARKS_ROLE:
            return self.marks_of(summary.id), self.marks_of(summary.id, short=True)
        if role == STRIP_ROLE:
            return self.strip[1:] if self.strip[0] == summary.id and self.strip[1] else None
        if role == Qt.ItemDataRole.DecorationRole:
            return self.picture(summary)
        marks = list(filter(None, [self.marks_of(summary.id)]))
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([f"{summary.game}, {len_text(summary)}", *marks, *summary.verdict.reasons])
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            facts = [summary.game, summary.player, len_text(summary), summary.grade, summary.review.value]
            return ", ".join([*facts, *marks])
        return None

    def refresh(self, listing: Listing, lines: Mapping[str, SessionSummary], marks: Mapping[str, Marks]) -> None:
        """Becomes this list: by single rows where few come and go, else at once. Other lines are forgotten."""
        for session_id in [known for known in self._lines if known not in lines]:
            del self._lines[session_id]
        self.waiting = listing.waiting
        if self.ids != listing.ids and not _is_near(self.ids, listing.ids):
            self.beginResetModel()
            self.ids = list(listing.ids)
            self._count_rows()
            self._lines.update(lines)
            self._marks = dict(marks)
            self.endResetModel()
            return
        self._lines.update((known, line) for known, line in lines.items() if known not in self._rows)
        if self.ids != listing.ids:
            change_rows(self.ids, listing.ids, self._remove, lambda *where: self._insert(listing.ids, *where))
            self._count_rows()
        self.learn(lines, marks)

    def learn(self, lines: Mapping[str, SessionSummary], marks: Mapping[str, Marks]) -> None:
        """Takes lines with their marks; only rows that look different now are painted again."""
        for session_id, line in lines.items():
            is_new = self._lines.get(session_id) != line or self._marks.get(session_id) != marks.get(session_id)
            self._lines[session_id] = line
            self._lines.move_to_end(session_id)
            self._marks.pop(session_id, None)
            if session_id in marks:
                self._marks[session_id] = marks[session_id]
            if is_new:
                self._tell(session_id)
        while len(self._lines) > MOST_LINES:
            gone, _ = self._lines.popitem(last=False)
            self._marks.pop(gone, None)

    def mark_open(self, openers: Mapping[str, str]) -> None:
        """Who has which session open just now, by its id, from now on; the reader's own do not belong here."""
        before, self._openers = self._openers, dict(openers)
        for session_id in {*before, *openers}:
            if before.get(session_id) != openers.get(session_id):
                self._tell(session_id)

    def opener(self, session_id: str) -> str:
        """Who has it open, "" for nobody else."""
        return self._openers.get(session_id, "")

    def line(self, session_id: str) -> SessionSummary | None:
        """None where it has not been in view for a while."""
        return self._lines.get(session_id)

    def marks_of(self, session_id: str, *, short: bool = False) -> str:
        """Who has it open, who looks after it and its tags, in words."""
        opener = self.opener(session_id)
        present = (f"● {opener}" if short else f"● {opener} has it open") if opener else ""
        return "  ".join(filter(None, [present, marks_text(self._marks.get(session_id))]))

    def missing(self, first: int, last: int) -> list[str]:
        """Of the rows [first, last) those whose lines are not here."""
        return [session_id for session_id in self.ids[max(first, 0) : last] if session_id not in self._lines]

    def picture(self, summary: SessionSummary) -> QImage | None:
        revision, image = self.pictures.get(summary.id, (-1, None))
        return image if revision == summary.revision else None

    def set_picture(self, session_id: str, revision: int, picture: QImage) -> None:
        self.pictures[session_id] = (revision, picture)
        self.pictures.move_to_end(session_id)
        while len(self.pictures) > MOST_PICTURES:
            self.pictures.popitem(last=False)
        self._tell(session_id, Qt.ItemDataRole.DecorationRole)

    def show_strip(self, session_id: str, pictures: list[QImage], shown: int) -> None:
        """Shows one of a session's pictures in place of its own; "" for none."""
        before, self.strip = self.strip[0], (session_id, pictures, shown)
        for changed in {before, session_id} - {""}:
            self._tell(changed, STRIP_ROLE)

    def row_of(self, session_id: str) -> int:
        """-1 where it is not in the list."""
        return self._rows.get(session_id, -1)

    def _tell(self, session_id: str, *roles: int) -> None:
        if (row := self.row_of(session_id)) >= 0:
            self.dataChanged.emit(self.index(row), self.index(row), list(roles))

    def _remove(self, first: int, count: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, first + count - 1)
        del self.ids[first : first + count]
        self._count_rows()
        self.endRemoveRows()

    def _insert(self, fresh: list[str], at: int, first: int, count: int) -> None:
        self.beginInsertRows(QModelIndex(), at, at + count - 1)
        self.ids[at:at] = fresh[first : first + count]
        self._count_rows()
        self.endInsertRows()

    def _count_rows(self) -> None:
        self._rows = {session_id: row for row, session_id in enumerate(self.ids)}


def _is_near(old: list[str], new: list[str]) -> bool:
    """Whether few rows come and go and the others keep their order."""
    gone, come = set(old).difference(new), set(new).difference(old)
    if len(gone) + len(come) > MOST_STEPS:
        return False
    return [i for i in old if i not in gone] == [i for i in new if i not in come]


def marks_text(marks: Marks | None) -> str:
    """Such as `⚠ 2 conflicts  ✎ 1 comment  → ann  #hard`, "" where there are none."""
    if marks is None:
        return ""
    conflicts = [f"⚠ {marks.conflicts} conflict{'s' * (marks.conflicts != 1)}"] * bool(marks.conflicts)
    comments = [f"✎ {marks.comments} comment{'s' * (marks.comments != 1)}"] * bool(marks.comments)
    assignee = [f"→ {marks.assignee}"] * bool(marks.assignee)
    return "  ".join([*conflicts, *comments, *assignee, *(f"#{tag}" for tag in marks.tags)])


def len_text(summary: SessionSummary) -> str:
    return time_text(summary.duration_ns // 1_000_000)
