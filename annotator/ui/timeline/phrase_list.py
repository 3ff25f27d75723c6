"""The phrases that fit what is being typed, under the field. It never has the focus, so an input method works undisturbed."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from annotator.ui.theme import small

HINT = "Tab takes the first · ↓ chooses · Enter keeps what is typed"


class PhraseList(QFrame):
    """A plain child of the field's window, over everything in it; the field decides what its keys do."""

    taken = pyqtSignal(str)
    """One was clicked."""

    def __init__(self, field: QWidget) -> None:
        super().__init__(field.window())
        self._field = field
        self.setObjectName("phrases")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = QListWidget()
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows.setAccessibleName("Phrases that fit")
        self.rows.setToolTip(HINT)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.rows.setFrameShape(QFrame.Shape.NoFrame)
        self.rows.itemClicked.connect(lambda item: self.taken.emit(item.text()))
        self.hint = QLabel(HINT)
        self.hint.setFont(small(self.font()))
        self.hint.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self.hint.setContentsMargins(8, 2, 8, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.rows)
        column.addWidget(self.hint)
        self.hide()

    @property
    def chosen(self) -> str:
        """The phrase that Down has chosen, "" for none."""
        item = self.rows.currentItem()
        return item.text() if item is not None else ""

    @property
    def first(self) -> str:
        item = self.rows.item(0)
        return item.text() if item is not None else ""

    def offer(self, texts: Sequence[str]) -> None:
        """Shows these, none of them chosen; with none it is hidden."""
        self.rows.clear()
        self.rows.setCurrentRow(-1)
        for text in texts:
            item = QListWidgetItem(text)
            item.setToolTip(text)
            self.rows.addItem(item)
        if not texts:
            self.hide()
            return
        self._place(len(texts))
        self.show()
        self.raise_()

    def choose(self, step: int) -> None:
        """One further down (1) or up (-1); above the first none is chosen."""
        row = min(max(self.rows.currentRow() + step, -1), self.rows.count() - 1)
        self.rows.setCurrentRow(row)
        if row < 0:
            self.rows.clearSelection()

    def _place(self, count: int) -> None:
        """Under the field, or over it where there is no room below."""
        field, window = self._field, self.parentWidget()
        assert window is not None
        row = max(self.rows.sizeHintForRow(0), self.fontMetrics().height() + 4)
        self.rows.setFixedHeight(row * count + 4)
        width = max(field.width(), self.hint.sizeHint().width() + 2)
        height = self.rows.height() + self.hint.sizeHint().height() + 2
        corner = field.mapTo(window, QPoint(0, field.height() + 2))
        top = corner.y() if corner.y() + height <= window.height() else corner.y() - field.height() - 4 - height
        left = min(max(corner.x(), 0), max(window.width() - width, 0))
        self.setGeometry(left, max(top, 0), min(width, window.width()), height)
