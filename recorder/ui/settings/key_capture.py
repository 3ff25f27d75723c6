"""Fields that take real key presses: the keys of a game, and the recorder's own hotkeys. Keys are physical ones."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from db.recording import keys
from recorder.hotkeys import MODIFIER_CODES, Hotkey
from recorder.ui.flow_layout import FlowLayout
from recorder.ui.theme import restyle

_PATIENCE_MS = 5000
_BUTTONS = {
    Qt.MouseButton.LeftButton: keys.BTN_LEFT, Qt.MouseButton.RightButton: keys.BTN_RIGHT,
    Qt.MouseButton.MiddleButton: keys.BTN_MIDDLE, Qt.MouseButton.BackButton: keys.BTN_SIDE,
    Qt.MouseButton.ForwardButton: keys.BTN_EXTRA,
}  # fmt: skip


def code_of(event: QKeyEvent) -> int | None:
    """The evdev code of the physical key, None where the platform does not tell."""
    code = event.nativeScanCode() - keys.X11_KEYCODE_OFFSET
    return code if code in keys.NAMES else None


class ListeningButton(QPushButton):
    """Pressed, it takes every key, also Tab and Esc, until it is told to stop, is left, or nothing comes for a while."""

    key_down = pyqtSignal(int)
    key_up = pyqtSignal(int)
    listening = pyqtSignal(bool)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.is_listening = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self.stop)
        self.clicked.connect(self._toggle)

    def stop(self) -> None:
        self._set(False)

    def _toggle(self) -> None:
        self._set(not self.is_listening)

    def _set(self, on: bool) -> None:
        if on == self.is_listening:
            return
        self.is_listening = on
        restyle(self, "listening", on)
        if on:
            self.setFocus()
            self._patience.start()
        else:
            self._patience.stop()
        self.listening.emit(on)

    def event(self, event: QEvent | None) -> bool:
        if event is not None and self.is_listening:
            if event.type() is QEvent.Type.ShortcutOverride:
                event.accept()  # no shortcut of the window while a key is being typed in
                return True
            if event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                self._take(event)
                return True
        return super().event(event)

    def focusOutEvent(self, event: object) -> None:
        self.stop()
        super().focusOutEvent(event)

    def _take(self, event: QKeyEvent) -> None:
        code = code_of(event)
        if code is None or event.isAutoRepeat():
            return
        self._patience.start()
        (self.key_down if event.type() is QEvent.Type.KeyPress else self.key_up).emit(code)


class KeyField(QWidget):
    """The keys of a game as chips. `changed` when one came or went."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._codes: list[int] = []
        self.add = ListeningButton("Press keys to add …")
        self.add.setToolTip("Click, then press the game's keys one after the other; click again when you are done.")
        self.add.key_down.connect(self.add_code)
        self.add.listening.connect(self._show_listening)
        self._chips = FlowLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._chips)
        column.addWidget(self.add)

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(self._codes)

    def set_codes(self, codes: Sequence[int]) -> None:
        self._codes = list(dict.fromkeys(codes))
        self._fill()

    def add_code(self, code: int) -> None:
        if code not in self._codes:
            self._codes.append(code)
            self._fill()
            self.changed.emit()

    def remove_code(self, code: int) -> None:
        if code in self._codes:
            self._codes.remove(code)
            self._fill()
            self.changed.emit()
            self.add.setFocus()

    def _fill(self) -> None:
        while (item := self._chips.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for code in self._codes:
            chip = QPushButton(f"{keys.label(code)}  ✕")
            chip.setProperty("chip", True)
            chip.setToolTip(f"Remove {keys.name(code)}")
            chip.setAccessibleName(f"Remove {keys.label(code)}")
            chip.clicked.connect(lambda _, code=code: self.remove_code(code))
            self._chips.addWidget(chip)
        self.updateGeometry()

    def _show_listening(self, on: bool) -> None:
        self.add.setText("Press the game's keys; click here when done" if on else "Press keys to add …")

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """While keys are being added, a click beside the chips adds the mouse button."""
        if event is not None and self.add.is_listening and (code := _BUTTONS.get(event.button())) is not None:
            self.add_code(code)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()


class HotkeyField(ListeningButton):
    """One hotkey: click, press the combination, Esc cancels. `rebound` gives the new Hotkey."""

    rebound = pyqtSignal(object)

    def __init__(self, hotkey: Hotkey) -> None:
        super().__init__(str(hotkey))
        self._hotkey = hotkey
        self._held: list[int] = []
        self.setMinimumWidth(150)
        self.setToolTip("Click and press the new combination; Esc keeps the present one.")
        self.key_down.connect(self._press)
        self.key_up.connect(self._release)
        self.listening.connect(self._show)

    @property
    def hotkey(self) -> Hotkey:
        return self._hotkey

    def set_hotkey(self, hotkey: Hotkey) -> None:
        self._hotkey = hotkey
        self._show(self.is_listening)

    def _press(self, code: int) -> None:
        if code == keys.CODES["KEY_ESC"] and not self._held:
            self.stop()
            return
        if code in MODIFIER_CODES:
            self._held.append(code)
            self._show(True)
            return
        chosen = Hotkey(code, frozenset(MODIFIER_CODES[held] for held in self._held))
        self.stop()
        self.set_hotkey(chosen)
        self.rebound.emit(chosen)

    def _release(self, code: int) -> None:
        if code in self._held:
            self._held.remove(code)
            self._show(True)

    def _show(self, on: bool) -> None:
        if not on:
            self._held = []
            self.setText(str(self._hotkey))
            return
        names = dict.fromkeys(MODIFIER_CODES[code].capitalize() for code in self._held)
        self.setText("+".join([*names, "…"]) if names else "Press the keys …")
