"""The list of models: what each is, and its figure beside the best baseline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QPainter
from PyQt6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from annotator.model.library.trained import BASELINES, FIGURE_WORDS, HEADLINES, OWN, Trained
from annotator.ui.notices import paint_chip
from annotator.ui.text_size import grown
from annotator.ui.theme import Theme, blend, small

TRAINED_ROLE = Qt.ItemDataRole.UserRole
KIND_WORDS = {"idm": "IDM", "policy": "policy"}


class ModelModel(QAbstractListModel):
    """Trained models, the newest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models: list[Trained] = []

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.models)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.models):
            return None
        trained = self.models[index.row()]
        if role == TRAINED_ROLE:
            return trained
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{trained.title}, {KIND_WORDS.get(trained.kind, trained.kind)}: {headline(trained)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{trained.id}\ndataset {trained.dataset}"
        return None

    def become(self, models: list[Trained]) -> None:
        self.beginResetModel()
        self.models = models
        self.endResetModel()


class ModelDelegate(QStyledItemDelegate):
    """Paints one model."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(220, grown(56))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        trained: Trained = index.data(TRAINED_ROLE)
        theme, whole = Theme.of(option.palette), QRectF(option.rect)
        area = whole.adjusted(12, 6, -12, -6)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(whole, blend(theme.accent, theme.panel, 0.28))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(theme.accent))
            painter.drawRect(whole.adjusted(0.5, 0.5, -0.5, -0.5))
        half = area.height() / 2
        painter.setFont(option.font)
        colour = QColor(theme.accent if trained.kind == "policy" else theme.key)
        word = KIND_WORDS.get(trained.kind, trained.kind)
        left = paint_chip(painter, area.right(), area.top() + half / 2, word, colour, theme)
        bold = QFont(option.font)
        bold.setBold(True)
        for font, pen, top, text, right in (
            (bold, theme.text, area.top(), trained.title, left - 8),
            (small(option.font), theme.dim, area.top() + half, headline(trained), area.right()),
        ):
            painter.setFont(font)
            painter.setPen(QColor(pen))
            room = QRectF(area.left(), top, right - area.left(), half)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


def headline(trained: Trained) -> str:
    """Such as `macro AP 0.93, marginal 0.22 · quick · 30 Nov 14:32`."""
    parts = [_score_words(trained), trained.config, _when(trained.created_at)]
    return " · ".join(part for part in parts if part)


def _score_words(trained: Trained) -> str:
    name = HEADLINES.get(trained.kind, ("macro_ap",))[0]
    own = trained.scores.get(OWN, {}).get(name)
    if own is None:
        told = trained.figures.get(name)
        return f"{FIGURE_WORDS[name]} {told:.2f} (calibration)" if told is not None else "not measured yet"
    beside = [(value, who) for who in BASELINES[:2] if (value := trained.scores.get(who, {}).get(name)) is not None]
    best = max(beside, default=None)
    return f"{FIGURE_WORDS[name]} {own:.2f}" + (f", {best[1]} {best[0]:.2f}" if best else "")


def _when(created_at: str) -> str:
    try:
        return f"{datetime.fromisoformat(created_at).astimezone():%d %b %H:%M}"
    except ValueError:
        return ""


class ModelList(QListView):
    """Shows a ModelModel; several can be selected, to be compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = ModelModel(self)
        self.setModel(self.models)
        self.setItemDelegate(ModelDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Models")
        self.setToolTip("Trained models, the newest first; select two and more with Ctrl or Shift to compare them")
