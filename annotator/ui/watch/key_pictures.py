"""Small pictures of a session's keyframes, made in a thread of their own and kept in memory and in the library's cache."""

from __future__ import annotations

import contextlib
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition

from PyQt6.QtCore import QIODeviceBase, QObject, QSaveFile, QSize, QThread, pyqtSignal
from PyQt6.QtGui import QImage

from annotator.model.video.proxy import Proxy
from db.errors import PlaytapeError
from db.media.video import VideoReader
from db.specs import SizePx

HEIGHT_PX, MOST_WIDTH_PX = 120, 320
CACHE_BYTES = 48 * 2**20


class KeyPictures(QThread):
    """`want` asks for pictures, `made` tells of them, `get` and `nearest` give them. `close` joins the thread.

    On disk they lie under `folder`, <frame>.jpg each, which is named so that it goes with the session's other caches.
    """

    made = pyqtSignal(int)
    """The frame whose picture can be had now."""

    _decoded = pyqtSignal(int, QImage)

    def __init__(
        self,
        open_reader: Callable[[], VideoReader],
        size_px: SizePx,
        folder: Path,
        parent: QObject | None = None,
        cache_bytes: int = CACHE_BYTES,
        draft: Proxy | None = None,
    ) -> None:
        """draft: a quicker copy, used for the frames that it covers."""
        super().__init__(parent)
        self.size = picture_size(size_px)
        self._open_reader, self._folder, self._draft = open_reader, folder, draft
        self._most = max(cache_bytes // (4 * self.size.width() * self.size.height()), 1)
        self._known: OrderedDict[int, QImage] = OrderedDict()
        self._frames: list[int] = []  # the same frames, ascending
        self._changed = Condition()
        self._waiting: list[int] = []  # guarded by _changed, like what follows
        self._hopeless: set[int] = set()
        self._closing = False
        self._decoded.connect(self._keep)

    def want(self, frames: Sequence[int]) -> None:
        """Asks for the pictures of these keyframes, the first one first, in place of what was asked for before."""
        missing = [frame for frame in frames if frame not in self._known]
        with self._changed:
            self._waiting = [frame for frame in missing if frame not in self._hopeless]
            self._changed.notify()
            is_idle = not self._waiting or self._closing
        if not is_idle and not self.isRunning():
            self.start(QThread.Priority.LowPriority)

    def get(self, frame: int) -> QImage | None:
        picture = self._known.get(frame)
        if picture is not None:
            self._known.move_to_end(frame)
        return picture

    def nearest(self, frame: int) -> int | None:
        """The frame nearest to this one whose picture is there; None where there is none at all."""
        at = bisect_left(self._frames, frame)
        return min(self._frames[max(at - 1, 0) : at + 1], key=lambda known: abs(known - frame), default=None)

    def stop(self) -> None:
        """Begins to close: what is being decoded is the last."""
        with self._changed:
            self._closing, self._waiting = True, []
            self._changed.notify()

    def close(self) -> None:
        """No picture comes afterwards."""
        self.stop()
        self.wait()

    def run(self) -> None:
        with contextlib.suppress(OSError):  # then they are kept in memory only
            self._folder.mkdir(parents=True, exist_ok=True)
        reader: VideoReader | None = None
        quick = self._draft.reader() if self._draft is not None else None
        try:
            while (frame := self._take()) is not None:
                picture = QImage(str(self._path(frame)))
                if picture.isNull() and quick is not None and self._draft is not None and self._draft.covers(frame):
                    picture = self._make(quick, frame)
                if picture.isNull():
                    reader = reader or self._open_reader()
                    picture = self._make(reader, frame)
                if picture.isNull():
                    with self._changed:
                        self._hopeless.add(frame)
                elif not self._closing:
                    self._decoded.emit(frame, picture)
        except PlaytapeError:
            self._closing = True  # the video cannot be opened; the player says why
        finally:
            for opened in (reader, quick):
                if opened is not None:
                    opened.close()

    def _take(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._waiting)
            return None if self._closing else self._waiting.pop(0)

    def _make(self, reader: VideoReader, frame: int) -> QImage:
        try:
            _, decoded = next(reader.decode([frame]))
        except PlaytapeError:
            return QImage()  # damage in one place
        width, height = self.size.width(), self.size.height()
        rgb = decoded.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_ndarray()
        picture = QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        picture = picture.convertToFormat(QImage.Format.Format_RGB32)
        file = QSaveFile(str(self._path(frame)))
        if file.open(QIODeviceBase.OpenModeFlag.WriteOnly) and picture.save(file, "JPEG", 85):
            file.commit()
        return picture

    def _path(self, frame: int) -> Path:
        return self._folder / f"{frame}.jpg"

    def _keep(self, frame: int, picture: QImage) -> None:
        if frame not in self._known:
            insort(self._frames, frame)
        self._known[frame] = picture
        self._known.move_to_end(frame)
        while len(self._known) > self._most:
            gone, _ = self._known.popitem(last=False)
            del self._frames[bisect_left(self._frames, gone)]
        self.made.emit(frame)


def picture_size(size_px: SizePx) -> QSize:
    """HEIGHT_PX high in the proportions of the video, at most MOST_WIDTH_PX wide."""
    width, height = size_px
    return QSize(min(max(round(HEIGHT_PX * width / height), 8), MOST_WIDTH_PX), HEIGHT_PX)
