"""What there is to record, looked up in a thread of its own: windows, monitors and the whole screen, with pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage
from Xlib.display import Display
from Xlib.error import ConnectionClosedError

from db.errors import BadArgument, PlaytapeError
from recorder.backends import Choice
from recorder.screen import windows
from recorder.screen.source import Bgra
from recorder.screen.x11 import X11Region, X11Window
from recorder.ui.live.preview import to_image
from recorder.workers import Worker

THUMBNAIL_PX = QSize(248, 156)
SCREEN_PX = QSize(1280, 800)
_PERIOD_S = 2.0
_VEILED, _HARDLY = 0.7, 0.02
"""How much of a window may lie behind others for its picture to be taken at all, and to be as good as whole."""

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Found:
    """One thing that can be recorded. Pixels are those of the desktop."""

    choice: Choice
    title: str
    rect_px: Rect
    """(left, top, width, height)."""
    picture: QImage | None = None
    """None for a window that was covered ever since it was first seen."""

    @property
    def size_px(self) -> tuple[int, int]:
        return self.rect_px[2], self.rect_px[3]


@dataclass(frozen=True, eq=False)
class View:
    """Everything that was found at one look."""

    windows: list[Found]
    monitors: list[Found]
    screen: QImage | None
    """All of the desktop."""
    screen_px: tuple[int, int]


class _News(QObject):
    seen = pyqtSignal(object)
    """A View."""
    moved = pyqtSignal(tuple)
    """The Rect of the window that is followed."""


class Lookout(Worker):
    """Looks every two seconds; while a window is followed it only asks where that one is."""

    def __init__(self) -> None:
        super().__init__("lookout")
        self.news = _News()
        self.wants_screens = False
        """Whether pictures of the monitors are wanted too, which cost more."""
        self.resting: Callable[[], bool] = lambda: False
        """Whether nobody looks at what is found."""
        self._followed: int | None = None
        self._pictures: dict[int, _Picture] = {}

    def follow(self, window_id: int | None) -> None:
        """From now on only tell where this window is; None looks at everything again."""
        self._followed = window_id

    def look_now(self) -> View:
        """One look in the calling thread, before `start`. Raises CaptureUnavailable."""
        connection = windows.connect()
        try:
            return self._look(connection)
        finally:
            windows.disconnect(connection)

    def run(self) -> None:
        connection = windows.connect()
        try:
            while not self._stopping.is_set():
                followed = self._followed
                if followed is not None:
                    self._tell_place(connection, followed)
                elif not self.resting():
                    self.news.seen.emit(self._look(connection))
                self._stopping.wait(_PERIOD_S / 4 if followed is not None or self.wants_screens else _PERIOD_S)
        except (ConnectionClosedError, OSError):
            return  # the display has gone away, which its user sees
        finally:
            windows.disconnect(connection)

    def _tell_place(self, connection: Display, window_id: int) -> None:
        window = windows.describe(connection, window_id)
        if window is not None and window.viewable:
            self.news.moved.emit((*window.position_px, *window.size_px))

    def _look(self, connection: Display) -> View:
        there = [
            window
            for window in windows.list_windows(connection)
            if min(window.size_px) >= 64 and not windows.is_playtape(connection, window)
        ]
        for window in there:
            before, picture = self._pictures.get(window.window_id), _picture_of(connection, window)
            if picture is not None and (before is None or picture.veiled <= max(before.veiled, _HARDLY)):
                self._pictures[window.window_id] = picture
        alive = {window.window_id for window in there}
        self._pictures = {number: picture for number, picture in self._pictures.items() if number in alive}
        geometry = connection.screen().root.get_geometry()
        screen = _grab_screen(0) if self.wants_screens else None
        return View(
            [_found(window, self._pictures.get(window.window_id)) for window in there],
            _monitors(connection, screen),
            to_image(screen, SCREEN_PX) if screen is not None else None,
            (geometry.width, geometry.height),
        )


@dataclass(frozen=True, eq=False)
class _Picture:
    image: QImage
    veiled: float
    """The share of it that lay behind other windows when it was taken; an older picture that shows more is better."""


def _found(window: windows.Window, picture: _Picture | None) -> Found:
    rect = (*window.position_px, *window.size_px)
    return Found(Choice(window_id=window.window_id), window.title, rect, picture.image if picture else None)


def _picture_of(connection: Display, window: windows.Window) -> _Picture | None:
    """A small picture; what lies over the window is left dark in it, and one that is mostly covered has none."""
    above = windows.covering(connection, window)
    left, top = window.position_px
    width, height = window.size_px
    veil = np.zeros((height, width), bool)
    for other in above:
        x, y = other.position_px[0] - left, other.position_px[1] - top
        veil[max(y, 0) : max(y + other.size_px[1], 0), max(x, 0) : max(x + other.size_px[0], 0)] = True
    veiled = float(veil.mean()) if above else 0.0
    if veiled > _VEILED:
        return None
    source = X11Window(window_id=window.window_id)
    try:
        source.open()
        bgra = source.grab().bgra
    except PlaytapeError:
        return None  # it went away in between
    finally:
        source.close()
    if above:
        bgra = bgra.copy()
        bgra[veil[: bgra.shape[0], : bgra.shape[1]]] //= 6
    return _Picture(thumbnail(bgra), veiled) if bgra[::4, ::4, :3].any() else None


def _monitors(connection: Display, screen: Bgra | None) -> list[Found]:
    found = []
    for number, rect in enumerate(list_monitors(), start=1):
        left, top, width, height = rect
        part = screen[max(top, 0) : top + height, max(left, 0) : left + width] if screen is not None else None
        picture = thumbnail(part) if part is not None and part.size else None
        found.append(Found(Choice(monitor=number), f"Monitor {number}", rect, picture))
    return found


def list_monitors() -> list[Rect]:
    """The rectangle of every monitor, in the order in which the recorder numbers them from 1."""
    rects: list[Rect] = []
    while True:
        source = X11Region(monitor=len(rects) + 1)
        try:
            target = source.open()
        except BadArgument:
            return rects
        finally:
            source.close()
        rects.append((*target.position_px, *target.size_px))


def _grab_screen(monitor: int) -> Bgra | None:
    source = X11Region(monitor=monitor)
    try:
        source.open()
        return source.grab().bgra
    except PlaytapeError:
        return None
    finally:
        source.close()


def thumbnail(bgra: Bgra) -> QImage:
    """The picture within THUMBNAIL_PX at twice the density."""
    image = to_image(bgra, THUMBNAIL_PX * 2)
    return image.scaled(
        THUMBNAIL_PX * 2, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
