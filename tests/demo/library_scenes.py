"""The library's window in every state that the documentation shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QMainWindow

from annotator.ui.library.library_window import LibraryWindow
from db.formats.format import Asked
from db.formats.registry import FORMATS
from db.formats.transfer import write_out
from demo.picture_library import REVIEWER
from demo.stage import Stage, press, settle, until

Key, Mod = Qt.Key, Qt.KeyboardModifier
CTRL, SHIFT = Mod.ControlModifier, Mod.ShiftModifier


def sessions(stage: Stage) -> QMainWindow:
    return listed(stage)


def filters(stage: Stage) -> QMainWindow:
    window = listed(stage)
    press(Key.Key_F, CTRL)
    press("door")
    chip = window.browse.bar.chips["review"]
    until(lambda: window.browse.bar.query().wanted.text == "door" and window.browse.bar.clear_all.isVisible())
    settle()
    menu = chip.menu()
    assert menu is not None
    menu.popup(chip.mapToGlobal(QPoint(0, chip.height())))
    return window


def bulk(stage: Stage) -> QMainWindow:
    window = listed(stage)
    for _ in range(4):
        press(Key.Key_Down, SHIFT)
    until(window.browse.selection.isVisible)
    press(Key.Key_T)
    return window


def trash(stage: Stage) -> QMainWindow:
    return page(stage, Key.Key_2)


def statistics(stage: Stage) -> QMainWindow:
    return page(stage, Key.Key_3)


def storage(stage: Stage) -> QMainWindow:
    window = page(stage, Key.Key_4)
    until(lambda: window.storage.bars.bars)
    return window


def review(stage: Stage) -> QMainWindow:
    window = page(stage, Key.Key_5, REVIEWER)
    until(lambda: window.team.review.model.turns)
    return window


def agreement(stage: Stage) -> QMainWindow:
    window = page(stage, Key.Key_6, REVIEWER)
    until(lambda: window.team.agreement.flags.rows)
    return window


def rules(stage: Stage) -> QMainWindow:
    return page(stage, Key.Key_7, REVIEWER)


def import_(stage: Stage) -> QMainWindow:
    """A folder of another tool's recordings, one of them damaged, has been tried."""
    window = listed(stage)
    folder = stage.store.root.parent / "recordings"
    shutil.rmtree(folder, ignore_errors=True)
    sent = [stage.shown.labelling, stage.shown.suggested, stage.shown.corrected]
    list(write_out(stage.store, FORMATS["open-p2p"], sent, folder, Asked()))
    for number, name in enumerate(("maze", "maze-2", "arena")):
        (folder / sent[number]).rename(folder / name)
    whole = (folder / "arena" / "annotation.proto").read_bytes()
    (folder / "arena" / "annotation.proto").write_bytes(whole[: len(whole) // 2])
    press(Key.Key_O, CTRL)
    asked = window.exchange.importing
    assert asked is not None
    asked.add([folder])
    until(asked.is_ready)
    press(Key.Key_T, CTRL)
    until(lambda: not asked.is_busy and not asked.report.is_empty)
    return window


def export(stage: Stage) -> QMainWindow:
    window = listed(stage)
    for _ in range(4):
        press(Key.Key_Down, SHIFT)
    press(Key.Key_E, CTRL | SHIFT)
    asked = window.exchange.exporting
    assert asked is not None
    until(asked.isActiveWindow)
    asked.form.choose("lerobot")
    asked.out.setText("~/datasets/doom")
    press(Key.Key_T, CTRL)
    until(lambda: not asked.is_busy and not asked.report.is_empty)
    return window


def train(stage: Stage) -> QMainWindow:
    window = page(stage, Key.Key_T)
    until(lambda: window.workshop.train.picture.contents.keys)
    until(lambda: window.workshop.train.form.config.count() > 1)
    until(lambda: window.workshop.train.datasets.count() > 1)
    return window


def runs(stage: Stage) -> QMainWindow:
    """The longest training chosen."""
    window = page(stage, Key.Key_8)
    runs_page = window.workshop.runs
    until(lambda: runs_page.list.runs.states)
    runs_page.choose(max(runs_page.list.runs.states, key=lambda state: len(state.curve)).id)
    until(lambda: runs_page.panel.loss.series)
    return window


def models(stage: Stage) -> QMainWindow:
    window = page(stage, Key.Key_9)
    until(lambda: len(window.workshop.models.list.models.models) > 1)
    return window


def empty(stage: Stage) -> QMainWindow:
    for session in stage.store.search():
        stage.store.delete(session.id)
    for session in stage.store.search(trashed=True):
        stage.store.delete(session.id)
    window = stage.library()
    until(lambda: window.pages.currentWidget() is window.empty)
    return window


def listed(stage: Stage, person: str = "ada") -> LibraryWindow:
    """With the newest session chosen and the keyboard on the list."""
    window = stage.library(person)
    until(lambda: window.sessions.model.rowCount() > 4)
    window.sessions.show_current(stage.shown.labelling)
    until(lambda: window.sessions.current == stage.shown.labelling)
    window.sessions.view.setFocus()
    return window


def page(stage: Stage, key: Qt.Key, person: str = "ada") -> LibraryWindow:
    """Another page, by its key."""
    window = listed(stage, person)
    press(key, CTRL)
    return window


LIBRARY_SCENES: dict[str, Callable[[Stage], QMainWindow]] = {
    "library-sessions": sessions,
    "library-filters": filters,
    "library-bulk": bulk,
    "library-trash": trash,
    "library-review": review,
    "library-agreement": agreement,
    "library-statistics": statistics,
    "library-storage": storage,
    "library-rules": rules,
    "library-import": import_,
    "library-export": export,
    "library-train": train,
    "library-runs": runs,
    "library-models": models,
    "library-empty": empty,
}
