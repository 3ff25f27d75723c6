from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from db.errors import BadArgument, BadFile, NotFound, TooNew
from db.recording.events import Gap, GapReason
from db.store import Store
from trainer.__main__ import main
from trainer.data.choice import Choice
from trainer.data.manifest import Manifest, read_manifest
from trainer.imputing import open_imputer
from trainer.models import read_card
from trainer.training import pipeline as pipelines
from trainer.training.pipeline import Pipeline
from trainer.training.plans import NAME, POLICY, Options, Plan, Stage, new_plan, plan_lock, read_plan, stages_for
from trainer.training.runs import STOP_NAME, open_run, read_progress
from trainer.training.timetable import Timetable

ROOT = Path(__file__).parents[3]
OPTIONS = Options(steps=6, threads=1, device="cpu", min_confidence=0.0, seed=2)


def record_video(store: Store, toys: Any, seed: int, group: str = "videos") -> str:
    """A session of the toy game whose inputs nobody recorded."""
    whole = Gap(toys.frame_ns(0), toys.frame_ns(180), GapReason.UNRECORDED)
    made: str = toys.record(store, group=group, seed=seed, seconds=12, gaps=(whole,), accept=False)
    return made


@pytest.fixture(scope="module")
def library(toy_library: Path, toys: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy library and two videos."""
    root = Path(shutil.copytree(toy_library, tmp_path_factory.mktemp("pipeline") / "library"))
    with Store.open(root) as store:
        for seed in (71, 72):
            record_video(store, toys, seed)
    return root


@pytest.fixture
def videos(library: Path) -> Iterator[Store]:
    with Store.open(library) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, configs: dict[str, Callable[..., Any]], toys: Any) -> None:
    monkeypatch.setattr(pipelines, "named_config", lambda kind, name: configs[kind]())
    monkeypatch.setattr(pipelines, "clip_named", lambda name: toys.clip)


def go(
    store: Store, plan: Plan, stopped: Callable[[], bool] = lambda: False
) -> tuple[bool, Pipeline, list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    pipeline = Pipeline(store, plan, rows.append, stopped)
    return pipeline.go(), pipeline, rows


def weights(store: Store, model: str) -> dict[str, torch.Tensor]:
    return load_file(store.models_dir / model / "model.safetensors")


def assert_same(store: Store, one: str, other: str) -> None:
    first, second = weights(store, one), weights(store, other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def whole(library: Path, configs: dict[str, Callable[..., Any]], toys: Any) -> tuple[Plan, list[dict[str, Any]]]:
    """A pipeline from its beginning to its end."""
    with pytest.MonkeyPatch.context() as patch, Store.open(library) as store:
        patch.setattr(pipelines, "named_config", lambda kind, name: configs[kind]())
        patch.setattr(pipelines, "clip_named", lambda name: toys.clip)
        finished, pipeline, rows = go(store, new_plan(store, OPTIONS))
        assert finished
        return pipeline.plan, rows


def test_every_stage_is_a_run_whose_outcome_is_kept(videos: Store, whole: tuple[Plan, list[dict[str, Any]]]) -> None:
    plan, rows = whole
    assert read_plan(videos, plan.id) == plan
    assert plan.is_done
    assert [stage.state for stage in plan.stages] == ["done"] * 6
    first, label = plan.stage("dataset"), plan.stage("label")
    assert first is not None
    assert label is not None
    human, mixed = (read_manifest(videos, stage.dataset) for stage in (first, label))
    assert not human.of("train", "imputed")
    assert len(mixed.of("train", "imputed")) == 2
    assert mixed.items[: len(human.items)] == human.items, "who is held out does not depend on the videos"
    idm, one, two = (plan.stage(name) for name in ("idm", "pretrain", "finetune"))
    assert [open_run(videos, stage.run)[1].steps for stage in (idm, one, two)] == [6, 3, 3]
    card = read_card(videos, two.model)
    assert card.train_on == "human"
    assert [(lesson.model, lesson.train_on, lesson.steps) for lesson in card.history] == [(one.model, "imputed", 3)]
    assert card.dataset_hash == mixed.hash
    assert read_card(videos, one.model).history == ()
    assert (videos.models_dir / two.model / "evaluation.json").exists()
    shares = [row["share"] for row in rows if "share" in row]
    assert shares[-1] == 1.0
    assert all(0 <= share <= 1 for share in shares)
    named = [row["stage"] for row in rows if "stage" in row]
    assert [name for name, _ in itertools.groupby(named)] == [stage.name for stage in plan.stages]
    assert all(row["eta_s"] >= 0 for row in rows)
    written = read_progress(videos.runs_dir / plan.id)
    assert [row["phase"] for row in written] == [row["phase"] for row in rows]


def test_stopped_again_and_again_it_ends_with_the_same_weights(
    videos: Store, whole: tuple[Plan, list[dict[str, Any]]]
) -> None:
    asked = itertools.count()
    plan = new_plan(videos, OPTIONS)
    stops = []
    for _ in range(40):
        finished, pipeline, rows = go(videos, read_plan(videos, plan.id), lambda: next(asked) % 9 == 8)
        if finished:
            break
        assert rows[-1]["phase"] == "stopped"
        stops.append(rows[-1]["stage"])
    assert finished
    assert {"idm", "pretrain"} <= set(stops)
    for name in ("idm", "pretrain", "finetune"):
        assert_same(videos, pipeline.plan.stage(name).model, whole[0].stage(name).model)
    runs = [stage.run for stage in pipeline.plan.stages if stage.run]
    assert len(set(runs)) == 3, "a stage that is gone on with begins no second run"


@pytest.mark.parametrize("call", [5, 9])
def test_a_crash_costs_nothing_but_time(videos: Store, whole: tuple[Plan, list[dict[str, Any]]], call: int) -> None:
    """Nothing is saved at the crash, in the IDM's training or right after it; what is trained anew is the same."""
    plan, asked = new_plan(videos, OPTIONS), itertools.count()

    def crash() -> bool:
        if next(asked) == call:
            raise RuntimeError("power cut")
        return False

    with pytest.raises(RuntimeError):
        go(videos, plan, crash)
    assert read_progress(videos.runs_dir / plan.id)[-1]["phase"] == "failed"
    finished, pipeline, _ = go(videos, read_plan(videos, plan.id))
    assert finished
    for name in ("idm", "finetune"):
        assert_same(videos, pipeline.plan.stage(name).model, whole[0].stage(name).model)


def test_minutes_and_steps_are_shared_out(videos: Store) -> None:
    timed = Options(minutes=10.0, idm_share=0.4, pretrain_share=0.75)
    plan = new_plan(videos, timed)
    budgets = {name: Timetable(timed).budget(plan, name) for name in ("idm", "pretrain", "finetune")}
    assert [minutes for minutes, _ in budgets.values()] == pytest.approx([4.0, 4.5, 1.5])
    alone = plan.replaced(Stage(name="pretrain", state="left out"))
    assert Timetable(timed).budget(alone, "finetune")[0] == pytest.approx(6.0)
    counted = Options(steps=5, pretrain_share=0.01)
    table = Timetable(counted)
    assert [table.budget(plan, name)[1] for name in ("idm", "pretrain", "finetune")] == [5, 1, 4]
    two = new_plan(videos, Options(minutes=10.0), POLICY)
    assert Timetable(two.options).budget(two, "pretrain") == (5.0, None)
    times = Timetable(timed)
    times.begin(plan, "idm")
    eta_s, share = times.left(1, 2, 60.0)
    assert eta_s > 60 + 6 * 60, "what comes after counts too"
    assert 0 <= share < 1


def test_without_videos_the_policy_learns_from_people_alone(toy_store: Store) -> None:
    finished, pipeline, _ = go(toy_store, new_plan(toy_store, OPTIONS))
    assert finished
    states = {stage.name: stage.state for stage in pipeline.plan.stages}
    assert states["label"] == states["pretrain"] == "left out"
    stage = pipeline.plan.stage("finetune")
    assert open_run(toy_store, stage.run)[1].steps == 6, "what pretraining does not take is not lost"
    assert read_card(toy_store, stage.model).history == ()


@pytest.mark.parametrize("kind", ["idm", "policy"])
def test_one_model_alone_has_all_the_time_on_a_dataset_that_is_there(
    toy_store: Store, toy_manifest: Manifest, kind: str
) -> None:
    stages = stages_for(kind, is_frozen=True)
    timed = new_plan(toy_store, Options(minutes=10.0), stages)
    assert Timetable(timed.options).budget(timed, stages[0])[0] == pytest.approx(10.0)
    plan = new_plan(toy_store, OPTIONS.model_copy(update={"dataset_id": toy_manifest.id}), stages)
    finished, pipeline, rows = go(toy_store, plan)
    assert finished
    assert list(pipeline.models()) == [kind]
    assert read_card(toy_store, pipeline.models()[kind]).dataset_id == toy_manifest.id
    assert rows[-1]["share"] == 1.0


def test_what_leads_to_a_model_is_no_more_than_it_needs() -> None:
    assert stages_for("both", is_frozen=True) == ("idm", "finetune", "evaluate")
    assert stages_for("both", is_frozen=True, is_imputed=True) == ("idm", "pretrain", "finetune", "evaluate")
    assert stages_for("policy", is_frozen=True, is_imputed=True) == ("pretrain", "finetune", "evaluate")
    assert stages_for("idm") == ("dataset", "idm", "evaluate")


def test_it_stops_between_two_sessions_that_are_read(toy_store: Store, toy_manifest: Manifest) -> None:
    options = OPTIONS.model_copy(update={"dataset_id": toy_manifest.id})
    plan = new_plan(toy_store, options, stages_for("idm", is_frozen=True))
    folder = toy_store.runs_dir / plan.id
    pipeline = Pipeline(toy_store, plan, lambda row: (folder / STOP_NAME).touch())
    assert not pipeline.go()
    run_id = pipeline.plan.stages[0].run
    assert run_id is not None
    phases = [row["phase"] for row in read_progress(toy_store.runs_dir / run_id)]
    assert phases == ["reading sessions", "stopped"]
    assert go(toy_store, read_plan(toy_store, plan.id))[0]


@pytest.mark.parametrize("which", ["pipeline", "stage"])
def test_who_asks_by_a_file_stops_it_and_it_goes_on(toy_store: Store, toy_manifest: Manifest, which: str) -> None:
    options = OPTIONS.model_copy(update={"dataset_id": toy_manifest.id})
    plan = new_plan(toy_store, options, stages_for("idm", is_frozen=True))
    folder = toy_store.runs_dir / plan.id

    def ask(row: dict[str, Any]) -> None:
        if row["phase"] == "trial" or row.get("stage_loss"):
            (folder if which == "pipeline" else toy_store.runs_dir / row["run"]).joinpath(STOP_NAME).touch()

    pipeline = Pipeline(toy_store, plan, ask)
    assert not pipeline.go()
    run_id = pipeline.plan.stages[0].run
    assert run_id is not None
    assert [read_progress(toy_store.runs_dir / one)[-1]["phase"] for one in (plan.id, run_id)] == ["stopped"] * 2
    finished, again, _ = go(toy_store, read_plan(toy_store, plan.id))
    assert finished
    assert again.models() == {"idm": run_id}


def test_a_stage_that_fails_is_named_and_can_be_tried_again(
    videos: Store, monkeypatch: pytest.MonkeyPatch, whole: tuple[Plan, list[dict[str, Any]]]
) -> None:
    plan = new_plan(videos, OPTIONS.model_copy(update={"dataset_id": mixed_dataset(videos, whole)}), POLICY)

    def fail(*args: Any, **more: Any) -> None:
        raise BadFile("The video is damaged; restore it.")

    rows: list[dict[str, Any]] = []
    with monkeypatch.context() as patch:
        patch.setattr(pipelines.loop, "train", fail)
        with pytest.raises(BadFile):
            Pipeline(videos, plan, rows.append).go()
    assert (rows[-1]["phase"], rows[-1]["stage"]) == ("failed", "pretrain")
    assert "restore it" in rows[-1]["reason"]
    finished, pipeline, _ = go(videos, read_plan(videos, plan.id))
    assert finished
    assert_same(videos, pipeline.models()["policy"], whole[0].stage("finetune").model)


def mixed_dataset(store: Store, whole: tuple[Plan, list[dict[str, Any]]]) -> str:
    stage = whole[0].stage("label")
    assert stage is not None
    assert stage.dataset is not None
    return stage.dataset


def test_two_processes_never_work_on_one_pipeline(videos: Store) -> None:
    plan = new_plan(videos, OPTIONS)
    with plan_lock(videos, plan), pytest.raises(BadArgument, match="another process"):
        go(videos, plan)


def test_a_policy_cannot_learn_from_what_was_never_imputed(toy_store: Store, toy_manifest: Manifest) -> None:
    plan = new_plan(toy_store, OPTIONS.model_copy(update={"dataset_id": toy_manifest.id}), POLICY)
    with pytest.raises(BadArgument, match="--impute-with"):
        go(toy_store, plan)


def test_damaged_files_are_refused(videos: Store) -> None:
    plan = new_plan(videos, OPTIONS)
    path = videos.runs_dir / plan.id / NAME
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"format": 99}))
    with pytest.raises(TooNew):
        read_plan(videos, plan.id)
    path.write_text(json.dumps(facts)[:-20])
    with pytest.raises(BadFile, match="damaged"):
        read_plan(videos, plan.id)
    with pytest.raises(NotFound, match="no pipeline"):
        read_plan(videos, "../" + plan.id)


def test_a_policy_is_no_imputer(videos: Store, whole: tuple[Plan, list[dict[str, Any]]]) -> None:
    with pytest.raises(BadArgument, match="imputed by an IDM"):
        open_imputer(videos, whole[0].stage("finetune").model)


def test_each_step_by_itself_from_the_command_line(
    library: Path, whole: tuple[Plan, list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--library", str(library), "--threads", "1", "--device", "cpu", "--json"]

    def call(*args: str) -> list[dict[str, Any]]:
        assert main([*args, *common]) == 0, capsys.readouterr().err
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    idm = whole[0].stage("idm").model
    rows = call("dataset", "--impute-with", idm, "--min-confidence", "0", "--seed", "2")
    dataset = rows[-1]
    assert dataset["imputed_sessions"] == 2
    shares = ["--pretrain-share", "0.25"]
    rows = call(
        "policy",
        "--dataset",
        dataset["id"],
        "--pretrain-on",
        "imputed",
        "--finetune-on",
        "human",
        "--steps",
        "4",
        *shares,
    )
    assert [stage["name"] for stage in rows[-1]["stages"]] == ["pretrain", "finetune"]
    with Store.open(library) as store:
        card = read_card(store, rows[-1]["policy"])
        assert (card.steps, card.train_on) == (3, "human")
        assert [(lesson.steps, lesson.train_on) for lesson in card.history] == [(1, "imputed")]
    further = ["--dataset", dataset["id"], "--start-from", card.id, "--train-on", "all", "--steps", "1"]
    model = call("policy", *further)[-1]["model"]
    with Store.open(library) as store:
        assert [lesson.model for lesson in read_card(store, model).history] == [
            *[x.model for x in card.history],
            card.id,
        ]
    assert main(["idm", "--dataset", dataset["id"], "--start-from", card.id, "--steps", "1", *common]) == 1
    assert "can only go on from" in capsys.readouterr().err
    assert main(["policy", "--finetune-on", "human", "--steps", "2", *common]) == 1
    assert main(["policy", "--pretrain-on", "imputed", "--steps", "1", *common]) == 1
    assert "--steps" in capsys.readouterr().err
    assert main(["dataset", "--impute-with", card.id, *common]) == 1


def test_a_dataset_of_other_pictures_is_refused(
    toy_library: Path, toy_manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["pipeline", "--library", str(toy_library), "--dataset", toy_manifest.id]
    assert main([*command, "--config", "quick-gpu", "--models", "idm"]) == 1
    assert "not frozen for quick-gpu" in capsys.readouterr().err


def test_the_whole_from_the_command_line(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["pipeline", "--library", str(library), "--threads", "1", "--device", "cpu"]
    asked = ["--steps", "2", "--game", "toy", "--min-confidence", "0.01", "--seed", "4", "--idm-share", "0.3"]
    assert main([*command, *asked]) == 0
    printed = capsys.readouterr()
    assert "6/6 evaluate" in printed.err
    assert "finetune  done" in printed.out
    plan_id = printed.out.split()[1]
    with Store.open(library) as store:
        options = read_plan(store, plan_id).options
    assert options.choice == Choice(games=("toy",))
    assert (options.steps, options.min_confidence, options.seed, options.idm_share) == (2, 0.01, 4, 0.3)
    assert main([*command, "--json", "--resume", plan_id]) == 0, "there is nothing left to do"
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["pipeline"] == plan_id
    for wrong in (["--minutes", "0"], ["--steps", "1"], ["--idm-share", "1"], ["--resume", "nothing"]):
        assert main([*command, *wrong]) == 1
    assert "--idm-share: input should be less than 1" in capsys.readouterr().err


def test_the_command_is_killed_and_goes_on(library: Path, whole: tuple[Plan, list[dict[str, Any]]]) -> None:
    """With the real configuration: killed in the first stage's training, then asked to go on to the end."""
    command = [sys.executable, "-P", "-m", "trainer"]
    common = ["--library", str(library), "--json"]
    stages = ["--dataset", whole[0].stage("label").dataset, "--pretrain-on", "imputed", "--finetune-on", "human"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    begin = [*command, "policy", *common, *stages, "--steps", "4", "--threads", "1", "--device", "cpu"]
    with subprocess.Popen(begin, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line).get("phase") == "training":
                    break
        finally:
            process.kill()
    with Store.open(library) as store:
        plan_id = max(path.parent.name for path in store.runs_dir.glob(f"*/{NAME}"))
        begun = read_plan(store, plan_id)
    assert [stage.state for stage in begun.stages] == ["running", "waiting"]
    resume = [*command, "pipeline", *common, "--resume", plan_id]
    done = subprocess.run(resume, env=env, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert not last["stopped"]
    assert last["stages"][0]["run"] == begun.stages[0].run
    assert last["policy"] == last["stages"][1]["model"]
