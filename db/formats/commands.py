"""`playtape-db import` and `playtape-db export`: every format, with progress, a dry run and a report."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from db.cli import emit, open_library
from db.errors import BadArgument, NotFound, PlaytapeError
from db.files import replace_text
from db.filters import add_filters, wanted
from db.formats.format import Asked, Format
from db.formats.recognition import recognise, refuse_library
from db.formats.registry import FORMATS, find_format
from db.formats.report import Report, Way, outcome_in_words, so_far, whole
from db.formats.transfer import bring_in, oldest_first, write_out
from db.progressline import ProgressLine
from db.store import Store


def add_import(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [name for name, kind in FORMATS.items() if kind.reads]
    parser.epilog = _list(names, "in")
    parser.add_argument("path", nargs="+", type=Path, metavar="PATH", help="a file, or a folder that holds some")
    _add_common(parser, names, usual="", usual_says="told by the files' names")
    parser.add_argument("--game", default="", help="the game that is played; where the files say it too, this counts")
    parser.add_argument(
        "--player", default="", metavar="ID", help="who played; where the files say it too, this counts"
    )


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [name for name, kind in FORMATS.items() if kind.writes]
    parser.epilog = _list(names, "out")
    parser.add_argument(
        "session", nargs="*", metavar="SESSION", help="which sessions (default: all that the filters leave)"
    )
    _add_common(parser, names, usual="playtape", usual_says="playtape")
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="the folder to write to (default: here)"
    )
    parser.add_argument("--all", action="store_true", help="all sessions of the library")
    add_filters(parser)


def _add_common(parser: argparse.ArgumentParser, names: list[str], *, usual: str, usual_says: str) -> None:
    parser.add_argument("--format", choices=names, default=usual, help=f"see below (default: {usual_says})")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="a setting of the format, see below"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be kept, changed and dropped; write nothing"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write the whole report there, as JSON")


def _list(names: list[str], way: Way) -> str:
    lines = ["formats:"]
    for name in names:
        lines.append(f"  {name:<15} {FORMATS[name].says}")
        for option, about in FORMATS[name].options_for(way).items():
            lines.append(f"  {'':<15}   --option {option}={'|'.join(about.choices) or '…'}  {about.says}")
    return "\n".join(lines)


def import_files(args: argparse.Namespace) -> int:
    asked = Asked(args.game, args.player, args.dry_run, _options(args))
    kind, paths = (find_format(args.format), args.path) if args.format else _recognised(args.path)
    with open_library(args) as store, _Progress(args) as progress:
        return _Told(args, "in", kind).tell(bring_in(store, kind, paths, asked, progress.tell_of), progress)


def _recognised(paths: Sequence[Path]) -> tuple[Format, list[Path]]:
    """The format that all paths are of, and what of it is to be imported. Raises BadArgument where they are of several or of none, and BadFile."""
    for path in paths:
        refuse_library(path)
    clues = [(path, recognise(path)) for path in paths]
    told = {clue.kind.name: clue for _, clue in clues if clue is not None}
    if len(told) > 1:
        seem = " and ".join(f"{clue.path} like {name}" for name, clue in told.items())
        raise BadArgument(f"{seem} cannot be imported at once; name one --format after the other.")
    for path, clue in clues:
        if clue is None and path.is_dir():
            raise BadArgument(f"Nothing in {path} tells of what format it is; name it with --format.")
    kind = next((clue.kind for clue in told.values()), find_format("playtape"))
    return kind, [clue.path if clue else path for path, clue in clues]


def export_sessions(args: argparse.Namespace) -> int:
    asked = Asked(dry_run=args.dry_run, options=_options(args))
    with open_library(args, create=False) as store, _Progress(args) as progress:
        chosen = _chosen(store, args)
        kind = find_format(args.format)
        work = write_out(store, kind, chosen, args.out, asked, progress.tell_of)
        return _Told(args, "out", kind).tell(work, progress)


def _chosen(store: Store, args: argparse.Namespace) -> list[str]:
    """At least one. Raises NotFound, and BadArgument where nothing says which."""
    filters = any((args.game, args.player, args.review, args.grade, args.text))
    if not (args.session or filters or args.all):
        raise BadArgument("Name sessions, or a filter such as --game, or --all.")
    named = [store.find(part) for part in args.session]
    if named and not filters:
        return named
    chosen = [line.id for line in store.search(wanted(args, withdrawn=False)) if not named or line.id in named]
    if not chosen:
        raise NotFound(f"No session of {store.root} is one of these; nothing is exported.")
    return oldest_first(store, chosen)


def _options(args: argparse.Namespace) -> dict[str, str]:
    pairs = [text.partition("=") for text in args.option]
    for text, (name, _, value) in zip(args.option, pairs, strict=True):
        if not (name and value):
            raise BadArgument(f"--option takes NAME=VALUE, not {text!r}.")
    return {name: value for name, _, value in pairs}


class _Progress(ProgressLine):
    """What is done of the whole and when it will be finished, for people or, with --json, for programs."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__("", as_json=args.json)

    def tell_of(self, what: str, share: float) -> None:
        self.what = Path(what).name or what
        self.tell(share)


class _Told:
    """Prints each report as it comes, what it came to in the end, and writes all of it where that is wanted."""

    def __init__(self, args: argparse.Namespace, way: Way, kind: Format) -> None:
        """Raises DiskFull, StoreReadOnly and BadFile where the report cannot be written: better now than when all is done."""
        self._args, self._way, self._kind = args, way, kind
        self._reports: list[Report] = []
        self._errors: set[str] = set()
        self._write()

    def tell(self, reports: Iterable[Report], progress: ProgressLine) -> int:
        """Status 1 where anything was refused. What is finished when it ends early is told and written too."""
        try:
            for report in reports:
                self._reports.append(report)
                progress.clear()
                self._print(report)
        except BaseException:
            progress.clear()
            self._sum_up()
            with suppress(PlaytapeError):  # of the two, why it ended is what matters
                self._write()
            raise
        self._sum_up()
        self._write()
        return 1 if any(report.outcome == "refused" for report in self._reports) else 0

    def _print(self, report: Report) -> None:
        if report.outcome == "refused" and report.error not in self._errors:
            self._errors.add(report.error)  # such as that no game is named, of each of a thousand episodes
            print(f"playtape-db: {report.error}", file=sys.stderr, flush=True)
        if report.outcome != "refused" or self._args.json:
            emit(self._args, report.to_json(), _text(report, self._way))

    def _sum_up(self) -> None:
        if len(self._reports) > 1 and not self._args.json:
            outcomes: Counter[str] = Counter(report.outcome for report in self._reports)
            print(f"{so_far(outcomes, self._way, dry_run=self._args.dry_run)}.", flush=True)

    def _write(self) -> None:
        if self._args.report:
            replace_text(self._args.report, whole(self._kind.name, self._reports, dry_run=self._args.dry_run))


def _text(report: Report, way: Way) -> str:
    """One line, and under it what was changed and dropped; in a dry run also what would be kept."""
    if report.outcome == "withdrawn":
        return report.says
    did = report.says or outcome_in_words(report.outcome, way, dry_run=report.dry_run)
    is_new = report.outcome != "known" and not report.says
    counted = f", {report.frames} frames, {report.seconds:.1f} s" * (is_new and report.frames > 0)
    place = report.name if way == "in" else report.path
    first = f"{report.session_id}  {did}{counted}  {place}".rstrip()
    if way == "out" and report.outcome == "written" and not report.dry_run and report.session_id in place:
        first = place  # and nothing else, for those who go on with it
    lines = [line for line in report.lines() if report.dry_run or not line.startswith("kept: ")]
    return "".join([first, *(f"\n  - {line}" for line in lines)])
