"""What the library says about the session that is chosen in its list."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from annotator.ui.annotate.session_head import SessionHead
from annotator.ui.theme import Theme
from db.library.catalogue import SessionSummary


class Poster(QWidget):
    """A session's picture, rounded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(192, 108)

    def show_image(self, image: QImage | None) -> None:
        self.image = image or QImage()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), 6, 6)
        painter.fillPath(path, QColor(Theme.of(self.palette()).raised))
        if not self.image.isNull():
            painter.setClipPath(path)
            painter.drawImage(QRectF(self.rect()), self.image)


class SessionCard(QWidget):
    """Picture at the left, the session's head beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.poster, self.head, self.marks = Poster(), SessionHead(), QLabel()
        self.marks.setWordWrap(True)
        self.usage = QLabel()
        self.usage.setWordWrap(True)
        self.usage.setToolTip("How often each key and button was pressed, the most used first")
        self.usage.hide()
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self.head)
        column.addWidget(self.marks)
        column.addWidget(self.usage)
        column.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addWidget(self.poster, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(column, 1)

    def show_usage(self, words: str) -> None:
        """Which keys were used, in words; "" while that is not known."""
        self.usage.setText(words)
        self.usage.setVisible(bool(words))

    def show_summary(self, summary: SessionSummary | None, image: QImage | None, marks: str = "") -> None:
        """marks: who looks after it and its tags, in words."""
        self.setVisible(summary is not None)
        self.poster.show_image(image)
        self.head.show_summary(summary)
        self.marks.setText(marks)
        self.marks.setVisible(bool(marks))
