"""`playtape-annotate`: label sessions frame by frame."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from db.cli import add_common, default_person, emit, open_library, run
from db.errors import NotFound


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="playtape-annotate", description="Label recorded sessions frame by frame.")
    parser.add_argument("session", nargs="?", metavar="SESSION", help="the session to open: its id, or a part of it")
    parser.add_argument(
        "--author", default=default_person(), metavar="PERSON", help="who labels (default: %(default)s)"
    )
    add_common(parser)
    return run(annotate, parser, argv)


def annotate(args: argparse.Namespace) -> int:
    """Opens the window and returns when it is closed."""
    from annotator.ui.annotate.annotate_window import AnnotateWindow
    from annotator.ui.desktop import start_app

    with open_library(args, create=args.session is None) as store:
        session_id = store.find(args.session) if args.session else ""
        app = start_app("playtape-annotate")
        window = AnnotateWindow(store, args.author)
        if session_id and not window.open_session(session_id):
            raise NotFound(window.info.text)
        window.show()
        status: int = app.exec()
        if args.json:
            emit(args, {"library": str(store.root), "author": args.author}, "")
        return status


if __name__ == "__main__":
    sys.exit(main())
