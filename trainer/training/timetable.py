"""How long a pipeline's stages take: what is known, what was asked for, and guesses for the rest."""

from __future__ import annotations

import time

from trainer.training.plans import Options, Plan, StageName

_GUESS_S: dict[StageName, float] = {"dataset": 5.0, "label": 30.0, "evaluate": 20.0}
"""Until they begin; then they are measured."""
_GUESS_STEP_S = 0.3


class Timetable:
    """Tells the share that is done and the seconds that are left, and shares out the minutes and steps."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._spent_s = self._later_s = 0.0
        self._began_s = time.monotonic()
        self.stage: StageName = "dataset"

    def begin(self, plan: Plan, name: StageName) -> None:
        """A stage begins, or goes on."""
        self.stage, self._began_s = name, time.monotonic()
        names = [stage.name for stage in plan.stages]
        self._spent_s = sum(stage.spent_s for stage in plan.stages)
        later = [stage for stage in plan.stages[names.index(name) + 1 :] if stage.state == "waiting"]
        self._later_s = sum(self._expected_s(plan, stage.name) for stage in later)
        self._own_s = self._expected_s(plan, name)

    def budget(self, plan: Plan, name: StageName) -> tuple[float | None, int | None]:
        """(minutes, steps) of a training; one of them is None. What pretraining does not take, fine-tuning does."""
        options = self._options
        before = plan.stage("pretrain")
        has_two = before is not None and before.state != "left out"
        share = 1.0
        if has_two and name in ("pretrain", "finetune"):
            share = options.pretrain_share if name == "pretrain" else 1 - options.pretrain_share
        if options.steps is not None:
            first = min(max(1, round(options.steps * options.pretrain_share)), options.steps - 1)
            parts = {"pretrain": first, "finetune": options.steps - first if has_two else options.steps}
            return None, parts.get(name, options.steps)
        assert options.minutes is not None, "a pipeline is as long as its minutes or its steps"
        of_kind = 1.0
        if plan.stage("idm") is not None and plan.stage("finetune") is not None:
            of_kind = options.idm_share if name == "idm" else 1 - options.idm_share
        return options.minutes * of_kind * share, None

    def left(self, done: int, total: int, left_s: float | None) -> tuple[float, float]:
        """(seconds left of all stages, share of the whole time that is over). left_s: of this stage, where it says so."""
        here_s = time.monotonic() - self._began_s
        if left_s is None:
            measured = here_s / done * (total - done) if done and here_s > 2 else None
            left_s = measured if measured is not None else max(self._own_s - here_s, 0.0)
        over_s, all_left_s = self._spent_s + here_s, left_s + self._later_s
        return round(all_left_s, 1), round(over_s / max(over_s + all_left_s, 1e-9), 4)

    def _expected_s(self, plan: Plan, name: StageName) -> float:
        if name in _GUESS_S:
            return _GUESS_S[name]
        minutes, steps = self.budget(plan, name)
        return minutes * 60 if minutes is not None else (steps or 0) * _GUESS_STEP_S
