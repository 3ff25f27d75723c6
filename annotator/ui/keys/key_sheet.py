"""The sheet of keys: everything a window can do with the person's own keys, in columns, searched and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPalette, QResizeEvent
from PyQt6.QtPrintSupport import QPrintDialog, QPrinter
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.key_claims import claimed_keys
from annotator.ui.keys.bindings import Bindings
from annotator.ui.keys.table import ActionTable, key_text
from annotator.ui.text_guard import TextGuard

MOST_COLUMNS = 3
COLUMN_GAP_PX = 32
SIDE_PX = 24
NO_KEY = "–"

Rows = Sequence[tuple[str, str]]
"""(keys or what the hand does, what that does)."""


class _Group(QWidget):
    """One menu's keys under its name. Only the rows that are looked for are shown."""

    def __init__(self, title: str, rows: Rows, bold: QFont) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(4)
        head = QLabel(title)
        head.setFont(bold)
        head.setForegroundRole(QPalette.ColorRole.Link)
        column.addWidget(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        self.rows: list[tuple[QLabel, QLabel]] = []
        for line, (keys, text) in enumerate(rows):
            cap, label = QLabel(keys), QLabel(text)
            cap.setFont(bold)
            cap.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            label.setWordWrap(True)
            grid.addWidget(cap, line, 0)
            grid.addWidget(label, line, 1)
            self.rows.append((cap, label))
        column.addLayout(grid)
        self._title = title.lower()

    def look_for(self, words: Sequence[str]) -> int:
        """Shows the rows that have all words in their keys, their text or the group's title; how many those are."""
        shown = 0
        for cap, label in self.rows:
            is_found = all(word in f"{self._title} {cap.text()} {label.text()}".lower() for word in words)
            cap.setVisible(is_found)
            label.setVisible(is_found)
            shown += is_found
        self.setVisible(bool(shown))
        return shown


class KeySheet(QDialog):
    """Lists what a window can do by menu. beside: further groups, such as what the mouse does: title -> rows."""

    def __init__(
        self, table: ActionTable, parent: QWidget | None = None, *, beside: Mapping[str, Rows] | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("All keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._table, self._beside = table, dict(beside or {})
        self._bindings = Bindings.of_person()
        self._bindings.join(table)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search: what it does, or its key")
        self.field.setAccessibleName("Search the keys")
        self.field.setToolTip("Shows only what has these words")
        self.field.setClearButtonEnabled(True)
        TextGuard(self.field)
        self.nothing = QLabel("Nothing has these words.")
        self.nothing.hide()
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setAccessibleName("Keys")
        self._area.setToolTip("Every action with its keys; Page Down scrolls")
        buttons = QDialogButtonBox()
        self.print = buttons.addButton("Print…", QDialogButtonBox.ButtonRole.ActionRole)
        self.print.setToolTip("Print this sheet on one page")
        self.print.clicked.connect(self._ask_to_print)
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        close.setToolTip("Close this sheet (Esc)")
        buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SIDE_PX, 20, SIDE_PX, 16)
        outer.setSpacing(12)
        outer.addWidget(self.field)
        outer.addWidget(self.nothing)
        outer.addWidget(self._area, 1)
        outer.addWidget(buttons)
        self.groups: list[_Group] = []
        self._column_count = 0
        self.show_keys()
        self._bindings.changed.connect(self.show_keys)
        self.field.textChanged.connect(self._on_typed)
        screen = self.screen()
        room = screen.availableSize() if screen else self.size()
        wanted = self._column_px() * MOST_COLUMNS + COLUMN_GAP_PX * (MOST_COLUMNS - 1) + 2 * SIDE_PX + 16
        self.resize(min(wanted, room.width() - 40), min(820, room.height() - 60))
        self.field.setFocus()

    def show_keys(self) -> None:
        """Takes over the keys that are in force now."""
        bold = QFont(self.font())
        bold.setBold(True)
        keys = self._bindings.in_force(self._table.scope)
        groups: dict[str, Rows] = {}
        for menu in self._table.menus:
            groups[menu] = [
                (key_text(keys[spec.name], "\n") if keys[spec.name] else NO_KEY, spec.tip or spec.text)
                for spec in self._table.in_menu(menu)
            ]
        claimed = claimed_keys(self._table.scope)
        groups["Of this library"] = [(key_text(held), name) for name, held in claimed.items()]
        groups |= self._beside
        self.groups = [_Group(title, rows, bold) for title, rows in groups.items() if rows]
        self._column_count = 0
        self._lay_out()
        self._on_typed(self.field.text())

    def print_on(self, printer: QPrinter) -> None:
        """Draws the whole sheet on one page, in three columns, as large as fits. For paper that is always dark on light."""
        content = self._area.widget()
        painter = QPainter(printer)
        page = printer.pageRect(QPrinter.Unit.DevicePixel)
        size = content.sizeHint().expandedTo(content.size())
        scale = min(page.width() / size.width(), page.height() / size.height())
        painter.scale(scale, scale)
        with _on_paper(content):
            content.render(painter, flags=QWidget.RenderFlag.DrawChildren)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _column_px(self) -> int:
        return max(self.fontMetrics().averageCharWidth() * 46, 260)

    def _lay_out(self) -> None:
        """As many columns as there is room for, filled so that they are about equally long."""
        room = self.width() - 2 * SIDE_PX - 16 + COLUMN_GAP_PX  # the area has not got its new width yet
        count = min(max(room // (self._column_px() + COLUMN_GAP_PX), 1), MOST_COLUMNS)
        if count == self._column_count:
            return
        self._column_count = count
        columns = QWidget()
        layout = QHBoxLayout(columns)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(COLUMN_GAP_PX)
        left = sum(len(group.rows) + 2 for group in self.groups)
        waiting = list(self.groups)
        for remaining in range(count, 0, -1):
            column, used = QVBoxLayout(), 0
            column.setSpacing(0)
            while waiting and (remaining == 1 or not used or used + len(waiting[0].rows) / 2 <= left / remaining):
                group = waiting.pop(0)
                used += len(group.rows) + 2
                column.addWidget(group)
            left -= used
            column.addStretch()
            layout.addLayout(column, 1)
        self._area.setWidget(columns)

    def _on_typed(self, text: str) -> None:
        words = text.lower().split()
        found = sum([group.look_for(words) for group in self.groups])
        self.nothing.setVisible(not found)

    def _ask_to_print(self) -> None:
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.print_on(printer))
        dialog.open()


@contextmanager
def _on_paper(content: QWidget) -> Iterator[None]:
    """Within it the text is black."""
    usual, paper, role = content.palette(), content.palette(), QPalette.ColorRole
    for text in (role.WindowText, role.Text, role.Link, role.PlaceholderText):
        paper.setColor(text, QColor("#000000"))
    content.setPalette(paper)
    yield
    content.setPalette(usual)
