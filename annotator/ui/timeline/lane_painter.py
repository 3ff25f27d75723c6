"""Paints the signal lanes and the ruler. Dense stretches are summed per pixel in numpy, so cost follows the width of
the view and not the number of events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QImage, QPainter, QPen

from annotator.model.timeline.axis import Axis, Positions, positions
from annotator.model.timeline.lanes import Floats, KeyLane, MotionLane
from annotator.ui.theme import Theme, blend, with_alpha
from annotator.ui.timeline.rows import RECORDED_PX, Row, Rows, ruler_px
from annotator.ui.timeline.suggested_painter import paint_suggested
from db.clock import FrameClock, Int64
from db.recording.keys import is_button

MOST_BARS = 160
"""Above so many holds in view a row is painted from its coverage per pixel."""
TICK_STEPS_MS = (
    10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
)  # fmt: skip


def paint_signals(
    painter: QPainter,
    axis: Axis,
    rows: Rows,
    view: tuple[int, int],
    gaps: Positions,
    clock: FrameClock,
    theme: Theme,
    ratio: float,
) -> None:
    """The key and mouse rows that reach into `view` (heights of the signal area), each at its place, with the ruler's
    grid behind them; `ratio` is the device's.
    """
    edges = axis.pixel_edges(max(round(axis.width_px * ratio), 1))
    shown = [row for row in rows.signals if row.bottom > view[0] and row.top < view[1]]
    for row in rows.signals[1::2]:
        painter.fillRect(QRectF(0, row.top, axis.width_px, row.height), blend(theme.raised, theme.panel, 0.35))
    paint_grid(painter, axis, clock, view[0], min(rows.signals_height, view[1]), theme)
    for row in shown:
        _paint_changed(painter, axis, row, theme)
        if row.key is not None:
            _paint_key(painter, axis, row, row.key, edges, theme)
        elif row.motion is not None:
            _paint_motion(painter, row, row.motion, edges, theme, ratio, axis.width_px)
    _paint_gaps(painter, axis, gaps, rows.signals_height, theme)
    paint_suggested(painter, axis, rows, edges, theme)


def _paint_changed(painter: QPainter, axis: Axis, row: Row, theme: Theme) -> None:
    """A tint where the recording says something else."""
    if row.changed is None:
        return
    seen = row.changed[(row.changed[:, 1] >= axis.left) & (row.changed[:, 0] <= axis.right)]
    lefts, rights = ((seen - axis.left) * axis.px_per_frame).T
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(with_alpha(theme.warn, 0.25))
    with plain(painter):
        painter.drawRects(
            [
                QRectF(left, row.top, max(right - left, 2.0), row.height)
                for left, right in zip(lefts.tolist(), rights.tolist(), strict=True)
            ]
        )


@contextmanager
def plain(painter: QPainter) -> Iterator[None]:
    """Upright rectangles need no smooth edges, and without them are drawn ten times as fast."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    yield
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def held_area(axis: Axis, row: Row) -> QRectF:
    """The part of a key's row in which its holds as they are now stand, over the whole width."""
    below = RECORDED_PX if row.recorded_key is not None else 0
    return QRectF(0, row.top + 3, axis.width_px, row.height - 6 - below)


def _paint_key(painter: QPainter, axis: Axis, row: Row, lane: KeyLane, edges: np.ndarray, theme: Theme) -> None:
    """The holds as they are now; below them, thin and hatched, as they were recorded where that is something else."""
    colour = QColor(theme.button if is_button(lane.code) else theme.key)
    area = held_area(axis, row)
    _paint_holds(painter, axis, lane, area, QBrush(colour), edges)
    if row.recorded_key is not None:
        below = QRectF(0, area.bottom() + 2, axis.width_px, RECORDED_PX - 2)
        hatch = QBrush(blend(colour, theme.text, 0.55), Qt.BrushStyle.Dense4Pattern)
        _paint_holds(painter, axis, row.recorded_key, below, hatch, edges)


def _paint_holds(painter: QPainter, axis: Axis, lane: KeyLane, area: QRectF, brush: QBrush, edges: np.ndarray) -> None:
    seen = lane.visible(axis.left, axis.right)
    if seen.stop - seen.start > MOST_BARS:
        painter.drawImage(area, strip(lane.coverage(edges), brush.color()))
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    for start, stop in zip(lane.start[seen].tolist(), lane.stop[seen].tolist(), strict=True):
        left, right = max(axis.x(start), -8.0), min(axis.x(stop), axis.width_px + 8.0)
        width = max(right - left, 1.5)
        corner = 2.0 if width > 5 else 0.0
        painter.drawRoundedRect(QRectF(left, area.top(), width, area.height()), corner, corner)


def paint_press(painter: QPainter, axis: Axis, row: Row, start: float, stop: float, theme: Theme) -> None:
    """The selected press of a key's row, or where a drag would leave it: positions [start, stop)."""
    area = held_area(axis, row).adjusted(0, -2, 0, 2)
    left, right = max(axis.x(start), -12.0), min(axis.x(stop), axis.width_px + 12.0)
    frame = QRectF(left, area.top(), max(right - left, 3.0), area.height())
    painter.setPen(QPen(QColor(theme.text), 1.5))
    painter.setBrush(QColor(theme.accent))
    painter.drawRoundedRect(frame, 2, 2)
    if frame.width() > 16:
        painter.setPen(QPen(QColor(theme.on_accent), 1.5))
        for x in (frame.left() + 4, frame.right() - 4):
            painter.drawLine(QPointF(x, frame.top() + 3), QPointF(x, frame.bottom() - 3))


def strip(coverage: Floats, colour: QColor) -> QImage:
    """(W,) shares -> a W x 1 picture of the colour at these opacities."""
    alpha = np.clip(coverage, 0.0, 1.0)[:, None]
    channels = np.array([colour.blue(), colour.green(), colour.red(), 255], np.float32)
    pixels = np.ascontiguousarray(np.round(alpha * channels), dtype=np.float32).astype(np.uint8)
    return QImage(pixels.tobytes(), len(pixels), 1, 4 * len(pixels), QImage.Format.Format_ARGB32_Premultiplied).copy()


def _paint_motion(
    painter: QPainter, row: Row, lane: MotionLane, edges: np.ndarray, theme: Theme, ratio: float, width_px: int
) -> None:
    """The motion as it is now, over what was recorded where that is something else; both to the recording's scale."""
    area = QRectF(0, row.top + 2, width_px, row.height - 4)
    middle = area.center().y()
    painter.fillRect(QRectF(area.left(), round(middle), area.width(), 1), QColor(theme.line))
    height, recorded = max(round(area.height() * ratio), 3), row.recorded_motion
    if recorded is not None:
        low, high = recorded.envelope(edges)
        painter.drawImage(area, plot(low, high, recorded.peak, height, blend(theme.dim, theme.panel, 0.5)))
    low, high = lane.envelope(edges)
    painter.drawImage(area, plot(low, high, (recorded or lane).peak, height, QColor(theme.button)))


def plot(low: Floats, high: Floats, peak: float, height: int, colour: QColor) -> QImage:
    """The area between zero and the envelope (W,) as a W x height picture, full height at +-`peak`, upwards positive."""
    half = height / 2
    top = np.clip(half - np.maximum(high, 0) / peak * half, 0, half)
    bottom = np.clip(half - np.minimum(low, 0) / peak * half, half, height)
    y = np.arange(height)[:, None]
    inside = np.clip(np.minimum(y + 1, bottom) - np.maximum(y, top), 0, 1) * ((high > 0) | (low < 0))
    channels = np.array([colour.blue(), colour.green(), colour.red(), 255], np.float32)
    pixels = np.ascontiguousarray((inside[..., None] * channels).astype(np.uint8))
    width = len(low)
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _paint_gaps(painter: QPainter, axis: Axis, gaps: Positions, height: int, theme: Theme) -> None:
    """Stretches without recorded inputs are hatched."""
    for start, stop in gaps.tolist():
        if stop >= axis.left and start <= axis.right:
            area = QRectF(axis.x(start), 0, max(axis.x(stop) - axis.x(start), 1.5), height)
            painter.fillRect(area, with_alpha(theme.window, 0.7))
            painter.fillRect(area, QBrush(with_alpha(theme.bad, 0.45), Qt.BrushStyle.BDiagPattern))


def paint_ruler(painter: QPainter, axis: Axis, clock: FrameClock, theme: Theme) -> None:
    """Ticks at round times of the true clock; between frames that stand far apart also the frames' numbers."""
    baseline = ruler_px() - 0.5
    line = QColor(theme.line)
    painter.fillRect(QRectF(0, baseline - 0.5, axis.width_px, 1), line)
    times_ms, step_ms = tick_times(axis, clock)
    at = positions(clock.t_ns[0] + times_ms * 1_000_000, clock.edges_ns)
    metrics = painter.fontMetrics()
    free_from = 0.0
    for time_ms, x in zip(times_ms.tolist(), [axis.x(position) for position in at.tolist()], strict=True):
        painter.fillRect(QRectF(round(x), baseline - 5, 1, 5), QColor(theme.dim))
        text = time_text(time_ms, step_ms)
        if x + 4 >= free_from and x < axis.width_px:
            painter.setPen(QColor(theme.dim))
            painter.drawText(QPointF(x + 4, baseline - 8), text)
            free_from = x + 4 + metrics.horizontalAdvance(text) + 12
    if axis.px_per_frame >= 6:
        for frame in range(int(axis.left), int(axis.right) + 1):
            painter.fillRect(QRectF(round(axis.x(frame)), baseline - 3, 1, 3), line)


def tick_times(axis: Axis, clock: FrameClock) -> tuple[Int64, int]:
    """Milliseconds since the first frame at which ticks stand, about 90 px apart on average, and their step."""
    seen_ns = [_time_ns(position, clock) for position in (axis.left, axis.right)]
    wanted_ms = (seen_ns[1] - seen_ns[0]) / 1e6 / max(axis.width_px / 90, 1)
    step_ms = next((step for step in TICK_STEPS_MS if step >= wanted_ms), TICK_STEPS_MS[-1])
    first, last = int(seen_ns[0] / 1e6) // step_ms, int(seen_ns[1] / 1e6) // step_ms
    return np.arange(first, last + 1, dtype=np.int64) * step_ms, step_ms


def _time_ns(position: float, clock: FrameClock) -> float:
    """Since the first frame."""
    edges = clock.edges_ns
    frame = min(max(int(position), 0), len(edges) - 2)
    share = min(max(position - frame, 0.0), 1.0)
    return float(edges[frame] - edges[0]) + share * float(edges[frame + 1] - edges[frame])


def time_text(time_ms: int, step_ms: int = 1000) -> str:
    """`1:05`, with as many decimals as the step between ticks needs; `1:02:05` from an hour on."""
    decimals = next((d for d, unit in enumerate((1000, 100, 10)) if step_ms % unit == 0), 3)
    unit_ms = 10 ** (3 - decimals)
    seconds, ms = divmod(round(max(time_ms, 0) / unit_ms) * unit_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    return text + (f".{ms:03d}"[: decimals + 1] if decimals else "")


def paint_grid(painter: QPainter, axis: Axis, clock: FrameClock, top: float, bottom: float, theme: Theme) -> None:
    """Faint lines at the ruler's ticks."""
    times_ms, _ = tick_times(axis, clock)
    at = positions(clock.t_ns[0] + times_ms * 1_000_000, clock.edges_ns)
    faint = with_alpha(theme.line, 0.55)
    with plain(painter):
        for before, x in pairwise([-99.0, *(axis.x(position) for position in at.tolist())]):
            if x - before >= 8:
                painter.fillRect(QRectF(round(x), top, 1, bottom - top), faint)
