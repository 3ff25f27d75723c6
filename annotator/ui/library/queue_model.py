"""The sessions of one queue as the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt

from annotator.model.library.queue import Turn
from annotator.ui.sessions.row_changes import change_rows
from db.library.catalogue import SessionSummary

COLUMNS = ("Session", "Player", "Length", "State", "Why it is here")
ID_ROLE = Qt.ItemDataRole.UserRole


class QueueModel(QAbstractTableModel):
    """Only rows that came or went are told to the views, so that a selection survives what others do."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.turns: list[Turn] = []
        self._lines: Mapping[str, SessionSummary] = {}

    def show_turns(self, turns: Sequence[Turn], lines: Mapping[str, SessionSummary]) -> None:
        fresh = list(turns)
        self._lines = {**self._lines, **lines}

        def remove(first: int, count: int) -> None:
            self.beginRemoveRows(QModelIndex(), first, first + count - 1)
            del self.turns[first : first + count]
            self.endRemoveRows()

        def insert(at: int, first: int, count: int) -> None:
            self.beginInsertRows(QModelIndex(), at, at + count - 1)
            self.turns[at:at] = fresh[first : first + count]
            self.endInsertRows()

        change_rows([turn.session_id for turn in self.turns], [turn.session_id for turn in fresh], remove, insert)
        self.turns, self._lines = fresh, lines
        if fresh:
            self.dataChanged.emit(self.index(0, 0), self.index(len(fresh) - 1, len(COLUMNS) - 1))

    def row_of(self, session_id: str) -> int:
        """-1 where it is not in the queue."""
        return next((row for row, turn in enumerate(self.turns) if turn.session_id == session_id), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.turns)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.turns):
            return None
        turn = self.turns[index.row()]
        if role == ID_ROLE:
            return turn.session_id
        line = self._lines.get(turn.session_id)
        if line is None or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        minutes, seconds = divmod(round(line.duration_s), 60)
        when = f"{line.started_at.astimezone():%d %b, %H:%M}"
        cells = (f"{line.game}, {when}", line.player, f"{minutes}:{seconds:02}", line.review.value, turn.reason)
        if role == Qt.ItemDataRole.ToolTipRole:
            return turn.reason if turn.share >= 1 else f"{turn.reason}: {turn.share:.0%} of these are drawn"
        return cells[index.column()]
