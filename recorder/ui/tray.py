"""The icon in the system's tray, where there is one: the state by colour and sign, and the same actions as the window."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from recorder.ui import glyphs
from recorder.ui.live.faces import READY, Face
from recorder.ui.theme import DARK


class Tray:
    """Does nothing where the desktop has no tray."""

    def __init__(self, window: QWidget, actions: Sequence[QAction | None]) -> None:
        """actions: the menu's lines; None is a separator."""
        self._icon: QSystemTrayIcon | None = None
        self._face: Face | None = None
        self._menu = QMenu(window)
        for action in actions:
            if action is None:
                self._menu.addSeparator()
            else:
                self._menu.addAction(action)
        self._window = window
        self.show_face(READY)

    @property
    def available(self) -> bool:
        return self._icon is not None

    def show_face(self, face: Face, text: str = "") -> None:
        """Follows the state; a tray that came up later is found here too."""
        if self._icon is None:
            if not QSystemTrayIcon.isSystemTrayAvailable():
                return
            self._icon = QSystemTrayIcon(self._window)
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(self._activate)
            self._face = None
        if self._face is None or (face.shape, face.tone) != (self._face.shape, self._face.tone):
            self._icon.setIcon(glyphs.badge(face.shape, face.tone or DARK.calm))
            self._icon.show()
        self._face = face
        tip = f"Playtape: {text or face.word}"
        if self._icon.toolTip() != tip:
            self._icon.setToolTip(tip)

    def close(self) -> None:
        if self._icon is not None:
            self._icon.hide()
            self._icon = None

    def _activate(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._window.showNormal()
            self._window.raise_()
            self._window.activateWindow()
