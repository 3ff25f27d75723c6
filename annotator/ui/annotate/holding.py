"""Keys that mark while they are held: which one is down, and when it was let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, QTimer
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication

from annotator.ui.annotate.marking import Marking
from db.clock import now_ns
from db.labelling.labels import LabelKind

if TYPE_CHECKING:
    from annotator.ui.annotate.annotate_window import AnnotateWindow

TAP_NS = 300_000_000
"""A key that is down for less is pressed, not held."""
REPEAT_MS = 40
"""So long a release may turn out to belong to a repeat: X says both, and Qt marks them only where it has read both."""


class Holding(QObject):
    """Part of an AnnotateWindow. What was begun ends when the key comes up, and when the window loses the keyboard.

    A shortcut does not say which key it came with, so the window's own events are watched for it. Repeats are known by
    their time: a key is not pressed in the very millisecond in which it came up. No action that is not to repeat does.
    """

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self._window = window
        self._pressed: tuple[int, int] | None = None  # the key and its scan code, while its shortcut is looked for
        self._down: tuple[int, int] | None = None
        self._up: tuple[tuple[int, int], int] | None = None  # which key came up last, and the system's time of it
        self._is_repeat = False
        self._since_ns = self._until_ns = self._until_frame = 0
        self._rising = QTimer(self)
        self._rising.setSingleShot(True)
        self._rising.setInterval(REPEAT_MS)
        self._rising.timeout.connect(self._end)
        self._marking: Marking | None = None
        window.installEventFilter(self)
        for action in window.actions():
            if not action.autoRepeat():
                action.installEventFilter(self)

    @property
    def is_active(self) -> bool:
        return self._marking is not None

    def press(self, kind: LabelKind, value: str = "") -> None:
        """The key of a flag, a word of the vocabulary, or of an instruction without words.

        Held while it plays it marks until it is let go. Else it does at once what it does when it is only pressed; an
        instruction without words can be held while paused too.
        """
        editing = self._window.editing
        if editing is None or self._is_repeat:
            return
        if self._pressed is not None and self._pressed == self._down:
            self.let_go()  # it came up where nobody saw it
        marking, is_blank = editing.marking, kind is LabelKind.INSTRUCTION and not value
        can_hold = self._pressed is not None and not self.is_active and marking.marks.stretch is None
        if not can_hold or not (editing.player.is_playing or is_blank):
            _press_only(marking, kind, value)
        else:
            self._marking, self._down, self._since_ns = marking, self._pressed, now_ns()
            marking.begin_hold(kind, value)
            app = QApplication.instance()
            assert app is not None
            app.installEventFilter(self)

    def let_go(self) -> None:
        """Stores what is being held, up to the displayed frame; does nothing where nothing is."""
        if not self._rising.isActive():
            self._note_end()
        self._end()

    def _note_end(self) -> None:
        """Now, with this frame, it ends, whenever that is stored."""
        editing = self._window.editing
        self._until_ns, self._until_frame = now_ns(), editing.frame if editing else 0

    def _end(self) -> None:
        self._rising.stop()
        marking, self._marking, self._down = self._marking, None, None
        if marking is None:
            return
        app = QApplication.instance()
        assert app is not None
        app.removeEventFilter(self)
        if self._until_ns - self._since_ns < TAP_NS:
            marking.tap()
        else:
            marking.end_hold(self._until_frame)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is None:
            return False
        kind = event.type()
        if kind == QEvent.Type.Shortcut:  # of an action that does not repeat
            return self._is_repeat
        if isinstance(event, QKeyEvent):
            if kind == QEvent.Type.KeyRelease and not event.isAutoRepeat():
                self._on_release(event, is_last=watched is self._window)
            elif kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
                self._on_press(event, is_shortcut=kind == QEvent.Type.ShortcutOverride and watched is self._window)
        elif kind == QEvent.Type.ApplicationDeactivate or (
            kind in (QEvent.Type.WindowDeactivate, QEvent.Type.Hide) and watched is self._window
        ):
            self.let_go()
        return False

    def _on_press(self, event: QKeyEvent, *, is_shortcut: bool) -> None:
        key = (event.key(), event.nativeScanCode())
        is_repeat = event.isAutoRepeat() or (
            self._up is not None and self._up[0] == key and 0 < event.timestamp() <= self._up[1] + 1
        )
        if is_repeat and self._is_down(event):
            self._rising.stop()
        if is_shortcut:
            self._pressed, self._is_repeat = key, is_repeat
            QTimer.singleShot(0, self._forget_pressed)

    def _on_release(self, event: QKeyEvent, *, is_last: bool) -> None:
        """A release without a time is no system's: it is what it says at once."""
        if is_last or self._is_down(event):
            self._up = (event.key(), event.nativeScanCode()), event.timestamp()
        if not self._is_down(event) or self._rising.isActive():
            return
        self._note_end()
        if event.timestamp():
            self._rising.start()
        else:
            self._end()

    def _forget_pressed(self) -> None:
        self._pressed, self._is_repeat = None, False

    def _is_down(self, event: QKeyEvent) -> bool:
        """Whether this is the key that is held; by its scan code, since Shift may have come up before it."""
        if self._down is None:
            return False
        key, scan = self._down
        return event.nativeScanCode() == scan if scan and event.nativeScanCode() else event.key() == key


def _press_only(marking: Marking, kind: LabelKind, value: str) -> None:
    if kind is LabelKind.FLAG:
        marking.flag(value)
    elif value:
        marking.say(value)
    else:
        marking.add_instruction()
