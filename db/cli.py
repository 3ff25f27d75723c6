"""What every command shares: --library and --json, one clear sentence for an error, exit status 0 only on success."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from db.errors import PlaytapeError
from db.files import encodable
from db.locations import LIBRARY_VARIABLE, default_library, default_person
from db.recording.recovery import RecoveryReport
from db.store import Store

__all__ = ["add_common", "default_person", "describe", "emit", "open_library", "run"]


def add_common(parser: argparse.ArgumentParser) -> None:
    """Adds the options that every command has."""
    parser.add_argument(
        "--library",
        type=Path,
        metavar="DIR",
        help=f"the library's folder (default: ${LIBRARY_VARIABLE} or {default_library()})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, for programs")


def open_library(args: argparse.Namespace, *, create: bool = True, recover: bool = True) -> Store:
    """The library that the command line names.

    recover: put sessions in order that were cut off, and say so on stderr (see `describe`).
    """
    store = Store.open(args.library, create=create)
    try:
        for sentence in describe(store.recover()) if recover else ():
            print(sentence, file=sys.stderr, flush=True)
    except BaseException:
        store.close()
        raise
    return store


def describe(reports: Sequence[RecoveryReport]) -> list[str]:
    """What a launch says about sessions that were cut off: a sentence each, and one for all whose damage is no news."""
    sentences = [
        report.error or f"Session {report.session_id} was cut off and is in order again, with {report.frames} frames."
        for report in reports
        if not report.known
    ]
    if known := sum(report.known for report in reports):
        what = "1 session is" if known == 1 else f"{known} sessions are"
        sentences.append(f"{what} damaged and not in the library; `playtape-db recover` tries again and says why.")
    return sentences


def emit(args: argparse.Namespace, facts: dict[str, Any], text: str) -> None:
    """Prints `facts` as one line of JSON with --json, else `text` for people."""
    print(encodable(json.dumps(facts, ensure_ascii=False, default=str) if args.json else text), flush=True)


def run(
    command: Callable[[argparse.Namespace], int | None],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
) -> int:
    """Parses, runs the command and returns the exit status: 0 on success, 1 on an error, 2 on a wrong command line, 130
    when interrupted. Only errors of the user's world are caught; a bug shows its traceback.
    """
    args = parser.parse_args(argv)
    try:
        return command(args) or 0
    except PlaytapeError as error:
        if args.json:
            print(json.dumps({"error": str(error), "kind": type(error).__name__}, ensure_ascii=False), flush=True)
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read this is gone; end without a fuss
        return 1
