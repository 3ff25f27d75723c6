"""Pictures to pick one from: each with its title and size beneath, in as many columns as there is room for."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPen
from PyQt6.QtWidgets import (
    QFrame,
    QListView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from recorder.ui.live.lookout import THUMBNAIL_PX, Found
from recorder.ui.theme import RADIUS_PX, Theme

_FOUND = Qt.ItemDataRole.UserRole
_MARGIN_PX, _TEXT_PX = 8, 46


class Gallery(QListWidget):
    """Keeps the choice while things come and go; the order stays calm. `chosen` gives a Found, or None."""

    chosen = pyqtSignal(object)
    opened = pyqtSignal()
    """One was double-clicked or Enter was pressed on it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("gallery")
        self.setAccessibleName(name)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_Card(self))
        self.currentItemChanged.connect(lambda *_: self.chosen.emit(self.choice()))
        self.itemActivated.connect(lambda _: self.opened.emit())

    def choice(self) -> Found | None:
        item = self.currentItem()
        return None if item is None or item.isHidden() else item.data(_FOUND)

    def choose(self, found: Found) -> bool:
        """Whether it is there to be chosen."""
        for item in self._items():
            if item.data(_FOUND).choice == found.choice and not item.isHidden():
                self.setCurrentItem(item)
                return True
        return False

    def show_found(self, found: list[Found]) -> None:
        """Updates what is there, adds what is new, removes what is gone."""
        fresh = {one.choice: one for one in found}
        for item in self._items():
            known = fresh.pop(item.data(_FOUND).choice, None)
            if known is None:
                self.takeItem(self.row(item))
            else:
                self._fill(item, known)
        for one in fresh.values():
            item = QListWidgetItem()
            self._fill(item, one)
            self.addItem(item)

    def search(self, words: str) -> None:
        """Hides what has not every word in its title."""
        wanted = words.casefold().split()
        for item in self._items():
            title = item.data(_FOUND).title.casefold()
            item.setHidden(not all(word in title for word in wanted))
        if (item := self.currentItem()) is not None and item.isHidden():
            self.setCurrentItem(next((one for one in self._items() if not one.isHidden()), None))

    @property
    def shown(self) -> int:
        return sum(not item.isHidden() for item in self._items())

    def _items(self) -> list[QListWidgetItem]:
        return [item for row in range(self.count()) if (item := self.item(row)) is not None]

    def _fill(self, item: QListWidgetItem, found: Found) -> None:
        width, height = found.size_px
        item.setData(_FOUND, found)
        item.setToolTip(f"{found.title}\n{width} × {height}")
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{found.title}, {width} by {height} pixels")


class _Card(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        around = QSize(2 * _MARGIN_PX + 8, 2 * _MARGIN_PX + 8 + _TEXT_PX)
        return THUMBNAIL_PX + around

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        found: Found | None = index.data(_FOUND)
        if painter is None or found is None:
            return
        assert option.widget is not None
        theme = Theme.of(option.widget.window().palette())  # the list's own is see-through
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        card = option.rect.adjusted(4, 4, -4, -4)
        painter.setBrush(QColor(theme.raised if chosen else theme.panel))
        edge = theme.accent if chosen else theme.dim if hovered else theme.line
        painter.setPen(QPen(QColor(edge), (3 if focused else 2) if chosen else 1))
        painter.drawRoundedRect(QRectF(card), RADIUS_PX, RADIUS_PX)
        frame = QRect(card.left() + _MARGIN_PX, card.top() + _MARGIN_PX, THUMBNAIL_PX.width(), THUMBNAIL_PX.height())
        self._draw_picture(painter, found, frame, theme)
        self._write(painter, found, frame, card, theme)
        painter.restore()

    def _draw_picture(self, painter: QPainter, found: Found, frame: QRect, theme: Theme) -> None:
        painter.save()
        path = QPainterPath()
        path.addRoundedRect(QRectF(frame), 4, 4)
        painter.setClipPath(path)
        painter.fillRect(frame, QColor("#000000" if found.picture is not None else theme.window))
        if found.picture is not None:
            fitted = found.picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(frame.topLeft(), fitted)
            place.moveCenter(frame.center())
            painter.drawImage(place, found.picture)
        else:
            painter.setPen(QColor(theme.dim))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(frame.adjusted(16, 8, -16, -8), int(flags), "Behind another window")
        painter.restore()

    def _write(self, painter: QPainter, found: Found, frame: QRect, card: QRect, theme: Theme) -> None:
        left, width = frame.left() + 2, frame.width() - 4
        line = painter.fontMetrics().height()
        top = frame.bottom() + 7
        title = painter.fontMetrics().elidedText(found.title, Qt.TextElideMode.ElideMiddle, width)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRect(left, top, width, line), int(Qt.AlignmentFlag.AlignVCenter), title)
        painter.setPen(QColor(theme.dim))
        size = f"{found.size_px[0]} × {found.size_px[1]}"
        painter.drawText(QRect(left, top + line + 2, width, line), int(Qt.AlignmentFlag.AlignVCenter), size)
