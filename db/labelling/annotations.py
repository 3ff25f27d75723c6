"""Annotations as CSV and JSON, for other programs: one row for every span in force, with frames and seconds.

Seconds count from the session's first frame. In CSV a cell that a spreadsheet would take for a formula begins with an
apostrophe (OWASP, "CSV injection"), and so does one that begins with an apostrophe itself; `read_csv` takes it off.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, get_args

from db.clock import FrameClock
from db.errors import BadArgument, BadFile, PlaytapeError, from_os_error
from db.labelling.labels import Edit, LabelKind, spans

if TYPE_CHECKING:
    from db.store import Store

FORMAT = "playtape-annotations-1"
FileFormat = Literal["csv", "json"]
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What the first character of a guarded cell may be."""


@dataclass(frozen=True)
class Row:
    """One span. `stop` is the frame after the last one, and `stop_s` the time at which that one ends."""

    session: str
    game: str
    player: str
    id: str
    """The span's own, the same in all its versions."""
    kind: str
    value: str
    start: int
    stop: int
    start_s: float
    stop_s: float
    author: str
    source: str
    suggested: bool
    at: str
    """When this version was made, UTC, ISO 8601."""


NAMES = tuple(column.name for column in fields(Row))


@dataclass
class Report:
    """What came of writing the annotations of many sessions."""

    path: Path
    sessions: int = 0
    spans: int = 0
    problems: list[str] = field(default_factory=list)
    """A sentence for each session that could not be read; the others are in the file."""
    is_whole: bool = True
    """False where it was cancelled: then there is no file."""

    @property
    def text(self) -> str:
        """One or two sentences for people."""
        if not self.is_whole:
            return "The export was cancelled; nothing was written."
        count = f"{self.spans} span{'s' * (self.spans != 1)} of {self.sessions} session{'s' * (self.sessions != 1)}"
        refused = f" {len(self.problems)} left out: {self.problems[0]}" if self.problems else ""
        return f"{count} written to {self.path}.{refused}"


def export_annotations(
    store: Store,
    session_ids: Sequence[str],
    path: Path,
    file_format: FileFormat = "csv",
    *,
    suggestions: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report:
    """Writes the spans in force of these sessions to one file, which appears whole or not at all.

    progress: told (sessions done, in all). cancelled: asked before each session. Raises BadArgument where the file's
    folder is not there, DiskFull, StoreReadOnly or BadFile where it cannot be written.
    """
    if not path.parent.is_dir():
        raise BadArgument(f"There is no folder {path.parent}; make it, or choose another place.")
    report = Report(path)

    def rows() -> Iterator[Row]:
        for number, session_id in enumerate(session_ids):
            if cancelled():
                report.is_whole = False
                return
            try:
                yield from _session_rows(store, session_id, suggestions)
                report.sessions += 1
            except PlaytapeError as error:
                report.problems.append(str(error))
            progress(number + 1, len(session_ids))

    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as file:
            report.spans = (write_csv if file_format == "csv" else write_json)(file, rows())
        if report.is_whole:
            fresh.replace(path)
    except OSError as error:
        raise from_os_error(error, path) from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return report


def rows_of(
    edits: Iterable[Edit], clock: FrameClock, game: str, player: str, *, suggestions: bool = False
) -> Iterator[Row]:
    """The spans in force of one session's log, ordered by start and stop.

    suggestions: also those that nobody has confirmed, but for a second reading, which stays blind. Frames beyond the session's end are cut off.
    """
    edges = clock.edges_ns
    for edit in spans(edits):
        if edit.is_blind or (edit.suggested and not suggestions):
            continue
        assert edit.start is not None
        assert edit.stop is not None
        start, stop = min(edit.start, len(clock)), min(edit.stop, len(clock))
        if start == stop:
            continue
        start_s, stop_s = (round(int(edges[at] - edges[0]) / 1e9, 6) for at in (start, stop))
        yield Row(
            session=edit.session_id,
            game=game,
            player=player,
            id=edit.entity_id,
            kind=edit.kind.value,
            value=edit.value,
            start=start,
            stop=stop,
            start_s=start_s,
            stop_s=stop_s,
            author=edit.author,
            source=edit.source,
            suggested=edit.suggested,
            at=edit.at.isoformat(),
        )


def write_csv(file: TextIO, rows: Iterable[Row]) -> int:
    """Writes a line of names and a line for each row (RFC 4180); returns how many. Open the file with newline=""."""
    writer = csv.writer(file)
    writer.writerow(NAMES)
    count = 0
    for row in rows:
        writer.writerow([guarded(value) for value in asdict(row).values()])
        count += 1
    return count


def read_csv(file: TextIO) -> Iterator[Row]:
    """The rows that `write_csv` wrote. Open the file with newline="". Raises BadFile where a line is no row."""
    reader = csv.reader(file)
    if tuple(next(reader, ())) != NAMES:
        raise BadFile("This is not a file of annotations: its first line does not name the columns.")
    for cells in reader:
        try:
            yield _read_row(dict(zip(NAMES, (cell.removeprefix("'") for cell in cells), strict=True)))
        except (ValueError, KeyError):
            raise BadFile(f"Line {reader.line_num} of the annotations is not a row of them.") from None


def write_json(file: TextIO, rows: Iterable[Row]) -> int:
    """Writes one object, a span a line; returns how many. A correction of actions stands as an object, not as text."""
    file.write(f'{{"format": "{FORMAT}", "spans": [')
    count = 0
    for row in rows:
        said = asdict(row)
        if row.kind == LabelKind.ACTION.value:
            said["value"] = _plain(row.value)
        file.write((",\n" if count else "\n") + json.dumps(said, ensure_ascii=False))
        count += 1
    file.write("\n]}\n")
    return count


def _session_rows(store: Store, session_id: str, suggestions: bool) -> list[Row]:
    """Read as a whole first, so that a session that cannot be read leaves no half of itself behind."""
    summary = store.summary(session_id)
    clock = store.recording(session_id).clock
    return list(rows_of(store.edits(session_id), clock, summary.game, summary.player, suggestions=suggestions))


def guarded(value: object) -> object:
    """A cell of a CSV file that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def _read_row(said: dict[str, str]) -> Row:
    read: dict[str, Any] = dict(said)
    read |= {name: int(said[name]) for name in ("start", "stop")}
    read |= {name: float(said[name]) for name in ("start_s", "stop_s")}
    read["suggested"] = {"true": True, "false": False}[said["suggested"]]
    return Row(**read)


def _plain(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value
