"""Sentences within the window, each with what can be done about it. Never a dialog: a game would hide it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from PyQt6.QtCore import QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from recorder.ui import glyphs
from recorder.ui.live.faces import Shape
from recorder.ui.theme import Theme

_KEPT = 3
_DONE_MS = 15_000
"""After so long good news goes by itself; everything else stays until it is closed."""
Action = tuple[str, Callable[[], object]]


class Weight(Enum):
    """How much it matters."""

    DONE = Shape.TICK
    WARNING = Shape.TRIANGLE
    FAILED = Shape.CROSS

    def colour(self, theme: Theme) -> str:
        return {Weight.DONE: theme.good, Weight.WARNING: theme.warn, Weight.FAILED: theme.bad}[self]


class Sign(QWidget):
    """One glyph at the size of the text."""

    def __init__(self, shape: Shape, colour: str = "") -> None:
        super().__init__()
        self._shape, self._colour = shape, colour
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(18, 18)

    def show_sign(self, shape: Shape, colour: str) -> None:
        self._shape, self._colour = shape, colour
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        glyphs.draw(painter, self._shape, QRectF(1, 1, 16, 16), self._colour or Theme.of(self.palette()).dim)


class Notice(QFrame):
    """One sentence. It stays until it is closed, acted upon, or replaced by one of the same topic."""

    def __init__(self, text: str, weight: Weight, actions: Sequence[Action], on_close: Callable[[], None]) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.text, self.weight = text, weight
        self._sign = Sign(weight.value)
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10)
        row.addWidget(self._sign)
        row.addWidget(label, 1)
        for name, act in actions:
            button = QPushButton(name)
            button.clicked.connect(on_close)
            button.clicked.connect(act)
            row.addWidget(button)
        close = QToolButton()
        close.setText("✕")
        close.setToolTip("Close this message")
        close.setAccessibleName("Close this message")
        close.setStyleSheet("QToolButton { border-color: transparent; background: transparent; padding: 4px 7px; }")
        close.clicked.connect(on_close)
        row.addWidget(close)
        self.setAccessibleName(text)
        self._colour()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)
        self._colour()

    def _colour(self) -> None:
        if hasattr(self, "_sign"):
            self._sign.show_sign(self.weight.value, self.weight.colour(Theme.of(self.palette())))


class Notices(QWidget):
    """The newest few notices, the newest on top. Takes no room while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._shown: dict[str, Notice] = {}
        self.hide()

    @property
    def texts(self) -> list[str]:
        """What is shown, the newest first."""
        return [notice.text for notice in reversed(self._shown.values())]

    def tell(self, text: str, weight: Weight = Weight.DONE, actions: Sequence[Action] = (), *, topic: str = "") -> None:
        """Shows a sentence, in place of the one of the same topic (by default of the same text)."""
        topic = topic or text
        if topic in self._shown and self._shown[topic].text == text:
            return
        self.drop(topic)
        notice = Notice(text, weight, actions, lambda: self.drop(topic))
        self._shown[topic] = notice
        self._column.insertWidget(0, notice)
        if weight is Weight.DONE and not actions:
            timer = QTimer(notice)  # which goes with its notice
            timer.setSingleShot(True)
            timer.timeout.connect(lambda: self.drop(topic))
            timer.start(_DONE_MS)
        while len(self._shown) > _KEPT:
            self.drop(next(iter(self._shown)))
        self.show()

    def drop(self, topic: str) -> None:
        """Takes a topic's notice away, if there is one."""
        notice = self._shown.pop(topic, None)
        if notice is not None:
            notice.hide()
            notice.deleteLater()
        self.setVisible(bool(self._shown))

    def clear(self) -> None:
        for topic in list(self._shown):
            self.drop(topic)
