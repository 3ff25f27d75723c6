"""What to record: a window, a monitor or a region, picked from live pictures."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from recorder.backends import Choice
from recorder.ui.live.lookout import Found, Lookout, Rect, View
from recorder.ui.pick.gallery import Gallery
from recorder.ui.pick.region_picker import RegionPicker
from recorder.ui.segments import Segments
from recorder.ui.theme import dim

WINDOWS, MONITORS, REGION = range(3)
_MANY = 6
_HIDDEN_MS = 450


class Picker(QWidget):
    """`picked` gives a Found that says all, or None while nothing is chosen."""

    picked = pyqtSignal(object)
    opened = pyqtSignal()

    def __init__(self, lookout: Lookout, is_known: Callable[[str], bool] = lambda title: False) -> None:
        """is_known: whether a window's title is that of a game with a profile."""
        super().__init__()
        self._lookout, self.is_known = lookout, is_known
        self.is_wanted: Callable[[Found], bool] = lambda found: False
        """Whether somebody has named this window beforehand."""
        self._windows: list[Found] = []
        self._listener_by_hand = False
        self._named: list[tuple[str, int | None]] | None = None
        self.kind = Segments(
            [
                ("&Windows", "Record one window, wherever it is moved to"),
                ("&Monitors", "Record all of a monitor"),
                ("Re&gion", "Record a part of the screen"),
            ]
        )
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search titles (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(220)
        self.search.hide()
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self._find)
        self.windows, self.monitors, self.region = (
            Gallery("Windows to record"),
            Gallery("Monitors to record"),
            RegionPicker(),
        )
        self._empty = dim("Looking for windows …")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        for page in (self.windows, self.monitors, self.region, self._empty):
            self._pages.addWidget(page)
        self.listener = QComboBox()
        self.listener.setAccessibleName("Whose keys count")
        self.listener.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.listener.setMinimumContentsLength(18)
        self._listening = QWidget()
        self._build_layout()
        self._connect()
        self._show_page()

    def _build_layout(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.kind)
        top.addStretch(1)
        top.addWidget(self.search)
        row = QHBoxLayout()
        row.addWidget(dim("Keys and mouse count while this window is in front:", wrap=False))
        row.addWidget(self.listener, 1)
        below = QVBoxLayout(self._listening)
        below.setContentsMargins(0, 0, 0, 0)
        below.addLayout(row)
        below.addWidget(dim("Whatever is shown there is kept, other windows too. Pick a window where you can."))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self._pages, 1)
        column.addWidget(self._listening)

    def _connect(self) -> None:
        self._lookout.news.seen.connect(self.show_view)
        self.kind.switched.connect(lambda _: self._switch())
        self.search.textChanged.connect(self._search)
        for gallery in (self.windows, self.monitors):
            gallery.chosen.connect(lambda _: self._tell())
            gallery.opened.connect(self.opened)
        self.region.changed.connect(lambda _: self._draw_region())
        self.region.uncover.connect(self._uncover)
        self.listener.activated.connect(self._choose_listener)

    def choice(self) -> Found | None:
        """What is picked, with the window whose focus counts."""
        if self.kind.current == WINDOWS:
            return self.windows.choice()
        window_id = self.listener.currentData()
        if self.kind.current == MONITORS:
            found = self.monitors.choice()
            if found is None:
                return None
            choice = Choice(monitor=found.choice.monitor, window_id=window_id)
            return Found(choice, self._title(window_id) or found.title, found.rect_px, found.picture)
        rect = self.region.rect_px
        if rect is None:
            return None
        return Found(Choice(region_px=rect, window_id=window_id), self._title(window_id) or "Region", rect)

    def show_view(self, view: View) -> None:
        """What the lookout has found."""
        self._windows = view.windows
        self.windows.show_found(view.windows)
        self.monitors.show_found(view.monitors)
        if view.screen is not None:
            self.region.show_screen(view.screen, view.screen_px)
        self.search.setVisible(self.kind.current == WINDOWS and (len(view.windows) > _MANY or bool(self.search.text())))
        if self.search.text():
            self.windows.search(self.search.text())
        if self.windows.choice() is None and view.windows and not self.search.text():
            self.windows.choose(min(view.windows, key=self._rank))
        if self.monitors.choice() is None and view.monitors:
            self.monitors.choose(view.monitors[0])
        self._fill_listener()
        self._show_page()

    def _rank(self, found: Found) -> tuple[bool, bool, int]:
        """What is most likely meant comes first: one that was named, one that is known as a game, then the largest."""
        return not self.is_wanted(found), not self.is_known(found.title), -found.size_px[0] * found.size_px[1]

    def _show_page(self) -> None:
        nothing = self.kind.current == WINDOWS and not self.windows.shown
        self._pages.setCurrentIndex(3 if nothing else self.kind.current)
        self._listening.setVisible(self.kind.current != WINDOWS)
        if nothing and self.search.text():
            self._empty.setText(f"No window has “{self.search.text()}” in its title.")
        elif nothing:
            self._empty.setText(
                "There is no window to record yet.\nStart the game (windowed or borderless); it appears here by itself."
            )

    def _fill_listener(self) -> None:
        """The windows whose focus may count, and everything, which is never chosen by itself while there is one."""
        named = [(found.title, found.choice.window_id) for found in self._windows]
        if named == self._named:
            return  # filling it anew would close it under the person's hand
        self._named = named
        kept = self.listener.currentData()
        self.listener.clear()
        for found in self._windows:
            self.listener.addItem(found.title, found.choice.window_id)
        self.listener.addItem("Every window: all that is typed is recorded", None)
        if self._listener_by_hand and (row := self.listener.findData(kept)) >= 0:
            self.listener.setCurrentIndex(row)
        else:
            self._guess_listener()

    def _choose_listener(self) -> None:
        self._listener_by_hand = True
        self._tell()

    def _guess_listener(self) -> None:
        """The window that fills most of what is recorded, or is known as a game's; as long as nobody chose."""
        self._listener_by_hand = False
        rect = self.region.rect_px if self.kind.current == REGION else None
        inside = [found for found in self._windows if rect is None or _shared(found.rect_px, rect)]
        if rect is not None and inside:
            best = max(inside, key=lambda found: _shared(found.rect_px, rect))
        else:
            best = min(inside or self._windows, key=self._rank, default=None)
        row = self.listener.findData(best.choice.window_id) if best is not None else self.listener.count() - 1
        self.listener.setCurrentIndex(max(row, 0))

    def _title(self, window_id: int | None) -> str:
        return next((found.title for found in self._windows if found.choice.window_id == window_id), "")

    def _switch(self) -> None:
        self._lookout.wants_screens = self.kind.current != WINDOWS
        self.search.setVisible(self.kind.current == WINDOWS and len(self._windows) > _MANY)
        self._show_page()
        if not self._listener_by_hand:
            self._guess_listener()
        self._tell()

    def _search(self, words: str) -> None:
        self.windows.search(words)
        self._show_page()

    def _find(self) -> None:
        if self.kind.current == WINDOWS:
            self.search.show()
            self.search.setFocus()

    def _uncover(self) -> None:
        """Gets this window out of the picture for as long as a look takes."""
        window = self.window()
        window.showMinimized()
        QTimer.singleShot(_HIDDEN_MS, self._look_and_return)

    def _look_and_return(self) -> None:
        self._lookout.wants_screens = True
        self.show_view(self._lookout.look_now())
        self._lookout.wants_screens = False  # the picture stays until this page is shown anew
        window = self.window()
        window.showNormal()
        window.activateWindow()

    def _draw_region(self) -> None:
        if not self._listener_by_hand:
            self._guess_listener()
        self._tell()

    def _tell(self) -> None:
        self.picked.emit(self.choice())


def _shared(a: Rect, b: Rect) -> int:
    """Pixels that two rectangles have in common."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(across, 0) * max(down, 0)
