"""How large the text is: one factor for every window, kept for this person on this machine."""

from __future__ import annotations

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

SIZES = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
_BASE = "base_point_size"
_NOW = "text_size"
_OWN = "own_point_size"
"""Of a widget with a font of its own: how large that is at the usual size."""


def grown(px: int) -> int:
    """A length in px that goes with a line of text, at the size that the windows wear; never less than it usually is."""
    app = QApplication.instance()
    return round(px * max((app.property(_NOW) if app is not None else None) or 1.0, 1.0))


def text_size() -> float:
    """The factor that the person chose, in [0.8, 2.0]."""
    stored = QSettings("Playtape", "Playtape").value("text_size", 1.0)
    try:
        wanted = float(stored)
    except (TypeError, ValueError):
        return 1.0
    return min(SIZES, key=lambda size: abs(size - wanted))


def step_text_size(step: int) -> float:
    """Keeps one size larger (1) or smaller (-1), or the usual one (0), as the person's choice; the new factor."""
    at = SIZES.index(text_size())
    size = SIZES[min(max(at + step, 0), len(SIZES) - 1)] if step else 1.0
    QSettings("Playtape", "Playtape").setValue("text_size", size)
    return size


def wear_text_size(app: QApplication, size: float) -> None:
    """Gives every window text of this size, also where a widget has a font of its own."""
    base = app.property(_BASE)
    if base is None:
        base = app.font().pointSizeF()
        app.setProperty(_BASE, base)
    before = app.property(_NOW) or 1.0
    if size == before:
        return
    app.setProperty(_NOW, size)
    own = [(widget, widget.font().pointSizeF()) for widget in app.allWidgets()]
    font = app.font()
    font.setPointSizeF(base * size)
    app.setFont(font)
    for _ in range(2):  # scaling one may give its children what it had before
        for widget, points in own:
            # A widget whose font is not the application's stays as it was when that changes: it is scaled by hand.
            if points > 0 and abs(widget.font().pointSizeF() - points) < 0.01:
                widget.setProperty(_OWN, points / before)
        keep_own_sizes(app)


def keep_own_sizes(app: QApplication) -> None:
    """Scales the fonts that widgets have of their own. Another style sheet sets them back to what they first were."""
    size = app.property(_NOW) or 1.0
    for widget in app.allWidgets():
        points = widget.property(_OWN)
        if points is not None and abs(widget.font().pointSizeF() - points * size) > 0.01:
            font = widget.font()
            font.setPointSizeF(points * size)
            widget.setFont(font)
