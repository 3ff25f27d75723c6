"""A small picture of every session, made once in a thread of its own and kept in the library's cache."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Condition

from PyQt6.QtCore import QObject, QSize, Qt, QThread, pyqtSignal
from PyQt6.QtGui import QImage, QPainter

from annotator.ui.watch.decoder import to_picture
from db.errors import PlaytapeError
from db.library.catalogue import SessionSummary
from db.store import Store

SIZE_PX = QSize(192, 108)
MOST_WAITING = 60
STRIP = 8


class Thumbnails(QThread):
    """`want` asks for a session's picture; `made` delivers it. `close` joins the thread."""

    made = pyqtSignal(str, int, QImage)
    """(session id, its revision, a picture of SIZE_PX)"""

    strip_made = pyqtSignal(str, list)
    """(session id, STRIP pictures of SIZE_PX from its start to its end)"""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = store.cache_dir / "thumbnails"
        self._recording = store.recording  # reads files only, so any thread may call it
        self._changed = Condition()
        self._waiting: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._hopeless: set[tuple[str, int]] = set()
        self._strip: SessionSummary | None = None
        self._closing = False

    def want(self, summary: SessionSummary) -> None:
        """Asks for a picture. The newest wish is granted first; beyond MOST_WAITING the oldest is given up."""
        wish = (summary.id, summary.revision)
        with self._changed:
            if wish in self._hopeless:
                return
            self._waiting[wish] = summary.frames // 3
            self._waiting.move_to_end(wish)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
            self._changed.notify()
        if not self.isRunning():
            self.start(QThread.Priority.LowPriority)

    def want_strip(self, summary: SessionSummary) -> None:
        """Asks for pictures of the whole session, before all others; an older wish for another's is given up."""
        with self._changed:
            self._strip = summary
            self._changed.notify()
        if not self.isRunning():
            self.start(QThread.Priority.LowPriority)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self.wait()

    def run(self) -> None:
        while (wanted := self._take()) is not None:
            if isinstance(wanted, SessionSummary):
                self._deliver_strip(wanted)
                continue
            session_id, revision, frame = wanted
            path = self._folder / f"{session_id}-{revision}.jpg"
            picture = QImage(str(path))
            if picture.isNull():
                picture = self._make(session_id, frame, path)
            if picture.isNull():
                with self._changed:
                    self._hopeless.add((session_id, revision))
            elif not self._closing:
                self.made.emit(session_id, revision, picture)

    def _take(self) -> tuple[str, int, int] | SessionSummary | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._waiting or self._strip)
            if self._closing:
                return None
            if self._strip is not None:
                strip, self._strip = self._strip, None
                return strip
            (session_id, revision), frame = self._waiting.popitem()
            return session_id, revision, frame

    def _deliver_strip(self, summary: SessionSummary) -> None:
        """Reads the strip from the cache, else makes it, unless another one is wanted or all ends meanwhile."""
        path = self._folder / f"{summary.id}-{summary.revision}-strip.jpg"
        sheet = QImage(str(path))
        width = SIZE_PX.width()
        if sheet.width() == width * STRIP:
            pictures = [sheet.copy(i * width, 0, width, SIZE_PX.height()) for i in range(STRIP)]
        else:
            pictures = self._make_strip(summary)
            if not pictures:
                return
            self._save_strip(pictures, path)
        self.strip_made.emit(summary.id, pictures)

    def _make_strip(self, summary: SessionSummary) -> list[QImage]:
        pictures = []
        try:
            reader = self._recording(summary.id).video()
            try:
                for number in range(STRIP):
                    if self._closing or self._strip is not None:
                        return []
                    frame = (2 * number + 1) * summary.frames // (2 * STRIP)
                    first, frames = reader.decode_gop(frame)
                    pictures.append(_cropped(to_picture(frames[frame - first])))
            finally:
                reader.close()
        except PlaytapeError:
            return []
        return pictures

    def _save_strip(self, pictures: list[QImage], path: Path) -> None:
        sheet = QImage(SIZE_PX.width() * STRIP, SIZE_PX.height(), QImage.Format.Format_RGB32)
        painter = QPainter(sheet)
        for number, picture in enumerate(pictures):
            painter.drawImage(number * SIZE_PX.width(), 0, picture)
        painter.end()
        self._folder.mkdir(parents=True, exist_ok=True)
        sheet.save(str(path), "JPEG", 80)

    def _make(self, session_id: str, frame: int, path: Path) -> QImage:
        try:
            reader = self._recording(session_id).video()
            try:
                picture = _cropped(to_picture(next(reader.decode([frame]))[1]))
            finally:
                reader.close()
        except PlaytapeError:
            return QImage()  # the list shows the session without a picture; opening it tells why
        self._folder.mkdir(parents=True, exist_ok=True)
        picture.save(str(path), "JPEG", 85)
        return picture


def _cropped(picture: QImage) -> QImage:
    """The middle of a picture, filling SIZE_PX."""
    grown = picture.scaled(
        SIZE_PX, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    left, top = (grown.width() - SIZE_PX.width()) // 2, (grown.height() - SIZE_PX.height()) // 2
    return grown.copy(left, top, SIZE_PX.width(), SIZE_PX.height())
