"""The list of training runs: what each is doing, how far it is, when it will be done, and its loss as a small curve."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from annotator.model.library.runs import RunState
from annotator.ui.notices import paint_chip
from annotator.ui.sessions.row_changes import change_rows
from annotator.ui.theme import Theme, blend, small

STATE_ROLE = Qt.ItemDataRole.UserRole
ROW_PX, CURVE_PX, INDENT_PX = 76, (96, 32), 20


class RunModel(QAbstractListModel):
    """Runs, the one that spoke last first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.states: list[RunState] = []

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.states)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.states):
            return None
        state = self.states[index.row()]
        if role == STATE_ROLE:
            return state
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{state.title}, {state.phase}: {facts_text(state)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, [state.id, state.reason or state.last_words]))
        return None

    def refresh(self, fresh: list[RunState]) -> None:
        """Becomes this list; rows that did not change are left alone."""
        new = {state.id: state for state in fresh}

        def remove(first: int, count: int) -> None:
            self.beginRemoveRows(QModelIndex(), first, first + count - 1)
            del self.states[first : first + count]
            self.endRemoveRows()

        def insert(at: int, first: int, count: int) -> None:
            self.beginInsertRows(QModelIndex(), at, at + count - 1)
            self.states[at:at] = fresh[first : first + count]
            self.endInsertRows()

        change_rows([s.id for s in self.states], [s.id for s in fresh], remove, insert)
        for row, state in enumerate(self.states):
            if state != new[state.id]:
                self.states[row] = new[state.id]
                self.dataChanged.emit(self.index(row), self.index(row))


class RunDelegate(QStyledItemDelegate):
    """Paints one run."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(220, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        state: RunState = index.data(STATE_ROLE)
        theme = Theme.of(option.palette)
        whole = QRectF(option.rect)
        area = whole.adjusted(12 + INDENT_PX * bool(state.part_of), 8, -12, -8)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(whole, blend(theme.accent, theme.panel, 0.28))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(theme.accent))
            painter.drawRect(whole.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bold = QFont(option.font)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(theme.text))
        left = paint_chip_at_right(painter, area, state, theme, option.font)
        painter.setFont(bold)
        name = painter.fontMetrics().elidedText(
            name_of(state), Qt.TextElideMode.ElideRight, int(left - area.left() - 8)
        )
        painter.drawText(QRectF(area.left(), area.top(), left - area.left(), 20), Qt.AlignmentFlag.AlignVCenter, name)
        curve = QRectF(area.right() - CURVE_PX[0], area.top() + 22, *CURVE_PX)
        _paint_curve(painter, curve, state, theme)
        painter.setFont(small(option.font))
        painter.setPen(QColor(theme.dim))
        room = QRectF(area.left(), area.top() + 20, area.width() - CURVE_PX[0] - 12, 18)
        text = painter.fontMetrics().elidedText(facts_text(state), Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        _paint_bar(painter, QRectF(area.left(), area.bottom() - 10, room.width(), 6), state, theme)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QPointF(area.left(), area.bottom() + 7.5), QPointF(area.right(), area.bottom() + 7.5))
        painter.restore()


def paint_chip_at_right(painter: QPainter, area: QRectF, state: RunState, theme: Theme, font: QFont) -> float:
    painter.setFont(font)
    return paint_chip(painter, area.right(), area.top() + 10, state.phase, QColor(state_colour(state, theme)), theme)


def state_colour(state: RunState, theme: Theme) -> str:
    colours = {"done": theme.good, "failed": theme.bad, "crashed": theme.bad}
    colours |= {"stopped": theme.warn, "stopping": theme.warn}
    return colours.get(state.phase, theme.accent)


def name_of(state: RunState) -> str:
    """Such as `IDM · 30 Nov 14:32`: what it trains and when it last spoke."""
    when = f" · {datetime.fromtimestamp(state.t_s):%d %b %H:%M}" if state.t_s and not state.part_of else ""
    return f"{state.title}{when}"


def facts_text(state: RunState, now: datetime | None = None) -> str:
    """Such as `step 120 of 900 · loss 0.431 · done at 14:32`."""
    if state.phase == "failed" and (state.reason or state.last_words):
        return state.reason or state.last_words
    if state.phase == "crashed":
        return "its process is gone; resume it" if state.can_resume else "its process is gone"
    if state.stages:
        return _pipeline_text(state, now)
    parts = [f"step {state.step} of {state.steps}"] if state.steps else []
    if state.loss is not None:
        parts.append(f"loss {state.loss:.3f}")
    if state.eta_s is not None and state.is_live:
        parts.append(f"done at {(now or datetime.now()) + timedelta(seconds=state.eta_s):%H:%M}")
    return " · ".join(parts) or "no figures yet"


def _pipeline_text(state: RunState, now: datetime | None) -> str:
    names = [stage.name for stage in state.stages]
    at = next((n for n, stage in enumerate(state.stages) if stage.state in ("running", "waiting")), None)
    parts = [f"stage {at + 1} of {len(names)}"] if at is not None else []
    if state.eta_s is not None and state.is_live:
        parts += [f"{state.share:.0%}", f"done about {(now or datetime.now()) + timedelta(seconds=state.eta_s):%H:%M}"]
    return " · ".join(parts) or f"{len(names)} stages"


def _paint_bar(painter: QPainter, area: QRectF, state: RunState, theme: Theme) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(area, 3, 3)
    if state.share > 0:
        painter.setBrush(QColor(theme.good if state.phase == "done" else theme.accent if state.is_live else theme.dim))
        painter.drawRoundedRect(QRectF(area.left(), area.top(), max(area.width() * state.share, 6), 6), 3, 3)


def _paint_curve(painter: QPainter, area: QRectF, state: RunState, theme: Theme) -> None:
    """Loss over steps, scaled to itself."""
    if len(state.curve) < 2:
        return
    every = max(len(state.curve) // 200, 1)
    points = state.curve[::every]
    steps, losses = [p[0] for p in points], [p[1] for p in points]
    width, height = max(steps[-1] - steps[0], 1), max(max(losses) - min(losses), 1e-9)
    line = QPolygonF(
        [
            QPointF(
                area.left() + (step - steps[0]) / width * area.width(),
                area.bottom() - 2 - (loss - min(losses)) / height * (area.height() - 4),
            )
            for step, loss in points
        ]
    )
    painter.setPen(QPen(blend(theme.accent, theme.panel, 0.9), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(line)


class RunList(QListView):
    """Shows a RunModel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs = RunModel(self)
        self.setModel(self.runs)
        self.setItemDelegate(RunDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Training runs")
        self.setToolTip("Models in training and those that are done")
