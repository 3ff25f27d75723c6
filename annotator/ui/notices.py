"""How the windows speak: a bar for what was refused, a page for where there is nothing yet, chips for states."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from annotator.ui.text_size import grown
from annotator.ui.theme import RADIUS_PX, Theme, blend, small

SHOWN_MS = 8000


class InfoBar(QFrame):
    """One sentence over the work, gone by itself after a while or when it is closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 4, 4)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self._text, 1)
        self.action = QPushButton()
        self.action.setToolTip("Do what the message offers")
        self.action.setAccessibleName("Do what the message offers")
        self.action.clicked.connect(self._on_action)
        self._call: Callable[[], object] | None = None
        layout.addWidget(self.action)
        close = QToolButton()
        close.setText("✕")
        close.setToolTip("Close this message")
        close.setAccessibleName("Close this message")
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.setStyleSheet("QToolButton { border: 0; background: transparent; }")
        close.clicked.connect(self.hide)
        layout.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def tell(self, text: str) -> None:
        """Shows a sentence."""
        self.offer(text, "", None)

    def offer(self, text: str, word: str, call: Callable[[], object] | None, shown_ms: int = SHOWN_MS) -> None:
        """Shows a sentence with a button that does something about it, once."""
        self._call = call
        self.action.setText(word)
        self.action.setAccessibleName(word)
        self.action.setVisible(call is not None)
        self._text.setText(text)
        self.show()
        self._timer.start(shown_ms)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Painted rather than styled, so that it follows from dark to light while it is shown."""
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.warn))
        painter.setBrush(blend(theme.warn, theme.panel, 0.22))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_PX, RADIUS_PX)

    def _on_action(self) -> None:
        call, self._call = self._call, None
        self.hide()
        if call is not None:
            call()


class EmptyPage(QWidget):
    """Says what is not there yet and what to do about it."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 32, 32, 32)
        layout.setSpacing(12)
        layout.addStretch()
        self.title, self.text = QLabel(title), QLabel(text)
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        self.title.setFont(font)
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        self.text.setForegroundRole(self.text.palette().ColorRole.PlaceholderText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addStretch()
        self._buttons.addStretch()
        layout.addLayout(self._buttons)
        layout.addStretch()

    def say(self, title: str, text: str) -> None:
        self.title.setText(title)
        self.text.setText(text)

    def add_button(self, text: str, tip: str = "") -> QPushButton:
        """A button under the sentence, the first is the main one. tip: what it does, where its text is only a word."""
        button = QPushButton(text)
        button.setToolTip(tip or text)
        button.setAccessibleName(tip or text)
        button.setProperty("primary", self._buttons.count() == 2)  # between the stretches at both ends
        self._buttons.insertWidget(self._buttons.count() - 1, button)
        return button


def paint_chip(painter: QPainter, right: float, middle: float, text: str, colour: QColor, theme: Theme) -> float:
    """A state's colour AND word in a pill that ends at `right`; returns where it begins."""
    font = small(painter.font(), 0.92)
    painter.save()
    painter.setFont(font)
    width = chip_width(text, QFontMetricsF(font))
    height = grown(18)
    area = QRectF(right - width, middle - height / 2, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(blend(colour, theme.panel, 0.2))
    painter.drawRoundedRect(area, height / 2, height / 2)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(area.left() + 7, middle - 3, 6, 6))
    painter.setPen(blend(colour, theme.text, 0.55))
    painter.drawText(area.adjusted(18, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.restore()
    return area.left()


def chip_width(text: str, metrics: QFontMetricsF) -> float:
    return 18 + metrics.horizontalAdvance(text) + 9


class Chip(QWidget):
    """A pill with a coloured dot and a word."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._colour = "", QColor()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        return self._text

    def tell(self, text: str, colour: QColor) -> None:
        self._text, self._colour = text, colour
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(chip_width(self._text, QFontMetricsF(small(self.font(), 0.92)))) + 1, grown(20))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_chip(painter, self.width(), self.height() / 2, self._text, self._colour, Theme.of(self.palette()))
