"""From curated sessions to an evaluated policy in one go: dataset, IDM, labels, pretraining, fine-tuning, evaluation.

What a stage made is written down before the next one begins, and a training goes on from its last save; so a pipeline that
was stopped or killed goes on where it was, to the same weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from filelock import Timeout

from db.errors import BadArgument
from db.store import Store
from trainer.configs import Kind, clip_named, named_config
from trainer.data.choice import chosen_videos
from trainer.data.dataset import freeze
from trainer.data.manifest import Manifest, Source, read_manifest
from trainer.imputing import open_imputer
from trainer.models import choose_device, read_origin
from trainer.training import loop
from trainer.training.plans import Plan, Stage, StageName, plan_lock, run_of, write_plan
from trainer.training.runs import CONFIG_NAME, Pulse, Run, RunConfig, new_run, open_run, reason_of, told_of_failure
from trainer.training.stopping import Stopped
from trainer.training.timetable import Timetable
from trainer.training.trial import plan as plan_run

Row = dict[str, Any]
Report = Callable[[Row], None]


@dataclass
class Pipeline:
    """Works through a plan. Use `go` once; one process works on a plan at a time."""

    store: Store
    plan: Plan
    report: Report = lambda row: None
    """Gets every row of the pipeline's progress as it is written."""
    stopped: Callable[[], bool] = lambda: False
    _times: Timetable = field(init=False)
    _run: Run = field(init=False)

    def __post_init__(self) -> None:
        self._run = run_of(self.store, self.plan)
        self._times = Timetable(self.plan.options)
        self._device = choose_device(self.plan.options.device)
        self._work: dict[StageName, Callable[[Stage], Stage | None]] = {
            "dataset": self._freeze,
            "idm": self._train_idm,
            "label": self._label,
            "pretrain": self._pretrain,
            "finetune": self._finetune,
            "evaluate": self._evaluate,
        }

    def go(self) -> bool:
        """Does what is left to do; False once it was stopped before the end.

        Raises BadArgument where another process works on it, and what the stages raise; what is done stays done.
        """
        try:
            with plan_lock(self.store, self.plan), Pulse(self._run):
                self._run.forget_stop()
                return self._go()
        except Timeout:
            raise BadArgument(f"{self.plan.id} is being worked on by another process; wait for it.") from None

    def _go(self) -> bool:
        for stage in self.plan.stages:
            if stage.state in ("done", "left out"):
                continue
            if self._is_to_stop():
                return self._stop(stage)
            self._keep(stage.model_copy(update={"state": "running"}))
            began_s = time.monotonic()
            self._times.begin(self.plan, stage.name)
            try:
                found = self._work[stage.name](self._current(stage.name))
            except (Exception, KeyboardInterrupt) as error:
                reason = reason_of(error)
                self._run.log(f"{stage.name} failed: {reason}")
                self.report(self._run.progress("failed", stage=stage.name, reason=reason))
                raise
            spent_s = round(stage.spent_s + time.monotonic() - began_s, 3)
            if found is None:
                self._keep(self._current(stage.name).model_copy(update={"spent_s": spent_s}))
                return self._stop(stage)
            state = "done" if found.state == "running" else found.state
            self._keep(found.model_copy(update={"spent_s": spent_s, "state": state}))
            self._run.log(f"{stage.name} {state}" + (f": {found.note}" if found.note else ""))
        made: dict[str, Any] = dict(self.models())
        self.report(self._run.progress("done", eta_s=0.0, share=1.0, **made))
        return True

    def models(self) -> dict[str, str]:
        """The models made so far, by kind."""
        made: dict[str, str] = {}
        for name, kind in (("idm", "idm"), ("pretrain", "policy"), ("finetune", "policy")):
            stage = next((stage for stage in self.plan.stages if stage.name == name), None)
            if stage is not None and stage.model:
                made[kind] = stage.model
        return made

    # Stages: each gives itself as it is when it is done, or None once it was stopped

    def _freeze(self, stage: Stage) -> Stage | None:
        self._tell("freezing", 0, 1)
        manifest = freeze(self.store, **self._how())
        return stage.model_copy(update={"dataset": manifest.id})

    def _train_idm(self, stage: Stage) -> Stage | None:
        return self._train(stage, "idm", self._dataset(), "human")

    def _label(self, stage: Stage) -> Stage | None:
        options = self.plan.options
        videos = chosen_videos(self.store, options.choice)
        if not videos:
            return _left_out(stage, "there is no session without inputs")
        lengths = {video.id: round(video.duration_s * clip_named(options.config).rate_hz) for video in videos}
        behind: dict[str, int] = {}

        def progress(session_id: str, done: int, total: int) -> None:
            behind[session_id], lengths[session_id] = done, total
            self._tell("imputing", sum(behind.values()), max(sum(lengths.values()), 1))

        imputer = open_imputer(
            self.store, self.models()["idm"], min_confidence=options.min_confidence, any_game=options.any_game,
            device=options.device, threads=options.threads, progress=progress, stopped=self._is_to_stop,
        )  # fmt: skip
        try:
            manifest = freeze(self.store, **self._how(), imputer=imputer)
        except Stopped:
            return None
        if not manifest.imputed_hours:
            return _left_out(stage, "nothing could be imputed: " + " ".join(manifest.warnings[:1]))
        count = len(manifest.of("train", "imputed"))
        note = f"{count} sessions, {manifest.imputed_hours * 60:.1f} minutes imputed"
        return stage.model_copy(update={"dataset": manifest.id, "note": note})

    def _pretrain(self, stage: Stage) -> Stage | None:
        manifest = self._dataset()
        if self.plan.options.pretrain_on == "imputed" and not manifest.of("train", "imputed"):
            if self.plan.stage("label") is None:
                raise BadArgument(
                    f"Dataset {manifest.id} has no imputed actions; freeze one with `dataset --impute-with MODEL`."
                )
            return _left_out(stage, "there is nothing imputed to train on")
        return self._train(stage, "policy", manifest, self.plan.options.pretrain_on)

    def _finetune(self, stage: Stage) -> Stage | None:
        before = self.plan.stage("pretrain")
        origin = before.model if before else None
        return self._train(stage, "policy", self._dataset(), self.plan.options.finetune_on, start_from=origin)

    def _evaluate(self, stage: Stage) -> Stage | None:
        from trainer.scoring.evaluate import evaluate  # draws its plots with matplotlib, which no other stage needs

        models = self.models()
        for done, model in enumerate(models.values()):
            if self._is_to_stop():
                return None
            self._tell("evaluating", done, len(models))
            evaluate(self.store, model)
        return stage

    # What they share

    def _train(
        self, stage: Stage, kind: Kind, manifest: Manifest, train_on: Source, start_from: str | None = None
    ) -> Stage | None:
        """A run of its own, or the one that was begun, to its end."""
        run, planned = self._begun(stage, kind)
        stage = stage.model_copy(update={"run": run.id, "dataset": manifest.id})
        self._keep(stage)

        def report(row: Row) -> None:
            figures = {"run": run.id, "stage_loss": row.get("loss")}  # a run's curves are in its own folder
            phase = "saving" if row["phase"] == "done" else row["phase"]  # the pipeline is not done with its stage
            self._tell(phase, row["step"], row["steps"], left_s=row.get("eta_s"), **figures)

        run.forget_stop()
        with Pulse(run), told_of_failure(run):
            stops = lambda: self._is_to_stop() or run.is_asked_to_stop()  # noqa: E731
            try:
                data = loop.load_data(self.store, manifest, run, report, train_on, stops)
            except Stopped:
                run.progress("stopped")
                return None
            if planned is None:
                planned = self._plan_run(stage, data, run, kind, train_on, start_from, report)
            if planned.dataset_hash != manifest.hash:
                raise BadArgument(
                    f"Dataset {manifest.id} is not the one run {run.id} began with; start a new pipeline."
                )
            card = loop.train(self.store, data, run, planned, device=self._device, report=report, stopped=stops)
        return (
            stage.model_copy(update={"model": card.id, "note": loop.in_words(card.figures)})
            if card is not None
            else None
        )

    def _begun(self, stage: Stage, kind: Kind) -> tuple[Run, RunConfig | None]:
        if stage.run is None:
            return new_run(self.store, kind), None
        if (self.store.runs_dir / stage.run / CONFIG_NAME).exists():
            return open_run(self.store, stage.run)
        return Run(self.store.runs_dir / stage.run), None

    def _plan_run(
        self,
        stage: Stage,
        data: loop.Data,
        run: Run,
        kind: Kind,
        train_on: Source,
        start_from: str | None,
        report: Report,
    ) -> RunConfig:
        """What the run does: with the configuration that its weights were made for, where they come from another."""
        options = self.plan.options
        if start_from is None:
            config = loop.fit_config(named_config(kind, options.config), data)
        else:
            config = read_origin(self.store, start_from, kind, data.manifest).card.config
        minutes, steps = self._times.budget(self.plan, stage.name)
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        return plan_run(
            data, run, config, minutes=minutes, steps=steps, seed=options.seed, device=self._device, report=report,
            threads=options.threads, train_on=train_on, start_from=start_from,
        )  # fmt: skip

    def _dataset(self) -> Manifest:
        """The newest that this pipeline froze, or the one that was given."""
        made = [stage.dataset for stage in self.plan.stages if stage.name in ("dataset", "label") and stage.dataset]
        given = [self.plan.options.dataset_id] if self.plan.options.dataset_id else []
        return read_manifest(self.store, [*given, *made][-1])

    def _how(self) -> dict[str, Any]:
        options = self.plan.options
        return {
            "clip": clip_named(options.config),
            "choice": options.choice,
            "held_out_share": options.held_out_share,
            "by": options.by,
            "seed": options.seed,
        }

    def _tell(self, phase: Any, done: int, total: int, *, left_s: float | None = None, **figures: Any) -> None:
        """One row for the whole pipeline: `eta_s` is what is left of all stages, `share` what is done of all time."""
        eta_s, share = self._times.left(done, total, left_s)
        name = self._times.stage
        numbers = {"stage": name, "stage_number": self._names().index(name) + 1, "stages": len(self.plan.stages)}
        row = self._run.progress(phase, step=done, steps=total, eta_s=eta_s, share=share, **numbers, **figures)
        self.report(row)

    def _is_to_stop(self) -> bool:
        return self.stopped() or self._run.is_asked_to_stop()

    def _names(self) -> list[StageName]:
        return [stage.name for stage in self.plan.stages]

    def _current(self, name: StageName) -> Stage:
        found = self.plan.stage(name)
        assert found is not None
        return found

    def _keep(self, stage: Stage) -> None:
        self.plan = self.plan.replaced(stage)
        write_plan(self.store, self.plan)

    def _stop(self, stage: Stage) -> bool:
        self._run.log(f"stopped in {stage.name}")
        self.report(self._run.progress("stopped", stage=stage.name))
        return False


def _left_out(stage: Stage, note: str) -> Stage:
    return stage.model_copy(update={"state": "left out", "note": note})
