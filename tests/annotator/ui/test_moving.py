"""The library is moved from its window, which then opens again with it; a move that was cut off goes on or is given up."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator import library
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.library.move_panel import FOLDER
from db.errors import DiskFull
from db.store import Store
from db.upkeep import moving
from db.upkeep.moving import move_library, unfinished_move
from db.upkeep.pointer import NAME as POINTER

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(store, make_session, qtbot) -> LibraryWindow:
    make_session(store, count=10)
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitUntil(lambda: opened.storage.move_panel._errand is None)
    opened.go("storage")
    return opened


def test_it_is_moved_and_the_window_closes_for_the_new_one(window, store, tmp_path, qtbot) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "letter.txt").touch()
    window.open_annotator(window.sessions.model.ids[0])
    window.storage.move_panel.move_to(tmp_path / "disk")
    qtbot.waitUntil(lambda: window.moved_to == tmp_path / "disk" / FOLDER)
    assert window.isHidden()
    assert window.annotator is None or window.annotator.isHidden()
    assert {path.name for path in store.root.iterdir()} <= {POINTER}
    with Store.open(store.root) as moved:
        assert len(moved.search()) == 1
        assert moved.root == window.moved_to


def test_a_move_by_somebody_else_is_told_and_followed(window, store, tmp_path, qtbot) -> None:
    with Store.open(store.root) as theirs:
        move_library(theirs, tmp_path / "new")
    window.look()
    assert f"moved to {tmp_path / 'new'}" in window.info.text
    assert window.info.action.text() == "Open it there"
    window.info.hide()
    window.look()
    assert window.info.isVisible(), "it is said for as long as it is so"
    QTest.mouseClick(window.info.action, LEFT)
    assert window.moved_to == tmp_path / "new"
    assert window.isHidden()


def test_a_refusal_is_said_and_the_library_stays(window, store, tmp_path, qtbot) -> None:
    panel = window.storage.move_panel
    panel.move_to(store.root / "inside")
    qtbot.waitUntil(lambda: "into itself" in window.info.text)
    qtbot.waitUntil(panel.start.isVisible)
    assert window.moved_to is None


def test_what_was_cut_off_goes_on_or_is_given_up(store, make_session, tmp_path, qtbot, monkeypatch) -> None:
    make_session(store, count=10)
    for button in ("drop", "resume"):
        with monkeypatch.context() as patch:
            patch.setattr(moving, "write_pointer", lambda *given: (_ for _ in ()).throw(OSError(28, "full")))
            with pytest.raises(DiskFull):
                move_library(store, tmp_path / "new")
        window = LibraryWindow(store, "ann")
        qtbot.addWidget(window)
        window.show()
        window.go("storage")
        panel = window.storage.move_panel
        qtbot.waitUntil(lambda panel=panel: panel.resume.isVisible() and panel._errand is None)
        assert "was cut off" in panel.state.text()
        QTest.mouseClick(getattr(panel, button), LEFT)
        if button == "drop":
            qtbot.waitUntil(lambda panel=panel: panel.start.isVisible())
            assert unfinished_move(store.root) is None
            assert not (tmp_path / "new").exists()
        else:
            qtbot.waitUntil(lambda window=window: window.moved_to == tmp_path / "new")
        window.close()


def test_playtape_opens_again_with_the_library_where_it_is_now(
    store, make_session, tmp_path, qtbot, monkeypatch
) -> None:
    make_session(store, count=10)
    said: list[str] = []
    monkeypatch.setattr("annotator.ui.desktop.start_app", lambda name: QApplication.instance())

    def act() -> None:
        (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, LibraryWindow) and w.isVisible())
        if said:
            said.append(window.info.text)
            window.close()
        elif window.storage.move_panel._errand is None:
            said.append(str(window.store.root))
            window.storage.move_panel.move_to(tmp_path / "new")
            timer.stop()
            window.storage.move_panel.moved.connect(lambda _: QTimer.singleShot(0, timer.start))

    timer = QTimer()
    timer.setInterval(20)
    timer.timeout.connect(act)
    timer.start()
    args = argparse.Namespace(library=Path(store.root), person="ann", json=False)
    assert library.show(args) == 0
    timer.stop()
    assert said == [str(store.root), f"The library is in {tmp_path / 'new'} now; {store.root} leads there."]
