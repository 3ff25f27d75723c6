"""What is wanted of a training: which sessions, which models, for how long; and the trainer's options for that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from db.labelling.labels import Review
from db.library.catalogue import SessionSummary, Wanted
from db.recording.qa import Grade
from db.store import Store

Models = Literal["both", "idm", "policy"]
DEFAULT_MINUTES: dict[str, float] = {"both": 12.0, "idm": 5.0, "policy": 5.0}


@dataclass(frozen=True)
class Choice:
    """Which sessions; nothing chosen means all that are accepted."""

    games: tuple[str, ...] = ()
    players: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Recorded in [since, until)."""
    is_any_review: bool = False
    min_grade: str = "bad"
    flags_out: tuple[str, ...] = ()
    """Frames with these flags are not learnt from; none named: with any flag."""
    split_by: str = "group"
    config: str = "quick"

    def options(self) -> list[str]:
        """Those of `playtape-train dataset` and `pipeline`."""
        named = (
            ("--game", self.games),
            ("--player", self.players),
            ("--tag", self.tags),
            ("--flag-out", self.flags_out),
        )
        found = [f"{option}={word}" for option, words in named for word in words]
        found += [f"--since={self.since.isoformat()}"] if self.since else []
        found += [f"--until={self.until.isoformat()}"] if self.until else []
        found += ["--review=any"] if self.is_any_review else []
        found += [f"--min-grade={self.min_grade}"] if self.min_grade != "bad" else []
        return [*found, f"--by={self.split_by}", f"--config={self.config}"]


@dataclass(frozen=True)
class Sum:
    """What can be said of a choice at once, from the index alone."""

    sessions: int = 0
    seconds: float = 0.0
    groups: int = 0
    games: int = 0
    players: int = 0


def chosen(store: Store, choice: Choice) -> list[SessionSummary]:
    """The sessions of a choice."""
    grades = [grade.value for grade in (Grade.BAD, Grade.USABLE, Grade.GOOD)]
    reviews = tuple(review for review in Review if review is not Review.REJECTED)
    wanted = Wanted(
        game=choice.games or None,
        player=choice.players or None,
        tag=choice.tags or None,
        since=choice.since,
        until=choice.until,
        review=reviews if choice.is_any_review else Review.ACCEPTED,
        grade=tuple(grades[grades.index(choice.min_grade) :]) if choice.min_grade != "bad" else None,
    )
    return store.search(wanted)


def sum_up(found: list[SessionSummary]) -> Sum:
    return Sum(
        len(found),
        sum(one.duration_s for one in found),
        *(len({getattr(one, name) for one in found}) for name in ("group_id", "game", "player")),
    )
