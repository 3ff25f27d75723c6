"""Paints the lane of disagreement: the brighter on dark, the darker on light, so that it needs no sense for colour."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from annotator.model.timeline.axis import Axis
from annotator.model.timeline.heat import HeatLane
from annotator.ui.theme import Theme, blend, with_alpha

HOTTEST = 2.0
"""The disagreement that has the last colour; what lies above looks the same."""
_STEPS = 256
_DARK = ("#3b2a5e", "#8a3470", "#d9573f", "#f5a83c", "#fcf3b0")
_LIGHT = ("#fbe3a6", "#f2a33f", "#d4553d", "#8b2a63", "#2c1145")
"""From just above 0 to HOTTEST; luminance goes one way, away from the panel's."""


def paint_heat(painter: QPainter, axis: Axis, area: QRectF, lane: HeatLane, theme: Theme, ratio: float) -> None:
    """The lane over the whole width of its area; thin where nothing is known. ratio: the device's."""
    columns = lane.columns(axis.pixel_edges(max(round(axis.width_px * ratio), 1)))
    painter.fillRect(QRectF(area.left(), area.center().y() - 0.5, area.width(), 1), with_alpha(theme.dim, 0.5))
    painter.drawImage(area, _strip(columns, theme))


def heat_colour(level: float, theme: Theme) -> QColor:
    """The colour of a disagreement."""
    blue, green, red, _ = _ramp(theme)[_step(np.array([level], np.float32))[0]].tolist()
    return QColor(red, green, blue)


def _step(level: NDArray[np.float32]) -> NDArray[np.int64]:
    return (np.clip(level / HOTTEST, 0, 1) * (_STEPS - 1)).astype(np.int64)


def _strip(level: NDArray[np.float32], theme: Theme) -> QImage:
    """(W,) -> a W x 1 picture, transparent where it is NaN."""
    known = ~np.isnan(level)
    pixels = np.zeros((len(level), 4), np.uint8)
    pixels[known] = _ramp(theme)[_step(level[known])]
    whole = np.ascontiguousarray(pixels)
    return QImage(whole.tobytes(), len(level), 1, 4 * len(level), QImage.Format.Format_ARGB32_Premultiplied).copy()


@lru_cache(maxsize=4)
def _ramp(theme: Theme) -> NDArray[np.uint8]:
    """(_STEPS, 4) BGRA, from the lane's ground to the hottest."""
    stops = [blend(theme.raised, theme.panel, 0.7), *map(QColor, _DARK if theme.is_dark else _LIGHT)]
    at = np.linspace(0, 1, len(stops))
    wanted = np.linspace(0, 1, _STEPS)
    channels = [[colour.blue(), colour.green(), colour.red(), 255] for colour in stops]
    found = np.stack([np.interp(wanted, at, column) for column in np.array(channels, np.float64).T], axis=1)
    ramp: NDArray[np.uint8] = np.round(found).astype(np.uint8)
    return ramp
