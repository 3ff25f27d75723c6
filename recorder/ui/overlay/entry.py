"""The line in which an instruction is typed while the model waits: the one part of the overlay that takes the focus."""

from __future__ import annotations

from contextlib import suppress

from PyQt6.QtCore import QEvent, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QFrame, QLineEdit, QVBoxLayout

from db.errors import PlaytapeError
from recorder.screen import windows
from recorder.ui.theme import Theme, dim, restyle

_FLAGS = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
HELP = "Enter: go on with this  ·  Esc: go on as before"


class Entry(QFrame):
    """`open` shows it and gives it the keyboard; it says what became of it, and `close_up` hides it."""

    typed = pyqtSignal(str)
    given_up = pyqtSignal()

    def __init__(self) -> None:
        super().__init__(None, _FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle("Playtape instruction")
        self._was_active = False
        self.line = QLineEdit()
        self.line.setPlaceholderText("What the model shall do")
        self.line.setAccessibleName("Instruction")
        self.line.setToolTip("What the model shall do; Enter goes on with it, Esc as before")
        self.line.returnPressed.connect(lambda: self.typed.emit(self.line.text()))
        self.help = dim(HELP)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 3)
        layout.setSpacing(2)
        layout.addWidget(self.line)
        layout.addWidget(self.help)

    def open(self, text: str, over: QRect) -> None:
        """over: what it covers, where it has room enough."""
        self._was_active = False
        self.say(HELP)
        self.line.setText(text)
        self.line.selectAll()
        self.setFixedSize(over.size().expandedTo(QSize(300, self.minimumSizeHint().height())))
        self.move(over.topLeft())
        self.show()
        self.raise_()
        self.line.setFocus()
        with suppress(PlaytapeError):  # without the keyboard it can still be clicked into
            connection = windows.connect()
            try:
                windows.take_focus(connection, int(self.winId()))
            finally:
                windows.disconnect(connection)

    def close_up(self) -> None:
        self._was_active = False
        self.hide()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """A line under what is typed."""
        self.help.setText(text)
        restyle(self.help, "bad", is_bad or None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:
        if event is not None and event.type() == QEvent.Type.ActivationChange:
            if self.isActiveWindow():
                self._was_active = True
            elif self._was_active and self.isVisible():
                self.given_up.emit()  # whoever clicks elsewhere types no more
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.raised))
        painter.setPen(QPen(QColor(theme.accent), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
