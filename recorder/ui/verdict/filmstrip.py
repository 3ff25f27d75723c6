"""Eight moments of a session side by side, so that one sees at a glance what was recorded."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from db.library.catalogue import SessionSummary
from recorder.ui.live.gauges import clock_text
from recorder.ui.pictures import PictureMaker, Wish, session_folder
from recorder.ui.theme import Theme

COUNT = 8
_GAP_PX, _RADIUS_PX = 6, 4
_DECODED_PX = QSize(320, 320)
_MOST_HEIGHT_PX = 110


class Filmstrip(QWidget):
    """Placeholders at once, pictures as a thread decodes them. The owner calls `close_pictures` at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._maker = PictureMaker()
        self._maker.news.made.connect(self._take)
        self._session_id = ""
        self._aspect = 16 / 9
        self._pictures: list[tuple[QImage, float] | None] = [None] * COUNT
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Moments of the session")

    @property
    def complete(self) -> bool:
        """Whether every picture is there."""
        return all(self._pictures)

    def show_session(self, library: Path, summary: SessionSummary) -> None:
        """Forgets the pictures of the session before, and asks for this one's."""
        self._session_id = summary.id
        self._pictures = [None] * COUNT
        self._aspect = summary.size_px[0] / summary.size_px[1]
        self._maker.forget()
        places = tuple((number + 0.5) / COUNT for number in range(COUNT))
        self._maker.want(Wish(summary.id, session_folder(library, summary.id), places, _DECODED_PX))
        self._fit_height()
        self.update()

    def close_pictures(self) -> None:
        """Ends the thread."""
        self._maker.close()

    def sizeHint(self) -> QSize:
        return QSize(720, self._height(720))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self._height(320))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._fit_height()

    def _fit_height(self) -> None:
        self.setFixedHeight(self._height(max(self.width(), 320)))

    def _height(self, width: int) -> int:
        return round(self._cell(width).height()) + self.fontMetrics().height() + 4

    def _cell(self, width: int) -> QRectF:
        across = (width - _GAP_PX * (COUNT - 1)) / COUNT
        return QRectF(0, 0, across, min(across / self._aspect, _MOST_HEIGHT_PX))

    def _take(self, session_id: str, number: int, picture: QImage, at_s: float) -> None:
        if session_id == self._session_id:
            self._pictures[number] = (picture, at_s)
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        theme = Theme.of(self.palette())
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        cell = self._cell(self.width())
        for number, made in enumerate(self._pictures):
            box = cell.translated(number * (cell.width() + _GAP_PX), 0)
            outline = QPainterPath()
            outline.addRoundedRect(box, _RADIUS_PX, _RADIUS_PX)
            painter.fillPath(outline, QColor(theme.raised))
            if made is None:
                continue
            picture, at_s = made
            shown = picture.size().scaled(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            target = QRectF(0, 0, shown.width(), shown.height())
            target.moveCenter(box.center())
            painter.save()
            painter.setClipPath(outline)
            painter.drawImage(target, picture)
            painter.restore()
            painter.setPen(QColor(theme.dim))
            caption = QRectF(box.left(), box.bottom() + 3, box.width(), self.height() - box.bottom() - 3)
            painter.drawText(caption, int(Qt.AlignmentFlag.AlignHCenter), clock_text(round(at_s)))
