"""Train, Runs and Models: what is chosen is counted and trained, runs are followed, models are worked with."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtTest import QTest

from annotator.model.library.frozen import DatasetFolder
from annotator.model.library.runs import STOP_NAME
from annotator.model.library.trained import trained_models
from annotator.ui.library import library_window, workshop
from annotator.ui.library.dialogs import CorrectDialog, LabelDialog
from annotator.ui.library.library_window import LibraryWindow
from annotator.ui.library.train_form import QUICK, Offer, TrainForm
from db.labelling.labels import Review

LEFT = Qt.MouseButton.LeftButton
LONG_MS = 240_000
LARGE = Offer("p2p-150m", "Large.", (192, 192), 20.0, False, "It needs an NVIDIA GPU.")


@pytest.fixture
def sittings(store, make_session) -> list[str]:
    """Five sittings of three seconds each, four of them accepted, one of another game."""
    found = [make_session(store, count=90, game="Maze" if number else "Arena") for number in range(5)]
    for session_id in found[:4]:
        store.set_review(session_id, Review.ACCEPTED, "ann")
    return found


@pytest.fixture
def window(store, qtbot) -> LibraryWindow:
    opened = LibraryWindow(store, "ann")
    qtbot.addWidget(opened)
    opened.show()
    return opened


@pytest.fixture
def started(monkeypatch) -> list[list[str]]:
    """The command lines of what would have been started, each at its work for good."""
    calls: list[list[str]] = []

    def start(name, module, options, logs_dir):
        calls.append([module, *options])
        return SimpleNamespace(name=name, has_ended=False, error="", log=logs_dir / "none", stop=lambda: None)

    monkeypatch.setattr(library_window, "start_job", start)
    monkeypatch.setattr(workshop, "start_job", start)
    return calls


@pytest.fixture
def opened_pages(monkeypatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: found.append(url.toLocalFile()) or True)
    return found


def counted(qtbot, page) -> None:
    """Waits until the trainer has counted what is chosen."""
    qtbot.waitUntil(lambda: not page.state.text().startswith("Counting") and page.picture.isEnabled(), timeout=LONG_MS)


def write_run(store, run_id: str, *rows, **config) -> Path:
    folder = store.runs_dir / run_id
    folder.mkdir(parents=True)
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    text = "".join(json.dumps({"step": 0, "steps": 100, "t": 1.0, **row}) + "\n" for row in rows)
    (folder / "progress.jsonl").write_text(text)
    (folder / "heartbeat").touch()
    return folder


def write_model(store, model_id: str, kind: str = "idm", scores: dict | None = None) -> Path:
    folder = store.models_dir / model_id
    folder.mkdir(parents=True)
    card = {
        "config": {"kind": kind, "name": "quick"},
        "dataset_id": "d1",
        "steps": 7,
        "created_at": "2026-11-30T10:00:00",
    }
    (folder / "model.json").write_text(json.dumps(card))
    if scores is not None:
        (folder / "evaluation.json").write_text(json.dumps({"scores": scores}))
        (folder / "card.html").write_text("<html></html>")
    return folder


def score(ap: float) -> dict:
    return {
        "macro_ap": ap,
        "macro_onset_f1": {"0": 0.1, "1": 0.5},
        "mouse": {"dx": {"r2": 0.3}, "dy": {"r2": None}},
        "cross_entropy": {"all": 1.5},
    }


# Choosing


def test_without_accepted_sessions_the_page_says_what_to_do(window, store, make_session, started, qtbot) -> None:
    make_session(store, count=30)
    window.actions_by_name["train"].trigger()
    page = window.workshop.train
    counted(qtbot, page)
    qtbot.waitUntil(lambda: "accept them" in page.state.text())
    assert not page.start.isEnabled()
    QTest.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert started == []


def test_nothing_chosen_trains_both_models_on_all_that_is_accepted(window, sittings, store, started, qtbot) -> None:
    window.actions_by_name["train"].trigger()
    page = window.workshop.train
    qtbot.waitUntil(lambda: page.line.text().startswith("4 accepted sessions"))
    counted(qtbot, page)
    contents = page.picture.contents
    assert contents.sessions == 4
    assert sum(contents.splits) == 4
    assert {key.name for key in contents.keys} >= {"W", "A"}
    assert any("minutes are left to train on" in warning for warning in contents.warnings)
    qtbot.waitUntil(page.start.isEnabled)
    QTest.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    wish = ["--models", "both", "--minutes", "12", "--by=group", "--config=quick"]
    assert started == [["trainer", "pipeline", "--library", str(store.root), *wish]]
    assert window.page == "runs"


def test_what_is_chosen_is_counted_at_once_and_asked_of_the_trainer(window, sittings, started, qtbot) -> None:
    window.go("train")
    page = window.workshop.train
    counted(qtbot, page)
    page.bar.chips["game"].choose("Maze")
    page.bar.chips["grade"].choose("usable")
    page.bar.chips["grade"].choose("usable", "good")
    page.bar.chips["flag"].choose("menu")
    page.bar.chips["review"].choose("any")
    page.form.choose_models("idm")
    page.form.minutes.setValue(3)
    assert page.bar.chips["grade"].values == ("good",)
    qtbot.waitUntil(lambda: page.sum is not None and page.sum.games <= 1)
    options = page.options()
    assert options[:4] == ["--models", "idm", "--minutes", "3"]
    assert {"--game=Maze", "--min-grade=good", "--flag-out=menu", "--review=any"} <= set(options)
    counted(qtbot, page)
    for name in ("grade", "flag"):
        page.bar.chips[name].choose()
    counted(qtbot, page)
    qtbot.waitUntil(lambda: page.picture.contents.games and dict(page.picture.contents.games).keys() == {"Maze"})
    assert page.picture.contents.sessions == 4


def test_a_dataset_is_frozen_here_and_trained_on_as_it_is(window, sittings, store, started, qtbot) -> None:
    window.go("train")
    page = window.workshop.train
    counted(qtbot, page)
    qtbot.waitUntil(page.freeze.isEnabled)
    QTest.mouseClick(page.freeze, LEFT)
    qtbot.waitUntil(lambda: page.datasets.count() == 2, timeout=LONG_MS)
    page.datasets.setCurrentRow(1)
    frozen = page.dataset
    assert frozen is not None
    assert page.line.text() == f"Dataset {frozen.id}"
    assert not page.bar.isEnabled()
    assert not page.freeze.isEnabled()
    assert page.picture.contents.sessions == 4
    page.form.offer([QUICK, Offer("quick-gpu", "Larger.", (160, 120), 20.0, True, ""), LARGE])
    assert [page.form.config.model().item(row).isEnabled() for row in range(3)] == [True, False, False]
    QTest.mouseClick(page.start, LEFT)
    assert started[0][2:] == [
        "--library", str(store.root), "--dataset", frozen.id, "--models", "both", "--minutes", "12", "--config=quick",
    ]  # fmt: skip
    page.datasets.setCurrentRow(0)
    assert page.bar.isEnabled()


def test_what_cannot_run_here_says_why(qtbot) -> None:
    form = TrainForm()
    qtbot.addWidget(form)
    form.offer([QUICK, LARGE])
    item = form.config.model().item(1)
    assert not item.isEnabled()
    assert item.toolTip() == "It needs an NVIDIA GPU."
    assert "p2p-150m: It needs an NVIDIA GPU." in form.what.text()
    form.choose_models("policy")
    assert form.minutes.value() == 5
    form.minutes.setValue(30)
    form.choose_models("both")
    assert form.minutes.value() == 30, "what a person chose stays"


def test_a_damaged_manifest_hides_no_other(store) -> None:
    for name, text in (("d1", "{"), ("d2", "[]"), ("d3", '{"items": 5}')):
        (store.datasets_dir / name).mkdir(parents=True)
        (store.datasets_dir / name / "manifest.json").write_text(text)
    assert DatasetFolder(store.datasets_dir).datasets() == []


# Runs


def test_a_run_that_came_is_chosen_and_asked_to_stop(window, store, qtbot) -> None:
    window.go("runs")
    page = window.workshop.runs
    assert not window.actions_by_name["stop_run"].isEnabled()
    rows = [{"step": s, "phase": "training", "loss": 3 - s / 50, "eta_s": 60.0} for s in range(1, 30)]
    rows += [{"step": 30, "phase": "evaluating", "val_loss": 2.5, "macro_ap": 0.4, "dx_r2": -0.1}]
    folder = write_run(store, "idm-1", *rows, config={"kind": "idm", "name": "quick"}, dataset_id="d1")
    qtbot.waitUntil(lambda: page.current is not None and page.current.id == "idm-1")
    assert [one.name for one in page.panel.loss.series] == ["training", "calibration split"]
    assert page.panel.metrics.figures().splitlines()[1] == "step 30\t0.4\t-0.1"
    assert not page.panel.grab().isNull()
    window.actions_by_name["stop_run"].trigger()
    assert (folder / STOP_NAME).exists()
    qtbot.waitUntil(lambda: page.current.phase == "stopping")
    assert not window.actions_by_name["stop_run"].isEnabled()


def test_the_chosen_run_stays_chosen_where_it_moves_in_the_list(window, store, qtbot) -> None:
    for number in (1, 2, 3):
        write_run(store, f"idm-{number}", {"phase": "stopped", "t": float(number)})
    window.go("runs")
    page = window.workshop.runs
    qtbot.waitUntil(lambda: page.list.runs.rowCount() == 3)
    page.choose("idm-1")
    others = [state for state in page.list.runs.states if state.id != "idm-1"]
    page.show_states([page.current, *others])
    assert page.current.id == "idm-1"
    page.show_states([*others, page.current])
    assert page.current.id == "idm-1"


@pytest.mark.parametrize("phase", ["stopped", "failed"])
def test_what_ended_is_gone_on_with(window, store, started, phase, qtbot) -> None:
    window.go("runs")
    row = {"phase": phase, "reason": "The disk is full."}
    write_run(store, "policy-1", row, config={"kind": "policy", "name": "quick"})
    page = window.workshop.runs
    qtbot.waitUntil(lambda: page.current is not None)
    assert ("The disk is full." in page.panel.facts.text()) == (phase == "failed")
    window.actions_by_name["resume_run"].trigger()
    assert started == [["trainer", "policy", "--library", str(store.root), "--resume", "policy-1"]]
    qtbot.waitUntil(lambda: page.current.phase == "starting")
    assert not window.actions_by_name["resume_run"].isEnabled()


def test_the_runs_of_a_pipeline_stand_under_it_and_its_curves_are_theirs(window, store, qtbot) -> None:
    write_run(store, "idm-1", *({"step": s, "phase": "training", "loss": 2.0, "t": 5.0} for s in (1, 2)))
    write_run(store, "idm-0", {"phase": "done", "t": 9.0})
    folder = write_run(store, "pipeline-1", {"phase": "training", "stage": "idm", "share": 0.25, "eta_s": 9.0})
    stages = [{"name": "dataset", "state": "done"}, {"name": "idm", "state": "running", "run": "idm-1"}]
    (folder / "pipeline.json").write_text(json.dumps({"stages": stages, "options": {"config": "quick"}}))
    window.go("runs")
    page = window.workshop.runs
    qtbot.waitUntil(lambda: page.list.runs.rowCount() == 3)
    assert [state.id for state in page.list.runs.states] == ["idm-0", "pipeline-1", "idm-1"]
    page.choose("pipeline-1")
    assert page.current.share == 0.25
    assert "stage 2 of 2 · 25%" in page.panel.facts.text()
    assert page.panel.loss_head.text() == "Loss · IDM"


# Models


def test_figures_stand_beside_the_baselines_and_the_card_opens(window, store, opened_pages, started, qtbot) -> None:
    folder = write_model(
        store, "idm-1", scores={"model": score(0.9), "marginal": score(0.2), "repeat last": score(0.8)}
    )
    write_model(store, "idm-2")
    window.go("models")
    page = window.workshop.models
    page.choose("idm-1")
    qtbot.waitUntil(lambda: page.current is not None and page.current.id == "idm-1")
    assert [page.scores.item(0, column).text() for column in range(3)] == ["0.900", "0.200", "0.800"]
    assert page.scores.item(3, 0).text() == "–"
    window.actions_by_name["model_card"].trigger()
    assert opened_pages == [str(folder / "card.html")]
    page.choose("idm-2")
    window.actions_by_name["model_card"].trigger()
    assert started[0][:2] == ["trainer", "evaluate"]
    window.actions_by_name["measure_model"].trigger()
    assert "at something already" in window.info.text


def test_a_model_that_is_only_now_there_is_chosen_at_once_when_it_is_asked_for(window, store, qtbot) -> None:
    write_model(store, "idm-1")
    window.go("models")
    page = window.workshop.models
    qtbot.waitUntil(lambda: page.current is not None)
    write_model(store, "idm-2")
    page.choose("idm-2")
    page.look()
    qtbot.waitUntil(lambda: page.current is not None and page.current.id == "idm-2")


def test_what_no_program_opens_is_told(window, store, monkeypatch, qtbot) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    folder = write_model(store, "idm-1")
    window.go("models")
    qtbot.waitUntil(lambda: window.workshop.models.current is not None)
    window.actions_by_name["open_model"].trigger()
    assert str(folder) in window.info.text


def test_models_are_named_deleted_and_taken_back(window, store, qtbot) -> None:
    write_model(store, "policy-1", "policy")
    window.go("models")
    page = window.workshop.models
    qtbot.waitUntil(lambda: page.current is not None)
    window.actions_by_name["rename_model"].trigger()
    page.name.setText("  night   shift ")
    page.list.setFocus()
    page.name.editingFinished.emit()
    qtbot.waitUntil(lambda: page.current is not None and page.current.title == "night shift")
    window.actions_by_name["trash_model"].trigger()
    qtbot.waitUntil(lambda: not page.list.models.models)
    assert trained_models(store.models_dir) == []
    window.info.action.click()
    qtbot.waitUntil(lambda: len(page.list.models.models) == 1)
    window.actions_by_name["trash_model"].trigger()
    window.close()
    assert not list((store.models_dir / ".trash").iterdir())


def test_models_of_one_kind_are_compared(window, store, started, qtbot) -> None:
    for model_id, kind in (("idm-1", "idm"), ("idm-2", "idm"), ("policy-1", "policy")):
        write_model(store, model_id, kind)
    window.go("models")
    page = window.workshop.models
    qtbot.waitUntil(lambda: len(page.list.models.models) == 3)
    page.list.selectAll()
    window.actions_by_name["compare_models"].trigger()
    assert started == []
    assert "of one kind" in window.info.text
    page.choose("idm-1")
    page._choose("idm-2", also=True)
    window.actions_by_name["compare_models"].trigger()
    assert started[0][:2] == ["trainer", "compare"]
    assert {"idm-1", "idm-2"} <= set(started[0])


def test_the_selected_sessions_are_labelled_by_an_idm(window, sittings, store, started, qtbot) -> None:
    window.actions_by_name["label_by_idm"].trigger()
    assert "no IDM yet" in window.info.text
    write_model(store, "idm-1")
    qtbot.waitUntil(lambda: window.sessions.model.rowCount() == 5)
    window.sessions.view.selectAll()
    window.actions_by_name["label_by_idm"].trigger()
    qtbot.waitUntil(lambda: window.findChild(LabelDialog) is not None)
    dialog = window.findChild(LabelDialog)
    dialog.doubts.setChecked(True)
    QTest.mouseClick(dialog.go, LEFT)
    command = started[0]
    assert command[:2] == ["trainer", "label"]
    assert command[4:8] == ["--json", "--model", "idm-1", "--disagreements=0.95"]
    assert set(sittings) <= set(command)


def test_a_policy_goes_on_learning_from_where_people_took_over(window, store, started, qtbot) -> None:
    window.actions_by_name["correct_model"].trigger()
    assert "no policy yet" in window.info.text
    write_model(store, "policy-1", "policy")
    write_model(store, "policy-2", "policy")
    window.go("models")
    qtbot.waitUntil(lambda: len(window.workshop.models.list.models.models) == 2)
    window.workshop.models.choose("policy-1")
    window.actions_by_name["correct_model"].trigger()
    dialog = window.findChild(CorrectDialog)
    dialog.minutes.setValue(7)
    QTest.mouseClick(dialog.go, LEFT)
    assert started[0][:2] == ["trainer", "correct"]
    assert started[0][-4:] == ["--model", "policy-1", "--minutes", "7"]
    assert window.page == "runs"


# For real


@pytest.mark.timeout(600)
def test_from_sessions_to_a_measured_model_stopped_and_gone_on_with(
    window, sittings, store, opened_pages, monkeypatch, qtbot
) -> None:
    """The trainer itself, briefly: it is stopped on the way, goes on, and its card opens."""
    monkeypatch.setenv("PYTHONPATH", str(Path(library_window.__file__).parents[3]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    window.go("train")
    train, runs, models = window.workshop.train, window.workshop.runs, window.workshop.models
    counted(qtbot, train)
    train.form.choose_models("idm")
    train.form.minutes.setValue(0.1)
    qtbot.waitUntil(train.start.isEnabled)
    QTest.mouseClick(train.start, LEFT)
    qtbot.waitUntil(lambda: runs.current is not None and runs.current.kind == "pipeline", timeout=LONG_MS)
    run_id = runs.current.id
    window.actions_by_name["stop_run"].trigger()
    qtbot.waitUntil(lambda: runs.current.phase == "stopped", timeout=LONG_MS)
    qtbot.waitUntil(lambda: not window.jobs, timeout=LONG_MS)
    window.actions_by_name["resume_run"].trigger()
    qtbot.waitUntil(lambda: runs.current.phase == "done", timeout=2 * LONG_MS)
    assert runs.current.id == run_id
    window.actions_by_name["run_model"].trigger()
    qtbot.waitUntil(lambda: models.current is not None and bool(models.current.scores))
    window.actions_by_name["model_card"].trigger()
    assert opened_pages == [str(store.models_dir / models.current.id / "card.html")]
    qtbot.waitUntil(lambda: not window.jobs, timeout=LONG_MS)
