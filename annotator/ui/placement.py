"""Where a window and its panes were the last time, and how to have them as they come."""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, QObject, QSettings
from PyQt6.QtWidgets import QMainWindow, QSplitter


class Placement(QObject):
    """Lives with a window, made when that is arranged as it comes. name: what it is stored under."""

    def __init__(self, name: str, window: QMainWindow) -> None:
        super().__init__(window)
        self._name, self._window = name, window
        # A place is only good for as many panes as there were: a splitter of another make has another key.
        self._splitters = {
            f"panes-{number}-{splitter.orientation().name}-{splitter.count()}": splitter
            for number, splitter in enumerate(window.findChildren(QSplitter))
        }
        self._usual = {key: splitter.saveState() for key, splitter in self._splitters.items()}
        self._usual_size = window.size()

    def restore(self) -> None:
        """Puts everything where it was, as far as that is stored and can be read."""
        settings = QSettings("Playtape", "Playtape")
        place = settings.value(f"{self._name}/geometry")
        if isinstance(place, QByteArray):
            self._window.restoreGeometry(place)
        for key, splitter in self._splitters.items():
            sizes = settings.value(f"{self._name}/{key}")
            if isinstance(sizes, QByteArray):
                splitter.restoreState(sizes)
                splitter.setChildrenCollapsible(False)

    def store(self) -> None:
        """Keeps where everything is."""
        settings = QSettings("Playtape", "Playtape")
        settings.setValue(f"{self._name}/geometry", self._window.saveGeometry())
        for key, splitter in self._splitters.items():
            settings.setValue(f"{self._name}/{key}", splitter.saveState())

    def reset(self) -> None:
        """As it comes: the panes' sizes and the window's."""
        settings = QSettings("Playtape", "Playtape")
        for key in ("geometry", *self._splitters):
            settings.remove(f"{self._name}/{key}")
        self._window.showNormal()
        self._window.resize(self._usual_size)
        for key, splitter in self._splitters.items():
            splitter.restoreState(self._usual[key])
            splitter.setChildrenCollapsible(False)
