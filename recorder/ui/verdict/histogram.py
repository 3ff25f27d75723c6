"""How evenly the frames came: a histogram of the times between them, with what was wanted."""

from __future__ import annotations

import math

from PyQt6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from db.recording.figures import BINS_PER_INTERVAL, Figures
from recorder.ui.theme import Theme

_AXIS_PX, _LEGEND_PX, _FOOT_PX = 26, 24, 8
_LEAST_PX, _MOST_PX = 124, 210
_WANTED = "wanted"


class IntervalHistogram(QWidget):
    """Heights are logarithmic, since the few late frames are what one looks for. The last bar is all that is longer."""

    def __init__(self) -> None:
        super().__init__()
        self._figures: Figures | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_LEAST_PX)
        self.setMaximumHeight(_MOST_PX)

    def sizeHint(self) -> QSize:
        return QSize(320, _LEAST_PX)

    def show_figures(self, figures: Figures) -> None:
        self._figures = figures
        self.setAccessibleName("Times between frames")
        self.setAccessibleDescription(", ".join(f"{name} {value}" for name, value, _ in self._legend(figures)))
        self.setToolTip(
            "How often which time passed from one frame to the next, in milliseconds.\n"
            "Bars grow with the logarithm of the count, so that single late frames are seen.\n"
            f"The longest time without a frame was {_ms(figures.longest_ms)}."
        )
        self.update()

    @staticmethod
    def _legend(figures: Figures) -> list[tuple[str, str, float]]:
        return [
            (_WANTED, _ms(figures.wanted_ms), figures.wanted_ms),
            ("half within", _ms(figures.p50_ms), figures.p50_ms),
            ("95 %", _ms(figures.p95_ms), figures.p95_ms),
            ("99 %", _ms(figures.p99_ms), figures.p99_ms),
        ]

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if self._figures is None:
            return
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = QRectF(0, _LEGEND_PX, self.width() - 1, self.height() - _LEGEND_PX - _AXIS_PX)
        self._draw_legend(painter, theme, self._figures)
        self._draw_bars(painter, theme, self._figures, plot)
        self._draw_axis(painter, theme, self._figures, plot)

    def _draw_legend(self, painter: QPainter, theme: Theme, figures: Figures) -> None:
        metrics, x = QFontMetricsF(self.font()), 0.0
        for (name, value, _), colour in zip(self._legend(figures), _colours(theme), strict=True):
            painter.setPen(QPen(QColor(colour), 3))
            painter.drawLine(QPointF(x + 2, 4), QPointF(x + 2, _LEGEND_PX - 8))
            for text, ink in ((name, theme.dim), (value, theme.text)):
                painter.setPen(QColor(ink))
                painter.drawText(QPointF(x + 9, metrics.ascent()), text)
                x += metrics.horizontalAdvance(text) + 5
            x += 16

    def _draw_bars(self, painter: QPainter, theme: Theme, figures: Figures, plot: QRectF) -> None:
        counts = figures.interval_counts
        top = math.log1p(max(counts, default=1)) or 1.0
        step = plot.width() / max(len(counts), 1)
        painter.setPen(Qt.PenStyle.NoPen)
        for number, count in enumerate(counts):
            if not count:
                continue
            height = max(plot.height() * math.log1p(count) / top, 2.0)
            late = number >= 2 * BINS_PER_INTERVAL
            painter.setBrush(QColor(theme.warn if late else theme.accent))
            bar = QRectF(plot.left() + number * step + 0.5, plot.bottom() - height, max(step - 1.5, 1), height)
            painter.drawRoundedRect(bar, 1, 1)

    def _draw_axis(self, painter: QPainter, theme: Theme, figures: Figures, plot: QRectF) -> None:
        intervals = len(figures.interval_counts) / BINS_PER_INTERVAL
        painter.setPen(QColor(theme.line))
        painter.drawLine(QLineF(plot.left(), plot.bottom(), plot.right(), plot.bottom()))
        for number in range(round(intervals) + 1):
            x = plot.left() + plot.width() * number / intervals
            last = number == round(intervals)
            text = f"{number * figures.wanted_ms:.0f}" + (" ms or more" if last else "")
            metrics = QFontMetricsF(self.font())
            width = metrics.horizontalAdvance(text)
            left = min(max(x - width / 2, 0), plot.right() - width)
            painter.setPen(QColor(theme.dim))
            painter.drawText(QPointF(left, plot.bottom() + _FOOT_PX + metrics.ascent() + 1), text)
        for (name, _, value), colour in zip(self._legend(figures), _colours(theme), strict=True):
            x = plot.left() + plot.width() * min(value / figures.wanted_ms / intervals, 1)
            if name == _WANTED:
                painter.setPen(QPen(QColor(colour), 1, Qt.PenStyle.DashLine))
                painter.drawLine(QLineF(x, plot.top(), x, plot.bottom()))
                continue
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            tip = QPointF(x, plot.bottom() + 1)
            painter.drawPolygon(QPolygonF([tip, tip + QPointF(4, _FOOT_PX - 1), tip + QPointF(-4, _FOOT_PX - 1)]))


def _colours(theme: Theme) -> tuple[str, str, str, str]:
    return theme.dim, theme.good, theme.warn, theme.bad


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value < 1000 else f"{value / 1000:.2f} s"
