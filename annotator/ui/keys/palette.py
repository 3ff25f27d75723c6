"""The palette: type a few letters of what is to be done, Enter does it. Every action of the window is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QRectF, QSettings, QSize, Qt, QTimer
from PyQt6.QtGui import QAction, QColor, QFontMetricsF, QKeyEvent, QPainter
from PyQt6.QtWidgets import (
    QDialog,
    QLabel,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from annotator.ui.keys.controls import keys_of
from annotator.ui.keys.fuzzy import score
from annotator.ui.keys.table import ActionSpec, ActionTable
from annotator.ui.text_guard import TextGuard
from annotator.ui.theme import Theme, small

MOST_RECENT = 8
SHOWN_ROWS = 10
PAD_PX = 8
ENTRY_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Entry:
    """One line of the palette."""

    spec: ActionSpec
    text: str
    path: str
    keys: str
    why_not: str
    """Why it cannot be done now, "" where it can."""


class PaletteModel(QAbstractListModel):
    """The entries that answer to what was typed, the best first; with nothing typed, what was run last comes first."""

    def __init__(self, entries: list[Entry], recent: list[str], parent: QWidget) -> None:
        super().__init__(parent)
        order = {name: place for place, name in enumerate(recent)}
        self._all = sorted(entries, key=lambda entry: order.get(entry.spec.name, len(order)))
        self.entries = list(self._all)

    def look_for(self, wanted: str) -> None:
        """Keeps what answers to the words; available ones before the others where they answer alike."""
        scored = [(score(wanted, f"{entry.text} {entry.spec.tip} {entry.spec.menu}"), entry) for entry in self._all]
        found = [(points - 20 * bool(entry.why_not), entry) for points, entry in scored if points is not None]
        if wanted.strip():
            found.sort(key=lambda pair: -pair[0])
        self.beginResetModel()
        self.entries = [entry for _, entry in found]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            words = (entry.text, entry.path, entry.keys, entry.why_not)
            return ", ".join(word for word in words if word)
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.why_not or entry.spec.tip or entry.text
        return entry if role == ENTRY_ROLE else None


class _Line(QStyledItemDelegate):
    """Paints an entry: what it does, where it is in the menus or why it cannot be done, its keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(200, ceil(QFontMetricsF(option.font).height()) + PAD_PX + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        entry: Entry = index.data(ENTRY_ROLE)
        theme = Theme.of(option.palette)
        is_chosen = bool(option.state & option.state.State_Selected)
        painter.save()
        if is_chosen:
            painter.fillRect(option.rect, option.palette.highlight())
        plain = theme.on_accent if is_chosen else theme.dim if entry.why_not else theme.text
        faint = theme.on_accent if is_chosen else theme.dim
        box = QRectF(option.rect).adjusted(PAD_PX, 0, -PAD_PX, 0)
        minor = small(option.font)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(option.font)
        painter.setPen(QColor(faint if entry.why_not else plain))
        painter.drawText(box, right, entry.keys)
        metrics = QFontMetricsF(option.font)
        room = box.width() - metrics.horizontalAdvance(entry.keys) - 2 * PAD_PX
        painter.setPen(QColor(plain))
        text = metrics.elidedText(entry.text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, left, text)
        used = metrics.horizontalAdvance(text) + 2 * PAD_PX
        painter.setFont(minor)
        painter.setPen(QColor(faint))
        where = QFontMetricsF(minor).elidedText(
            entry.why_not or entry.path, Qt.TextElideMode.ElideRight, max(room - used, 0.0)
        )
        painter.drawText(box.adjusted(used, 0, 0, 0), left, where)
        painter.restore()


class Palette(QDialog):
    """Over its window, at the top. Enter or a click runs the chosen line; what cannot be done says why and stays."""

    def __init__(self, table: ActionTable, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find an action")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._table, self._actions = table, actions
        self._settings = QSettings("Playtape", "Playtape")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type what to do; Enter does it, Esc leaves")
        self.field.setAccessibleName("What to do")
        self.field.setToolTip("A few letters of an action's name; Up and Down choose (Enter runs it)")
        TextGuard(self.field)
        self.entries = PaletteModel(self._entries(), self._recent(), self)
        self.view = QListView()
        self.view.setModel(self.entries)
        self.view.setItemDelegate(_Line(self.view))
        self.view.setAccessibleName("Actions")
        self.view.setToolTip("What this window can do (Enter runs the chosen line)")
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setForegroundRole(self.says.palette().ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(self.field)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.says)
        self.field.textChanged.connect(self._on_typed)
        self.view.clicked.connect(lambda index: self.run(index.row()))
        self._on_typed("")
        self._place()

    def run(self, row: int) -> None:
        """Closes the palette and does what a line says; one that cannot be done says why and nothing more."""
        if not 0 <= row < len(self.entries.entries):
            return
        entry = self.entries.entries[row]
        if entry.why_not:
            self.says.setText(f"{entry.text}: {entry.why_not}")
            return
        name = entry.spec.name
        self._settings.setValue(self._recent_key, [name, *(n for n in self._recent() if n != name)][:MOST_RECENT])
        action = self._actions[name]
        self.accept()
        QTimer.singleShot(0, action.trigger)  # after the focus is back where it was

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: SHOWN_ROWS, Qt.Key.Key_PageUp: -SHOWN_ROWS}
        if Qt.Key(event.key()) in steps:
            self._choose(self.view.currentIndex().row() + steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run(self.view.currentIndex().row())
        else:
            super().keyPressEvent(event)

    @property
    def _recent_key(self) -> str:
        return f"palette/{self._table.scope}"

    def _recent(self) -> list[str]:
        stored = self._settings.value(self._recent_key, [])
        return [stored] if isinstance(stored, str) else [str(name) for name in stored or []]

    def _entries(self) -> list[Entry]:
        made = []
        for spec in self._table.rows:
            action = self._actions[spec.name]
            why_not = "" if action.isEnabled() else spec.needs or _usual_need(spec, self._table)
            text = f"{action.text()} (on)" if action.isCheckable() and action.isChecked() else action.text()
            made.append(Entry(spec, text.replace("&", ""), spec.menu, keys_of(action), why_not))
        return made

    def _on_typed(self, text: str) -> None:
        self.entries.look_for(text)
        self._choose(0)
        self.says.setText("" if self.entries.entries else "Nothing is called that; try fewer letters.")

    def _choose(self, row: int) -> None:
        if count := len(self.entries.entries):
            self.view.setCurrentIndex(self.entries.index(min(max(row, 0), count - 1), 0))
            self.says.clear()

    def _place(self) -> None:
        """Wide enough for the longest line that the window has room for, near its top."""
        window = self.parentWidget().window()
        metrics = self.fontMetrics()
        width = min(max(metrics.horizontalAdvance("m") * 48, 480), max(window.width() - 40, 320))
        height = min((metrics.height() + PAD_PX + 4) * (SHOWN_ROWS + 2) + 80, max(window.height() - 80, 240))
        self.resize(width, height)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - width) // 2, corner.y() + 48)


def _usual_need(spec: ActionSpec, table: ActionTable) -> str:
    return "Open a session first." if spec.needs_session and table.scope == "annotate" else "Not possible just now."
