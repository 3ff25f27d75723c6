"""Stretches of time that sessions are filtered by, as short texts that can be stored: `60..600`, `week`, `2026-11-01..`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

LENGTHS: tuple[tuple[str, str], ...] = (
    ("under 1 minute", "..60"),
    ("1 to 10 minutes", "60..600"),
    ("10 to 60 minutes", "600..3600"),
    ("over an hour", "3600.."),
)
"""(words, seconds from..to)."""
DATES: tuple[tuple[str, str], ...] = (
    ("today", "today"),
    ("yesterday", "yesterday"),
    ("this week", "week"),
    ("last 7 days", "7d"),
    ("this month", "month"),
    ("last 30 days", "30d"),
    ("last 12 months", "365d"),
)
"""(words, which days)."""


def length_range(text: str) -> tuple[float | None, float | None]:
    """(least, most) seconds; None for no limit, also where the text is no range."""
    low, _, high = text.partition("..")
    try:
        return (float(low) if low else None, float(high) if high else None)
    except ValueError:
        return (None, None)


def date_range(text: str, today: date) -> tuple[datetime | None, datetime | None]:
    """[since, until) in this machine's time zone; a range of days holds its last one. None for no limit."""
    first, last = _days(text, today)
    until = None if last is None else _midnight(last + timedelta(days=1))
    return (None if first is None else _midnight(first), until)


def range_words(text: str) -> str:
    """A range that a person gave, in words."""
    low, _, high = text.partition("..")
    least, most = length_range(text)
    if least is not None or most is not None:
        low, high = (f"{s / 60:g} min" if s is not None else "" for s in (least, most))
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}"


def _days(text: str, today: date) -> tuple[date | None, date | None]:
    day = timedelta(days=1)
    named = {
        "today": (today, None),
        "yesterday": (today - day, today - day),
        "week": (today - day * today.weekday(), None),
        "month": (today.replace(day=1), None),
    }
    if text in named:
        return named[text]
    if text.endswith("d") and text[:-1].isdigit():
        return (today - day * (min(int(text[:-1]), 100_000) - 1), None)
    low, _, high = text.partition("..")
    try:
        return (date.fromisoformat(low) if low else None, date.fromisoformat(high) if high else None)
    except ValueError:
        return (None, None)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day).astimezone()
