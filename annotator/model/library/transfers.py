"""Recordings on their way in and sessions on their way out: carried with a way to cancel, and what came of it in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from db.errors import PlaytapeError
from db.formats.format import Way
from db.formats.report import Report, outcome_in_words
from db.formats.transfer import TellWhole

MOST_ROWS = 500
"""Of one heading; a saved report has all."""


@dataclass
class Carried:
    """What came of an import or an export. In a dry run: what would."""

    way: Way
    format_name: str
    dry_run: bool
    reports: list[Report] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """What people call the sources or sessions, by the names in the reports."""
    is_cancelled: bool = False
    error: str = ""
    """The sentence, where something ended all of it."""

    @property
    def conflicts(self) -> dict[str, int]:
        """How many labels were changed on both sides, for each session where any was."""
        counts = {report.session_id: int(report.facts.get("conflicts", 0)) for report in self.reports}
        return {session_id: count for session_id, count in counts.items() if count}


@dataclass(frozen=True)
class Row:
    """A line of a report, and what belongs to it."""

    text: str
    figure: str = ""
    rows: tuple[Row, ...] = ()


class _Cancelled(Exception):
    pass


def carry(
    carried: Carried,
    begin: Callable[[TellWhole], Iterator[Report]],
    tell: TellWhole,
    heard: Callable[[Report], object],
    is_cancelled: Callable[[], bool],
) -> None:
    """Carries until all is done or somebody cancels; nothing half made is left then.

    begin: `bring_in` or `write_out` of `db.formats.transfer`, given what they are to tell. heard: told of each report as it comes.
    """

    def tell_or_end(what: str, share: float) -> None:
        if is_cancelled():
            raise _Cancelled
        tell(what, share)

    try:
        for report in begin(tell_or_end):
            carried.reports.append(report)
            heard(report)
    except _Cancelled:
        carried.is_cancelled = True
    except PlaytapeError as error:
        carried.error = str(error)


def summary(carried: Carried) -> str:
    """In a few sentences."""
    of = Counter(report.outcome for report in carried.reports)
    would = carried.dry_run
    parts = [carried.error]
    if count := of["imported"]:
        parts.append(f"{_count(count, 'new session')} {'would be ' * would}imported.")
    if count := of["written"]:
        parts.append(f"{_count(count, 'session')} {'would be ' * would}written.")
    parts += _merged(carried)
    if count := of["known"]:
        place = "here already" if carried.way == "in" else "there already, unchanged"
        parts.append(f"{_count(count, 'session')} {_was(count)} {place}.")
    if count := of["withdrawn"]:
        parts.append(f"{_count(count, 'session')} taken back by the player: see below.")
    if clashes := sum(carried.conflicts.values()):
        text = f"{_count(clashes, 'label')} {_was(clashes)} changed on both sides"
        parts.append(f"{text}: the newer version counts until it is settled.")
    if count := of["refused"]:
        did = "imported" if carried.way == "in" else "written"
        what = "recording" if carried.way == "in" else "session"
        parts.append(f"{_count(count, what)} {'cannot' if would else 'could not'} be {did}.")
    if carried.is_cancelled:
        kept = "" if would else "; what was finished stays, and the same again goes on from there"
        parts.append(f"Cancelled{kept}.")
    return " ".join(filter(None, parts)) or f"There is nothing to {'import' if carried.way == 'in' else 'export'}."


def _merged(carried: Carried) -> Iterator[str]:
    merged = [report for report in carried.reports if report.outcome == "merged"]
    if not merged:
        return
    edits = sum(report.kept["annotations"] for report in merged)
    here = f"{_count(len(merged), 'session')} that {_was(len(merged))} here already"
    if carried.dry_run:
        yield f"The labels would be merged into {here}."
    else:
        yield f"{_count(edits, 'edit')} merged into {here}." if edits else f"Nothing new in {here}."


def report_rows(carried: Carried) -> list[Row]:
    """What was refused and why, what was kept, changed and dropped in all, and the same of each recording or session."""
    reports = carried.reports
    errors = Counter(report.error for report in reports if report.outcome == "refused")
    refused = [Row(error, f"{count:,}" if count > 1 else "") for error, count in errors.items()]
    taken_back = [Row(report.says) for report in reports if report.outcome == "withdrawn"]
    whats = [("Refused", f"{errors.total():,}", refused), ("Taken back", f"{len(taken_back):,}", taken_back)]
    for title, counters in (
        ("Kept", [report.kept for report in reports]),
        ("Changed", [report.changed for report in reports]),
        ("Dropped", [report.dropped for report in reports]),
    ):
        in_all: Counter[str] = Counter()
        for counter in counters:
            in_all.update(counter)
        whats.append((title, "", _counted(in_all)))
    each = [_row_of(report, carried) for report in reports]
    whats.append(("Recordings" if carried.way == "in" else "Sessions", f"{len(each):,}", each))
    return [Row(title, figure, _few(rows)) for title, figure, rows in whats if rows]


def _row_of(report: Report, carried: Carried) -> Row:
    rows = [Row(report.error)] if report.error else []
    for title, counts in (("kept", report.kept), ("changed", report.changed), ("dropped", report.dropped)):
        rows += [Row(f"{title}: {row.text}", row.figure) for row in _counted(counts)]
    word = outcome_in_words(report.outcome, carried.way, dry_run=carried.dry_run)
    return Row(carried.names.get(report.name, report.name), word, tuple(rows))


def _counted(counts: Counter[str]) -> list[Row]:
    return [Row(what, f"{count:,}") for what, count in counts.most_common()]


def _few(rows: Sequence[Row]) -> tuple[Row, ...]:
    more = len(rows) - MOST_ROWS
    return (*rows[:MOST_ROWS], *([Row(f"and {more:,} more; a saved report has all")] if more > 0 else []))


def as_text(rows: Iterable[Row], depth: int = 0) -> str:
    """Indented lines, a tab before each figure."""
    lines = []
    for row in rows:
        lines.append("  " * depth + row.text + f"\t{row.figure}" * bool(row.figure))
        lines += [as_text(row.rows, depth + 1)] * bool(row.rows)
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
