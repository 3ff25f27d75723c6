"""The lines of the library's list: how a session is summed up in the index, and how lines are searched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from db.labelling.labels import LabelKind, Review
from db.library import textindex
from db.library.tables import LabelRow, SessionRow, WithdrawalRow
from db.recording.qa import Verdict, judge
from db.recording.reader import Recording
from db.recording.session import SessionState
from db.recording.verification import folder_bytes


@dataclass(frozen=True)
class SessionSummary:
    """One line of the library's list."""

    id: str
    group_id: str
    game: str
    player: str
    started_at: datetime
    duration_ns: int
    frames: int
    size_px: tuple[int, int]
    rate_hz: float
    bytes: int
    state: SessionState
    end_reason: str
    grade: str
    """The verdict's grade."""
    verdict_json: str
    review: Review
    revision: int
    verified_at: datetime | None
    withdrawn_at: datetime | None = None
    """When its player took it back."""
    trashed_at: datetime | None = None
    """When it was put into the trash."""

    @property
    def duration_s(self) -> float:
        return self.duration_ns / 1e9

    @cached_property
    def verdict(self) -> Verdict:
        """Read when it is asked for: a list of thousands shows grades alone."""
        return Verdict.model_validate_json(self.verdict_json)

    def facts(self) -> dict[str, Any]:
        """The line as plain values, for JSON."""
        plain = {name: getattr(self, name) for name in _SAME}
        return plain | {
            "duration_s": round(self.duration_s, 3),
            "size_px": list(self.size_px),
            "state": self.state.value,
            "reasons": self.verdict.reasons,
            "review": self.review.value,
        }


_SAME = (
    "id", "group_id", "game", "player", "started_at", "duration_ns", "frames", "rate_hz", "bytes", "end_reason",
    "revision", "verified_at", "withdrawn_at", "trashed_at", "grade",
)  # fmt: skip


def summarise(recording: Recording) -> dict[str, Any]:
    """The columns of a session's row, but for its review state. Judges the session."""
    meta, clock = recording.meta, recording.clock
    verdict = judge(recording)
    return {
        "id": meta.id,
        "group_id": meta.group_id,
        "game": meta.game,
        "player": meta.player,
        "started_at": meta.anchor.wall_time(int(clock.t_ns[0])),
        "duration_ns": clock.duration_ns,
        "frames": len(clock),
        "width_px": meta.size_px[0],
        "height_px": meta.size_px[1],
        "rate_hz": meta.capture.rate_hz,
        "bytes": folder_bytes(recording.folder),
        "state": meta.state.value,
        "end_reason": meta.end_reason,
        "grade": verdict.grade.value,
        "verdict": verdict.model_dump_json(),
        "revision": meta.revision,
        "verified_at": None,
    }


def to_summary(row: Any) -> SessionSummary:
    """A row of the session table (a mapping) as a line."""
    return SessionSummary(
        **{name: row[name] for name in _SAME},
        size_px=(row["width_px"], row["height_px"]),
        state=SessionState(row["state"]),
        verdict_json=row["verdict"],
        review=Review(row["review"]),
    )


Words = str | tuple[str, ...] | None
NOBODY = ""
"""As an assignee: whom nobody was asked to look after."""


@dataclass(frozen=True)
class Wanted:
    """What sessions are asked for; None asks for nothing, and of several values any will do."""

    text: str | None = None
    """Words in its game, its player or its labels."""
    game: Words = None
    player: Words = None
    group: str | None = None
    review: Review | tuple[Review, ...] | None = None
    grade: Words = None
    flag: Words = None
    tag: Words = None
    assignee: Words = None
    """NOBODY: to no one."""
    least_s: float | None = None
    most_s: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Recorded in [since, until)."""
    withdrawn: bool = False
    """Also those that their players took back."""
    trashed: bool = False
    """Those in the trash instead of those outside it."""


def matching(wanted: Wanted) -> Select[Any]:
    """The query for the lines of the sessions that are asked for, newest first."""
    return narrowed(all_lines(), wanted)


def narrowed(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """A query on SessionRow with its WithdrawalRow, for what is asked for alone."""
    query = query.where(SessionRow.trashed_at.is_not(None) if wanted.trashed else SessionRow.trashed_at.is_(None))
    if not wanted.withdrawn:
        query = query.where(WithdrawalRow.session_id.is_(None))
    equal = (
        (SessionRow.game, wanted.game), (SessionRow.player, wanted.player), (SessionRow.group_id, wanted.group),
        (SessionRow.grade, wanted.grade), (SessionRow.review, wanted.review),
    )  # fmt: skip
    for column, values in equal:
        if values is not None:
            query = query.where(column.in_(_each(values)))
    for kind, words in (
        (LabelKind.FLAG, wanted.flag), (LabelKind.TAG, wanted.tag), (LabelKind.ASSIGNEE, wanted.assignee),
    ):  # fmt: skip
        if words is not None:
            query = query.where(_carries(kind, _each(words)))
    if wanted.least_s is not None:
        query = query.where(SessionRow.duration_ns >= int(wanted.least_s * 1e9))
    if wanted.most_s is not None:
        query = query.where(SessionRow.duration_ns <= int(wanted.most_s * 1e9))
    if wanted.since is not None:
        query = query.where(SessionRow.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(SessionRow.started_at < wanted.until)
    if wanted.text and wanted.text.strip():
        names = (column.icontains(wanted.text, autoescape=True) for column in (SessionRow.game, SessionRow.player))
        query = query.where(or_(*names, SessionRow.id.in_(textindex.matching(wanted.text))))
    return query


def all_lines() -> Select[Any]:
    """The query for every line, newest first."""
    query = select(SessionRow.__table__, WithdrawalRow.at.label("withdrawn_at"))
    query = query.outerjoin(WithdrawalRow, WithdrawalRow.session_id == SessionRow.id)
    return query.order_by(SessionRow.started_at.desc(), SessionRow.id.desc())


def _each(values: str | tuple[str, ...]) -> list[str]:
    return [str(value) for value in ((values,) if isinstance(values, str) else values)]


def _carries(kind: LabelKind, words: list[str]) -> ColumnElement[bool]:
    """Whether a session has a label with one of the words; NOBODY means that it has none of its kind."""
    rows = select(LabelRow.session_id).where(LabelRow.kind == kind.value, LabelRow.suggested.is_(False))
    named = SessionRow.id.in_(rows.where(LabelRow.value.in_([word for word in words if word != NOBODY])))
    return or_(named, SessionRow.id.not_in(rows)) if NOBODY in words else named
