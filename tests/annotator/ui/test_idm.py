"""An IDM is asked from the window: the trainer runs as a process, and what it says stands in the lanes to be confirmed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.jobs import Job
from annotator.ui.annotate import trainer_part
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.idm_part import IdmDialog
from annotator.ui.annotate.span_words import span_words
from annotator.ui.timeline.rows import RowKind
from db.labelling.labels import LabelKind
from db.recording.corrections import ImputedCorrection, KeyCorrection

Key, Mod = Qt.Key, Qt.KeyboardModifier
W = 17

STAND_IN = """
import json, os, sys, time
from pathlib import Path
from db.recording.corrections import ImputedCorrection, KeyCorrection
from db.labelling.labels import Edit, LabelKind
from db.store import Store
options = json.loads(os.environ["STAND_IN"])
print(json.dumps({"phase": "labelling", "step": 1, "steps": 2, "eta_s": 1.0}), flush=True)
if options["hangs"]:
    time.sleep(60)
if options["fails"]:
    print(json.dumps({"error": "This IDM does not fit.", "kind": "BadArgument"}), flush=True)
    sys.exit(1)
with Store.open(Path(options["root"]), create=False) as store:
    clock = store.recording(options["session"]).clock
    holds = ((int(clock.t_ns[22]), int(clock.t_ns[28])),)
    said = ImputedCorrection(confidence=0.9, keys=(KeyCorrection(code=17, holds_ns=holds),))
    store.commit([Edit(session_id=options["session"], kind=LabelKind.ACTION, start=20, stop=40,
        value=said.model_dump_json(), author="ann", source="run:idm-1", suggested=True)])
print(json.dumps({"suggestions": 1}), flush=True)
"""


@pytest.fixture
def session_id(store, make_session) -> str:
    return make_session(store, count=60, events=[])


@pytest.fixture
def window(store, session_id, qtbot) -> AnnotateWindow:
    opened = AnnotateWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    qtbot.waitExposed(opened)
    opened.activateWindow()
    assert opened.open_session(session_id)
    qtbot.waitUntil(lambda: opened.picture.index == 0)
    opened.timeline.setFocus()
    return opened


@pytest.fixture
def stand_in(window, store, session_id, monkeypatch, tmp_path):
    """stand_in(hangs=..., fails=...): what runs in place of the trainer; it commits one suggestion."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    asked: list[list[str]] = []

    def choose(*, hangs: bool = False, fails: bool = False) -> list[list[str]]:
        options = {"root": str(store.root), "session": session_id, "hangs": hangs, "fails": fails}
        monkeypatch.setenv("STAND_IN", json.dumps(options))
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
        return asked

    def start(name: str, module: str, options: list[str], logs_dir: Path) -> Job:
        asked.append([module, *options])
        log = tmp_path / "log"
        with log.open("wb") as file:
            process = subprocess.Popen([sys.executable, str(script)], stdout=file, stderr=subprocess.STDOUT)
        return Job(name, process, log)

    monkeypatch.setattr(trainer_part, "start_job", start)
    return choose


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def card(store, name: str, kind: str = "idm") -> None:
    folder = store.models_dir / name
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps({"config": {"kind": kind}}))


def test_without_an_idm_it_says_what_to_do(window, store) -> None:
    card(store, "policy-1", "policy")
    press(window, Key.Key_I, Mod.ControlModifier | Mod.ShiftModifier)
    assert "train one" in window.info.text


def test_its_word_stands_in_the_lanes_until_it_is_confirmed(window, store, session_id, stand_in, qtbot) -> None:
    card(store, "idm-1")
    asked = stand_in()
    press(window, Key.Key_I, Mod.ControlModifier | Mod.ShiftModifier)
    dialog = window.findChild(IdmDialog)
    assert dialog.model.currentText() == "idm-1"
    assert dialog.model.nextInFocusChain() is dialog.doubts
    with qtbot.waitSignal(window.idm.ended, timeout=20_000):
        dialog.accept()
    assert asked == [
        ["trainer", "label", "--library", str(store.root), "--json", "--model", "idm-1", "--person", "ann", "--", session_id]
    ]  # fmt: skip
    assert "1 suggestion from the IDM" in window.info.text
    [row] = [row for row in window.timeline.rows.signals if row.kind is RowKind.KEY and row.key.code == W]
    assert row.suggested is not None
    assert len(row.key) == 0
    assert not window.timeline.grab().isNull()
    assert "1 suggestion " in window.suggestion_bar.count.text()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)  # without a window manager nobody gives the focus back
    window.timeline.setFocus()
    press(window, Key.Key_V)
    press(window, Key.Key_C)
    assert window.editing.inputs.active(25) == [W]
    [row] = [row for row in window.timeline.rows.signals if row.kind is RowKind.KEY and row.key.code == W]
    assert row.suggested is None
    assert len(row.key) == 1
    press(window, Key.Key_Z, Mod.ControlModifier)
    assert window.editing.inputs.active(25) == []


def test_a_refusal_is_told(window, store, stand_in, qtbot) -> None:
    stand_in(fails=True)
    with qtbot.waitSignal(window.idm.ended, timeout=20_000):
        window.idm.start("idm-1", doubts=True)
    assert window.info.text == "This IDM does not fit."
    assert not window.suggestion_bar.labelling.isVisible()


def test_it_is_stopped(window, store, stand_in, qtbot) -> None:
    stand_in(hangs=True)
    window.idm.start("idm-1")
    qtbot.waitUntil(lambda: window.suggestion_bar.labelling.bar.maximum() == 2, timeout=20_000)
    with qtbot.waitSignal(window.idm.ended, timeout=20_000):
        press(window, Key.Key_Period, Mod.ControlModifier)
    assert "Stopped" in window.info.text
    assert not window.idm.is_busy


def test_suggestions_say_what_they_are_and_how_sure() -> None:
    keys = (KeyCorrection(code=W, holds_ns=((1, 2),)),)
    imputed = ImputedCorrection(confidence=0.87, keys=keys, moves=((1, 2.0, 0.0),))
    assert span_words(LabelKind.ACTION, imputed.model_dump_json()) == "W, mouse (87% sure)"
    nothing = ImputedCorrection(confidence=0.5)
    assert span_words(LabelKind.ACTION, nothing.model_dump_json()) == "no keys (50% sure)"
    doubt = KeyCorrection(code=W, confidence=0.95)
    assert span_words(LabelKind.ACTION, doubt.model_dump_json()) == "W: up (95% sure)"
