"""`playtape-db import` and `playtape-db export`: every format, with progress, a dry run and a report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from db.cli import emit, open_library
from db.errors import BadArgument
from db.files import replace_text
from db.filters import add_filters, wanted
from db.formats.format import Asked, Way
from db.formats.registry import FORMATS, find_format
from db.formats.report import Report, whole
from db.formats.transfer import bring_in, write_out
from db.progressline import ProgressLine
from db.store import Store


def add_import(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [name for name, kind in FORMATS.items() if kind.reads]
    parser.epilog = _list(names, "in")
    parser.add_argument("path", nargs="+", type=Path, metavar="PATH", help="a file, or a folder that holds some")
    _add_common(parser, names)
    parser.add_argument("--game", default="", help="the game that is played, where the files do not say it")
    parser.add_argument("--player", default="", metavar="ID", help="who played, where the files do not say it")


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [name for name, kind in FORMATS.items() if kind.writes]
    parser.epilog = _list(names, "out")
    parser.add_argument(
        "session", nargs="*", metavar="SESSION", help="which sessions (default: all that the filters leave)"
    )
    _add_common(parser, names)
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="the folder to write to (default: here)"
    )
    parser.add_argument("--all", action="store_true", help="all sessions of the library")
    add_filters(parser)


def _add_common(parser: argparse.ArgumentParser, names: list[str]) -> None:
    parser.add_argument("--format", choices=names, default="playtape", help="see below (default: playtape)")
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
    with open_library(args) as store, _Progress(args) as progress:
        return _tell(args, bring_in(store, find_format(args.format), args.path, asked, progress.tell_of), progress)


def export_sessions(args: argparse.Namespace) -> int:
    asked = Asked(dry_run=args.dry_run, options=_options(args))
    with open_library(args, create=False) as store, _Progress(args) as progress:
        chosen = _chosen(store, args)
        kind = find_format(args.format)
        return _tell(args, write_out(store, kind, chosen, args.out, asked, progress.tell_of), progress)


def _chosen(store: Store, args: argparse.Namespace) -> list[str]:
    """Raises NotFound, and BadArgument where nothing says which."""
    filters = any((args.game, args.player, args.review, args.grade, args.text))
    if not (args.session or filters or args.all):
        raise BadArgument("Name sessions, or a filter such as --game, or --all.")
    named = [store.find(part) for part in args.session]
    if named and not filters:
        return named
    return [line.id for line in store.search(wanted(args, withdrawn=False)) if not named or line.id in named]


def _options(args: argparse.Namespace) -> dict[str, str]:
    pairs = [text.partition("=") for text in args.option]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise BadArgument(f"--option takes NAME=VALUE, not {name!r}.")
    return {name: value for name, _, value in pairs}


class _Progress(ProgressLine):
    """What is done of the whole and when it will be finished, for people or, with --json, for programs."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__("", as_json=args.json)

    def tell_of(self, what: str, share: float) -> None:
        self.what = Path(what).name or what
        self.tell(share)


def _tell(args: argparse.Namespace, reports: Iterable[Report], progress: ProgressLine) -> int:
    """Prints each report as it comes; status 1 where anything was refused."""
    told: list[Report] = []
    for report in reports:
        told.append(report)
        progress.clear()
        if report.outcome == "refused":
            print(f"playtape-db: {report.error}", file=sys.stderr, flush=True)
            if args.json:
                emit(args, report.to_json(), "")
        else:
            emit(args, report.to_json(), _text(report))
    if args.report:
        replace_text(args.report, whole(args.format, told, dry_run=args.dry_run))
    return 1 if any(report.outcome == "refused" for report in told) else 0


def _text(report: Report) -> str:
    """One line, and under it what was changed and dropped; in a dry run also what would be kept."""
    if report.outcome == "withdrawn":
        return report.says
    if report.outcome == "written" and not report.dry_run:
        first = report.path
    else:
        did = report.says or {"known": "known already"}.get(report.outcome, report.outcome)
        would = f"would be {report.outcome}" if report.outcome in ("imported", "merged", "written") else did
        counted = f", {report.frames} frames, {report.seconds:.1f} s" if report.frames and not report.says else ""
        first = f"{report.session_id}  {would if report.dry_run else did}{counted if report.outcome != 'known' else ''}"
    lines = report.lines() if report.dry_run else [line for line in report.lines() if not line.startswith("kept: ")]
    return "".join([first, *(f"\n  - {line}" for line in lines)])
