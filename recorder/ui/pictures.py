"""Small pictures of sessions, decoded in a thread of its own so that no window ever waits for a video."""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

import numpy as np
from PyQt6.QtCore import QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage

from db.errors import PlaytapeError
from db.files import make_folder
from db.media.resize import Picture
from db.recording.reader import Recording
from recorder.workers import Worker

MOST_WAITING = 200
_KEYFRAMES_A_PICTURE = 4


@dataclass(frozen=True)
class Wish:
    """Pictures of one session at these places in it, shares in [0, 1] of its frames; in a long one each from the nearest
    keyframe, which costs one frame to decode."""

    session_id: str
    folder: Path
    places: tuple[float, ...]
    size_px: QSize
    """Each picture fits into this."""
    cached: Path | None = None
    """Where a single picture is kept for the next time."""


class PictureNews(QObject):
    made = pyqtSignal(str, int, QImage, float)
    """Session, number of the place, picture, and its time in seconds from the session's first frame."""


class PictureMaker(Worker):
    """Fulfils wishes one after the other, the newest first; `news.made` tells each picture as it comes.

    A session that cannot be read gives no picture: whoever opens it is told why.
    """

    def __init__(self) -> None:
        super().__init__("pictures")
        self.news = PictureNews()
        self._waiting: deque[Wish] = deque(maxlen=MOST_WAITING)
        self._changed = Condition()

    def want(self, wish: Wish) -> None:
        with self._changed:
            self._waiting.append(wish)
            self._changed.notify()
        if self._thread.ident is None:
            self.start()

    def forget(self) -> None:
        """Drops the wishes that have not begun."""
        with self._changed:
            self._waiting.clear()

    def close(self) -> None:
        with self._changed:
            self._stopping.set()
            self._changed.notify()
        super().close()

    def run(self) -> None:
        while (wish := self._take()) is not None:
            try:
                self._fulfil(wish)
            except PlaytapeError:
                continue

    def _take(self) -> Wish | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping.is_set() or self._waiting)
            return None if self._stopping.is_set() else self._waiting.pop()

    def _fulfil(self, wish: Wish) -> None:
        if wish.cached is not None:
            kept = QImage(str(wish.cached))
            if not kept.isNull():
                self.news.made.emit(wish.session_id, 0, kept, 0.0)
                return
        recording = Recording(wish.folder)
        keyframes = np.flatnonzero(recording.frames["keyframe"])
        times_ns = recording.frames["t_ns"]
        is_long = len(keyframes) > _KEYFRAMES_A_PICTURE * len(wish.places)
        reader = recording.video()
        try:
            for number, place in enumerate(wish.places):
                index = round(place * (len(times_ns) - 1))
                if is_long:
                    index = int(keyframes[np.abs(keyframes - index).argmin()])
                image = fit(reader.frame(index), wish.size_px)
                if self._stopping.is_set():
                    return
                self.news.made.emit(wish.session_id, number, image, float(times_ns[index] - times_ns[0]) / 1e9)
                if wish.cached is not None:
                    _keep(image, wish.cached)
        finally:
            reader.close()


def session_folder(library: Path, session_id: str) -> Path:
    """Where a session's files lie, for a thread that needs no index."""
    return library / "sessions" / session_id


def fit(picture: Picture, size_px: QSize) -> QImage:
    """(H, W, 3) uint8 RGB as an image that fits into `size_px`, in its own proportions."""
    height, width, _ = picture.shape
    whole = QImage(np.ascontiguousarray(picture).tobytes(), width, height, width * 3, QImage.Format.Format_RGB888)
    mode, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return whole.scaled(size_px, mode, smooth).copy()  # one that fits already would still be in the picture's bytes


def _keep(image: QImage, path: Path) -> None:
    """A cache only: where it cannot be written, the picture is made again next time."""
    fresh = path.with_name(f"{path.name}.new")
    with contextlib.suppress(OSError):
        make_folder(path.parent)
        if image.save(str(fresh), "JPEG", 85):
            fresh.replace(path)
