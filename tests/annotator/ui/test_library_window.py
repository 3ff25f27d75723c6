from __future__ import annotations

import json

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from annotator.ui.library import library_window
from annotator.ui.library.dialogs import PlayDialog
from annotator.ui.library.library_window import LibraryWindow

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def started(monkeypatch) -> list[tuple[str, list[str]]]:
    """What would have been started."""
    calls: list[tuple[str, list[str]]] = []

    class Ended:
        name, has_ended, error = "recorder", True, "There is no display."

    def start(name, module, options, logs_dir):
        calls.append((module, options))
        return Ended()

    monkeypatch.setattr(library_window, "start_job", start)
    return calls


@pytest.fixture
def window(store, qtbot, started) -> LibraryWindow:
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    return opened


def test_an_empty_library_offers_to_record_and_hears_why_it_could_not(window, store, started, qtbot) -> None:
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.empty)
    assert not window.label.isEnabled()
    QTest.mouseClick(window.record, LEFT)
    assert started == [("recorder", ["--library", str(store.root), "--player", "ann"])]
    window.look()
    assert window.info.text == "Recorder: There is no display."


def test_recordings_appear_and_are_labelled_from_here(window, store, make_session, qtbot) -> None:
    session_id = make_session(store, count=30)
    qtbot.waitUntil(lambda: window.sessions.current == session_id)
    assert window.pages.currentWidget() is window.browse
    assert window.count.text().startswith("1 session,")
    assert window.card.head.game.text() == "Maze"
    QTest.mouseClick(window.label, LEFT)
    annotator = window.annotator
    qtbot.waitUntil(lambda: annotator.picture.index == 0)
    assert annotator.editing.session_id == session_id
    annotator.close()
    qtbot.waitUntil(lambda: window.annotator is None)


def test_runs_show_their_progress(window, store, qtbot) -> None:
    assert not window.no_runs.isHidden()
    folder = store.runs_dir / "policy-1"
    folder.mkdir()
    rows = [{"step": s, "steps": 100, "phase": "training", "loss": 3 - s / 50, "eta_s": 60.0, "t": s} for s in (10, 20)]
    (folder / "progress.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    qtbot.waitUntil(lambda: window.runs.runs.rowCount() == 1)
    text = window.runs.runs.data(window.runs.runs.index(0))
    assert text.startswith("Policy, training: step 20 of 100 · loss 2.600 · done at ")
    assert not window.runs.grab().isNull()


def test_playing_needs_a_policy_and_a_window(window, store, started, qtbot) -> None:
    QTest.mouseClick(window.play, LEFT)
    assert "no policy yet" in window.info.text
    (store.models_dir / "policy-1").mkdir()
    (store.models_dir / "policy-1" / "model.json").write_text(json.dumps({"config": {"kind": "policy"}}))
    QTest.mouseClick(window.play, LEFT)
    dialog = window.findChild(PlayDialog)
    assert not dialog.go.isEnabled()
    QTest.keyClicks(dialog.window_title, "DOOM (1)")
    QTest.keyClicks(dialog.instruction, "stand still")
    QTest.mouseClick(dialog.go, LEFT)
    module, options = started[0]
    assert module == "recorder.play"
    assert options[2:] == ["--model", "policy-1", "--window-title", r"DOOM\ \(1\)", "--instruction", "stand still"]
