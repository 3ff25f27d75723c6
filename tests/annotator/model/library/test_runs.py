from __future__ import annotations

import json
import os

from annotator.model.library.runs import SILENT_S, RunFolder, read_state
from annotator.model.library.trained import trained_models


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
    assert {s.id: s.phase for s in folder.states(5001.0 + SILENT_S)} == {"live": "cut off", "over": "done"}
    assert [s.id for s in folder.states(5001.0)] == ["over", "live"]


def test_new_rows_are_read(tmp_path) -> None:
    folder = write_run(tmp_path, "idm-1", [row(10)])
    runs = RunFolder(tmp_path)
    assert runs.states()[0].step == 10
    with (folder / "progress.jsonl").open("a") as file:
        file.write(json.dumps(row(20)) + "\n")
    assert runs.states()[0].step == 20
    assert RunFolder(tmp_path / "none").states() == []


def test_models_are_told_by_their_cards(tmp_path) -> None:
    for name, card in (("p1", {"config": {"kind": "policy"}}), ("i1", {"config": {"kind": "idm"}}), ("x", [])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(json.dumps(card))
    assert [model.id for model in trained_models(tmp_path, "policy")] == ["p1"]
