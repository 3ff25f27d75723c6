"""Many sources in, or many sessions out, one after the other: found, told of as they are done, and cancelled at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from db.errors import BadArgument, BadFile, DiskFull, PlaytapeError, StoreReadOnly, from_os_error
from db.files import make_folder
from db.formats.format import Asked, Format, Source, Tell
from db.formats.recognition import recognise, refuse_library
from db.formats.registry import check_options
from db.formats.report import Report
from db.formats.staging import refusal
from db.store import Store

TellWhole = Callable[[str, float], None]
"""Hears what is being done and the share of the whole that is done, in [0, 1]; what it raises ends the work."""
MOST_SOURCES = 1_000_000


def bring_in(
    store: Store, kind: Format, paths: Sequence[Path], asked: Asked, tell: TellWhole = lambda what, share: None
) -> Iterator[Report]:
    """Imports what the paths hold and yields a report for each source as it is done.

    What the library has already is known by its source and not imported again, so that a run that was cut off is simply
    started again. A source that is refused stops none of the others. Raises BadArgument, DiskFull and StoreReadOnly; closing the
    iterator, or what `tell` raises, ends the work and leaves nothing half made.
    """
    if kind.reads is None:
        raise BadArgument(f"Playtape writes the format {kind.name}, and does not read it.")
    check_options(kind, asked.options, "in")
    if kind.needs_game and not asked.game:
        raise BadArgument(f"No {kind.name} says which game it shows; name it with --game, or in the field Game.")
    found: list[Source | Report] = []
    for path in paths:
        found += _look(kind, path)
    total = max(sum(source.size for source in found if isinstance(source, Source)), 1)
    done = 0
    for source in found:
        if isinstance(source, Report):
            yield source
            continue
        tell_one = _part(tell, source, done, total)
        tell_one(0.0)
        try:
            report = kind.reads.bring(store, source, asked, tell_one)
        except (DiskFull, StoreReadOnly):
            raise
        except PlaytapeError as error:
            report = refusal(source.name, error, path=str(source.path))
        report.dry_run = asked.dry_run
        done += source.size
        yield report


def _part(tell: TellWhole, source: Source, before: int, total: int) -> Tell:
    """Tells the share of the whole for a share of one source."""
    return lambda share: tell(source.name, min((before + share * source.size) / total, 1.0))


def _look(kind: Format, path: Path) -> Iterator[Source | Report]:
    """The sources in a path, or the reason why there are none."""
    assert kind.reads is not None
    try:
        if not path.exists():
            raise BadFile(f"{path} cannot be read or written: there is no such file or folder.")
        refuse_library(path)
        count = 0
        for source in kind.reads.find(path):
            count += 1
            if count > MOST_SOURCES:
                raise BadFile(f"{path} claims to hold over {MOST_SOURCES:,} recordings; bring it in in parts.")
            yield source
        if count == 0:
            raise BadFile(f"{path} holds nothing of the format {kind.name}.{_what_else(kind, path)}")
    except OSError as error:
        yield refusal(str(path), from_os_error(error, error.filename or path), path=str(path))
    except PlaytapeError as error:
        yield refusal(str(path), error, path=str(path))


def _what_else(kind: Format, path: Path) -> str:
    """Of what format it seems to be."""
    clue = recognise(path)
    return f" It looks like {clue.kind.name}, by {clue.by}." if clue and clue.kind is not kind else ""


def write_out(
    store: Store,
    kind: Format,
    session_ids: Sequence[str],
    out: Path,
    asked: Asked,
    tell: TellWhole = lambda what, share: None,
) -> Iterator[Report]:
    """Exports sessions into a folder, which is made, and yields a report for each as it is done.

    A session that is there already, unchanged, is not written again. One that is refused stops none of the others, where each
    stands alone. Raises BadArgument, DiskFull and StoreReadOnly; closing the iterator, or what `tell` raises, ends the work and leaves
    nothing half made.
    """
    if kind.writes is None:
        raise BadArgument(f"Playtape reads the format {kind.name}, and does not write it.")
    check_options(kind, asked.options, "out")
    if store.root.resolve() in (out.resolve(), *out.resolve().parents):
        raise BadArgument(f"{out} is inside the library; choose a folder elsewhere.")
    if not asked.dry_run:
        try:
            make_folder(out)
        except OSError as error:
            raise from_os_error(error, out) from None
    share_of = _Shares(store, session_ids)
    reports = kind.writes.write(store, session_ids, out, asked, lambda one, share: tell(one, share_of(one, share)))
    with closing(reports):
        for report in reports:
            report.dry_run = asked.dry_run
            yield report


def oldest_first(store: Store, session_ids: Sequence[str]) -> list[str]:
    """The order in which a dataset that is made again holds what it held where it was, and only what is new is written.

    Raises NotFound.
    """
    return sorted(session_ids, key=lambda session_id: (store.summary(session_id).started_at, session_id))


class _Shares:
    """The share of all sessions' time that is done when so much of one is."""

    def __init__(self, store: Store, session_ids: Sequence[str]) -> None:
        seconds = [max(store.summary(session_id).duration_s, 0.001) for session_id in session_ids]
        self._total = max(sum(seconds), 0.001)
        self._of = dict(zip(session_ids, zip(_sums(seconds), seconds, strict=True), strict=True))

    def __call__(self, session_id: str, share: float) -> float:
        before, own = self._of[session_id]
        return min((before + own * share) / self._total, 1.0)


def _sums(values: Sequence[float]) -> Iterator[float]:
    total = 0.0
    for value in values:
        yield total
        total += value
