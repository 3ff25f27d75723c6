"""Where pictures of the windows are taken: a private display, a home of its own, real keys, one window after another."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import mss
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMainWindow, QWidget

from annotator.model.library.seat import LABELLING, Seat
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.theme import choose_scheme
from db.store import Store
from demo.picture_library import Shown

LARGEST_BYTES = 120_000
PATIENCE_S = 20.0
_LOOK_MS, _ALIKE = 150, 3
"""A window that looks the same so often, one look after the other, has come to rest."""
_COLOURS = (256, 160, 96, 64, 40)


@dataclass
class Stage:
    """One scene's windows on one copy of the library. `close` ends them."""

    store: Store
    shown: Shown
    windows: list[QMainWindow] = field(default_factory=list)

    def annotate(self, session_id: str, person: str = "ada", seat: Seat = LABELLING) -> AnnotateWindow:
        """The annotator on a session, with the keyboard on its timeline."""
        window = AnnotateWindow(self.store, person)
        self._show(window)
        window.open_session(session_id, seat)
        until(lambda: window.editing is not None and window.picture.index == 0)
        window.timeline.setFocus()
        return window

    def library(self, person: str = "ada") -> LibraryWindow:
        """The library's window, with its list read."""
        window = LibraryWindow(self.store, person)
        self._show(window)
        until(lambda: bool(window.count.text()))
        return window

    def close(self) -> None:
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and not isinstance(widget, QMainWindow):
                widget.close()
        for window in reversed(self.windows):
            window.close()
            window.deleteLater()
        QTest.qWait(50)

    def _show(self, window: QMainWindow) -> None:
        self.windows.append(window)
        window.show()
        window.activateWindow()
        until(window.isActiveWindow)


def until(holds: Callable[[], object]) -> None:
    """Lets the windows live until something holds. Raises TimeoutError after PATIENCE_S."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise TimeoutError("a window did not come to what the picture is to show")
        QTest.qWait(10)


def settle() -> None:
    """Lets layouts that follow a change take place."""
    QTest.qWait(_LOOK_MS)


def go(window: AnnotateWindow, frame: int) -> None:
    """Shows a frame."""
    assert window.editing is not None
    window.editing.player.seek(frame)
    until(lambda: window.picture.index == frame)


def press(key: Qt.Key | str, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key, or letters, for whatever has the keyboard."""
    target: QWidget | None = QApplication.focusWidget() or QApplication.activeWindow()
    assert target is not None
    if isinstance(key, str):
        QTest.keyClicks(target, key)
    else:
        QTest.keyClick(target, key, modifiers)


def take(window: QMainWindow, out: Path, name: str) -> None:
    """Writes `<name>-light.png` and `<name>-dark.png` of the window and what stands over it."""
    for scheme in ("light", "dark"):
        choose_scheme(scheme)
        _write(_settled(window), out / f"{name}-{scheme}.png")


def _settled(window: QMainWindow) -> NDArray[np.uint8]:
    """(H, W, 4) BGRA of the screen where the window is, once nothing moves there any more."""
    area = window.frameGeometry()
    box = {"left": area.x(), "top": area.y(), "width": area.width(), "height": area.height()}
    before: NDArray[np.uint8] | None = None
    alike = 0
    with mss.MSS() as screen:
        for _ in range(int(PATIENCE_S * 1000 / _LOOK_MS)):
            QTest.qWait(_LOOK_MS)
            now = np.array(screen.grab(box))
            alike = alike + 1 if before is not None and np.array_equal(now, before) else 0
            if alike == _ALIKE:
                return now
            before = now
    raise TimeoutError("the window does not come to rest")


def _write(pixels: NDArray[np.uint8], path: Path) -> None:
    picture = np.ascontiguousarray(pixels[..., [2, 1, 0]])
    for colours in _COLOURS:
        with_few(picture, colours).save(path, optimize=True)
        if path.stat().st_size <= LARGEST_BYTES:
            path.chmod(0o644)
            return
    raise ValueError(f"{path.name} stays too large")


def with_few(picture: NDArray[np.uint8], colours: int) -> Image.Image:
    """(H, W, 3) RGB with at most so many colours: the window's own exactly, the game's in what is left of them."""
    pixels = picture.reshape(-1, 3)
    packed = pixels @ np.array([65536, 256, 1], np.int32)
    values, place, counts = np.unique(packed, return_inverse=True, return_counts=True)
    seen = np.stack([values >> 16, values >> 8 & 255, values & 255], 1).astype(np.float32)
    is_own = np.zeros(len(values), np.bool_)
    is_own[np.argsort(-counts, kind="stable")[: colours * 2 // 3]] = True
    palette = seen[is_own]
    if not is_own.all():
        others = Image.fromarray(pixels[~is_own[place]][None])
        half = (colours - len(palette)) // 2
        for method in (Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE):  # what is frequent, and what is rare
            some = others.quantize(half, method).getpalette() or []
            palette = np.vstack([palette, np.array(some[: 3 * half], np.float32).reshape(-1, 3)])
    nearest = np.concatenate([_nearest(part, palette) for part in np.array_split(seen, max(len(seen) // 4096, 1))])
    few = Image.fromarray(nearest.astype(np.uint8)[place].reshape(picture.shape[:2]), "P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


def _nearest(colours: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.intp]:
    """(N,) for each of (N, 3) colours the place of the nearest of (M, 3)."""
    return ((colours[:, None] - palette[None]) ** 2).sum(2).argmin(1)


@contextmanager
def staged(home: Path, master: Path, shown: Shown) -> Iterator[Stage]:
    """A stage on a fresh copy of the library `master`, at `~/playtape`, with nobody's settings."""
    root = home / "playtape"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(master, root, copy_function=_link_media)
    QSettings("Playtape", "Playtape").clear()
    choose_scheme("light")
    with Store.open(root) as store:
        stage = Stage(store, shown)
        try:
            yield stage
        finally:
            stage.close()


def _link_media(source: str, target: str) -> str:
    """Copies a file; a video, which nobody writes into, is only given another name."""
    if source.endswith(".mkv"):
        os.link(source, target)
        return target
    return str(shutil.copy2(source, target))
