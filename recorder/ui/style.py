"""Check boxes and radio buttons that can be seen on dark grounds, which Fusion's outlines cannot."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QProxyStyle, QStyle, QStyleOption, QWidget

from recorder.ui.theme import Theme

_Element = QStyle.PrimitiveElement


class Style(QProxyStyle):
    """Fusion, but for the two indicators."""

    def __init__(self) -> None:
        super().__init__("Fusion")

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption | None,
        painter: QPainter | None,
        widget: QWidget | None = None,
    ) -> None:
        if (
            option is None
            or painter is None
            or element not in (_Element.PE_IndicatorCheckBox, _Element.PE_IndicatorRadioButton)
        ):
            super().drawPrimitive(element, option, painter, widget)
            return
        theme = Theme.of(option.palette)
        on = bool(option.state & QStyle.StateFlag.State_On)
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        side = min(option.rect.width(), option.rect.height()) - 1.0
        box = QRectF(option.rect.left() + 0.5, option.rect.center().y() - side / 2 + 0.5, side, side)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        filled = QColor(theme.accent if enabled else theme.dim)
        painter.setPen(QPen(filled if on else QColor(theme.dim if enabled else theme.line), 1.5))
        if element == _Element.PE_IndicatorRadioButton:
            painter.setBrush(QColor(theme.window))
            painter.drawEllipse(box)
            if on:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(filled)
                painter.drawEllipse(box.center(), side * 0.28, side * 0.28)
        else:
            painter.setBrush(filled if on else QColor(theme.window))
            painter.drawRoundedRect(box, 3, 3)
            if on:
                painter.setPen(QPen(QColor(theme.on_accent), 1.8))
                corners = ((0.22, 0.52), (0.42, 0.72), (0.78, 0.28))
                painter.drawPolyline(QPolygonF([box.topLeft() + QPointF(x * side, y * side) for x, y in corners]))
        painter.restore()
