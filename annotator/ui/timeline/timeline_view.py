"""The picture of the timeline: ruler, label rows and signal rows over a session's frames, zoomed and scrolled."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PyQt6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from annotator.model.document import Span
from annotator.model.timeline.axis import Axis, positions
from annotator.model.timeline.heat import HeatLane
from annotator.ui.annotate.editing import Editing
from annotator.ui.text_size import grown
from annotator.ui.theme import Theme, blend, small, with_alpha
from annotator.ui.timeline.label_painter import paint_growing, paint_labels, paint_preview
from annotator.ui.timeline.lane_painter import paint_press, paint_signals
from annotator.ui.timeline.press_gesture import Press
from annotator.ui.timeline.rows import Row, RowKind, Rows, arrange, header_px, ruler_px
from annotator.ui.timeline.strip import STRIP_PX, Strip
from db.labelling.labels import LabelKind

LEAST_SIGNALS_PX = 48
"""With less room under them the label rows scroll together with the signal rows."""
SCROLL_UNITS = 16
"""Scroll bar steps per frame."""


class TimelineView(QAbstractScrollArea):
    """Shows an Editing, or nothing. `axis` is the horizontal view; its pixels count from the right of the row names."""

    axis_changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline")
        self.setMinimumHeight(140)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.horizontalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().valueChanged.connect(self.viewport().update)
        self.editing: Editing | None = None
        self.axis = Axis.whole(1, 1)
        self.rows = Rows((), ())
        self.hovered = ""
        self._arranged = 0
        """How often the rows have been arranged: what was painted of earlier ones is out of date."""
        self._signals: tuple[object, QPixmap] | None = None
        self._labels: tuple[object, QPixmap] | None = None
        self.strip = Strip(self)
        self.strip.wheeled.connect(self.wheelEvent)
        self.strip.scrubbed.connect(self._on_strip_scrubbed)
        self.set_strip(True)

    def set_strip(self, on: bool) -> None:
        """Whether the strip of pictures is shown under the rows."""
        self.strip.setVisible(on)
        self.setViewportMargins(0, 0, 0, STRIP_PX if on else 0)
        self._place_strip()

    def sizeHint(self) -> QSize:
        return QSize(640, 320)

    def show_editing(self, editing: Editing | None) -> None:
        """Shows another session from its beginning to its end, or nothing."""
        self.hovered, self._signals, self._labels, self.editing = "", None, None, editing
        self.rows = Rows((), ())
        if editing is not None:
            editing.changed.connect(self._on_changed)
            editing.selected.connect(self._on_selected)
            editing.marks_changed.connect(self.viewport().update)
            editing.player.displayed.connect(self._on_displayed)
            editing.presses.changed.connect(self._on_press_changed)
            editing.doubting.changed.connect(lambda: self._on_changed(frozenset()))
            self._arrange()
            self.axis = Axis.whole(editing.document.frame_count, self._lane_width())
        self.strip.show_editing(editing)
        self._sync_bars()
        self.viewport().update()

    # The view

    def set_axis(self, axis: Axis) -> None:
        if axis != self.axis:
            self.axis = axis
            self._sync_bars()
            self.viewport().update()
            self.axis_changed.emit()

    def zoom(self, factor: float) -> None:
        """Around the playhead where it is in view, else around the middle."""
        x = self.axis.x(self._playhead() + 0.5)
        self.set_axis(self.axis.zoomed(factor, x if 0 <= x <= self.axis.width_px else self.axis.width_px / 2))

    def zoom_to_all(self) -> None:
        self.set_axis(Axis.whole(self.axis.frame_count, self._lane_width()))

    def zoom_to_selection(self) -> None:
        span = self.editing.selected_span if self.editing else None
        if span is not None:
            room = max(len(span) * 0.5, 8)
            scaled = self.axis.zoomed(self.axis.span / (len(span) + 2 * room), 0)
            self.set_axis(scaled.panned(span.start - room - scaled.left))

    def point_of(self, frame: float, row: Row) -> QPoint:
        """The viewport's point in the middle of a row at a position; for tests and tool tips."""
        top = self._signals_top if row.kind in (RowKind.KEY, RowKind.MOTION) else -self._shift
        return QPoint(round(header_px() + self.axis.x(frame)), top + row.top + row.height // 2)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(theme.panel))
        if self.editing is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small(self.font()))
        self._paint_signal_area(painter, theme)
        self._paint_corrected(painter, theme)
        painter.save()
        painter.setClipRect(header_px(), 0, self.axis.width_px, self.viewport().height())
        painter.translate(header_px(), 0)
        self._paint_label_area(painter, theme)
        self._paint_marks(painter, theme)
        self._paint_playhead(painter, theme)
        painter.restore()
        self._paint_header(painter, theme)

    def _paint_signal_area(self, painter: QPainter, theme: Theme) -> None:
        """The signal rows come from a picture that is made anew only when the view of them changes."""
        assert self.editing is not None
        ratio = self.devicePixelRatioF()
        top = self._labels_end
        scrolled = top - self._signals_top
        room = max(self.viewport().height() - top, 1)
        key = (self.axis, theme, ratio, self._arranged, scrolled, room)
        if self._signals is None or self._signals[0] != key:
            pixmap, inner = self._canvas(room, theme)
            inner.translate(0, -scrolled)
            gaps, clock = self.editing.inputs.gaps, self.editing.document.clock
            view = scrolled, scrolled + room
            paint_signals(inner, self.axis, self.rows, view, gaps, clock, theme, ratio)
            inner.end()
            self._signals = key, pixmap
        painter.drawPixmap(QPointF(header_px(), top), self._signals[1])

    def _paint_corrected(self, painter: QPainter, theme: Theme) -> None:
        """The selected press, and the frames of a correction that is selected, over the rows of their keys."""
        assert self.editing is not None
        height = self.viewport().height() - self._labels_end
        painter.save()
        painter.setClipRect(header_px(), self._labels_end, self.axis.width_px, height)
        painter.translate(header_px(), self._signals_top)
        span, press = self.editing.selected_span, self._press_shown()
        row = self.rows.row_about(span.value) if span and span.kind is LabelKind.ACTION else None
        if span and row:
            area = QRectF(self.axis.x(span.start), row.top, self.axis.px_per_frame * len(span), row.height)
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(with_alpha(theme.accent, 0.2))
            painter.drawRect(area.adjusted(0, 0.5, 0, -0.5))
        row = self.rows.key_row(press.code) if press else None
        if press and row:
            ends_ns = np.array([press.down_ns, press.up_ns], np.int64)
            start, stop = positions(ends_ns, self.editing.document.clock.edges_ns).tolist()
            paint_press(painter, self.axis, row, start, stop, theme)
        painter.restore()

    def _paint_marks(self, painter: QPainter, theme: Theme) -> None:
        assert self.editing is not None
        marks, height = self.editing.marks, self.viewport().height()
        if marks.stretch:
            left, right = (self.axis.x(edge) for edge in marks.stretch)
            painter.fillRect(QRectF(left, 0, right - left, height), with_alpha(theme.accent, 0.14))
        for edge in (marks.start, marks.stop):
            if edge is not None:
                painter.fillRect(QRectF(self.axis.x(edge) - 1, 0, 2, height), with_alpha(theme.accent, 0.9))

    def _paint_label_area(self, painter: QPainter, theme: Theme) -> None:
        """As the signal rows: what a hand or a key is making of the labels comes on top."""
        assert self.editing is not None
        previews = [(row, preview) for row in self.rows.labels if (preview := self._preview(row))]
        moving = frozenset(span.entity_id for _, (span, *_) in previews if span)
        ratio, font = self.devicePixelRatioF(), painter.font()
        key = (self.axis, theme, ratio, self._arranged, font.toString(), self.editing.selection, self.hovered, moving)
        if self._labels is None or self._labels[0] != key:
            pixmap, inner = self._canvas(self.rows.labels_bottom, theme)
            inner.setFont(font)
            selected, clock = self.editing.selection, self.editing.document.clock
            chosen = {"selected": selected, "hovered": self.hovered}
            paint_labels(inner, self.axis, self.rows, clock, theme, ratio, **chosen, without=moving)
            inner.end()
            self._labels = key, pixmap
        painter.save()
        if self._shift:  # the ruler stays
            width, ruler = self.axis.width_px, ruler_px()
            painter.setClipRect(QRectF(0, 0, width, ruler), Qt.ClipOperation.ReplaceClip)
            painter.drawPixmap(QPointF(), self._labels[1])
            painter.setClipRect(QRectF(0, ruler, width, self.viewport().height()), Qt.ClipOperation.ReplaceClip)
            painter.translate(0, -self._shift)
        painter.drawPixmap(QPointF(), self._labels[1])
        growing = list(self.editing.marking.growing())
        for row in self.rows.labels if growing else ():
            paint_growing(painter, self.axis, row, growing, theme)
        for row, (_, start, stop, text) in previews:
            paint_preview(painter, self.axis, row, start, stop, text, theme)
        painter.restore()

    def _canvas(self, height: int, theme: Theme) -> tuple[QPixmap, QPainter]:
        """A picture as wide as the lanes, and a painter on it."""
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(round(self.axis.width_px * ratio), max(round(height * ratio), 1))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(theme.panel))
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        return pixmap, painter

    def _paint_playhead(self, painter: QPainter, theme: Theme) -> None:
        frame, height = self._playhead(), self.viewport().height()
        left, width = self.axis.x(frame), self.axis.px_per_frame
        if width >= 3:
            painter.fillRect(QRectF(left, ruler_px(), width, height), with_alpha(theme.playhead, 0.16))
        middle = left + min(width, 1.0) / 2
        painter.fillRect(QRectF(middle - 0.75, ruler_px() - 8, 1.5, height), QColor(theme.playhead))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.playhead))
        painter.drawRoundedRect(QRectF(middle - 5, ruler_px() - 14, 10, 10), 3, 3)

    def _paint_header(self, painter: QPainter, theme: Theme) -> None:
        height, top = self.viewport().height(), self._labels_end
        painter.fillRect(QRect(0, 0, header_px(), height), QColor(theme.panel))
        active = set(self.editing.inputs.active(self._playhead())) if self.editing else set()
        chosen = self.editing.presses.code if self.editing else None
        painter.save()
        painter.setClipRect(0, ruler_px(), header_px(), height)
        for row in self.rows.labels:
            self._paint_name(painter, row.label, row.top - self._shift, row.height, QColor(theme.text))
        painter.restore()
        painter.save()
        painter.setClipRect(0, top, header_px(), height - top)
        painter.translate(0, self._signals_top)
        for row in self.rows.signals:
            is_active = row.key is not None and row.key.code in active
            if row.key is not None and row.key.code == chosen:
                painter.fillRect(QRect(0, row.top, header_px(), row.height), blend(theme.accent, theme.panel, 0.28))
            self._paint_name(painter, row.label, row.top, row.height, QColor(theme.text if is_active else theme.dim))
        painter.restore()
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QPointF(header_px() - 0.5, 0), QPointF(header_px() - 0.5, height))
        if top > ruler_px():
            painter.drawLine(QPointF(0, top - 4.5), QPointF(self.viewport().width(), top - 4.5))

    def _paint_name(self, painter: QPainter, text: str, top: int, height: int, colour: QColor) -> None:
        area = QRectF(8, top, header_px() - 16, height)
        painter.setPen(colour)
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, elided)

    # Inside

    def _arrange(self, entities: Collection[str] | None = None) -> None:
        """entities: what alone has changed since the rows were arranged last."""
        assert self.editing is not None
        heads = [self.editing.document.head(entity_id) for entity_id in entities or ()]
        keeps = entities is not None and all(head is None or head.kind is not LabelKind.ACTION for head in heads)
        self.rows = arrange(
            self.editing.labels, self.editing.inputs, self.rows.signals if keeps else None, self._heat_lane()
        )
        self._arranged += 1

    def _heat_lane(self) -> HeatLane | None:
        heat = self.editing.doubting.heat if self.editing else None
        return heat.lane if heat else None

    def _place_strip(self) -> None:
        port = self.viewport().geometry()
        self.strip.setGeometry(port.left(), port.bottom() + 1, port.width(), STRIP_PX)

    def _on_strip_scrubbed(self, frame: int) -> None:
        if self.editing is not None:
            self.editing.player.pause()
            self.editing.player.seek(frame)

    def _preview(self, row: Row) -> tuple[Span | None, int, int, str] | None:
        """A span that is being dragged in this row: itself (None where it is new), where it would come to stand, text."""
        return None

    def _press_shown(self) -> Press | None:
        """The selected press; while it is dragged, as it would come to be."""
        return self.editing.presses.selected if self.editing else None

    def _is_busy(self) -> bool:
        """Whether the mouse has hold of something, so that the view must not move by itself."""
        return False

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self.editing is not None:  # rows grow with their text
            self._arrange()
            self._signals = None
            self.axis = self.axis.resized(self._lane_width())
            self._sync_bars()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.axis = self.axis.resized(self._lane_width())
        self._place_strip()
        self._sync_bars()

    @property
    def _labels_scroll(self) -> bool:
        """Whether the label rows scroll too: where they would leave the signal rows no room."""
        room = self.viewport().height() - self.rows.labels_bottom
        return room < min(self.rows.signals_height, grown(LEAST_SIGNALS_PX))

    @property
    def _shift(self) -> int:
        """How far the label rows are scrolled."""
        return self.verticalScrollBar().value() if self._labels_scroll else 0

    @property
    def _labels_end(self) -> int:
        """Where the signal area begins in the viewport."""
        return max(self.rows.labels_bottom - self._shift, ruler_px())

    def _show_row(self, top: int, bottom: int) -> None:
        """Scrolls as little as need be; heights count from the top of everything, as if nothing were scrolled."""
        bar, height = self.verticalScrollBar(), self.viewport().height()
        fixed = ruler_px() if self._labels_scroll else self.rows.labels_bottom
        bar.setValue(min(max(bar.value(), bottom - height), max(top - fixed, 0)))

    @property
    def _signals_top(self) -> int:
        """Where the signal area's first row stands in the viewport, above its top edge once one has scrolled."""
        return self.rows.labels_bottom - self.verticalScrollBar().value()

    def _playhead(self) -> int:
        return self.editing.frame if self.editing else 0

    def _lane_width(self) -> int:
        return max(self.viewport().width() - header_px(), 1)

    def _sync_bars(self) -> None:
        self.strip.set_axis(self.axis)
        bar = self.horizontalScrollBar()
        bar.blockSignals(True)
        bar.setRange(0, round(max(self.axis.frame_count - self.axis.span, 0) * SCROLL_UNITS))
        bar.setPageStep(max(round(self.axis.span * SCROLL_UNITS), 1))
        bar.setSingleStep(max(round(self.axis.span * SCROLL_UNITS / 20), 1))
        bar.setValue(round(self.axis.left * SCROLL_UNITS))
        bar.blockSignals(False)
        room = self.viewport().height() - self.rows.labels_bottom
        self.verticalScrollBar().setRange(0, max(self.rows.signals_height - room, 0))
        self.verticalScrollBar().setPageStep(max(room, 1))

    def _on_scrolled(self, value: int) -> None:
        self.set_axis(self.axis.panned(value / SCROLL_UNITS - self.axis.left))

    def _on_changed(self, entities: frozenset[str]) -> None:
        self._arrange(entities)
        self._sync_bars()
        self.viewport().update()

    def _on_selected(self, entity_id: str) -> None:
        span = self.editing.selected_span if self.editing else None
        if span is not None and not self._is_busy():
            self.set_axis(self.axis.showing(span.start, min(span.stop, span.start + self.axis.span * 0.8)))
            row = next((row for row in self.rows.labels if span in row.lane), None) if self._labels_scroll else None
            if row is not None:
                self._show_row(row.top, row.bottom)
        self.viewport().update()

    def _on_displayed(self, index: int) -> None:
        if not self._is_busy():
            self.set_axis(self.axis.followed(index + 0.5))
        self.viewport().update()

    def _on_press_changed(self) -> None:
        """Keeps the lane that is worked in, and the start of the selected press, in view."""
        row = self.rows.key_row(self.editing.presses.code) if self.editing else None
        if row is not None and not self._is_busy():
            self._show_row(self.rows.labels_bottom + row.top, self.rows.labels_bottom + row.bottom)
        press = self.editing.presses.selected if self.editing else None
        if self.editing and press and not self._is_busy():
            start = self.editing.document.clock.index_at(press.down_ns)
            self.set_axis(self.axis.showing(start, start + 1))
        self.viewport().update()
