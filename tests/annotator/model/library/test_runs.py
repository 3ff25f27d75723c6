from __future__ import annotations

import json
import os

import pytest

from annotator.model.library.following import Tail
from annotator.model.library.runs import SILENT_S, STOP_NAME, RunFolder, ask_to_stop, read_state
from annotator.model.library.trained import (
    empty_models_trash,
    name_model,
    restore_model,
    trained_models,
    trash_model,
    trashed_models,
)
from db.errors import BadArgument, NotFound, PlaytapeError


def write_run(runs_dir, name, rows, log="", heartbeat_s=None):
    folder = runs_dir / name
    folder.mkdir(parents=True)
    (folder / "progress.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "log.txt").write_text(log)
    (folder / "heartbeat").touch()
    if heartbeat_s is not None:
        for name in ("heartbeat", "progress.jsonl"):
            os.utime(folder / name, (heartbeat_s, heartbeat_s))
    return folder


def row(step, phase="training", **more):
    return {"step": step, "steps": 100, "phase": phase, "t": 1000.0 + step, **more}


def test_a_run_says_how_far_it_is(tmp_path) -> None:
    rows = [row(0, "trial"), row(10, loss=2.0, eta_s=90.0), row(20, loss=1.5, eta_s=80.0)]
    state = read_state(write_run(tmp_path, "idm-1", rows, "began\nwent on\n"))
    assert (state.phase, state.step, state.steps, state.loss, state.eta_s) == ("training", 20, 100, 1.5, 80.0)
    assert state.curve == ((10, 2.0), (20, 1.5))
    assert state.share == 0.2
    assert state.last_words == "went on"


def test_half_a_line_and_strange_lines_are_left_out(tmp_path) -> None:
    folder = write_run(tmp_path, "idm-1", [row(10, loss=2.0)])
    with (folder / "progress.jsonl").open("a") as file:
        file.write('[1]\n{"step": 20, "st')
    assert read_state(folder).step == 10
    assert read_state(tmp_path / "none").phase == "starting"


def test_a_silent_run_was_cut_off_and_an_ended_one_was_not(tmp_path) -> None:
    write_run(tmp_path, "live", [row(30)], heartbeat_s=5000)
    write_run(tmp_path, "over", [row(100, "done")], heartbeat_s=10)
    folder = RunFolder(tmp_path)
    assert {s.id: s.phase for s in folder.states(5001.0)} == {"live": "training", "over": "done"}
    assert {s.id: s.phase for s in folder.states(5001.0 + SILENT_S)} == {"live": "crashed", "over": "done"}
    assert [s.id for s in folder.states(5001.0)] == ["over", "live"]


def test_new_rows_are_read(tmp_path) -> None:
    folder = write_run(tmp_path, "idm-1", [row(10)])
    runs = RunFolder(tmp_path)
    assert runs.states()[0].step == 10
    with (folder / "progress.jsonl").open("a") as file:
        file.write(json.dumps(row(20)) + "\n")
    assert runs.states()[0].step == 20
    assert RunFolder(tmp_path / "none").states() == []


def test_rows_that_are_done_again_replace_what_was_read(tmp_path) -> None:
    folder = write_run(tmp_path, "idm-1", [row(10, loss=2.0), row(20, loss=1.5)])
    runs = RunFolder(tmp_path)
    assert runs.states()[0].curve == ((10, 2.0), (20, 1.5))
    fresh = folder / "fresh"
    fresh.write_text(json.dumps(row(10, loss=1.9)) + "\n")
    fresh.replace(folder / "progress.jsonl")
    assert runs.states()[0].curve == ((10, 1.9),)


def test_half_a_line_is_read_when_it_is_whole(tmp_path) -> None:
    path = tmp_path / "rows"
    tail = Tail(path)
    assert tail.read() == ([], False)
    assert not tail.is_there
    path.write_text('{"a": 1}\n{"a"')
    assert tail.read() == ([{"a": 1}], True)
    with path.open("a") as file:
        file.write(": 2}\nno row\n[3]\n")
    assert tail.read() == ([{"a": 2}], False)
    path.write_text("")
    assert tail.read() == ([], True)


def test_a_run_that_was_asked_for_can_be_gone_on_with_unless_it_is_a_stage(tmp_path) -> None:
    folder = write_run(tmp_path, "pipeline-1", [row(3, "stopped")])
    stages = {"stages": [{"name": "idm", "state": "running", "run": "idm-1"}]}
    (folder / "pipeline.json").write_text(json.dumps(stages))
    idm = write_run(tmp_path, "idm-1", [row(3, "stopped")])
    (idm / "config.json").write_text(json.dumps({"config": {"kind": "idm", "name": "quick"}}))
    write_run(tmp_path, "policy-1", [row(0, "failed", reason="The disk is full.")])
    states = {state.id: state for state in RunFolder(tmp_path).states()}
    assert {name: state.can_resume for name, state in states.items()} == {
        "pipeline-1": True, "idm-1": False, "policy-1": False,
    }  # fmt: skip
    assert states["idm-1"].part_of == "pipeline-1"
    assert states["policy-1"].reason == "The disk is full."
    ask_to_stop(idm)
    assert (idm / STOP_NAME).exists()
    with pytest.raises(PlaytapeError):
        ask_to_stop(tmp_path / "none")


def test_a_model_is_named_and_put_aside(tmp_path) -> None:
    write_card(tmp_path, "i1", "idm")
    name_model(tmp_path, "i1", "  the   good one ")
    assert trained_models(tmp_path)[0].title == "the good one"
    with pytest.raises(BadArgument):
        name_model(tmp_path, "i1", "x" * 81)
    name_model(tmp_path, "i1", "")
    assert trained_models(tmp_path)[0].title == "i1"
    trash_model(tmp_path, "i1")
    assert trained_models(tmp_path) == []
    restore_model(tmp_path, "i1")
    assert [model.id for model in trained_models(tmp_path)] == ["i1"]
    trash_model(tmp_path, "i1")
    assert trashed_models(tmp_path) == ["i1"]
    assert empty_models_trash(tmp_path) == 1
    with pytest.raises(NotFound):
        restore_model(tmp_path, "i1")


def write_card(models_dir, name, kind):
    (models_dir / name).mkdir(parents=True)
    (models_dir / name / "model.json").write_text(json.dumps({"config": {"kind": kind}}))


def test_models_are_told_by_their_cards(tmp_path) -> None:
    for name, card in (("p1", {"config": {"kind": "policy"}}), ("i1", {"config": {"kind": "idm"}}), ("x", [])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(json.dumps(card))
    assert [model.id for model in trained_models(tmp_path, "policy")] == ["p1"]
