"""Puts widgets side by side and goes on in the next line where there is no more room."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Items in their order; the first takes what room is left in its line, where it is to grow."""

    def __init__(self, parent: QWidget | None = None, space_px: int = 4, *, first_grows: bool = True) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._space_px = space_px
        self._first_grows = first_grows
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem | None) -> None:
        if item is not None:
            self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), is_trial=True)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, is_trial=False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        shown = [item.minimumSize() for item in self._items if not item.isEmpty()]
        return QSize(max((s.width() for s in shown), default=0), max((s.height() for s in shown), default=0))

    def _place(self, area: QRect, *, is_trial: bool) -> int:
        """Lays the lines out; returns the height they take in px."""
        top = area.top()
        for line in self._lines(area.width()):
            height = max(item.sizeHint().height() for item in line)
            used = sum(map(self._width_px, line)) + self._space_px * (len(line) - 1)
            left = area.left()
            for item in line:
                width = self._width_px(item)
                if self._grows(item):
                    width += max(area.width() - used, 0)
                if not is_trial:
                    item.setGeometry(QRect(QPoint(left, top), QSize(min(width, area.width()), height)))
                left += width + self._space_px
            top += height + self._space_px
        return max(top - self._space_px - area.top(), 0)

    def _width_px(self, item: QLayoutItem) -> int:
        """What an item asks for; one that grows is content with its minimum, since it gets what is left."""
        return (item.minimumSize() if self._grows(item) else item.sizeHint()).width()

    def _grows(self, item: QLayoutItem) -> bool:
        return self._first_grows and item is self._items[0]

    def _lines(self, width_px: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        used = 0
        for item in self._items:
            if item.isEmpty():
                continue
            wide = self._width_px(item)
            if lines and used + self._space_px + wide <= width_px:
                lines[-1].append(item)
                used += self._space_px + wide
            else:
                lines.append([item])
                used = wide
        return lines
