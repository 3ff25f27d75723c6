"""Which sessions a dataset is made of, and which of their frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from db.errors import BadArgument, BadFile, TooNew
from db.labelling.labels import Flag, Review
from db.library.catalogue import SessionSummary, Wanted
from db.recording.events import GapReason
from db.recording.reader import Recording
from db.specs import Spec
from db.store import Store

GRADES = ("bad", "usable", "good")
"""Of a session's verdict, the worst first."""


class Choice(Spec):
    """What is asked of a session; an empty list asks for nothing, and of several words any will do."""

    games: tuple[str, ...] = ()
    players: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    """Recorded in [since, until)."""
    review: Literal["accepted", "any"] = "accepted"
    """`any`: whatever was said of it so far, but for what was rejected."""
    min_grade: Literal["bad", "usable", "good"] = "bad"
    flags_out: tuple[str, ...] | None = None
    """Frames with these flags are not learnt from; None: with any flag. What is private is never learnt from."""

    def masks(self, flag: str) -> bool:
        """Whether frames with this flag stay out."""
        word = flag.casefold()
        return (
            self.flags_out is None
            or word == Flag.PRIVATE.value
            or word in {chosen.casefold() for chosen in self.flags_out}
        )

    def sentence(self) -> str:
        """What is asked for, for people; empty where nothing is but that it was accepted."""
        parts = [
            f"{name} {' or '.join(words)}"
            for name, words in (("game", self.games), ("player", self.players), ("tag", self.tags))
            if words
        ]
        parts += [f"from {self.since:%Y-%m-%d}"] if self.since else []
        parts += [f"before {self.until:%Y-%m-%d}"] if self.until else []
        parts += [f"{self.min_grade} or better"] if self.min_grade != GRADES[0] else []
        return ", ".join(parts)


def chosen_sessions(store: Store, choice: Choice) -> list[SessionSummary]:
    """The sessions to learn a person's actions from, ordered by id."""
    accepted = Review.ACCEPTED if choice.review == "accepted" else _NOT_REJECTED
    return _search(store, choice, accepted)


def chosen_videos(store: Store, choice: Choice) -> list[SessionSummary]:
    """The sessions whose inputs nobody recorded, ordered by id; all but the rejected: there was nothing to review yet."""
    return [found for found in _search(store, choice, _NOT_REJECTED) if _was_unwatched(store, found)]


def _was_unwatched(store: Store, summary: SessionSummary) -> bool:
    """The same as `is_unwatched`, without a look at the files where the verdict tells."""
    figures = summary.verdict.figures
    if figures is not None and figures.known_pct > 0:
        return False
    try:
        return is_unwatched(store.recording(summary.id))
    except (BadFile, TooNew):  # told where its actions are asked for
        return False


_NOT_REJECTED = tuple(review for review in Review if review is not Review.REJECTED)


def _search(store: Store, choice: Choice, review: Review | tuple[Review, ...]) -> list[SessionSummary]:
    wanted = Wanted(
        game=choice.games or None,
        player=choice.players or None,
        tag=choice.tags or None,
        since=choice.since,
        until=choice.until,
        review=review,
    )
    if choice.min_grade != GRADES[0]:
        wanted = replace(wanted, grade=GRADES[GRADES.index(choice.min_grade) :])
    return sorted(store.search(wanted), key=lambda summary: summary.id)


def is_unwatched(recording: Recording) -> bool:
    """Whether no inputs were recorded at all: the session was made from a mere video."""
    unrecorded = [gap for gap in recording.gaps if gap.reason is GapReason.UNRECORDED]
    if not unrecorded:
        return False
    return sum(gap.stop_ns - gap.start_ns for gap in unrecorded) >= recording.clock.duration_ns


def read_day(text: str, *, is_last: bool = False) -> datetime:
    """The local midnight that a day (2026-02-28) begins with, or with `is_last` the one it ends with. Raises BadArgument."""
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise BadArgument(f"{text!r} is no date; write it as 2026-02-28.") from None
    if is_last and len(text) <= len("2026-02-28"):
        day += timedelta(days=1)
    return day.astimezone() if day.tzinfo is None else day


def words(given: Sequence[str] | None) -> tuple[str, ...]:
    """What was named, each once, in the order of the alphabet."""
    return tuple(sorted(set(given or ())))
