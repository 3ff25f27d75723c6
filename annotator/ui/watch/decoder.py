"""Decodes frames in a thread of its own: the latest wish first, then what will probably be wanted next."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition
from typing import Protocol

import av
from PyQt6.QtCore import QObject, QThread, pyqtSignal
from PyQt6.QtGui import QImage

from annotator.model.video.supply import Supply, Wish
from db.errors import PlaytapeError
from db.media.colour import ScreenConverter
from db.media.videoreader import VideoReader

CACHE_BYTES = 512 * 2**20
PROXY_CACHE_BYTES = 96 * 2**20
PASSING_S = 1 / 40
"""While playing is ahead of decoding, so often a frame on the way is shown."""
_MOST_UNDELIVERED = 2


class DraftVideo(Protocol):
    """A small copy of the video, frame for frame, that may be there in part."""

    def covers(self, index: int) -> bool: ...

    def reader(self) -> VideoReader: ...

    def give_up(self, index: int) -> None:
        """The copy could not be read there."""


class Decoder(QThread):
    """Owned by a Player. `request` replaces a wish that has not been taken up yet; `close` joins the thread.

    With a draft at hand, its picture answers at once; where nothing plays, the true one follows.
    """

    decoded = pyqtSignal(object, int, QImage, bool)
    """(the Wish that it answers, frame index, picture, whether it is the true picture and no draft). While playing the
    frame may be one on the way to that of the wish; the receiver calls `acknowledge`."""
    failed = pyqtSignal(str)

    def __init__(
        self,
        open_reader: Callable[[], VideoReader],
        cache_bytes: int = CACHE_BYTES,
        draft: DraftVideo | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._open_reader, self._cache_bytes, self._draft_video = open_reader, cache_bytes, draft
        self._changed = Condition()
        self._newest: Wish | None = None  # the one-place queue, guarded by _changed
        self._undelivered = 0  # guarded by _changed
        self._closing = False
        self._true: Supply | None = None
        self._draft: Supply | None = None
        self._waiting: dict[Supply, Wish] = {}
        self._plays = False
        self._converter = ScreenConverter()
        self._shown = -1
        self._shown_s = 0.0

    @property
    def frames_decoded(self) -> int:
        """Of the video itself, drafts not counted."""
        return self._true.frames_decoded if self._true is not None else 0

    def request(self, wish: Wish) -> None:
        with self._changed:
            self._newest = wish
            self._changed.notify()

    def acknowledge(self) -> None:
        """A picture has been taken in; no more than a few are ever on their way."""
        with self._changed:
            self._undelivered -= 1
            self._changed.notify()

    def stop(self) -> None:
        """Begins to close: what is being decoded is the last."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def close(self) -> None:
        """Ends and joins the thread; no picture is delivered afterwards."""
        self.stop()
        self.wait()

    def run(self) -> None:
        try:
            self._true = Supply(self._open_reader(), self._cache_bytes)
            if self._draft_video is not None:
                self._draft = Supply(self._draft_video.reader(), PROXY_CACHE_BYTES)
            while True:
                wish = self._take()
                if self._closing:
                    return
                if wish is not None:
                    self._aim(wish)
                self._advance()
        except PlaytapeError as error:
            self.failed.emit(str(error))
        finally:
            for supply in (self._true, self._draft):
                if supply is not None:
                    supply.close()

    def _take(self) -> Wish | None:
        """The newest wish; without one, at once None where there is something to decode."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._newest is not None or self._next_supply() is not None)
            wish, self._newest = self._newest, None
            return wish

    # One wish

    def _aim(self, wish: Wish) -> None:
        self._waiting.clear()
        self._plays = wish.plays
        true, draft = self._true, self._draft_for(wish.index)
        assert true is not None
        if draft is not None and (wish.plays or not true.is_near(wish)):
            self._ask(draft, wish)
        if not wish.plays or draft is None:
            self._ask(true, wish)
        else:
            true.rest()

    def _ask(self, supply: Supply, wish: Wish) -> None:
        frame = supply.get(wish.index)
        if frame is not None:
            self._show(supply, wish, wish.index, frame)
        else:
            self._waiting[supply] = wish
            index = supply.stand_in(wish)
            if index is not None and index < self._shown and (frame := supply.get(index)) is not None:
                self._show(supply, wish, index, frame)
        try:
            supply.aim(wish)
        except PlaytapeError as error:
            self._on_error(supply, wish, error)

    def _draft_for(self, index: int) -> Supply | None:
        video = self._draft_video
        return self._draft if video is not None and video.covers(index) else None

    # Decoding

    def _next_supply(self) -> Supply | None:
        """Which one to decode from: first what is waited for, there the draft; ahead, what will be looked at next."""
        supplies = (self._draft, self._true)
        waited = next((s for s in supplies if s is not None and s.is_busy and s in self._waiting), None)
        if waited is not None:
            return waited
        ahead = supplies if self._plays else reversed(supplies)
        return next((s for s in ahead if s is not None and s.is_busy), None)

    def _advance(self) -> None:
        supply = self._next_supply()
        if supply is None:
            return
        wish, keep = self._waiting.get(supply), supply.keep
        try:
            found = supply.advance()
        except PlaytapeError as error:
            self._on_error(supply, wish, error)
            return
        if found is None or wish is None:
            return
        index, frame = found
        if index == wish.index:
            del self._waiting[supply]
            self._show(supply, wish, index, frame)
        elif wish.plays and self._may_pass(supply, wish, index, keep):
            self._show(supply, wish, index, frame)

    def _may_pass(self, supply: Supply, wish: Wish, index: int, keep: range) -> bool:
        """Whether a frame on the way is shown while playing: never against the direction, nor beyond the wish."""
        with self._changed:
            if self._undelivered:
                return False
        if wish.direction > 0:
            is_due = time.monotonic() - self._shown_s >= PASSING_S
            return is_due and self._shown < index < wish.index
        is_lowest = index == keep.start and (wish.index < keep.start or supply.is_hurried(wish))
        return is_lowest and index < self._shown

    def _show(self, supply: Supply, wish: Wish, index: int, frame: av.VideoFrame) -> None:
        if wish.plays and self._shown >= 0 and (index - self._shown) * wish.direction < 0:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._undelivered < _MOST_UNDELIVERED)
            if self._closing:
                return
            self._undelivered += 1
        self._shown, self._shown_s = index, time.monotonic()
        self.decoded.emit(wish, index, to_picture(frame, self._converter), supply is self._true)

    def _on_error(self, supply: Supply, wish: Wish | None, error: PlaytapeError) -> None:
        """Damage in one place: told where it is looked at, else when it is. A draft is done without."""
        supply.rest()
        if wish is None:
            return
        self._waiting.pop(supply, None)
        if supply is self._true:
            self.failed.emit(str(error))
        elif self._draft_video is not None and self._true is not None:
            self._draft_video.give_up(wish.index)
            self._ask(self._true, wish)


def to_picture(frame: av.VideoFrame, converter: ScreenConverter | None = None) -> QImage:
    """A decoded frame as a QImage that owns its pixels. converter: of the calling thread, where there are more to come."""
    bgra = (converter or ScreenConverter()).convert(frame)
    (plane,) = bgra.planes
    pixels = memoryview(plane)
    return QImage(pixels, bgra.width, bgra.height, plane.line_size, QImage.Format.Format_RGB32).copy()
