"""What an import or export came to, in plain rows that open; it can be copied and saved."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPalette, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.transfers import Carried, Row, as_text, report_rows, summary
from db.errors import PlaytapeError
from db.files import replace_text
from db.formats.report import whole

_PAD_PX = 3
_OPEN_ROWS = 12
"""A heading with at most so many rows comes open."""


class _Sentences(QStyledItemDelegate):
    """Rows without a figure are as high as their sentence needs; trees do not wrap by themselves."""

    def __init__(self, tree: QTreeWidget) -> None:
        super().__init__(tree)
        self._tree = tree

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        if index.column() == 0 and not index.siblingAtColumn(1).data():
            depth = 2 if index.parent().isValid() else 1
            depth += index.parent().parent().isValid()
            room = QRect(0, 0, self._tree.viewport().width() - depth * self._tree.indentation() - 2 * _PAD_PX, 10_000)
            needed = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, str(index.data())).height()
            size.setHeight(max(size.height(), needed + 2 * _PAD_PX))
        return size


class _Tree(QTreeWidget):
    """Says what will stand in it while it is empty."""

    copied = pyqtSignal()
    hint = ""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.topLevelItemCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            area = self.viewport().rect().adjusted(24, 12, -24, -12)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()  # sentences wrap at another place now

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        else:
            super().keyPressEvent(event)


class ReportView(QWidget):
    """Empty until `show_carried`."""

    told = pyqtSignal(str)

    def __init__(self, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._carried: Carried | None = None
        self.tree = _Tree()
        self.tree.hint = hint
        self.tree.setColumnCount(2)
        self.tree.setHeaderHidden(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setWordWrap(True)
        self.tree.setStyleSheet(f"QTreeView::item {{ padding: {_PAD_PX}px 0; }}")
        self.tree.setItemDelegate(_Sentences(self.tree))
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setAccessibleName("Report")
        self.tree.setToolTip("What was kept, changed and dropped (Right opens a row, Ctrl+C copies all)")
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.copied.connect(self.copy)
        self.copy_button, self.save = QPushButton("Copy"), QPushButton("Save…")
        self.copy_button.setToolTip("Copy the report as text (Ctrl+C in it)")
        self.save.setToolTip("Save the whole report as JSON (Space)")
        self.copy_button.clicked.connect(self.copy)
        self.save.clicked.connect(self._ask)
        for button in (self.copy_button, self.save):
            button.setAutoDefault(False)
        self._row = row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.copy_button)
        row.addWidget(self.save)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        self.clear()

    def add_button(self, button: QPushButton) -> None:
        """Puts one more under the report, hidden as yet."""
        self._row.addWidget(button)
        button.hide()

    def clear(self) -> None:
        self._carried = None
        self.tree.clear()
        self._judge()

    def show_carried(self, carried: Carried) -> None:
        self._carried = carried
        self.tree.clear()
        for row in report_rows(carried):
            item = _item(row)
            self.tree.addTopLevelItem(item)
            _span(item)
            font = item.font(0)
            font.setBold(True)
            item.setFont(0, font)
            item.setExpanded(len(row.rows) <= _OPEN_ROWS)
        self._judge()

    @property
    def is_empty(self) -> bool:
        return self.tree.topLevelItemCount() == 0

    def _judge(self) -> None:
        for button in (self.copy_button, self.save):
            button.setEnabled(not self.is_empty)

    def copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if self._carried is not None and clipboard is not None:
            clipboard.setText(f"{summary(self._carried)}\n\n{as_text(report_rows(self._carried))}\n")

    def save_to(self, path: Path) -> None:
        """Writes it as JSON, as `--report` does."""
        if self._carried is None:
            return
        carried = self._carried
        try:
            replace_text(path, whole(carried.format_name, carried.reports, dry_run=carried.dry_run))
        except PlaytapeError as error:
            self.told.emit(str(error))
        else:
            self.told.emit(f"The report is in {path}.")

    def _ask(self) -> None:
        dialog = QFileDialog(self, "Save the report", "", "JSON (*.json)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.selectFile("report.json")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.save_to(Path(name)))
        dialog.open()


def _item(row: Row) -> QTreeWidgetItem:
    item = QTreeWidgetItem([row.text, row.figure])
    item.setToolTip(0, _plain(row.text))
    item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.addChildren([_item(inner) for inner in row.rows])
    return item


def _span(item: QTreeWidgetItem) -> None:
    """Gives what has no figure the whole row; items can be told so once they are in the tree."""
    item.setFirstColumnSpanned(not item.text(1))
    for number in range(item.childCount()):
        _span(item.child(number))


def _plain(text: str) -> str:
    """For a tooltip, which would take a stranger's words for markup."""
    return f"<p>{escape(text)}</p>"
