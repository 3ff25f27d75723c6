"""Sessions that were shown before: what works for them ends by itself, and the window does not wait for it."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer

from annotator.ui.annotate.editing import Editing

_LOOK_MS = 20


class Leaving(QObject):
    """Takes over Editings that are no longer shown; `close` waits for all of them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._going: list[Editing] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def take(self, editing: Editing) -> None:
        """Nothing is shown or told by it any more."""
        editing.stop()
        self._going.append(editing)
        self._timer.start()

    def close(self) -> None:
        """Everything that was taken has let go of its files."""
        for editing in self._going:
            _let_go(editing)
        self._going.clear()
        self._timer.stop()

    def _look(self) -> None:
        for editing in [editing for editing in self._going if editing.is_ended]:
            self._going.remove(editing)
            _let_go(editing)
        if not self._going:
            self._timer.stop()


def _let_go(editing: Editing) -> None:
    editing.close()
    editing.deleteLater()
