"""The list itself: rows of sessions; the mouse over a row's picture looks through the session."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QAbstractItemView, QListView, QWidget

from annotator.ui.sessions.session_delegate import SessionDelegate, picture_area


class SessionView(QListView):
    """Ctrl+A selects all, Delete is left to the window."""

    seen = pyqtSignal()
    """Other rows may be in view now."""
    scrubbed = pyqtSignal(QModelIndex, float)
    """(row, how far along its picture the mouse is in [0, 1)); an invalid row when it is over none any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(SessionDelegate(self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setAccessibleName("Sessions")
        self.verticalScrollBar().valueChanged.connect(lambda _: self.seen.emit())
        self._is_over = False

    @property
    def row_px(self) -> int:
        """The height of a row."""
        return max(self.sizeHintForRow(0), 1)

    def keyboardSearch(self, search: str) -> None:
        """Letters are keys of the window, not the beginning of a game's name."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.seen.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        area = picture_area(QRectF(self.visualRect(index))) if index.isValid() else QRectF()
        if area.contains(event.position()):
            self._is_over = True
            self.scrubbed.emit(index, (event.position().x() - area.left()) / area.width())
        else:
            self._leave()

    def leaveEvent(self, event) -> None:
        super().leaveEvent(event)
        self._leave()

    def _leave(self) -> None:
        if self._is_over:
            self._is_over = False
            self.scrubbed.emit(QModelIndex(), 0.0)
