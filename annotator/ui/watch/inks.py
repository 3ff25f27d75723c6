"""The colours of what is drawn over pictures: they must read on any picture, so no theme changes them."""

from __future__ import annotations

from PyQt6.QtGui import QColor

SHADE = QColor(10, 12, 16, 180)
"""Behind everything: white reads on it over a white picture too (5.8:1)."""
INK, DARK = QColor("#ffffff"), QColor("#0d1020")
UNLIT, EDGE = QColor(255, 255, 255, 26), QColor(255, 255, 255, 110)
KEY_INK, BUTTON_INK, CORRECTED_INK = QColor("#7fe0cf"), QColor("#ffd27a"), QColor("#ff8f6b")
