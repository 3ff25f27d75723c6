"""How long each part of the demo takes and what is recorded in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of a demo. Times in seconds of real play, budgets in minutes of training."""

    groups: int
    group_s: float
    exercise_changes: int
    train_minutes: float
    play_s: float
    instructions: tuple[str, ...] = ("shoot", "collect", "turn left", "turn right", "stand still")
    """The instructions that are given, by their short names in `games.instructions`."""
    played: tuple[str, ...] = ("shoot the monsters", "collect the medkits", "turn left", "stand still")
    """The written instructions under which the policy plays."""
    game: str = "vizdoom-arena"
    player: str = "demonstrator"
    rate_hz: float = 30.0

    @property
    def recorded_s(self) -> float:
        return self.groups * self.group_s


WHOLE = Plan(groups=8, group_s=48.0, exercise_changes=1000, train_minutes=4.0, play_s=20.0)
MINUTE = Plan(
    groups=3, group_s=9.0, exercise_changes=60, train_minutes=0.12, play_s=3.0, played=("shoot the monsters",)
)
