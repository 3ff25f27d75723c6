"""One's own sessions as the rows of a table, newest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QImage, QPainter, QPainterPath, QPixmap

from db.library.catalogue import SessionSummary
from db.recording.qa import Grade
from db.upkeep.withdrawal import Sending
from recorder.ui.live.gauges import clock_text, size_text
from recorder.ui.theme import Theme
from recorder.ui.verdict.grade_mark import draw_grade

PICTURE_PX = QSize(96, 54)
COLUMNS = ("", "Game", "Recorded", "Length", "Size", "Verdict", "State")
PICTURE, GAME, RECORDED, LENGTH, SIZE, VERDICT, STATE = range(7)
WIDEST = {
    RECORDED: "yesterday, 00:00 ", LENGTH: "00:00:00", SIZE: "000.0 MB", VERDICT: "xxxx Usable", STATE: "withdrawn 2026-00-00",
}  # fmt: skip
"""The longest text of each column whose width is set."""
_SHARP, _MARK_PX = 2, 20
"""Pictures are drawn at twice their size, for dense screens."""


@dataclass(frozen=True)
class Line:
    """A session and every time that it was sent."""

    summary: SessionSummary
    sent: tuple[Sending, ...] = ()

    @property
    def state(self) -> str:
        if self.summary.withdrawn_at is not None:
            return f"withdrawn {day_text(self.summary.withdrawn_at)}"
        return f"sent {day_text(self.sent[-1].at)}" if self.sent else "not sent"


class SessionTable(QAbstractTableModel):
    """The lines; `ask_picture` is called once for each session whose row is looked at."""

    def __init__(self, theme: Callable[[], Theme], ask_picture: Callable[[SessionSummary], None]) -> None:
        super().__init__()
        self._theme, self._ask_picture = theme, ask_picture
        self.lines: list[Line] = []
        self._pictures: dict[str, QIcon] = {}
        self._marks: dict[tuple[str, str], QIcon] = {}
        self._asked: set[str] = set()

    def show_lines(self, lines: Sequence[Line]) -> bool:
        """Replaces the lines; gives whether the rows are others than before, so that a selection is lost."""
        if [line.summary.id for line in lines] == [line.summary.id for line in self.lines]:
            self.lines = list(lines)
            if lines:
                self.dataChanged.emit(self.index(0, 0), self.index(len(lines) - 1, len(COLUMNS) - 1))
            return False
        self.beginResetModel()
        self.lines = list(lines)
        self.endResetModel()
        return True

    def show_picture(self, session_id: str, picture: QImage) -> None:
        self._pictures[session_id] = _cover(picture)
        for row, line in enumerate(self.lines):
            if line.summary.id == session_id:
                self.dataChanged.emit(self.index(row, PICTURE), self.index(row, PICTURE))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(line, column)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(line, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(line, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == PICTURE:
            return f"{line.summary.game}, {when_text(line.summary.started_at)}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole:
            quiet = line.summary.withdrawn_at is not None or (column == STATE and not line.sent)
            return QColor(self._theme().dim) if quiet else None
        return None

    @staticmethod
    def _text(line: Line, column: int) -> str:
        summary = line.summary
        return {
            GAME: summary.game,
            RECORDED: when_text(summary.started_at),
            LENGTH: clock_text(round(summary.duration_s)),
            SIZE: size_text(summary.bytes),
            VERDICT: summary.grade.capitalize(),
            STATE: line.state,
        }.get(column, "")

    def _decoration(self, line: Line, column: int) -> QIcon | None:
        summary = line.summary
        if column == VERDICT:
            theme = self._theme()
            if (summary.grade, theme.window) not in self._marks:
                self._marks[summary.grade, theme.window] = _mark(Grade(summary.grade), theme)
            return self._marks[summary.grade, theme.window]
        if column != PICTURE:
            return None
        if summary.id not in self._asked:
            self._asked.add(summary.id)
            self._ask_picture(summary)
        return self._pictures.get(summary.id) or _blank(self._theme())

    @staticmethod
    def _hint(line: Line, column: int) -> str:
        if column == VERDICT:
            return "\n".join(line.summary.verdict.reasons) or "All checks passed."
        if column == STATE:
            return "\n".join(f"{when_text(sending.at)}: {sending.file}" for sending in line.sent)
        return f"Session {line.summary.id}" if column == GAME else ""


def when_text(when: datetime) -> str:
    """A moment as it is read here: today and yesterday by name."""
    local, today = when.astimezone(), datetime.now().astimezone().date()
    days = (today - local.date()).days
    day = {0: "today", 1: "yesterday"}.get(days, f"{local:%Y-%m-%d}")
    return f"{day}, {local:%H:%M}"


def day_text(when: datetime) -> str:
    return when_text(when).partition(",")[0]


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (LENGTH, SIZE) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cover(picture: QImage) -> QIcon:
    """The middle of a picture, filling a rounded frame."""
    size = PICTURE_PX * _SHARP
    grown = picture.scaled(
        size, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    left, top = (grown.width() - size.width()) // 2, (grown.height() - size.height()) // 2
    made = QPixmap(size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(made.rect()), 4 * _SHARP, 4 * _SHARP)
    painter.setClipPath(outline)
    painter.drawImage(-left, -top, grown)
    painter.end()
    made.setDevicePixelRatio(_SHARP)
    return _icon(made)


def _blank(theme: Theme) -> QIcon:
    made = QImage(PICTURE_PX, QImage.Format.Format_RGB32)
    made.fill(QColor(theme.raised))
    return _cover(made)


def _mark(grade: Grade, theme: Theme) -> QIcon:
    sizes = []
    for ratio in (1, _SHARP):
        made = QPixmap(_MARK_PX * ratio, _MARK_PX * ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        draw_grade(painter, QRectF(made.rect()), grade, theme)
        painter.end()
        made.setDevicePixelRatio(ratio)
        sizes.append(made)
    return _icon(*sizes)


def _icon(*pixmaps: QPixmap) -> QIcon:
    """Looks the same in a selected row, where Qt would tint it."""
    made = QIcon()
    for pixmap in pixmaps:
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            made.addPixmap(pixmap, mode)
    return made
