"""What a library holds, summed up: hours per game and review state, time per label, work per annotator, phrases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, or_, select

from db.labelling.labels import LabelKind, Review
from db.labelling.readings import PREFIX
from db.library.tables import EditRow, LabelRow, SessionRow, WithdrawalRow

if TYPE_CHECKING:
    from db.store import Store


@dataclass
class GameProgress:
    """Hours of one game by review state; sessions in the trash or withdrawn do not count."""

    game: str
    sessions: int = 0
    seconds: dict[Review, float] = field(default_factory=lambda: dict.fromkeys(Review, 0.0))

    @property
    def recorded_s(self) -> float:
        return sum(self.seconds.values())

    @property
    def labelled_s(self) -> float:
        """Of sessions about which somebody has said something."""
        return self.recorded_s - self.seconds[Review.UNLABELLED]

    @property
    def accepted_s(self) -> float:
        return self.seconds[Review.ACCEPTED]


@dataclass(frozen=True)
class LabelTime:
    """How often and for how long a label is in force."""

    kind: LabelKind
    value: str
    spans: int
    sessions: int
    seconds: float


@dataclass(frozen=True)
class AnnotatorWork:
    """What one person has done. Time is counted between edits that follow each other within a minute."""

    author: str
    edits: int
    sessions: int
    working_s: float
    labelled_s: float
    """Of recordings under this person's spans in force (instructions and flags)."""

    @property
    def seconds_per_edit(self) -> float:
        return self.working_s / self.edits if self.edits else 0.0


@dataclass(frozen=True)
class DayWork:
    """What one person did on one day. Time is counted as in AnnotatorWork."""

    day: date
    author: str
    edits: int
    spans: int
    """New instructions, flags and trims."""
    working_s: float

    @property
    def spans_per_hour(self) -> float | None:
        """None for a day with less than a minute of work, which says nothing about speed."""
        return self.spans * 3600 / self.working_s if self.working_s >= _PAUSE_S else None


_PAUSE_S = 60.0
_SPANS = frozenset({LabelKind.INSTRUCTION.value, LabelKind.FLAG.value, LabelKind.TRIM.value})
_AT_ONCE = 1000
"""Rows fetched at a time: no other thread runs while they are."""


def progress(store: Store) -> list[GameProgress]:
    """Every game, the one with most recorded time first."""
    query = select(SessionRow.game, SessionRow.review, func.count(), func.sum(SessionRow.duration_ns))
    query = query.outerjoin(WithdrawalRow).where(SessionRow.trashed_at.is_(None), WithdrawalRow.session_id.is_(None))
    games: dict[str, GameProgress] = {}
    with store.reading() as connection:
        for game, review, count, duration_ns in connection.execute(query.group_by(SessionRow.game, SessionRow.review)):
            line = games.setdefault(game, GameProgress(game))
            line.sessions += count
            line.seconds[Review(review)] += duration_ns / 1e9
    return sorted(games.values(), key=lambda line: (-line.recorded_s, line.game))


def label_times(store: Store, session_id: str | None = None, sums: SpanSums | None = None) -> list[LabelTime]:
    """Every instruction and flag in force (of one session, or of all), the longest first. Suggestions do not count.

    sums: `span_sums` of the same sessions, where those were read already.
    """
    seconds = (sums or span_sums(store, session_id)).by_label
    query = select(LabelRow.kind, LabelRow.value, func.count(), func.count(LabelRow.session_id.distinct()))
    query = query.where(LabelRow.kind.in_(_SPANS), LabelRow.suggested.is_(False))
    trashed = select(SessionRow.id).where(SessionRow.trashed_at.is_not(None))
    query = query.where(LabelRow.session_id.not_in(trashed))
    if session_id is not None:
        query = query.where(LabelRow.session_id == session_id)
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(query.group_by(LabelRow.kind, LabelRow.value))
        times = [LabelTime(LabelKind(kind), value, n, count, seconds[kind, value]) for kind, value, n, count in rows]
    return sorted(times, key=lambda time: (-time.seconds, time.value))


@dataclass
class SpanSums:
    """Seconds of recordings under spans in force, those of sessions in the trash left out."""

    by_label: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    """(kind, value) -> seconds."""
    by_author: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Of instructions and flags alone."""


def span_sums(store: Store, session_id: str | None = None) -> SpanSums:
    """One pass over every label: grouped by the database this takes several times as long, since it looks up each row."""
    lengths = select(SessionRow.id, SessionRow.duration_ns, SessionRow.frames).where(SessionRow.trashed_at.is_(None))
    columns = (LabelRow.session_id, LabelRow.kind, LabelRow.value, LabelRow.author, LabelRow.suggested)
    query = select(*columns, LabelRow.start, LabelRow.stop)
    if session_id is not None:
        query = query.where(LabelRow.session_id == session_id)
    sums = SpanSums()
    with store.reading() as connection:
        frame_s = {known: duration_ns / frames / 1e9 for known, duration_ns, frames in connection.execute(lengths)}
        rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
        for known, kind, value, author, suggested, start, stop in rows:
            if suggested or kind not in _SPANS or known not in frame_s or start is None or stop is None:
                continue
            seconds = (stop - start) * frame_s[known]
            sums.by_label[kind, value] += seconds
            if kind != LabelKind.TRIM.value:
                sums.by_author[author] += seconds
    return sums


def annotators(
    store: Store, days: Iterable[DayWork] | None = None, sums: SpanSums | None = None
) -> list[AnnotatorWork]:
    """Every person who has made an edit, the busiest first. Edits of models and scripts are nobody's work.

    days: `work_by_day`, and sums: `span_sums`, where those were read already.
    """
    labelled = (sums or span_sums(store)).by_author
    sessions = select(EditRow.author, func.count(EditRow.session_id.distinct())).where(_by_people())
    with store.reading() as connection:
        counts = dict(connection.execute(sessions.group_by(EditRow.author)).all())
    edits: dict[str, int] = defaultdict(int)
    working: dict[str, float] = defaultdict(float)
    for day in work_by_day(store) if days is None else days:
        edits[day.author] += day.edits
        working[day.author] += day.working_s
    work = [
        AnnotatorWork(author, count, counts.get(author, 0), working[author], labelled.get(author, 0.0))
        for author, count in edits.items()
    ]
    return sorted(work, key=lambda line: (-line.edits, line.author))


def work_by_day(store: Store) -> list[DayWork]:
    """What everybody did on every day of the local calendar, ordered by day and person; second readings count too."""
    edits = select(EditRow.author, EditRow.at, EditRow.kind, EditRow.parent).where(_by_people()).order_by(EditRow.at)
    found: dict[tuple[date, str], list[float]] = defaultdict(lambda: [0, 0, 0.0])
    last: dict[str, datetime] = {}
    with store.reading() as connection:
        for author, at, kind, parent in connection.execute(edits):
            line = found[at.astimezone().date(), author]
            line[0] += 1
            line[1] += parent is None and kind in _SPANS
            if author in last:
                pause_s = (at - last[author]).total_seconds()
                line[2] += pause_s if 0 <= pause_s <= _PAUSE_S else 0.0
            last[author] = at
    return [DayWork(day, author, int(n), int(spans), s) for (day, author), (n, spans, s) in sorted(found.items())]


def labelled_by_day(store: Store) -> dict[date, float]:
    """Seconds of recordings by the day (of the local calendar) on which somebody first submitted their labels."""
    query = select(EditRow.session_id, func.min(EditRow.at), SessionRow.duration_ns)
    query = query.join(SessionRow, SessionRow.id == EditRow.session_id).where(
        EditRow.kind == LabelKind.REVIEW.value,
        EditRow.suggested.is_(False),
        EditRow.value != Review.UNLABELLED.value,
        SessionRow.trashed_at.is_(None),
        SessionRow.review != Review.UNLABELLED.value,
    )
    seconds: dict[date, float] = defaultdict(float)
    with store.reading() as connection:
        for _, at, duration_ns in connection.execute(query.group_by(EditRow.session_id, SessionRow.duration_ns)):
            seconds[at.astimezone().date()] += duration_ns / 1e9
    return dict(sorted(seconds.items()))


def _by_people() -> ColumnElement[bool]:
    return or_(EditRow.source == "person", EditRow.source.startswith(PREFIX, autoescape=True))


def phrases(store: Store, game: str | None = None, limit: int = 1000) -> list[tuple[str, int]]:
    """The instructions in use and how often, the commonest first: what an annotator is offered while typing."""
    query = select(LabelRow.value, func.count()).where(
        LabelRow.kind == LabelKind.INSTRUCTION.value, LabelRow.suggested.is_(False), LabelRow.value != ""
    )
    if game is not None:
        query = query.join(SessionRow, SessionRow.id == LabelRow.session_id).where(SessionRow.game == game)
    query = query.group_by(LabelRow.value).order_by(func.count().desc(), LabelRow.value).limit(limit)
    with store.reading() as connection:
        return [(value, count) for value, count in connection.execute(query)]
