"""Paints a session as a row: picture, game, player, length, verdict and review state."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from annotator.ui.notices import chip_width, paint_chip
from annotator.ui.sessions.session_model import MARKS_ROLE, STRIP_ROLE, SUMMARY_ROLE, len_text
from annotator.ui.text_size import grown
from annotator.ui.theme import Theme, blend, small
from db.library.catalogue import SessionSummary

ROW_PX, PICTURE_PX = 68, (76, 46)


class SessionDelegate(QStyledItemDelegate):
    """Paints one session: picture at the left, game and player beside it, review state below, verdict as a dot."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(200, grown(ROW_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        summary: SessionSummary | None = index.data(SUMMARY_ROLE)
        theme = Theme.of(option.palette)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(option.rect).adjusted(4, 2, -4, -2)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QColor(theme.accent))
            painter.setBrush(blend(theme.accent, theme.panel, 0.18))
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(blend(theme.raised, theme.panel, 0.7))
            painter.drawRoundedRect(area, 6, 6)
        picture = picture_area(QRectF(option.rect))
        if summary is None:
            _paint_placeholder(painter, picture, theme)
            painter.restore()
            return
        strip = index.data(STRIP_ROLE)
        if strip is None:
            _paint_picture(painter, picture, index.data(Qt.ItemDataRole.DecorationRole), theme)
        else:
            _paint_strip(painter, picture, *strip, theme)
        self._paint_text(painter, area, picture.right() + 8, summary, theme, option.font)
        self._paint_marks(painter, area, picture.right() + 8, index, theme, option.font)
        painter.restore()

    def _paint_text(
        self, painter: QPainter, area: QRectF, left: float, summary: SessionSummary, theme: Theme, font: QFont
    ) -> None:
        middle = area.center().y()
        right = area.right() - 8
        bold = QFont(font)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(theme.text))
        _paint_line(painter, QRectF(left, middle - grown(28), right - left, grown(18)), summary.game)
        painter.setFont(small(font))
        grade_width = painter.fontMetrics().horizontalAdvance(summary.grade)
        painter.setPen(QColor(theme.dim))
        place = QRectF(right - grade_width, middle - grown(10), grade_width + 1, grown(16))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, summary.grade)
        who = QRectF(left, place.top(), place.left() - 16 - left, grown(16))
        _paint_line(painter, who, f"{len_text(summary)} · {summary.player}")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.grade(summary.grade))
        painter.drawEllipse(QRectF(place.left() - 10, place.center().y() - 3, 6, 6))
        painter.setFont(font)
        word = summary.review.value
        width = chip_width(word, QFontMetricsF(small(font, 0.92)))
        paint_chip(painter, left + width, middle + grown(18), word, theme.review(summary.review), theme)

    def _paint_marks(
        self, painter: QPainter, area: QRectF, left: float, index: QModelIndex, theme: Theme, font: QFont
    ) -> None:
        """Who has it open, who looks after it and its tags, right of the review state; shorter where there is no room."""
        marks, short = index.data(MARKS_ROLE)
        if not marks:
            return
        summary: SessionSummary = index.data(SUMMARY_ROLE)
        left += chip_width(summary.review.value, QFontMetricsF(small(font, 0.92))) + 8
        painter.setFont(small(font))
        painter.setPen(QColor(theme.dim))
        place = QRectF(left, area.center().y() + grown(10), area.right() - 8 - left, grown(16))
        has_room = painter.fontMetrics().horizontalAdvance(marks) <= place.width()
        _paint_line(painter, place, marks if has_room else short)


def picture_area(row: QRectF) -> QRectF:
    """Where a row's picture is."""
    return QRectF(row.left() + 12, row.center().y() - PICTURE_PX[1] / 2, *PICTURE_PX)


def _paint_placeholder(painter: QPainter, picture: QRectF, theme: Theme) -> None:
    """A row whose session has not been read yet."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(picture, 4, 4)
    for line, width in enumerate((96, 144)):
        painter.drawRoundedRect(QRectF(picture.right() + 8, picture.top() + 6 + line * 20, width, 8), 4, 4)


def _paint_strip(painter: QPainter, area: QRectF, pictures: list[QImage], shown: int, theme: Theme) -> None:
    """One of a session's pictures, and a mark below of which one it is."""
    shown = min(shown, len(pictures) - 1)
    _paint_picture(painter, area, pictures[shown], theme)
    width = area.width() / len(pictures)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.accent))
    painter.drawRect(QRectF(area.left() + shown * width, area.bottom() - 3, width, 3))


def _paint_picture(painter: QPainter, area: QRectF, picture: QImage | None, theme: Theme) -> None:
    path = QPainterPath()
    path.addRoundedRect(area, 4, 4)
    painter.fillPath(path, QColor(theme.raised))
    if picture is not None:
        painter.save()
        painter.setClipPath(path)
        painter.drawImage(area, picture)
        painter.restore()


def _paint_line(painter: QPainter, area: QRectF, text: str) -> None:
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, elided)
