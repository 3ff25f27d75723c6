"""A window on a session, driven by real keys: what the tests of labelling share."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPoint, Qt
from PyQt6.QtGui import QInputMethodEvent, QKeyEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QWidget

from annotator.ui.annotate.annotate_window import AnnotateWindow
from db.labelling.labels import LabelKind, spans
from db.store import Store

Key, Mod = Qt.Key, Qt.KeyboardModifier


def open_window(store: Store, session_id: str, qtbot, person: str = "ann") -> AnnotateWindow:
    """Shown, active, at the session's first frame, with the keyboard on the timeline."""
    window = AnnotateWindow(store, person)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    assert window.open_session(session_id)
    qtbot.waitUntil(lambda: window.editing is not None and window.picture.index == 0)
    return window


def focus(window: AnnotateWindow) -> QWidget:
    return QApplication.focusWidget() or window.timeline


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(focus(window), key, modifiers)


def repeat(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    """What the system sends while a key stays down: releases and presses that are marked as repeats."""
    for kind in (QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
        QApplication.sendEvent(focus(window), QKeyEvent(kind, key.value, modifiers, "", True))


def go(window: AnnotateWindow, frame: int, qtbot) -> None:
    window.editing.player.seek(frame)
    qtbot.waitUntil(lambda: window.picture.index == frame)


def compose(field: QWidget, text: str) -> None:
    """An input method shows what it is composing."""
    QApplication.sendEvent(field, QInputMethodEvent(text, []))


def commit(field: QWidget, text: str) -> None:
    """An input method gives what was composed."""
    event = QInputMethodEvent("", [])
    event.setCommitString(text)
    QApplication.sendEvent(field, event)


def stored(window: AnnotateWindow, kind: LabelKind = LabelKind.INSTRUCTION) -> list[tuple[int, int, str]]:
    log = window.store.edits(window.editing.session_id)
    return [(s.start, s.stop, s.value) for s in spans(log, kind)]


class Shown(QObject):
    """Every frame that was displayed since, in order."""

    def __init__(self, window: AnnotateWindow) -> None:
        super().__init__(window)
        self.frames = [window.editing.player.index]
        window.editing.player.displayed.connect(lambda index, _: self.frames.append(index))


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
