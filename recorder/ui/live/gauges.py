"""Small instruments: a lamp per device, a number with its unit, and how times and sizes are written."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from recorder.ui.theme import Theme, dim, scaled

FRESH_S = 0.35
"""A lamp is lit for so long after its device was last heard of."""


class Lamp(QWidget):
    """Lit while its device reports, hollow when it has not for a while, and dim when it never did."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self._name, self._age_s = name, None
        self._lit: bool | None = None
        self.setToolTip(hint)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(28 + self.fontMetrics().horizontalAdvance(self._name), self.fontMetrics().height() + 8)

    def set_age(self, age_s: float | None) -> None:
        """Seconds since the device was last heard of; None if it never was."""
        self._age_s = age_s
        self.setAccessibleDescription("not seen yet" if age_s is None else f"{age_s:.1f} seconds ago")
        lit = None if age_s is None else age_s < FRESH_S
        if lit is not self._lit:
            self._lit = lit
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre = QPointF(8.5, self.height() / 2)
        colour = QColor(theme.dim if self._lit is None else theme.good)
        if self._lit:
            halo = QColor(colour)
            halo.setAlphaF(0.25)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            painter.drawEllipse(centre, 8, 8)
        painter.setBrush(colour if self._lit else Qt.BrushStyle.NoBrush)
        pen = painter.pen()
        pen.setStyle(Qt.PenStyle.SolidLine if self._lit is not None else Qt.PenStyle.DotLine)
        pen.setColor(colour)
        pen.setWidthF(1.5)
        painter.setPen(pen)
        painter.drawEllipse(centre, 5, 5)
        painter.setPen(QColor(theme.dim if self._lit is None else theme.text))
        box = QRectF(22, 0, self.width() - 22, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), self._name)


class Figure(QWidget):
    """A number over what it counts. Digits keep their width, so that nothing jumps."""

    def __init__(self, unit: str, hint: str = "") -> None:
        super().__init__()
        self._value = QLabel("–")
        font = scaled(self._value.font(), 1.45, bold=True)
        font.setFeature(font.Tag.fromString("tnum"), 1)
        self._value.setFont(font)
        self._alarm = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._value)
        column.addWidget(dim(unit, wrap=False))
        self.setAccessibleName(unit)
        self.setToolTip(hint)

    @property
    def text(self) -> str:
        return self._value.text()

    def set_text(self, text: str, *, alarm: bool = False) -> None:
        if (text, alarm) == (self._value.text(), self._alarm):
            return
        self._alarm = alarm
        self._value.setText(text)
        self._value.setStyleSheet(f"color: {Theme.of(self.palette()).bad};" if alarm else "")
        self.setAccessibleDescription(text)


def clock_text(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def span_text(seconds: float) -> str:
    """A round length of time in words: `10 s`, `5 min`."""
    return f"{seconds / 60:g} min" if seconds >= 120 else f"{seconds:g} s"


def size_text(count: int) -> str:
    """Bytes as people read them."""
    if count < 100_000:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
