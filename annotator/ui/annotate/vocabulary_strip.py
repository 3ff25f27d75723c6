"""The library's words in the side panel: one chip each, with its key; a press of the chip does what the key does."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtGui import QAction, QColor, QIcon, QKeySequence, QPainter, QPixmap
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from annotator.model.library.vocabulary import Word
from annotator.ui.annotate.span_words import span_colour
from annotator.ui.annotate.word_keys import WordKeys
from annotator.ui.flow_layout import FlowLayout
from annotator.ui.keys.controls import follow
from annotator.ui.scroll_column import ScrollColumn
from annotator.ui.theme import Theme
from db.labelling.labels import LabelKind

SHOWN_LINES = 3
DOT_PX = 8
BESIDE_PX, LEAST_PX = 44, 40
"""What a chip has beside its text and key, and what is always left of the text."""


class VocabularyStrip(QWidget):
    """A heading with the button that edits the words, and the chips."""

    def __init__(self, words: WordKeys, edit: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.chips: list[QPushButton] = []
        title = QLabel("Vocabulary")
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self.edit = QToolButton()
        self.edit.setText("Edit…")
        self.edit.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        follow(self.edit, edit)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(title)
        head.addStretch()
        head.addWidget(self.edit)
        self._inner = QWidget()
        self._inner.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._flow = FlowLayout(self._inner, first_grows=False)
        self._area = ScrollColumn(self._inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._area)
        words.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        for chip in self.chips:
            self._flow.removeWidget(chip)
            chip.deleteLater()
        self.chips = [
            self._chip(word, action) for word, action in zip(self._words.words, self._words.actions, strict=True)
        ]
        self._area.setVisible(bool(self.chips))
        self._fit()

    def _chip(self, word: Word, action: QAction) -> QPushButton:
        key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        chip = QPushButton(self._inner)
        chip.setIcon(QIcon(self._dot(span_colour(word.kind, word.text, Theme.of(self.palette())))))
        chip.setIconSize(QSize(DOT_PX, DOT_PX))
        chip.setStyleSheet("QPushButton { padding: 2px 8px; }")
        kind = "Flag" if word.kind is LabelKind.FLAG else "Instruction"
        tip = f"{kind}: {word.text}"
        chip.setAccessibleName(f"{tip}, key {key}" if key else tip)
        chip.setToolTip(f"{tip} ({key}); hold the key while it plays" if key else f"{tip}. It has no key of its own.")
        chip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        chip.clicked.connect(action.trigger)
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _dot(self, colour: QColor) -> QPixmap:
        ratio = self.devicePixelRatioF()
        dot = QPixmap(round(DOT_PX * ratio), round(DOT_PX * ratio))
        dot.setDevicePixelRatio(ratio)
        dot.fill(Qt.GlobalColor.transparent)
        painter = QPainter(dot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(0, 0, DOT_PX, DOT_PX)
        painter.end()
        return dot

    def _fit(self) -> None:
        """As tall as its lines, up to SHOWN_LINES; the others are scrolled to. No chip is wider than a line."""
        if self.chips:
            width = max(self._area.viewport().width(), 1)
            for chip, word, action in zip(self.chips, self._words.words, self._words.actions, strict=True):
                key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                tail, metrics = f"   {key}" if key else "", chip.fontMetrics()
                room = max(width - metrics.horizontalAdvance(tail) - BESIDE_PX, LEAST_PX)
                text = metrics.elidedText(word.text, Qt.TextElideMode.ElideRight, room)
                chip.setText(f" {text}{tail}".replace("&", "&&"))
            line = self.chips[0].sizeHint().height() + 4
            wanted = self._flow.heightForWidth(width)
            self._area.setFixedHeight(min(wanted, SHOWN_LINES * line - 4) + 1)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and hasattr(self, "_area"):
            self._show()
        elif event.type() == event.Type.FontChange and hasattr(self, "_area"):
            QTimer.singleShot(0, self._fit)  # when the chips have their new fonts too
