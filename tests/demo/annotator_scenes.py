"""The annotator's window in every state that the documentation shows."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QDialog, QLineEdit, QMainWindow

from annotator.model.library.seat import Role, Seat
from annotator.ui.annotate.vision_choice import write_setup
from annotator.ui.keys.key_editor import KeyEditor
from annotator.vision.setup import VisionSetup
from demo.picture_library import REVIEWER, SECONDS_READER
from demo.stage import Stage, go, press, until

Key, Mod = Qt.Key, Qt.KeyboardModifier
CTRL, SHIFT = Mod.ControlModifier, Mod.ShiftModifier
SETUP = VisionSetup(
    kind="endpoint", base_url="https://models.example/v1", model="seer-7b", key_variable="MODELS_EXAMPLE_KEY"
)


def labelling(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.labelling)
    go(window, 170)
    press(Key.Key_Tab)
    press(Key.Key_Tab)
    go(window, 262)
    return window


def autocomplete(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.labelling)
    go(window, 440)
    press(Key.Key_I)
    go(window, 505)
    press(Key.Key_O)
    press(Key.Key_Return)
    until(lambda: window.timeline.editor.isVisible() and window.timeline.editor.hasFocus())
    press("th")
    return window


def vocabulary(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.labelling)
    go(window, 180)
    press(Key.Key_K, CTRL)
    dialog()
    return window


def suggestions(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.suggested)
    go(window, 120)
    press(Key.Key_V)
    press(Key.Key_V)
    return window


def vision_setup(stage: Stage) -> QMainWindow:
    write_setup(SETUP)
    window = stage.annotate(stage.shown.labelling)
    window.actions_by_name["set_up_vision"].trigger()
    dialog()
    return window


def vision_consent(stage: Stage) -> QMainWindow:
    os.environ[SETUP.key_variable] = "not-a-key"
    write_setup(SETUP)
    window = stage.annotate(stage.shown.labelling)
    go(window, 180)
    press(Key.Key_I, CTRL)
    dialog()
    return window


def corrections(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.corrected)
    go(window, 140)
    press(Key.Key_Down, CTRL)
    press(Key.Key_E)
    return window


def disagreement(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.doubted)
    until(lambda: window.editing is not None and window.editing.doubting.heat is not None)
    until(lambda: len(window.editing.doubting.heat.peaks))
    go(window, 290)
    press(Key.Key_Period, Mod.AltModifier)
    return window


def redact(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.private)
    go(window, 205)
    press(Key.Key_Tab)
    press(Key.Key_Delete, CTRL | SHIFT)
    dialog()
    return window


def conflict(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.disputed)
    go(window, 80)
    press(Key.Key_J, CTRL)
    dialog()
    return window


def comparing(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.compared, REVIEWER, Seat(Role.COMPARE, SECONDS_READER))
    press(Key.Key_Q)
    return window


def comments(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.commented)
    press(Key.Key_W)
    return window


def key_editor(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.labelling)
    window.actions_by_name["edit_keys"].trigger()
    editor = dialog()
    assert isinstance(editor, KeyEditor)
    editor.choose("annotate", "split")
    editor.key.setFocus()
    press(Key.Key_B)
    return window


def palette(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.labelling)
    go(window, 170)
    press(Key.Key_Tab)
    press(Key.Key_P, CTRL | SHIFT)
    until(lambda: isinstance(QApplication.focusWidget(), QLineEdit))
    press("start")
    return window


def cheat_sheet(stage: Stage) -> QMainWindow:
    window = stage.annotate(stage.shown.labelling)
    go(window, 170)
    press("?")
    dialog()
    return window


def proxy(stage: Stage) -> QMainWindow:
    """While the small copy is being made; the process that makes it stands still for the picture."""
    window = stage.annotate(stage.shown.large)
    editing = window.editing
    assert editing is not None
    making = editing.proxying
    told: list[float] = []
    making.progressed.connect(lambda share, _: told.append(share))
    until(lambda: told and making._process is not None)
    assert making._process is not None
    os.kill(making._process.processId(), signal.SIGSTOP)
    go(window, 30)
    return window


def dialog() -> QDialog:
    """The dialog that has come up."""
    until(lambda: isinstance(QApplication.activeWindow(), QDialog))
    found = QApplication.activeWindow()
    assert isinstance(found, QDialog)
    return found


ANNOTATOR_SCENES: dict[str, Callable[[Stage], QMainWindow]] = {
    "annotate-labelling": labelling,
    "annotate-autocomplete": autocomplete,
    "annotate-vocabulary": vocabulary,
    "annotate-suggestions": suggestions,
    "annotate-vision-setup": vision_setup,
    "annotate-vision-consent": vision_consent,
    "annotate-corrections": corrections,
    "annotate-disagreement": disagreement,
    "annotate-redact": redact,
    "annotate-conflict": conflict,
    "annotate-comparing": comparing,
    "annotate-comments": comments,
    "annotate-key-editor": key_editor,
    "annotate-palette": palette,
    "annotate-cheat-sheet": cheat_sheet,
    "annotate-proxy": proxy,
}
