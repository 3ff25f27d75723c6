"""The field to jump by: a time, a frame, or so far from here; what is no place says why and stays to be mended."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QToolTip, QWidget

from annotator.model.timeline.places import HOW
from annotator.ui.text_guard import TextGuard
from db.errors import BadArgument


class PlaceField(QLineEdit):
    """Hidden until `ask`; Enter jumps, Escape or going elsewhere leaves it."""

    left = pyqtSignal()
    """It is hidden again."""
    refused = pyqtSignal(str)
    """The sentence why what stands in it is no place, "" when that has been mended."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jump: Callable[[str], None] | None = None
        self.setPlaceholderText(HOW)
        self.setAccessibleName("Jump to a time or a frame")
        self.setToolTip(f"Jump to {HOW} (Enter; Esc leaves)")
        self.setMaxLength(40)
        self.setMinimumHeight(28)
        self.setMinimumWidth(96)  # what there is room for, up to all of its example
        self.textEdited.connect(lambda _: self.refused.emit(""))
        TextGuard(self)
        self.hide()

    def ask(self, jump: Callable[[str], None]) -> None:
        """Lets the person type. jump: goes to what was typed; raises BadArgument where that is no place."""
        self._jump = jump
        self.setMaximumWidth(self.fontMetrics().horizontalAdvance(HOW) + 32)
        self.clear()
        self.show()
        self.setFocus()

    def leave(self) -> None:
        if self._jump is not None:
            self._jump = None
            self.refused.emit("")
            self.hide()
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._go()
        elif event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self.leave()

    def _go(self) -> None:
        if self._jump is None:
            return
        try:
            self._jump(self.text())
        except BadArgument as error:
            self.refused.emit(str(error))
            QToolTip.showText(self.mapToGlobal(QPoint(0, -self.height() * 3)), str(error), self)
            self.selectAll()
        else:
            self.leave()
