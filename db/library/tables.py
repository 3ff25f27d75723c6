"""The tables of the index (SQLAlchemy 2). Dialect-free: nothing here knows that the index is SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, on databases with and without time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Ids(TypeDecorator[tuple[str, ...]]):
    """A few ids as one text, blanks between them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return " ".join(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple((value or "").split())


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[type, type]] = {datetime: UtcTime, int: BigInteger}


class PersonRow(Base):
    """A person: an id, not an account of the operating system."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")


class SessionRow(Base):
    """What lists and searches need of a session; the folder remains the truth and can rebuild this row."""

    __tablename__ = "session"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    group_id: Mapped[str] = mapped_column(String(100), index=True)
    game: Mapped[str] = mapped_column(String(200), index=True)
    player: Mapped[str] = mapped_column(String(100), index=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    duration_ns: Mapped[int]
    frames: Mapped[int]
    width_px: Mapped[int]
    height_px: Mapped[int]
    rate_hz: Mapped[float]
    bytes: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    end_reason: Mapped[str] = mapped_column(Text)
    grade: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str] = mapped_column(Text)
    """The Verdict as JSON."""
    review: Mapped[str] = mapped_column(String(20), index=True)
    """Derived from the edits, kept here so that lists need not read them."""
    revision: Mapped[int]
    verified_at: Mapped[datetime | None]
    trashed_at: Mapped[datetime | None]
    """When it was put into the trash. The mark in its folder remains the truth."""


class WithdrawalRow(Base):
    """A session that its player took back. The mark in its folder remains the truth."""

    __tablename__ = "withdrawal"

    session_id: Mapped[str] = mapped_column(ForeignKey("session.id"), primary_key=True)
    player: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class LabelRow(Base):
    """A label in force: the current version of one entity of the log, which remains the truth."""

    __tablename__ = "label"
    __table_args__ = (
        Index("ix_label_kind_value", "kind", "value"),
        Index("ix_label_facets", "kind", "suggested", "value", "session_id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    entity_id: Mapped[str] = mapped_column(String(36), index=True, unique=True)
    edit_id: Mapped[str] = mapped_column(String(36))
    session_id: Mapped[str] = mapped_column(ForeignKey("session.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    start: Mapped[int | None]
    stop: Mapped[int | None]
    value: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(100))
    suggested: Mapped[bool]
    at: Mapped[datetime]


class EditRow(Base):
    """One edit of the append-only log. Rows are only ever inserted."""

    __tablename__ = "edit"
    __table_args__ = (
        Index("ix_edit_session_entity", "session_id", "entity_id"),
        Index("ix_edit_session_place", "session_id", "place"),
        Index("ix_edit_author_step", "author", "step"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("session.id"))
    entity_id: Mapped[str] = mapped_column(String(36), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    start: Mapped[int | None]
    stop: Mapped[int | None]
    value: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(100))
    suggested: Mapped[bool]
    deleted: Mapped[bool]
    parent: Mapped[str | None] = mapped_column(String(36), index=True)
    at: Mapped[datetime]
    also: Mapped[tuple[str, ...]] = mapped_column(Ids, default=())
    step: Mapped[str | None] = mapped_column(String(36))
    step_name: Mapped[str] = mapped_column(String(200), default="")
    reverts: Mapped[str | None] = mapped_column(String(36))
    place: Mapped[int] = mapped_column(default=0, index=True)
    """In which order edits came into this index, from 1; the only column that is the index's own."""


class DisputeRow(Base):
    """An entity with versions that compete: two people changed it apart from each other. Derived from the log."""

    __tablename__ = "dispute"

    entity_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("session.id"), index=True)
