"""Which format, and its settings: fields made from what the format declares, as `--option` is on the command line."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLayout, QLineEdit, QVBoxLayout, QWidget

from annotator.ui.text_size import grown
from db.formats.format import Format, Option, Way
from db.formats.registry import FORMATS

FIELD_PX = 150


class FormatForm(QWidget):
    """`changed` tells that another format is chosen."""

    changed = pyqtSignal()

    def __init__(self, way: Way, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._way: Way = way
        self.fields: dict[str, QComboBox | QLineEdit] = {}
        """Of the chosen format's settings."""
        self.format = QComboBox()
        self.format.setPlaceholderText("Choose a format")
        self.format.setAccessibleName("Format")
        self.format.setToolTip("What is written" if way == "out" else "Of what format the files are")
        self.format.setMinimumHeight(grown(28))
        self.format.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.format.setMinimumContentsLength(24)
        for kind in FORMATS.values():
            if kind.reads if way == "in" else kind.writes:
                self.format.addItem(f"{kind.name}: {kind.says}", kind.name)
        self.format.setCurrentIndex(-1)
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setForegroundRole(self.note.palette().ColorRole.PlaceholderText)
        self._row = 0
        """That of the format; its settings stand below."""
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(8)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self.format)
        column.addWidget(self.note)
        self._form.addRow("Format", column)
        self.format.currentIndexChanged.connect(self._on_format)
        self.say("")

    def above(self, name: str, row: QLayout) -> None:
        """Puts a row over the format."""
        self._form.insertRow(self._row, name, row)
        self._row += 1

    def below(self, name: str, row: QLayout | QWidget) -> None:
        """Puts a row under the format's settings."""
        self._form.addRow(name, row)

    @property
    def chosen(self) -> Format | None:
        return FORMATS.get(self.format.currentData() or "")

    def choose(self, name: str) -> None:
        """By its name; "" or one that is not there: none."""
        self.format.setCurrentIndex(self.format.findData(name))

    def say(self, text: str) -> None:
        """What is to be known about the choice."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def options(self) -> dict[str, str]:
        """Those that differ from what holds without them."""
        said = {}
        for name, field in self.fields.items():
            if isinstance(field, QComboBox):
                if field.currentIndex() > 0:
                    said[name] = field.currentText()
            elif text := field.text().strip():
                said[name] = text
        return said

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Rows that have just come were measured before their words were dressed, and stay too high for it: others would be cut."""
        super().resizeEvent(event)
        self._form.invalidate()

    def _on_format(self) -> None:
        for _ in self.fields:
            self._form.removeRow(self._row + 1)
        self.fields = {}
        kind, before = self.chosen, self.format
        for row, (name, option) in enumerate(kind.options_for(self._way).items() if kind else (), self._row + 1):
            self.fields[name] = field = _field(name, option)
            self._form.insertRow(row, name.capitalize(), _beside(field, option.says))
            QWidget.setTabOrder(before, field)
            before = field
        self.changed.emit()


def _field(name: str, option: Option) -> QComboBox | QLineEdit:
    if option.choices:
        field: QComboBox | QLineEdit = QComboBox()
        field.addItems(option.choices)
    else:
        field = QLineEdit()
        field.setPlaceholderText("as it comes")
    field.setMinimumHeight(grown(28))
    field.setFixedWidth(grown(FIELD_PX))
    field.setAccessibleName(name.capitalize())
    field.setToolTip(f"{option.says[:1].upper()}{option.says[1:]}")
    return field


def _beside(field: QWidget, says: str) -> QHBoxLayout:
    """A field and, beside it, what it means."""
    row = QHBoxLayout()
    row.setSpacing(12)
    words = QLabel(says)
    words.setTextFormat(Qt.TextFormat.PlainText)
    words.setWordWrap(True)
    words.setForegroundRole(words.palette().ColorRole.PlaceholderText)
    row.addWidget(field)
    row.addWidget(words, 1)
    return row
