"""The lane of disagreement: asked for from the window, painted, explained, gone through, and kept up with corrections."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QColor, QMouseEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from annotator.jobs import Job
from annotator.ui.annotate import trainer_part
from annotator.ui.annotate.annotate_window import AnnotateWindow
from annotator.ui.annotate.trainer_part import ModelDialog
from annotator.ui.theme import DARK, LIGHT, contrast
from annotator.ui.timeline.heat_painter import HOTTEST, heat_colour
from annotator.ui.timeline.rows import Row, RowKind
from db.recording.events import EventKind, InputEvent
from db.recording.expectation import Expectation, expectation_path, write_expectation
from db.recording.surprise import Scale

Key, Mod = Qt.Key, Qt.KeyboardModifier
W = 17
COUNT, STEP_NS = 240, 33_333_333
LOST = (90, 150)
"""The frames in which W was down and nobody recorded it."""

STAND_IN = """
import json, os, shutil, sys, time
options = json.loads(os.environ["STAND_IN"])
row = {"phase": "reading pictures", "step": 1, "steps": 2, "eta_s": 1.0}
print(json.dumps(row), flush=True)
if options["hangs"]:
    time.sleep(60)
if options["fails"]:
    print(json.dumps({"error": "This IDM does not fit.", "kind": "BadArgument"}), flush=True)
    sys.exit(1)
os.makedirs(os.path.dirname(options["to"]), exist_ok=True)
shutil.copy(options["of"], options["to"])
print(json.dumps({"sessions": []}), flush=True)
"""


def frame_ns(frame: int) -> int:
    return 10**9 + frame * STEP_NS


def expectation(recording) -> Expectation:
    ticks = np.arange(0, COUNT, 2)
    down = ((ticks >= 30) & (ticks < 60)) | ((ticks >= LOST[0]) & (ticks < LOST[1]))
    return Expectation(
        model="idm-1", ticks=ticks, edges_ns=np.append(recording.clock.t_ns[ticks], recording.clock.t_stop_ns), codes=(W,),
        probability=np.where(down, 0.97, 0.02)[:, None].astype(np.float16), dx=np.ones((len(ticks), 1), np.float16),
        dy=np.ones((len(ticks), 1), np.float16), dx_edges=np.zeros(0), dy_edges=np.zeros(0), dx_values=np.zeros(1),
        dy_values=np.zeros(1), said=np.ones(len(ticks), np.bool_), scale=Scale(0.1, 1.0),
    )  # fmt: skip


@pytest.fixture
def session_id(store, make_session) -> str:
    events = [InputEvent(frame_ns(t) + 5, EventKind.KEY, W, down) for t, down in ((30, 1), (60, 0))]
    return make_session(store, count=COUNT, events=events)


@pytest.fixture
def kept(store, session_id) -> Path:
    """Where what an IDM expects of the session is kept."""
    return expectation_path(store.cache_dir, session_id, store.recording(session_id).meta.revision, "0123456789abcdef")


@pytest.fixture
def asked(store, session_id, kept) -> None:
    """An IDM has been asked before."""
    write_expectation(kept, expectation(store.recording(session_id)))


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
def stand_in(store, session_id, kept, monkeypatch, tmp_path):
    """stand_in(hangs=..., fails=...): what runs in place of the trainer; it puts the file where the trainer does."""
    script, ready = tmp_path / "stand_in.py", tmp_path / "ready.npz"
    script.write_text(STAND_IN)
    write_expectation(ready, expectation(store.recording(session_id)))
    asked: list[list[str]] = []

    def choose(*, hangs: bool = False, fails: bool = False) -> list[list[str]]:
        monkeypatch.setenv("STAND_IN", json.dumps({"of": str(ready), "to": str(kept), "hangs": hangs, "fails": fails}))
        return asked

    def start(name: str, module: str, options: list[str], logs_dir: Path) -> Job:
        asked.append([module, *options])
        log = tmp_path / "log"
        with log.open("wb") as file:
            process = subprocess.Popen([sys.executable, str(script)], stdout=file, stderr=subprocess.STDOUT)
        return Job(name, process, log)

    monkeypatch.setattr(trainer_part, "start_job", start)
    return choose


def card(store, name: str) -> None:
    folder = store.models_dir / name
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps({"config": {"kind": "idm"}}))


def press(window: AnnotateWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window.timeline, key, modifiers)


def heat_row(window: AnnotateWindow) -> Row | None:
    return next((row for row in window.timeline.rows.labels if row.kind is RowKind.HEAT), None)


def shown(window: AnnotateWindow, qtbot) -> Row:
    """The lane, once it is worked out."""
    qtbot.waitUntil(lambda: (row := heat_row(window)) is not None and not np.isnan(row.heat.level).all())
    row = heat_row(window)
    assert row is not None
    return row


def hover(window: AnnotateWindow, frame: int, row: Row) -> str:
    """The tooltip of a place in the row."""
    at = QPointF(window.timeline.point_of(frame + 0.5, row))
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    window.timeline.mouseMoveEvent(QMouseEvent(kind, at, window.timeline.mapToGlobal(at), none, none, Mod.NoModifier))
    return window.timeline.viewport().toolTip()


def test_without_an_idm_that_was_asked_there_is_no_lane_and_the_keys_say_what_to_do(window, qtbot) -> None:
    assert heat_row(window) is None
    press(window, Key.Key_Period, Mod.AltModifier)
    assert "Shift+I" in window.info.text
    press(window, Key.Key_I, Mod.ShiftModifier)
    assert "train one" in window.info.text


@pytest.mark.usefixtures("asked")
def test_what_was_asked_before_is_there_when_the_session_opens(window, qtbot) -> None:
    row = shown(window, qtbot)
    assert row.label == "Disagreement"
    assert row is window.timeline.rows.labels[-1]
    level = row.heat.columns(np.arange(COUNT + 1.0))
    assert level[100:140].min() > 1
    assert level[:70].max() < 0.2


@pytest.mark.usefixtures("asked")
def test_the_hottest_stretch_is_painted_in_the_hottest_colour(window, qtbot) -> None:
    row = shown(window, qtbot)
    picture = window.timeline.viewport().grab().toImage()
    ratio = picture.devicePixelRatio()
    theme = DARK if window.palette().window().color().lightness() < 128 else LIGHT

    def colour(frame: int) -> QColor:
        at = window.timeline.point_of(frame + 0.5, row) * ratio
        return picture.pixelColor(round(at.x()), round(at.y()))

    assert colour(120) == heat_colour(HOTTEST, theme)
    assert colour(60) == heat_colour(0, theme)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_the_ramp_goes_away_from_the_panel_in_luminance_alone(theme) -> None:
    steps = [contrast(heat_colour(level, theme), theme.panel) for level in np.linspace(0, HOTTEST, 40)]
    assert all(b >= a - 0.02 for a, b in itertools.pairwise(steps))
    assert steps[20] > 3, "a disagreement of 1 stands out"
    assert steps[-1] > 10


@pytest.mark.usefixtures("asked")
def test_the_mouse_is_told_which_keys_disagree(window, qtbot) -> None:
    row = shown(window, qtbot)
    tip = hover(window, 121, row)
    assert "The IDM expects W, recorded up; 0.97" in tip
    assert "idm-1" in tip
    assert "Nothing here disagrees" in hover(window, 20, row)


@pytest.mark.usefixtures("asked")
def test_a_click_on_the_lane_goes_there(window, qtbot) -> None:
    row = shown(window, qtbot)
    QTest.mouseClick(window.timeline.viewport(), Qt.MouseButton.LeftButton, pos=window.timeline.point_of(121.5, row))
    qtbot.waitUntil(lambda: window.editing.frame == 121)
    assert window.editing.document.spans() == []


@pytest.mark.usefixtures("asked")
def test_the_keys_go_to_the_next_place_and_back(window, qtbot) -> None:
    shown(window, qtbot)
    press(window, Key.Key_Period, Mod.AltModifier)
    qtbot.waitUntil(lambda: LOST[0] <= window.editing.frame < LOST[1])
    assert window.saved.text() == "the IDM expects W, recorded up; 0.97"
    press(window, Key.Key_Period, Mod.AltModifier)
    assert "no further disagreement after" in window.info.text
    press(window, Key.Key_End)
    qtbot.waitUntil(lambda: window.editing.frame == COUNT - 1)
    press(window, Key.Key_Comma, Mod.AltModifier)
    qtbot.waitUntil(lambda: LOST[0] <= window.editing.frame < LOST[1])
    press(window, Key.Key_Comma, Mod.AltModifier)
    assert "no further disagreement before" in window.info.text


@pytest.mark.usefixtures("asked")
def test_it_cools_as_the_press_is_put_in_and_heats_again_as_that_is_taken_back(window, qtbot) -> None:
    hot = shown(window, qtbot).heat.level
    window.editing.presses.add(W, *LOST)
    qtbot.waitUntil(lambda: heat_row(window).heat.level.max() < 0.2)
    assert len(window.editing.doubting.heat.peaks) == 0
    press(window, Key.Key_Z, Mod.ControlModifier)
    qtbot.waitUntil(lambda: np.array_equal(heat_row(window).heat.level, hot))


def test_it_is_asked_from_the_window(window, store, session_id, stand_in, qtbot) -> None:
    card(store, "idm-1")
    asked = stand_in()
    press(window, Key.Key_I, Mod.ShiftModifier)
    dialog = window.findChild(ModelDialog)
    assert dialog.model.currentText() == "idm-1"
    with qtbot.waitSignal(window.heat.ended, timeout=20_000):
        dialog.accept()
    assert asked == [
        ["trainer", "expect", "--library", str(store.root), "--json", "--model", "idm-1", "--", session_id]
    ]  # fmt: skip
    assert "Alt+." in window.info.text
    assert shown(window, qtbot).heat.level[55:65].min() > 1
    assert not window.suggestion_bar.expecting.isVisible()


def test_a_refusal_is_told(window, stand_in, qtbot) -> None:
    stand_in(fails=True)
    with qtbot.waitSignal(window.heat.ended, timeout=20_000):
        window.heat.start("idm-1")
    assert window.info.text == "This IDM does not fit."
    assert heat_row(window) is None


def test_it_is_stopped(window, stand_in, qtbot) -> None:
    stand_in(hangs=True)
    window.heat.start("idm-1")
    qtbot.waitUntil(lambda: window.suggestion_bar.expecting.bar.maximum() == 2, timeout=20_000)
    assert "Pictures are read" in window.suggestion_bar.expecting.words.text()
    with qtbot.waitSignal(window.heat.ended, timeout=20_000):
        press(window, Key.Key_Period, Mod.ControlModifier)
    assert "Stopped" in window.info.text
    assert not window.heat.is_busy


def test_a_damaged_file_is_one_sentence_and_no_lane(kept, window, store, session_id, qtbot) -> None:
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"PK nonsense")
    window.editing.doubting.load()
    qtbot.waitUntil(lambda: "ask the IDM again" in window.info.text)
    assert heat_row(window) is None


@pytest.mark.usefixtures("asked")
def test_another_session_has_its_own_or_none(window, store, make_session, qtbot) -> None:
    shown(window, qtbot)
    other = make_session(store, count=40, events=[])
    assert window.open_session(other)
    qtbot.waitUntil(lambda: window.editing.session_id == other)
    assert heat_row(window) is None
