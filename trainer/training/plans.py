"""A pipeline's file, `runs/<id>/pipeline.json`: what was asked for, and how far each stage has come.

Beside it lie progress.jsonl, log.txt and heartbeat as in every run's folder (`trainer.training.runs`); the rows also name the stage.
Each training is a run of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from filelock import FileLock
from pydantic import BaseModel, Field, ValidationError

from db.errors import BadFile, NotFound, TooNew
from db.files import replace_text
from db.specs import Spec
from db.store import Store
from trainer.configs import Share
from trainer.data.choice import Choice
from trainer.data.imputed import DEFAULT_CONFIDENCE
from trainer.data.manifest import Source, SplitBy
from trainer.training.runs import Run, new_run

NAME, LOCK_NAME = "pipeline.json", "pipeline.lock"
FORMAT = 1

StageName = Literal["dataset", "idm", "label", "pretrain", "finetune", "evaluate"]
WHOLE: tuple[StageName, ...] = ("dataset", "idm", "label", "pretrain", "finetune", "evaluate")
_OF: dict[str, tuple[StageName, ...]] = {
    "both": WHOLE,
    "idm": ("dataset", "idm", "evaluate"),
    "policy": ("dataset", "finetune", "evaluate"),
}
POLICY: tuple[StageName, ...] = ("pretrain", "finetune")
"""The two trainings of a policy alone, on a dataset that is there."""


class Options(Spec):
    """What a pipeline was asked for."""

    config: str = "quick"
    choice: Choice = Choice()
    held_out_share: float = 0.2
    by: SplitBy = "group"
    seed: int = 0
    dataset_id: str | None = None
    """To train on; None where the pipeline freezes its own."""
    minutes: float | None = None
    """Of all trainings together. Either this or `steps`."""
    steps: Annotated[int, Field(ge=2)] | None = None
    """Of each model."""
    idm_share: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Of the minutes."""
    pretrain_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Of the policy's minutes or steps."""
    pretrain_on: Source = "imputed"
    finetune_on: Source = "human"
    min_confidence: Share = DEFAULT_CONFIDENCE
    any_game: bool = False
    threads: int | None = None
    device: str = "auto"


class Stage(Spec):
    """One stage and what came of it."""

    name: StageName
    state: Literal["waiting", "running", "done", "left out"] = "waiting"
    run: str | None = None
    dataset: str | None = None
    model: str | None = None
    spent_s: float = 0.0
    note: str = ""
    """Why it was left out, or what is worth knowing of it."""


class Plan(Spec):
    """The whole pipeline."""

    format: int = FORMAT
    id: str
    created_at: str
    options: Options
    stages: tuple[Stage, ...]

    def stage(self, name: StageName) -> Stage | None:
        """None where the pipeline has no such stage."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def replaced(self, stage: Stage) -> Plan:
        """The same plan with this stage in the place of the one of its name."""
        return self.model_copy(
            update={"stages": tuple(stage if old.name == stage.name else old for old in self.stages)}
        )

    @property
    def is_done(self) -> bool:
        return all(stage.state in ("done", "left out") for stage in self.stages)


def stages_for(models: str, *, is_frozen: bool = False, is_imputed: bool = False) -> tuple[StageName, ...]:
    """What leads to these models (`both`, `idm`, `policy`). A frozen dataset is taken as it is, also what is imputed in it."""
    stages = _OF[models]
    if not is_frozen:
        return stages
    left_out = {"dataset", "label"} | (set() if is_imputed else {"pretrain"})
    if is_imputed and models == "policy":
        stages = ("pretrain", *stages)
    return tuple(name for name in stages if name not in left_out)


def new_plan(store: Store, options: Options, stages: tuple[StageName, ...] = WHOLE) -> Plan:
    """A pipeline in a folder of its own, not begun yet."""
    run = new_run(store, "pipeline")
    plan = Plan(
        id=run.id,
        created_at=datetime.now(UTC).isoformat(),
        options=options,
        stages=tuple(Stage(name=name) for name in stages),
    )
    write_plan(store, plan)
    return plan


def write_plan(store: Store, plan: Plan) -> None:
    """Replaces the file: at any instant either the old or the new state is there."""
    replace_text(store.runs_dir / plan.id / NAME, plan.model_dump_json(indent=1) + "\n")


def read_plan(store: Store, plan_id: str) -> Plan:
    """Raises NotFound (naming what there is), TooNew, BadFile."""
    path = store.runs_dir / plan_id / NAME
    if not plan_id or Path(plan_id).name != plan_id or not path.is_file():
        known = sorted(found.parent.name for found in store.runs_dir.glob(f"*/{NAME}"))
        raise NotFound(f"There is no pipeline {plan_id!r}" + (f"; there are: {', '.join(known)}." if known else "."))
    try:
        text = path.read_text(encoding="utf-8")
        written = _Header.model_validate_json(text).format
        if written > FORMAT:
            raise TooNew(f"{path} has format {written}, this Playtape reads up to {FORMAT}; update Playtape to use it.")
        return Plan.model_validate_json(text)
    except (OSError, ValueError, ValidationError) as error:
        raise BadFile(f"{path} is damaged ({str(error).splitlines()[0]}); start a new pipeline.") from None


def plan_lock(store: Store, plan: Plan) -> FileLock:
    """Held by the process that works on it; acquiring raises filelock.Timeout at once where another one does."""
    return FileLock(store.runs_dir / plan.id / LOCK_NAME, timeout=0)


def run_of(store: Store, plan: Plan) -> Run:
    return Run(store.runs_dir / plan.id)


class _Header(BaseModel):
    format: int
