"""Plays a policy's episodes, and those of the players beside it, in the same settings; what was played before is taken over."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from db import yardsticks
from db.errors import BadArgument
from db.media.resize import Picture
from db.yardsticks import Deed
from trainer.episodes.finding import CheckedGame
from trainer.episodes.game import Step, Task
from trainer.episodes.record import Episode, Episodes, Player, Setting, Telling
from trainer.models import Loaded
from trainer.play import Sampling, open_player
from trainer.training.stopping import Stopped

MODEL, DEMONSTRATOR = "model", "demonstrator"
RIVALS = (DEMONSTRATOR, yardsticks.RANDOM, yardsticks.NOOP, yardsticks.REPEAT_LAST)

Act = Callable[[Picture], Deed]
"""What a player does on seeing a picture."""


@dataclass(frozen=True)
class Plan:
    """What is to be played of a game: so many episodes of each task by each player, with seeds from `first_seed` on."""

    game: str
    """As `finding.find_game` takes it."""
    episodes: int = 16
    first_seed: int = 1000
    instructions: tuple[str, ...] = ()
    """Of the tasks; all of them where there are none."""
    tellings: tuple[Telling, ...] = ("asked",)
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def seeds(self) -> range:
        return range(self.first_seed, self.first_seed + self.episodes)


def choose_tasks(game: CheckedGame, plan: Plan) -> list[Task]:
    """Raises BadArgument for an instruction that is no task's."""
    known = {task.instruction: task for task in game.tasks}
    if wrong := [text for text in plan.instructions if text not in known]:
        there = ", ".join(map(repr, known))
        raise BadArgument(f"{game.name} has no task {', '.join(map(repr, wrong))}; there are: {there}.")
    return [known[text] for text in plan.instructions] if plan.instructions else list(game.tasks)


def play_all(
    loaded: Loaded,
    taught: Collection[str],
    game: CheckedGame,
    plan: Plan,
    record: Episodes,
    tell: Callable[[float], None] = lambda share: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Episode]:
    """All episodes of the plan. taught: the instructions of the model's training, which no unseen wording may be one of.

    tell: is given the share that is done. Raises Stopped between two ticks, BadArgument where the plan does not fit the game.
    """
    waiting = list(_plan(loaded, taught, game, plan))
    found = []
    for number, (setting, player, told) in enumerate(waiting):
        episode = record.get(setting, player)
        if episode is None:
            tell(number / len(waiting))
            step, ticks = _play(loaded, game, plan, setting, player, told, stopped)
            seconds = ticks / loaded.card.clip.rate_hz
            episode = Episode(
                setting=setting, player=player, told=told, score=step.score, outcome=step.outcome, seconds=seconds
            )
            record.add(episode)
        found.append(episode)
    return found


def settings_of(game: CheckedGame, loaded: Loaded) -> str:
    """What scores depend on beside the task and the seed, as JSON. Raises BadArgument where the game's cannot be that."""
    clip = loaded.card.clip
    try:
        return json.dumps({**game.settings, "clip": clip.model_dump(mode="json")}, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        raise BadArgument(f"The settings of {game.name} cannot be written as JSON.") from None


def _plan(
    loaded: Loaded, taught: Collection[str], game: CheckedGame, plan: Plan
) -> Iterator[tuple[Setting, Player, str]]:
    settings, tasks = settings_of(game, loaded), choose_tasks(game, plan)
    how = plan.sampling.model_dump_json()
    ideal = [who for who in RIVALS if who != DEMONSTRATOR or game.demonstrates]
    players = [Player(who=MODEL, telling=telling, how=how) for telling in plan.tellings]
    players += [Player(who=who) for who in ideal]
    for task in tasks:
        for player in players:
            for seed in plan.seeds:
                setting = Setting(game=game.name, settings=settings, task=task.instruction, seed=seed)
                told = words_of(task, game.tasks, player.telling, seed, taught) if player.who == MODEL else ""
                yield setting, player, told


def words_of(task: Task, tasks: Sequence[Task], telling: Telling, seed: int, taught: Collection[str]) -> str:
    """What the policy is told. Raises BadArgument where there are no such words."""
    match telling:
        case "nothing":
            return ""
        case "another":
            others = [other.instruction for other in tasks if other.instruction != task.instruction]
            if not others:
                raise BadArgument("This game has one task only, so that nothing else can be told; leave out another.")
            return others[seed % len(others)]
        case "unseen":
            known = {text.casefold() for text in taught}
            unseen = [text for text in task.unseen if text.casefold() not in known]
            if not unseen:
                raise BadArgument(f"There are no words for {task.instruction!r} that training has not seen.")
            return unseen[seed % len(unseen)]
    return task.instruction


def play_model(loaded: Loaded, sampling: Sampling, told: str, seed: int) -> Act:
    """A fresh history of a policy that is told something."""
    player = open_player(loaded, sampling, seed=seed)
    player.instruct(told)

    def act(picture: Picture) -> Deed:
        decision = player.see(picture.tobytes())
        return Deed(frozenset(decision.down), decision.dx, decision.dy)

    return act


def _play(
    loaded: Loaded,
    game: CheckedGame,
    plan: Plan,
    setting: Setting,
    player: Player,
    told: str,
    stopped: Callable[[], bool],
) -> tuple[Step, int]:
    """The last step of an episode, and how many there were."""
    act: Act | None = None
    if player.who == MODEL:
        act = play_model(loaded, plan.sampling, told, setting.seed)
    elif player.who != DEMONSTRATOR:
        yardstick = yardsticks.open_yardstick(player.who, loaded.card.space, setting.seed)
        act = lambda picture: yardstick.act()  # noqa: E731
    step, ticks = Step(game.reset(setting.seed, setting.task)), 0
    while not step.done:
        if stopped():
            raise Stopped
        step = game.demonstrate() if act is None else game.step(*_parts(act(step.picture)))
        ticks += 1
    return step, ticks


def _parts(deed: Deed) -> tuple[frozenset[int], float, float]:
    return deed.down, deed.dx, deed.dy
